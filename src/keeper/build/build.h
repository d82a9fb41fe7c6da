/*
 * The steps that build a jail. jail.c has their order.
 *
 * Runs in:   keeper
 * Privilege: root until jc_jail_build() returns
 * Trusts:    the policy record
 */
#ifndef JC_BUILD_H
#define JC_BUILD_H

#include "src/keeper/keeper.h"

/* jail.c: does all steps. Returns 0, or -1 with *failure filled in. */
int jc_jail_build(jc_jail_t *jail, jc_failure_t *failure);

/* Moves fd to `number`, close-on-exec. 0 or -1. */
int jc_jail_place(int fd, int number);

/* cgroup_enter.c: the step. `fd` is placed as in jail.c. */
int jc_cgroup_enter(jc_jail_t *jail, jc_failure_t *failure);

/* filter.c: a step. */
int jc_filter_install(jc_jail_t *jail, jc_failure_t *failure);

/* landlock.c: two steps. */
int jc_landlock_enter(jc_jail_t *jail, jc_failure_t *failure);
int jc_landlock_scope(jc_jail_t *jail, jc_failure_t *failure);

/*
 * mounts.c, two steps: the root and what is in it, in the keeper's own mount
 * namespace if it has one; and to go there. 0 or -1.
 */
int jc_mounts_make(jc_jail_t *jail, jc_failure_t *failure);
int jc_mounts_enter(jc_jail_t *jail, jc_failure_t *failure);

/*
 * print.c: a number made of device and inode of JailRoot and of each source of
 * a mount, as they are found from the host's root now. A step, which keeps it
 * in the jail; and the same for whoever compares. A source that cannot be
 * reached counts as none. 0 or -1.
 */
int jc_print_take(jc_jail_t *jail, jc_failure_t *failure);
uint64_t jc_print_of(const jc_policy_view_t *policy, uint32_t uid);

/* procfs.c: the list of this process's children, and in *proc_fd the root of a
 * procfs of the PID namespace, if there is one. -1 with errno. */
int jc_procfs_open(int has_pid_ns, int *proc_fd);

#endif
