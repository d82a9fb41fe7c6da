/*
 * The keeper's filter and that of JailSeccomp as one program, run here as the
 * kernel would run it, beside the two: it allows what both allow, and looks at
 * no argument for that at which they do not look. What one of them refuses it
 * refuses or asks about, and it never asks about a call of the keeper.
 *
 * Runs in:   the tests
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "src/keeper/build/joint_filter.h"

#define X32   0x40000000u
#define NO    (SECCOMP_RET_ERRNO | EPERM)
#define NEVER (SECCOMP_RET_ERRNO | ENOSYS)
#define ASK   SECCOMP_RET_USER_NOTIF
#define YES   SECCOMP_RET_ALLOW
#if defined(__x86_64__)
#define OTHER AUDIT_ARCH_I386
#else
#define OTHER AUDIT_ARCH_ARM
#endif

static const uint64_t secret = 0x123456789abcdef0u;
static jc_own_filter_t own;
static struct sock_filter *second;
static unsigned second_count;
static jc_joint_filter_t joint, alone;
static int has_looked; /* at an argument, in the last run */

static int holds(uint16_t code, uint32_t a, uint32_t k)
{
    switch (BPF_OP(code)) {
    case BPF_JEQ:
        return a == k;
    case BPF_JGT:
        return a > k;
    case BPF_JGE:
        return a >= k;
    default:
        assert_int_equal(BPF_OP(code), BPF_JSET);
        return (a & k) != 0;
    }
}

static uint32_t run(const struct sock_filter *steps, unsigned count,
                    const struct seccomp_data *data)
{
    uint32_t a = 0;

    has_looked = 0;
    for (unsigned pc = 0; pc < count; pc++) {
        const struct sock_filter *s = &steps[pc];

        switch (s->code) {
        case BPF_LD | BPF_W | BPF_ABS:
            assert_true(s->k + 4 <= sizeof(*data));
            memcpy(&a, (const char *) data + s->k, sizeof(a));
            has_looked |= s->k >= offsetof(struct seccomp_data, args);
            break;
        case BPF_ALU | BPF_AND | BPF_K:
            a &= s->k;
            break;
        case BPF_JMP | BPF_JA:
            pc += s->k;
            break;
        case BPF_RET | BPF_K:
            return s->k;
        default:
            assert_int_equal(BPF_CLASS(s->code), BPF_JMP);
            pc += holds(s->code, a, s->k) ? s->jt : s->jf;
        }
    }
    fail_msg("the program has no end");
    return 0;
}

/* Numbers that the second filter refuses: all that end so. */
static uint32_t errno_of(int number)
{
    return number % 4 == 1 ? EPERM : number % 4 == 2 ? ENOSYS : EDOM;
}

/* As src/httpd/config/seccomp.c makes it, with rows of every kind. */
static int make_second(void)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
    int fd = memfd_create("second", MFD_CLOEXEC);

    seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
    seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    for (int number = 1; number < 460; number++) {
        if (number % 4 != 0 && number != SYS_clone && number != SYS_fcntl) {
            seccomp_rule_add(ctx, SCMP_ACT_ERRNO(errno_of(number)), number, 0);
        }
    }
    seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SYS_clone, 1,
                     SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER));
    seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SYS_clone, 1,
                     SCMP_A0(SCMP_CMP_EQ, CLONE_VM, 0));
    seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SYS_fcntl, 1,
                     SCMP_A1(SCMP_CMP_GE, 1000, 0));
    if (fd < 0 || seccomp_export_bpf(ctx, fd)) {
        return -1;
    }
    off_t len = lseek(fd, 0, SEEK_END);
    second = malloc((size_t) len);
    second_count = (unsigned) ((size_t) len / sizeof(*second));
    seccomp_release(ctx);
    return pread(fd, second, (size_t) len, 0) == len ? close(fd) : -1;
}

static int set_up(void **state)
{
    return jc_own_filter_make(&own, &secret) || make_second() ||
           jc_joint_filter_make(&joint, &own, second, second_count) ||
           jc_joint_filter_make(&alone, &own, NULL, 0);
}

/* What the two say, the keeper's own first, as the joint program has it. */
static uint32_t expected(const struct seccomp_data *data, int *looked)
{
    uint32_t said = run(own.steps, own.count, data);

    *looked = has_looked;
    if (said == YES) {
        said = run(second, second_count, data);
        *looked |= has_looked;
    }
    return said;
}

static unsigned asked; /* how often in this test */

static void compare(uint32_t arch, uint32_t number, uint64_t a, uint64_t b)
{
    struct seccomp_data data = {.nr = (int) number,
                                .arch = arch,
                                .args = {a, b, b, b, b, b}};
    int looked;
    uint32_t want = expected(&data, &looked);
    uint32_t got = run(joint.steps, joint.count, &data);

    if (got == ASK) {
        /* The keeper's answer must be that of the filter. */
        assert_int_equal(want, arch == JC_NATIVE_ARCH ? NO : NEVER);
        asked++;
        return;
    }
    assert_int_equal(got, want);
    if (got == YES) {
        assert_int_equal(has_looked, looked);
    }
}

static const uint64_t values[] = {0,           1,
                                  18,          62,
                                  1000,        F_SETLEASE,
                                  CLONE_VM,    CLONE_NEWUSER | SIGCHLD,
                                  ~UINT64_C(0)};
#define VALUES (sizeof(values) / sizeof(values[0]))

static void test_says_the_same(void **state)
{
    for (uint32_t number = 0; number < 600; number++) {
        for (size_t i = 0; i < VALUES * VALUES; i++) {
            uint64_t a = values[i / VALUES], b = values[i % VALUES];

            compare(JC_NATIVE_ARCH, number, a, b);
            compare(JC_NATIVE_ARCH, X32 | number, a, b);
            compare(OTHER, number, a, b);
        }
    }
    assert_true(asked > 10000);
}

static uint32_t say(const jc_joint_filter_t *f, uint32_t number, uint64_t a,
                    uint64_t b)
{
    struct seccomp_data data = {.nr = (int) number,
                                .arch = JC_NATIVE_ARCH,
                                .args = {a, b, b, b, b, b}};

    return run(f->steps, f->count, &data);
}

/* Calls of the keeper that the second filter refuses with EPERM by their
 * number, and others that it asks about. */
static void test_who_answers(void **state)
{
    assert_int_equal(say(&alone, SYS_setsid, 0, 0), ASK);
    assert_int_equal(say(&alone, SYS_setsid, secret, 0), YES);
    assert_int_equal(say(&alone, SYS_sched_setscheduler, 1, 0), ASK);
    assert_int_equal(say(&alone, SYS_prctl, 62, 1), NO);
    assert_int_equal(say(&joint, SYS_clone, CLONE_NEWUSER | SIGCHLD, 0), ASK);
    assert_int_equal(say(&joint, SYS_clone, CLONE_VM, 0), NO);
    assert_int_equal(say(&joint, SYS_clone, CLONE_VM | SIGCHLD, 0), YES);
    assert_int_equal(say(&joint, SYS_fcntl, 3, F_SETLEASE), ASK);
    assert_int_equal(say(&joint, SYS_fcntl, 3, F_DUPFD_CLOEXEC), NO);
    assert_int_equal(say(&joint, SYS_fcntl, 3, F_SETFD), YES);
#if defined(__x86_64__)
    static const uint32_t of_keeper[] = {SYS_write,         SYS_fstat,
                                         SYS_mmap,          SYS_rt_sigaction,
                                         SYS_wait4,         SYS_pread64,
                                         SYS_exit,          SYS_prctl,
                                         SYS_chroot,        SYS_futex,
                                         SYS_clock_gettime, SYS_epoll_ctl,
                                         SYS_openat,        SYS_signalfd4};

    for (size_t i = 0; i < sizeof(of_keeper) / sizeof(of_keeper[0]); i++) {
        assert_int_not_equal(say(&joint, of_keeper[i], 0, 0), ASK);
    }
    assert_int_equal(SYS_ptrace % 4, 1);
    assert_int_equal(say(&joint, SYS_ptrace, 0, 0), ASK);
#endif
}

static void test_too_long(void **state)
{
    struct sock_filter *steps = calloc(BPF_MAXINSNS, sizeof(*steps));

    assert_int_equal(jc_joint_filter_make(&joint, &own, steps, BPF_MAXINSNS),
                     -1);
    free(steps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_says_the_same),
        cmocka_unit_test(test_who_answers),
        cmocka_unit_test(test_too_long),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
