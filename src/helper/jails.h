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

/* Listed in `all` until it is reaped; in a bucket while it takes requests. */
typedef struct jc_jail_entry {
    int source; /* JC_SOURCE_KEEPER: what epoll gives back points here */
    struct jc_jail_entry *next; /* in its bucket */
    struct jc_jail_entry *next_all;
    jc_policy_t *policy;
    uint32_t uid;
    uint32_t gid;
    pid_t pid;
    int sock_fd;           /* -1: told to finish */
    unsigned cgroup;       /* its number; 0: it has none */
    jc_tally_t *tally;     /* NULL: JailConcurrency sets no limit */
    unsigned slot;         /* in it */
    int is_ready;          /* it has said so */
    uint32_t sent;         /* requests, before it was */
    uint64_t print;        /* what it was built on, in its own words */
    uint64_t made_anew_ms; /* when, as the root of one before was another */
    uint64_t looked_ms;    /* when that was last looked at */
    pid_t look_pid;        /* of the process that looks; 0: there is none */
} jc_jail_entry_t;

static inline int jc_jail_is(const jc_jail_entry_t *jail,
                             const jc_policy_t *policy, uint32_t uid,
                             uint32_t gid)
{
    return jail->policy == policy && jail->uid == uid && jail->gid == gid;
}

/* births.c: makes the keeper of this jail, which is not among `all` yet. 0, or
 * -1 with *failure and nothing made. The second undoes it when the keeper has
 * ended. */
int jc_births_make(jc_jail_entry_t *jail, const jc_jail_entry_t *all,
                   const jc_keepers_conf_t *conf, jc_failure_t *failure);
void jc_births_undo(jc_jail_entry_t *jail, const jc_jail_entry_t *all);

/* tallies.c: a slot for a jail, if its policy has JailConcurrency; returns the
 * page's descriptor, which stays the tally's, or -1. */
int jc_tallies_take(jc_jail_entry_t *jail);
/* Its keeper has ended, and all its scripts with it. */
void jc_tallies_give(jc_jail_entry_t *jail);
/* looks.c: has a process look whether the root is still the one that the jail
 * was built on, unless that was done a moment ago. */
void jc_looks_start(jc_jail_entry_t *jail);
/* What the end of that process says. */
int jc_looks_say_other(int status);

/* keeper_fork.c: fork in these namespaces (JC_NS_*) and in this cgroup; -1:
 * where the caller is. */
pid_t jc_keeper_fork(uint32_t namespaces, int cgroup_fd);

/* cgroup_tree.c. jc_cgroup_tree_make returns the directory of a new cgroup with
 * the policy's limits, and its number; -1 with *failure where it cannot be. */
int jc_cgroup_tree_make(const jc_policy_t *policy, unsigned *number,
                        jc_failure_t *failure);
/* The same directory again; -1 with *failure. */
int jc_cgroup_tree_open(unsigned number, jc_failure_t *failure);
/* 0 is none. */
void jc_cgroup_tree_remove(unsigned number);
/* Removes what was busy or left behind; to be called while it owes that. */
void jc_cgroup_tree_sweep(void);
int jc_cgroup_tree_owes(void);

#endif
