/*
 * The functions that a keeper needs while it serves, and the loop that serves.
 *
 * Runs in:   keeper
 * Privilege: none; it is the tenant; root in jc_tally_open()
 * Trusts:    the policy record
 */
#ifndef JC_SERVE_H
#define JC_SERVE_H

#include "src/keeper/keeper.h"

/* loop.c: serves until the helper closes and the last request has ended, and
 * exits. -1 with *failure: it cannot begin. */
int jc_loop_serve(const jc_jail_t *jail, jc_failure_t *failure);

/* spawn.c: makes the script's child. Returns its pid, or -1 with errno set. */
pid_t jc_spawn(const jc_jail_t *jail, uint64_t request_id, int control_fd,
               uint32_t web_uid);
/* Gives back what children that have left had mapped. */
void jc_spawn_tidy(void);

/* children.c: pids of the keeper's children, at most `max`; how many, or -1. */
int jc_children_list(pid_t *pids, int max);

/*
 * tally.c: the places of JailConcurrency, which all keepers of one jail share.
 * jc_tally_take: 1 if a script more may run, and then it is counted until
 * jc_tally_give.
 */
int jc_tally_open(jc_jail_t *jail, jc_failure_t *failure);
int jc_tally_take(uint32_t most);
void jc_tally_give(uint32_t places);
/* Whether scripts of another keeper hold places. */
int jc_tally_has_others(void);

/* cgroup_events.c: what the kernel has counted in the jail's cgroup. */
typedef struct {
    uint64_t oom_kills;
    uint64_t pids_refused;
    uint64_t throttled_us;
} jc_cgroup_events_t;
void jc_cgroup_events_read(const jc_jail_t *jail, jc_cgroup_events_t *events);
/* JC_ENDED_*: what of it explains how a script ended that was started when
 * there was *before. */
uint32_t jc_cgroup_events_verdict(const jc_jail_t *jail,
                                  const jc_cgroup_events_t *before, int status);

#endif
