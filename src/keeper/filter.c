/*
 * What the kernel refuses to scripts although nothing in the jail's root or
 * rights does: the system calls of the keeper's own filter (own_filter.c),
 * those of JailSeccomp, and to reach another request (landlock(7)).
 *
 * Runs in:   keeper
 * Privilege: the tenant, still with its capabilities in jc_filter_install()
 * Trusts:    the policy record
 */
#define _GNU_SOURCE
#include "keeper.h"

#include <linux/seccomp.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "own_filter.h"

/* Without SPEC_ALLOW kernels before 5.16 would slow scripts down by defences
 * against a process that attacks itself. */
static int install(const void *steps, uint32_t count)
{
    struct sock_fprog program = {.len = (unsigned short) count,
                                 .filter = (struct sock_filter *) steps};

    return (int) syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                         SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program);
}

int jc_filter_install(jc_jail_t *jail, jc_failure_t *failure)
{
    const jc_policy_view_t *policy = &jail->policy;
    int may_leave = policy->rec->background_ms != 0;
    jc_own_filter_t own;

    if (getrandom(&jail->secret, sizeof(jail->secret), 0) !=
            (ssize_t) sizeof(jail->secret) ||
        jc_own_filter_make(&own, may_leave ? NULL : &jail->secret) ||
        install(own.steps, own.count)) {
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
