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

/* Sets how long processes may be left behind, in ms; 0: not at all; JC_NO_MAX:
 * for ever. */
void jc_runs_set_background(uint32_t background_ms);
/* Takes ownership of a run that has started. It may run for total_ms; 0: for
 * ever. */
void jc_runs_add(jc_run_t *run, uint32_t total_ms);
/* Returns how long the keeper may sleep, in ms, before jc_runs_tick() has work;
 * -1: for ever. */
int jc_runs_sleep_ms(void);
int jc_runs_none(void); /* no request and no process is left */
/* Returns the run that has this leader and has not ended, or NULL. */
jc_run_t *jc_runs_find(pid_t leader);
/* Returns how many runs JailConcurrency counts. */
uint32_t jc_runs_count(void);
void jc_runs_reap(const jc_jail_t *jail); /* after SIGCHLD */
/* Ends a run whose httpd child has closed the channel, unless JailBackground
 * lets its processes stay. */
void jc_runs_hung_up(jc_run_t *run);
/* Ends the runs that are overdue, and sends the signals that are due. */
void jc_runs_tick(int has_pid_ns);
/* Sends SIGKILL to the processes of all requests: the httpd parent has
 * ended. */
void jc_runs_kill_all(void);
/* Closes the channel of the run, if it still has one. */
void jc_runs_let_go(jc_run_t *run);

/*
 * sweep.c: jc_sweep_session() sends SIGKILL to all processes in the session of
 * the run. jc_sweep_strays() sends it to all processes that belong to no
 * request and are older than JailBackground permits. It must be called again at
 * jc_sweep_next_ms(), or never if that is UINT64_MAX.
 */
void jc_sweep_session(jc_run_t *run);
void jc_sweep_init(uint32_t background_ms);
uint64_t jc_sweep_next_ms(void);
void jc_sweep_strays(void);

#endif
