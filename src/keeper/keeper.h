/*
 * The keeper's descriptors, and its view of its jail, for src/keeper/build,
 * launch and serve.
 *
 * Runs in:   keeper; script's child up to exec
 * Privilege: root until jc_jail_build() returns, then the tenant for good
 * Trusts:    the policy record; nothing in a request
 * Never:     regains a privilege
 */
#ifndef JC_KEEPER_H
#define JC_KEEPER_H

#include "src/policy/policy.h"
#include "src/wire/codes.h"
#include "src/wire/mountinfo.h"
#include "src/wire/request.h"
#include "src/wire/wire.h"

#include <linux/audit.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* The numbers of the keeper's descriptors; the control socket of a request gets
 * a higher one. 0 to 2 are /dev/null. 0 is the jail's own, because it is the
 * stdin of scripts whose request has no body. */
#define JC_KEEPER_STALE_FD    3 /* eventfd: a script was not in the root */
#define JC_KEEPER_HELPER_FD   4
#define JC_KEEPER_PARENT_FD   5 /* pidfd of the httpd parent */
#define JC_KEEPER_CHILDREN_FD 6
#define JC_KEEPER_PROC_FD     7 /* root of its procfs, with a PID namespace */
#define JC_KEEPER_SIGNAL_FD   8
#define JC_KEEPER_EPOLL_FD    9
/* memory.events, pids.events and cpu.stat, if the jail has a cgroup. */
#define JC_KEEPER_EVENTS_FD  10
#define JC_KEEPER_EVENTS     3
#define JC_KEEPER_SCOPE_FD   13 /* Landlock ruleset; with JailScope */
#define JC_KEEPER_TMP_FD     14 /* the jail's /tmp, if it is a tmpfs */
#define JC_KEEPER_REFUSED_FD 15 /* listener of the filter, if it has one */
#define JC_KEEPER_LOG_FD     16 /* the jail's own /dev/log, if it has one */

/* The processor's own mode, as seccomp(2) names it. */
#if defined(__x86_64__)
#define JC_NATIVE_ARCH AUDIT_ARCH_X86_64
#else
#define JC_NATIVE_ARCH AUDIT_ARCH_AARCH64
#endif

/* In the script's child, besides descriptors 0 to 3. */
#define JC_SCRIPT_CONTROL_FD 4

/* The keepers of one jail share a page with this many slots, and each counts
 * its running scripts in its own (src/keeper/serve/tally.c). The helper assigns
 * the slots. */
#define JC_TALLY_SLOTS 64

/* The exit status of a keeper that gives its jail up, and all that runs in it:
 * 0 and 1 mean that nothing did. */
#define JC_KEEPER_GAVE_UP 2

typedef struct {
    int sock_fd;
    int parent_pidfd;
    int cgroup_fd; /* -1: no JailCgroup */
    int tally_fd;  /* -1: no JailConcurrency */
    unsigned tally_slot;
    uint32_t uid;
    uint32_t gid;
    const void *rec; /* each part of the policy begins with its length */
    const void *common;
    const void *account; /* NULL: none, or not known */
    char *title;         /* the memory of argv, which ps shows */
    size_t title_size;
} jc_keeper_start_t;

/* Mounts, sorted by their ids. */
typedef struct {
    uint32_t id;
    jc_fs_t fs;
} jc_mounted_t;

typedef struct {
    jc_mounted_t *list;
    uint32_t count;
} jc_mounted_table_t;

typedef struct {
    jc_keeper_start_t start;
    jc_policy_view_t policy;
    const jc_mounted_table_t *mounted;
    int root_fd;      /* the new root between two steps, otherwise -1 */
    uint64_t secret;  /* lets the script's child call setsid */
    uint64_t print;   /* jc_print_of() when the root was made */
    int has_scope;    /* requests are isolated from each other */
    int has_listener; /* the filter asks the keeper about refused calls */
    int has_log;      /* it has a /dev/log of its own */
} jc_jail_t;

/* Returns whether the keeper has all these namespaces (JC_NS_*) of its own. */
static inline int jc_jail_has(const jc_jail_t *jail, uint32_t namespaces)
{
    return (jail->policy.rec->namespaces & namespaces) == namespaces;
}

/* keeper.c: builds the jail and serves it, in a process that the helper has
 * just forked. If a step fails, it refuses the requests that wait and exits. */
void jc_keeper_main(const jc_keeper_start_t *start) __attribute__((noreturn));

#endif
