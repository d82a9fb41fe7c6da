/*
 * The keeper's own filter, run here as the kernel would run it: its answer to
 * each number. For a call that it does not name it looks at no argument, so
 * that the kernel can remember that call as allowed.
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
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include "src/keeper/build/own_filter.h"

#define X32    0x40000000u
#define SECRET 0x123456789abcdef0u
#define UPPER  0x700000000u
#define NO     (SECCOMP_RET_ERRNO | EPERM)
#define YES    SECCOMP_RET_ALLOW

static const uint64_t secret = SECRET;
static jc_own_filter_t deny, allow;
static int has_looked; /* at an argument, in the last run */

static uint32_t run(const jc_own_filter_t *f, const struct seccomp_data *data)
{
    uint32_t a = 0;

    has_looked = 0;
    for (unsigned pc = 0; pc < f->count; pc++) {
        const struct sock_filter *s = &f->steps[pc];

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
        case BPF_JMP | BPF_JEQ | BPF_K:
            pc += a == s->k ? s->jt : s->jf;
            break;
        default:
            assert_int_equal(s->code, BPF_RET | BPF_K);
            return s->k;
        }
    }
    fail_msg("the program has no end");
    return 0;
}

static uint32_t say(const jc_own_filter_t *f, uint32_t arch, uint32_t number,
                    uint64_t a, uint64_t b, uint64_t c)
{
    struct seccomp_data data = {.nr = (int) number,
                                .arch = arch,
                                .args = {a, b, c, ~0u, ~0u, ~0u}};

    return run(f, &data);
}

#define NATIVE JC_NATIVE_ARCH
#if defined(__x86_64__)
#define OTHER AUDIT_ARCH_I386
#define NUMBERS(name, i386, arm, x32)                                          \
    {                                                                          \
        SYS_##name, i386, x32                                                  \
    }
#else
#define OTHER AUDIT_ARCH_ARM
#define NUMBERS(name, i386, arm, x32)                                          \
    {                                                                          \
        SYS_##name, arm, SYS_##name                                            \
    }
#endif

static const struct {
    uint32_t number[3]; /* natively, in 32 bits, of x32 */
    uint64_t args[3];
    uint32_t answer;
} cases[] = {
    {NUMBERS(prlimit64, 340, 369, SYS_prlimit64), {0, 7, 8}, YES},
    {NUMBERS(prlimit64, 340, 369, SYS_prlimit64), {1, 7, 8}, NO},
    {NUMBERS(prlimit64, 340, 369, SYS_prlimit64), {1, 7, 0}, YES},
    {NUMBERS(prlimit64, 340, 369, SYS_prlimit64), {1, 7, UPPER}, NO},
    {NUMBERS(prlimit64, 340, 369, SYS_prlimit64), {UPPER, 7, 8}, YES},
    {NUMBERS(prlimit64, 340, 369, SYS_prlimit64), {UPPER | 1, 7, 8}, NO},
    {NUMBERS(sched_setaffinity, 241, 241, 203), {0, 8, 8}, YES},
    {NUMBERS(sched_setaffinity, 241, 241, 203), {2, 8, 8}, NO},
    {NUMBERS(sched_setscheduler, 156, 156, 144), {0, 8, 8}, YES},
    {NUMBERS(sched_setscheduler, 156, 156, 144), {2, 8, 8}, NO},
    {NUMBERS(sched_setparam, 154, 154, 142), {0, 8, 8}, YES},
    {NUMBERS(sched_setparam, 154, 154, 142), {2, 8, 8}, NO},
    {NUMBERS(sched_setattr, 351, 380, 314), {0, 8, 0}, YES},
    {NUMBERS(sched_setattr, 351, 380, 314), {2, 8, 0}, NO},
    {NUMBERS(setpriority, 97, 97, 141), {0, 0, 5}, YES},
    {NUMBERS(setpriority, 97, 97, 141), {0, 1, 5}, NO},
    {NUMBERS(setpriority, 97, 97, 141), {1, 0, 5}, NO},
    {NUMBERS(setpriority, 97, 97, 141), {2, 7, 5}, NO},
    {NUMBERS(ioprio_set, 289, 314, 251), {1, 0, 5}, YES},
    {NUMBERS(ioprio_set, 289, 314, 251), {1, 1, 5}, NO},
    {NUMBERS(ioprio_set, 289, 314, 251), {2, 0, 5}, NO},
    {NUMBERS(ioprio_set, 289, 314, 251), {0, 0, 5}, NO},
    {NUMBERS(migrate_pages, 294, 400, 256), {0, 1, 5}, YES},
    {NUMBERS(migrate_pages, 294, 400, 256), {1, 1, 5}, NO},
    {NUMBERS(move_pages, 317, 344, 533), {0, 1, 5}, YES},
    {NUMBERS(move_pages, 317, 344, 533), {1, 1, 5}, NO},
    {NUMBERS(prctl, 172, 172, 157), {62, 1, 0}, YES},
    {NUMBERS(prctl, 172, 172, 157), {62, 1, 3}, NO},
    {NUMBERS(prctl, 172, 172, 157), {UPPER | 62, 1, 3}, NO},
    {NUMBERS(prctl, 172, 172, 157), {4, 1, 3}, YES},
    {NUMBERS(keyctl, 288, 311, 250), {18, 0, 0}, NO},
    {NUMBERS(keyctl, 288, 311, 250), {0, 0, 0}, YES},
    {NUMBERS(get_robust_list, 312, 339, 531), {0, 1, 2}, YES},
    {NUMBERS(get_robust_list, 312, 339, 531), {1, 1, 2}, NO},
    {NUMBERS(setsid, 66, 66, 112), {SECRET, 0, 0}, YES},
    {NUMBERS(setsid, 66, 66, 112), {SECRET ^ 1, 0, 0}, NO},
    {NUMBERS(setsid, 66, 66, 112), {SECRET ^ UPPER, 0, 0}, NO},
    {NUMBERS(setsid, 66, 66, 112), {0, 0, 0}, NO},
};
#define CASES (sizeof(cases) / sizeof(cases[0]))

static int set_up(void **state)
{
    return jc_own_filter_make(&deny, &secret) ||
           jc_own_filter_make(&allow, NULL);
}

static void test_cases(void **state)
{
    for (size_t i = 0; i < CASES; i++) {
        const uint64_t *a = cases[i].args;
        const uint32_t *n = cases[i].number;

        print_message("case %zu\n", i);
        assert_int_equal(say(&deny, NATIVE, n[0], a[0], a[1], a[2]),
                         cases[i].answer);
        assert_true(has_looked);
        assert_int_equal(say(&deny, OTHER, n[1], a[0], a[1], a[2]),
                         cases[i].answer);
#if defined(__x86_64__)
        assert_int_equal(say(&deny, NATIVE, X32 | n[2], a[0], a[1], a[2]),
                         cases[i].answer);
#endif
    }
    assert_int_equal(say(&allow, NATIVE, SYS_setsid, 0, 0, 0), YES);
    assert_false(has_looked);
    assert_int_equal(say(&allow, NATIVE, SYS_prlimit64, 1, 7, 8), NO);
}

/* By which of its three numbers a call is named here. */
static int is_named(int which, uint32_t number)
{
    for (size_t i = 0; i < CASES; i++) {
        if (cases[i].number[which] == number) {
            return 1;
        }
    }
    return 0;
}

static void test_others_are_allowed(void **state)
{
    for (uint32_t number = 0; number < 2048; number++) {
        if (!is_named(0, number) && !is_named(2, number)) {
            assert_int_equal(say(&deny, NATIVE, number, 1, 1, 1), YES);
            assert_false(has_looked);
        }
        if (!is_named(1, number)) {
            assert_int_equal(say(&deny, OTHER, number, 1, 1, 1), YES);
            assert_false(has_looked);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_others_are_allowed),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
