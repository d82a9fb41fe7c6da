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
#include "joint_filter.h"

#include <linux/seccomp.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5) /* Linux 5.19 */
#endif

/* Without SPEC_ALLOW, kernels before 5.16 would slow scripts down by defences
 * against a process that attacks itself (seccomp(2)). */
static int install(const void *steps, uint32_t count, unsigned long flags)
{
    struct sock_fprog program = {.len = (unsigned short) count,
                                 .filter = (struct sock_filter *) steps};

    return (int) syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                         SECCOMP_FILTER_FLAG_SPEC_ALLOW | flags, &program);
}

/* Installs both filters as one, with which the keeper learns what was refused.
 * A signal then does not interrupt a call that the keeper has heard of; kernels
 * before 5.19 cannot do that, and the call begins again. Returns the listener,
 * or -1 with nothing installed: the kernel is too old, or a program outside of
 * this jail listens already. */
static int install_joint(const jc_own_filter_t *own,
                         const jc_policy_view_t *policy)
{
    unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
    jc_joint_filter_t joint;
    int fd;

    if (jc_joint_filter_make(&joint, own, (const void *) policy->filter,
                             policy->common->filter_count)) {
        return -1;
    }
    fd = install(joint.steps, joint.count,
                 flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
    return fd >= 0 ? fd : install(joint.steps, joint.count, flags);
}

int jc_filter_install(jc_jail_t *jail, jc_failure_t *failure)
{
    const jc_policy_view_t *policy = &jail->policy;
    int may_leave = policy->rec->background_ms != 0;
    jc_own_filter_t own;
    int fd;

    if (getrandom(&jail->secret, sizeof(jail->secret), 0) !=
            (ssize_t) sizeof(jail->secret) ||
        jc_own_filter_make(&own, may_leave ? NULL : &jail->secret)) {
        return -1;
    }
    fd = install_joint(&own, policy);
    if (fd >= 0) {
        jail->has_listener = 1;
        return jc_jail_place(fd, JC_KEEPER_REFUSED_FD);
    }
    if (install(own.steps, own.count, 0)) {
        return -1;
    }
    return policy->common->filter_count > 0
               ? install(policy->filter, policy->common->filter_count, 0)
               : 0;
}
