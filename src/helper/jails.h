/*
 * One jail in the helper, and the functions that work on one jail.
 *
 * Runs in:   helper
 * Privilege: root, least capabilities
 */
#ifndef JC_JAILS_H
#define JC_JAILS_H

#include "keepers.h"

#include "src/keeper/keeper.h"

typedef struct jc_tally jc_tally_t;

/* One keeper of a jail. It is listed in `all` until it is reaped, and in a
 * bucket while it takes requests. */
typedef struct jc_jail_entry {
    int source; /* JC_SOURCE_KEEPER; epoll returns a pointer to it */
    struct jc_jail_entry *next; /* in its bucket */
    struct jc_jail_entry *next_all;
    jc_policy_t *policy;
    jc_policy_t *account; /* NULL: none, or not known */
    uint32_t uid;
    uint32_t gid;
    pid_t pid;
    int sock_fd;           /* -1: ordered to finish */
    unsigned cgroup;       /* its number; 0: none */
    jc_tally_t *tally;     /* NULL: JailConcurrency sets no limit */
    unsigned slot;         /* in the tally */
    int is_ready;          /* it has sent READY */
    uint32_t sent;         /* requests before READY */
    uint64_t print;        /* what READY says it was built on */
    uint64_t made_anew_ms; /* when, if it replaces one with another root */
    uint64_t looked_ms;    /* when its root was last looked at */
    pid_t look_pid;        /* the process that looks; 0: none */
} jc_jail_entry_t;

/* Whether this is a keeper of that jail. Its limits belong to the jail, also
 * while the account of its user changes. */
static inline int jc_jail_is(const jc_jail_entry_t *jail,
                             const jc_policy_t *policy, uint32_t uid,
                             uint32_t gid)
{
    return jail->policy == policy && jail->uid == uid && jail->gid == gid;
}

/* births.c: jc_births_make() makes the keeper of this jail, which is not in
 * `all` yet. It returns 0, or -1 with *failure and nothing made.
 * jc_births_undo() gives back its cgroup and slot when the keeper has ended. */
int jc_births_make(jc_jail_entry_t *jail, const jc_jail_entry_t *all,
                   const jc_keepers_conf_t *conf, jc_failure_t *failure);
void jc_births_undo(jc_jail_entry_t *jail, const jc_jail_entry_t *all);

/* tallies.c: assigns a slot to the jail, if its policy has JailConcurrency.
 * Returns the descriptor of the page, which the tally continues to own, or
 * -1. */
int jc_tallies_take(jc_jail_entry_t *jail);
/* Clears and frees the slot: its keeper has ended, and all its scripts too. */
void jc_tallies_give(jc_jail_entry_t *jail);
/* looks.c: starts a process that looks whether the root is still the one that
 * the jail was built on, unless one did so less than a second ago. */
void jc_looks_start(jc_jail_entry_t *jail);
/* Returns whether the wait(2) status of that process says that the root is
 * another. */
int jc_looks_say_other(int status);

/* keeper_fork.c: forks into new namespaces (JC_NS_*) and into this cgroup; -1:
 * the caller's cgroup. Returns as fork(2) does. */
pid_t jc_keeper_fork(uint32_t namespaces, int cgroup_fd);

/* cgroup_tree.c: makes a cgroup with the limits of the policy. Returns a
 * descriptor of its directory, which the caller closes, and its number; or -1
 * with *failure. */
int jc_cgroup_tree_make(const jc_policy_t *policy, unsigned *number,
                        jc_failure_t *failure);
/* Opens the directory of that cgroup again. Returns -1 with *failure. */
int jc_cgroup_tree_open(unsigned number, jc_failure_t *failure);
/* Kills all processes in the cgroup and removes it, at once or in a later
 * sweep. Ignores the number 0. */
void jc_cgroup_tree_remove(unsigned number);
/* Removes cgroups that were busy or left behind. Must be called regularly while
 * jc_cgroup_tree_owes() returns non-zero. */
void jc_cgroup_tree_sweep(void);
int jc_cgroup_tree_owes(void);

#endif
