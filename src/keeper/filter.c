/*
 * What the kernel refuses to scripts although nothing in the jail's root or
 * rights does: system calls (seccomp(2)), to leave the session by which a
 * request's processes are known, and to reach another request (landlock(7)).
 *
 * setsid is refused by a filter of the keeper's own making. The script's child
 * has to call it all the same, when the filter is in force already: it says a
 * number that the keeper has drawn, in the first argument's register, which the
 * kernel ignores as setsid has no arguments. A script cannot know it: exec has
 * replaced the memory that it was in, the keeper's cannot be read (jail.c,
 * "undumpable"), and filters can be read back only with CAP_SYS_ADMIN.
 *
 * Runs in:   keeper
 * Privilege: the tenant, still with its capabilities in jc_filter_install()
 * Trusts:    the policy record
 */
#define _GNU_SOURCE
#include "keeper.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#else
#define NATIVE AUDIT_ARCH_AARCH64
#endif
#define OTHER_SETSID 66          /* of i386, and of 32-bit Arm */
#define X32_BIT      0x40000000u /* x32 has the native numbers with it */

#define LOAD(at) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at)
#define ARCH     offsetof(struct seccomp_data, arch)
#define NR       offsetof(struct seccomp_data, nr)
#define ARGUMENT offsetof(struct seccomp_data, args)
/* If it is the value go on, or else skip so many. */
#define NEED(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)
#define SAY(what)         BPF_STMT(BPF_RET | BPF_K, what)

/* Without SPEC_ALLOW kernels before 5.16 would slow scripts down by defences
 * against a process that attacks itself. */
static int install(const void *steps, uint32_t count)
{
    struct sock_fprog program = {.len = (unsigned short) count,
                                 .filter = (struct sock_filter *) steps};

    return (int) syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                         SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program);
}

static int refuse_setsid(uint64_t secret)
{
    const struct sock_filter steps[] = {
        LOAD(ARCH),
        NEED(NATIVE, 8), /* else to the other modes */
        LOAD(NR),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~X32_BIT),
        NEED(SYS_setsid, 8),
        LOAD(ARGUMENT),
        NEED((uint32_t) secret, 5),
        LOAD(ARGUMENT + 4),
        NEED((uint32_t) (secret >> 32), 3),
        SAY(SECCOMP_RET_ALLOW),
        LOAD(NR),
        NEED(OTHER_SETSID, 1),
        SAY(SECCOMP_RET_ERRNO | EPERM),
        SAY(SECCOMP_RET_ALLOW),
    };

    return install(steps, sizeof(steps) / sizeof(steps[0]));
}

int jc_filter_install(jc_jail_t *jail, jc_failure_t *failure)
{
    const jc_policy_view_t *policy = &jail->policy;

    if (policy->rec->background_ms == 0 &&
        (getrandom(&jail->secret, sizeof(jail->secret), 0) !=
             (ssize_t) sizeof(jail->secret) ||
         refuse_setsid(jail->secret))) {
        return -1;
    }
    return policy->common->filter_count > 0
               ? install(policy->filter, policy->common->filter_count)
               : 0;
}

/* Each script makes a domain of its own with it: it and what it starts reach
 * nobody outside by signals, ptrace or abstract sockets. The keeper is in none
 * and reaches all. Kernels before 6.12 do not have it (ABI 6). */
int jc_scope_make(jc_jail_t *jail, jc_failure_t *failure)
{
    const struct {
        uint64_t handled[2]; /* of files and of the network: nothing */
        uint64_t scoped;
    } rules = {.scoped = 3 /* abstract sockets, signals */};

    if (!(jail->policy.rec->flags & JC_POLICY_SCOPE) ||
        syscall(SYS_landlock_create_ruleset, NULL, 0, 1 /* version */) < 6) {
        return 0;
    }
    jail->has_scope = 1;
    return jc_jail_place((int) syscall(SYS_landlock_create_ruleset, &rules,
                                       sizeof(rules), 0),
                         JC_KEEPER_SCOPE_FD);
}
