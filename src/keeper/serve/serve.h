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

/* loop.c: serves until the helper closes its socket and the last request has
 * ended, and then exits. Returns -1 with *failure only if it cannot begin. */
int jc_loop_serve(const jc_jail_t *jail, jc_failure_t *failure);

/* spawn.c: makes the script's child, which takes the request out of control_fd.
 * Returns its pid, or -1 with errno. */
pid_t jc_spawn(const jc_jail_t *jail, uint64_t request_id, int control_fd,
               uint32_t web_uid);
/* Unmaps what children that have left had mapped. */
void jc_spawn_tidy(void);

/* children.c: stores the pids of the keeper's children, at most `max`. Returns
 * how many, or -1 with errno. */
int jc_children_list(pid_t *pids, int max);

/*
 * tally.c: the places of JailConcurrency, which all keepers of one jail share.
 * jc_tally_open() is a step of the jail (src/keeper/build/jail.c).
 * jc_tally_take() returns 1 and counts one more script if fewer than `most`
 * run, otherwise 0. jc_tally_give() gives places back.
 */
int jc_tally_open(jc_jail_t *jail, jc_failure_t *failure);
int jc_tally_take(uint32_t most);
void jc_tally_give(uint32_t places);
/* Returns whether scripts of another keeper hold places. */
int jc_tally_has_others(void);

/* cgroup_events.c: what the kernel has counted in the jail's cgroup. All 0
 * without JailCgroup. */
typedef struct {
    uint64_t oom_kills;
    uint64_t pids_refused;
    uint64_t throttled_us;
} jc_cgroup_events_t;
void jc_cgroup_events_read(const jc_jail_t *jail, jc_cgroup_events_t *events);
/* Returns the JC_ENDED_* that explains the wait(2) status of a script. *before
 * has the counters at its start. */
uint32_t jc_cgroup_events_verdict(const jc_jail_t *jail,
                                  const jc_cgroup_events_t *before, int status);

#endif
