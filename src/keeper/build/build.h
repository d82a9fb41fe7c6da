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
#include "src/keeper/launch/launch.h"

/* jail.c: applies all steps in order. Returns 0, or -1 with *failure filled
 * in. */
int jc_jail_build(jc_jail_t *jail, jc_failure_t *failure);

/* Moves fd to `number`, close-on-exec, and closes the old one. Returns 0, or -1
 * with errno. */
int jc_jail_place(int fd, int number);

/* cgroup_enter.c: enters the jail's cgroup, whose directory step_descriptors()
 * in jail.c has placed at JC_KEEPER_CHILDREN_FD. A step: returns 0, or -1 with
 * errno or *failure, as all steps do. */
int jc_cgroup_enter(jc_jail_t *jail, jc_failure_t *failure);

/* filter.c: installs the seccomp filters. A step. */
int jc_filter_install(jc_jail_t *jail, jc_failure_t *failure);

/* landlock.c: restricts the keeper itself; makes the ruleset with which each
 * script's child restricts itself. Two steps. */
int jc_landlock_enter(jc_jail_t *jail, jc_failure_t *failure);
int jc_landlock_scope(jc_jail_t *jail, jc_failure_t *failure);

/*
 * mounts.c: makes the root and the mounts in it, in the keeper's own mount
 * namespace if it has one. root.c: changes to that root. Two steps.
 */
int jc_mounts_make(jc_jail_t *jail, jc_failure_t *failure);
int jc_root_enter(jc_jail_t *jail, jc_failure_t *failure);

/*
 * print.c: jc_print_of() returns a hash of device and inode of JailRoot and of
 * each source of a mount, as found now from the host's root. A source that
 * cannot be reached counts by the code of its failure. jc_print_take() is a
 * step that stores the hash in the jail.
 */
int jc_print_take(jc_jail_t *jail, jc_failure_t *failure);
uint64_t jc_print_of(const jc_policy_view_t *policy, uint32_t uid);

/* own_dir.c: opens the directory of a tenant that a row with JC_MOUNT_OWN
 * names, and makes it if it does not exist. Sets walk->dir_fd to its O_PATH,
 * which the caller closes, and walk->file_fd to -1. Returns 0, or -1 with
 * *failure. */
int jc_own_dir_open(const jc_jail_t *jail, const char *source, jc_walk_t *walk,
                    jc_failure_t *failure);

/* owner_account.c: adds the account, or NULL, to the view of a record, which
 * has been checked. Returns 0, or -1 if the account is malformed or another
 * user's. */
int jc_owner_account_take(const void *account, jc_policy_view_t *policy,
                          uint32_t uid, uint32_t gid);

/* dev_log.c: binds /dev/log in a /dev that the rows have made, and sets
 * jail->has_log, unless something is there. */
void jc_dev_log_make(jc_jail_t *jail);

/* procfs.c: returns a descriptor of the list of this process's children, and
 * sets *proc_fd to the root of a procfs of its PID namespace. Without a PID
 * namespace, *proc_fd is a file that cannot be listed. The caller closes both.
 * Returns -1 with errno. */
int jc_procfs_open(int has_pid_ns, int *proc_fd);
/* Lets the numbers of this PID namespace begin at one that is drawn at random,
 * because scripts name files by them, and another jail of the user may have the
 * same directories. No protection depends on it, so a kernel without
 * CONFIG_CHECKPOINT_RESTORE only leaves the numbers as they are. */
void jc_procfs_scatter(void);

#endif
