/*
 * The requests of a keeper that have not ended.
 *
 * Runs in:   keeper
 * Privilege: none; it is the tenant
 * Trusts:    the kernel's list of its children
 */
#ifndef JC_RUNS_H
#define JC_RUNS_H

#include "run.h"

/* What may be left behind: JC_NO_MAX, a time, or 0: nothing. */
void jc_runs_set_background(uint32_t background_ms);
/* Takes it; total_ms is how long it may go on, 0: as long as it likes. */
void jc_runs_add(jc_run_t *run, uint32_t total_ms);
/* How long the keeper may sleep before jc_runs_tick() has work; -1: for ever.
 */
int jc_runs_sleep_ms(void);
int jc_runs_none(void); /* no request and no process left */
int jc_runs_has(pid_t leader);
uint32_t jc_runs_count(void);
void jc_runs_reap(const jc_jail_t *jail); /* after SIGCHLD */
void jc_runs_hung_up(jc_run_t *run);
void jc_runs_tick(int has_pid_ns);
void jc_runs_kill_all(void);
/* Closes its channel. */
void jc_runs_let_go(jc_run_t *run);

/*
 * sweep.c: SIGKILL to all of its session; and to all that belong to no request
 * and are older than JailBackground lets them become, which is to be looked at
 * again at that time, if it is not UINT64_MAX.
 */
void jc_sweep_session(jc_run_t *run);
void jc_sweep_init(uint32_t background_ms);
uint64_t jc_sweep_next_ms(void);
void jc_sweep_strays(void);

#endif
