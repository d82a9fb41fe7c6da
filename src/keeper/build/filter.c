/*
 * Installs the seccomp filters. They refuse what neither the jail's root nor
 * the tenant's rights refuse: the calls of the keeper's own filter
 * (own_filter.c) and those of JailSeccomp. Landlock (landlock.c) refuses the
 * rest.
 *
 * Runs in:   keeper
 * Privilege: the tenant, still with its capabilities in jc_filter_install()
 * Trusts:    the policy record
 */
#include "build.h"
#include "own_filter.h"

#include <linux/seccomp.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Without SPEC_ALLOW, kernels before 5.16 would slow scripts down by defences
 * against a process that attacks itself (seccomp(2)). */
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
