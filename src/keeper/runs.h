/*
 * The requests of a keeper that have not ended.
 *
 * Runs in:   keeper
 * Privilege: none, it is the tenant
 */
#ifndef JC_RUNS_H
#define JC_RUNS_H

#include "src/keeper/keeper.h"
#include "src/wire/wire.h"

#include <stdint.h>
#include <sys/types.h>

#define JC_TERMED_MAX 32

typedef enum {
    JC_RUN_RUNNING,
    JC_RUN_QUEUED, /* not started; in queue.c's list and not in runs.c's */
    JC_RUN_LEFT,   /* the request has ended, and has left something behind */
    JC_RUN_TERM,   /* SIGTERM was sent */
    JC_RUN_KILL,   /* SIGKILL is sent at every tick */
} jc_run_state_t;

/* Ends when its leader has been reaped and no process is left in its session,
 * which has the leader's pid for its number. */
typedef struct jc_run {
    struct jc_run *next;
    struct jc_run *before; /* in the queue only */
    pid_t pid;
    int reaped; /* `exit` is filled in */
    int told;   /* and was sent */
    jc_msg_exit_t exit;
    int control_fd; /* -1: the httpd child has let go, or been let go */
    uint64_t request_id;
    jc_run_state_t state;
    uint64_t since_ms;  /* of this state */
    uint64_t until_ms;  /* when its time is over, in all or in the queue; 0:
                           never */
    uint32_t ended;     /* why: JC_ENDED_* */
    jc_events_t events; /* when it was started */
    int is_counted;     /* among those that JailConcurrency counts */
    int group_termed;   /* the leader's group has had its SIGTERM */
    unsigned termed;
    pid_t termed_pids[JC_TERMED_MAX];
} jc_run_t;

/* What may be left behind: JC_NO_MAX, a time, or 0: nothing. */
void jc_runs_set_background(uint32_t background_ms);
jc_run_t *jc_runs_new(void); /* zeroed; NULL: no memory */
void jc_runs_free(jc_run_t *run);
/* Takes it; total_ms is how long it may go on, 0: as long as it likes. */
void jc_runs_add(jc_run_t *run, uint32_t total_ms);
/* How long the keeper may sleep before jc_runs_tick() has work; -1: for ever.
 */
int jc_runs_sleep_ms(void);
int jc_runs_none(void); /* no request and no process left */
int jc_runs_has(pid_t session);
uint32_t jc_runs_count(void);
void jc_runs_reap(const jc_jail_t *jail); /* after SIGCHLD */
void jc_runs_hung_up(jc_run_t *run);
void jc_runs_end(jc_run_t *run); /* SIGTERM, later SIGKILL */
void jc_runs_tick(int has_pid_ns);
void jc_runs_kill_all(void);
/* Closes its control socket, so that the peer sees it at once. */
void jc_runs_let_go(jc_run_t *run);
uint64_t jc_runs_now_ms(void);

/*
 * sweep.c: SIGKILL to all of a session; and to all that belong to no request
 * and are older than JailBackground lets them become, which is to be looked at
 * again at that time, if it is not UINT64_MAX.
 */
void jc_sweep_session(pid_t session);
void jc_sweep_init(uint32_t background_ms);
uint64_t jc_sweep_next_ms(void);
void jc_sweep_strays(void);

/* queue.c: puts it at the end, for wait_ms. Its socket must be watched. */
void jc_queue_add(jc_run_t *run, uint32_t wait_ms);
uint32_t jc_queue_count(void);
/* The first one, now the caller's; or NULL. */
jc_run_t *jc_queue_take(void);
jc_run_t *jc_queue_take_overdue(void); /* likewise, if its time is over */
void jc_queue_leave(jc_run_t *run);    /* its client has gone */
int jc_queue_sleep_ms(void);           /* until one is overdue; -1: for ever */

#endif
