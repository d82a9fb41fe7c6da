/*
 * The keeper's own seccomp filter, which refuses what no setting of a site may
 * allow. JailSeccomp adds a list that an administrator may change or turn off;
 * this filter is always there.
 *
 * A request, its keeper and every other request of the jail have the same uid.
 * The kernel lets a uid change the limits, the scheduling and the memory
 * placement of all its processes: RLIMIT_CPU kills them, RLIMIT_NOFILE starves
 * them. The kernel asks Landlock only about signals and ptrace. The calls that
 * name a process are therefore allowed only for the caller itself, which they
 * name by 0. doc/manual/processes.md goes through all system calls, and
 * t/lint/processes.t compares it with this table.
 *
 * setsid is refused because the processes of a request are known by their
 * session. The script's child must still call it when the filter is already in
 * force. It passes a number that the keeper has drawn in the register of the
 * first argument, which the kernel ignores, because setsid has no arguments. A
 * script cannot know that number: exec has replaced the memory in which it was,
 * the keeper's memory cannot be read (jail.c, "undumpable"), and filters can be
 * read back only with CAP_SYS_ADMIN.
 *
 * Runs in:   keeper
 * Privilege: the tenant, still with its capabilities
 * Trusts:    nothing
 * Never:     looks at an argument before it knows the call's number, so that
 * the kernel can remember which calls are always allowed, and need not run the
 * filter for them again
 */
#include "build.h"
#include "own_filter.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>

/* The number of a call natively, and in the processor's 32-bit mode: i386,
 * Arm. */
#if defined(__x86_64__)
#define CALL(name, i386, arm) SYS_##name, i386
#else
#define CALL(name, i386, arm) SYS_##name, arm
#endif
#define X32_BIT      0x40000000u /* x32 adds this to the native number, or */
#define X32_OWN(nr)  nr, NO_CALL /* has a number of its own */
#define NO_CALL      UINT32_MAX
#define SCHED_CORE   62 /* PR_SCHED_CORE */
#define WHO_PROCESS  1  /* IOPRIO_WHO_PROCESS */
#define PRIO_PROCESS 0

typedef struct {
    enum { NO_TEST, EQUAL, DIFFERS, DIFFERS_WIDE } kind;
    unsigned arg;
    uint64_t value;
} test_t;

/* For an int, the kernel ignores the upper half of the register. */
#define IS(arg, value)                                                         \
    {                                                                          \
        EQUAL, arg, value                                                      \
    }
#define IS_NOT(arg, value)                                                     \
    {                                                                          \
        DIFFERS, arg, value                                                    \
    }
#define IS_NOT_WIDE(arg, value)                                                \
    {                                                                          \
        DIFFERS_WIDE, arg, value                                               \
    }

typedef struct {
    uint32_t number;
    uint32_t other;
    test_t tests[2];
} row_t;

/* A call is refused if all tests of one of its rows hold. */
static const row_t rows[] = {
    {CALL(prlimit64, 340, 369), {IS_NOT(0, 0), IS_NOT_WIDE(2, 0)}},
    {CALL(sched_setaffinity, 241, 241), {IS_NOT(0, 0)}},
    {CALL(sched_setscheduler, 156, 156), {IS_NOT(0, 0)}},
    {CALL(sched_setparam, 154, 154), {IS_NOT(0, 0)}},
    {CALL(sched_setattr, 351, 380), {IS_NOT(0, 0)}},
    {CALL(setpriority, 97, 97), {IS_NOT(0, PRIO_PROCESS)}},
    {CALL(setpriority, 97, 97), {IS_NOT(1, 0)}},
    {CALL(ioprio_set, 289, 314), {IS_NOT(0, WHO_PROCESS)}},
    {CALL(ioprio_set, 289, 314), {IS_NOT(1, 0)}},
    {CALL(migrate_pages, 294, 400), {IS_NOT(0, 0)}},
    {CALL(move_pages, 317, 344), {IS_NOT(0, 0)}},
    /* Decides which processes share a core. */
    {CALL(prctl, 172, 172), {IS(0, SCHED_CORE), IS_NOT(2, 0)}},
    /* Gives the keeper, which is the parent, a keyring that all later requests
     * inherit. */
    {CALL(keyctl, 288, 311), {IS(0, KEYCTL_SESSION_TO_PARENT)}},
    /* Shows an address in the memory of another process. */
    {CALL(get_robust_list, 312, 339), {IS_NOT(0, 0)}},
#if defined(__x86_64__)
    {X32_OWN(533 /* move_pages */), {IS_NOT(0, 0)}},
    {X32_OWN(531 /* get_robust_list */), {IS_NOT(0, 0)}},
#endif
};

#define LOAD(at)        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at)
#define ARCH            offsetof(struct seccomp_data, arch)
#define NR              offsetof(struct seccomp_data, nr)
#define LOW(arg)        (offsetof(struct seccomp_data, args) + 8 * (arg))
#define HIGH(arg)       (LOW(arg) + 4)
#define IF(value, t, f) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, t, f)
#define SAY(what)       BPF_STMT(BPF_RET | BPF_K, what)
#define MISS            UINT8_MAX /* a jump to the end of the row */

/* Continues to count when the program is full; the caller checks the count. */
static void add(jc_own_filter_t *f, struct sock_filter step)
{
    if (f->count < JC_OWN_FILTER_MAX) {
        f->steps[f->count] = step;
    }
    f->count++;
}

static void add_number(jc_own_filter_t *f)
{
    add(f, (struct sock_filter) LOAD(NR));
    add(f, (struct sock_filter) BPF_STMT(BPF_ALU | BPF_AND | BPF_K,
                                         (uint32_t) ~X32_BIT));
}

static void add_test(jc_own_filter_t *f, const test_t *test)
{
    uint32_t low = (uint32_t) test->value;
    uint32_t high = (uint32_t) (test->value >> 32);

    add(f, (struct sock_filter) LOAD(LOW(test->arg)));
    switch (test->kind) {
    case EQUAL:
        add(f, (struct sock_filter) IF(low, 0, MISS));
        break;
    case DIFFERS_WIDE:
        add(f, (struct sock_filter) IF(low, 0, 2));
        add(f, (struct sock_filter) LOAD(HIGH(test->arg)));
        add(f, (struct sock_filter) IF(high, MISS, 0));
        break;
    default:
        add(f, (struct sock_filter) IF(low, MISS, 0));
    }
}

/* A call with another number jumps past the row. A test that does not hold
 * jumps to the end of the row, where the number is loaded again. */
static void add_row(jc_own_filter_t *f, uint32_t number, const row_t *row)
{
    unsigned first = f->count, end;

    if (number == NO_CALL) {
        return;
    }
    add(f, (struct sock_filter) IF(number, 0, 0));
    for (int i = 0; i < 2 && row->tests[i].kind != NO_TEST; i++) {
        add_test(f, &row->tests[i]);
    }
    add(f, (struct sock_filter) SAY(SECCOMP_RET_ERRNO | EPERM));
    end = f->count;
    add_number(f);
    if (f->count > JC_OWN_FILTER_MAX) {
        return;
    }
    f->steps[first].jf = (uint8_t) (f->count - first - 1);
    for (unsigned i = first + 1; i < end; i++) {
        struct sock_filter *step = &f->steps[i];
        step->jt = step->jt == MISS ? (uint8_t) (end - i - 1) : step->jt;
        step->jf = step->jf == MISS ? (uint8_t) (end - i - 1) : step->jf;
    }
}

static void add_rows(jc_own_filter_t *f, int is_native, const uint64_t *secret)
{
    add_number(f);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        add_row(f, is_native ? rows[i].number : rows[i].other, &rows[i]);
    }
    if (secret) {
        const row_t row = {CALL(setsid, 66, 66), {IS_NOT_WIDE(0, *secret)}};
        add_row(f, is_native ? row.number : row.other, &row);
    }
    add(f, (struct sock_filter) SAY(SECCOMP_RET_ALLOW));
}

int jc_own_filter_make(jc_own_filter_t *f, const uint64_t *secret)
{
    unsigned jump;

    f->count = 0;
    add(f, (struct sock_filter) LOAD(ARCH));
    add(f, (struct sock_filter) IF(JC_NATIVE_ARCH, 1, 0));
    jump = f->count;
    add(f, (struct sock_filter) BPF_STMT(BPF_JMP | BPF_JA, 0));
    add_rows(f, 1, secret);
    f->steps[jump].k = f->count - jump - 1;
    add_rows(f, 0, secret);
    if (f->count > JC_OWN_FILTER_MAX) {
        errno = E2BIG;
        return -1;
    }
    return 0;
}
