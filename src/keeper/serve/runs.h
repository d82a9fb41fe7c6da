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

/* An httpd child that has channels here. */
typedef struct jc_peer {
    int source; /* JC_SOURCE_PEER: what epoll gives back points here */
    struct jc_peer *next;
    int pidfd; /* readable when it has ended */
    int32_t pid;
    unsigned channels;
    int is_dead;
} jc_peer_t;

enum { JC_SOURCE_OWN, JC_SOURCE_CHANNEL, JC_SOURCE_PEER };

/* What a child of httpd sends its requests over, one after the other. */
typedef struct jc_channel {
    int source; /* JC_SOURCE_CHANNEL: what epoll gives back points here */
    jc_peer_t *peer;
    uint32_t web_uid; /* whose requests are taken */
    struct jc_channel *next;
    struct jc_channel *before;
    int control_fd;
    int ended_fd;
    uint64_t request_id; /* of the request that it has, or of the next one */
    struct jc_run *run;  /* NULL: it is free */
} jc_channel_t;

/* Ends when its leader has been reaped and no process is left in its session,
 * which has the leader's pid for its number. */
typedef struct jc_run {
    struct jc_run *next;
    struct jc_run *before; /* in the queue only */
    pid_t pid;
    int reaped; /* `exit` is filled in */
    int told;   /* and was sent */
    jc_msg_exit_t exit;
    jc_channel_t
        *channel; /* NULL: the httpd child has let go, or been let go */
    jc_run_state_t state;
    uint64_t since_ms; /* of this state, or of the last death in it */
    uint32_t left;     /* that SIGKILL has found, the least so far */
    uint64_t until_ms; /* when its time is over, in all or in the queue; 0:
                          never */
    uint32_t ended;    /* why: JC_ENDED_* */
    jc_cgroup_events_t events; /* when it was started */
    int is_counted;            /* among those that JailConcurrency counts */
    int group_termed;          /* the leader's group has had its SIGTERM */
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
void jc_runs_tick(int has_pid_ns);
void jc_runs_kill_all(void);
/* Closes its channel. */
void jc_runs_let_go(jc_run_t *run);
uint64_t jc_runs_now_ms(void);

/*
 * sweep.c: SIGKILL to all of its session; and to all that belong to no request
 * and are older than JailBackground lets them become, which is to be looked at
 * again at that time, if it is not UINT64_MAX.
 */
void jc_sweep_session(jc_run_t *run);
void jc_sweep_init(uint32_t background_ms);
uint64_t jc_sweep_next_ms(void);
void jc_sweep_strays(void);

/*
 * channels.c: takes fds[JC_RUN_FDS] and has epoll watch for requests, for the
 * hang-up and for the end of the httpd child, each told once. NULL with errno;
 * then fds are still the caller's.
 */
jc_channel_t *jc_channels_open(int *fds, const jc_msg_run_t *msg);
/* So that the peer sees it at once. */
void jc_channels_close(jc_channel_t *channel);
/* From now on the keeper takes no more requests, and goes when the last has
 * ended: no channel is told to be free. */
void jc_channels_drain(void);
int jc_channels_draining(void);
/* Closes those without a request. Not while events are looked at, which may
 * name them. */
void jc_channels_close_free(void);
/* The next channel of an httpd child that has ended; NULL: there is none. */
jc_channel_t *jc_channels_of_dead(void);

/* peers.c: the record of the httpd child `pid`, for a channel more. Takes
 * *pidfd, which is that child's. NULL with errno. */
jc_peer_t *jc_peers_find(int *pidfd, int32_t pid);
void jc_peers_unref(jc_peer_t *peer);
void jc_peers_on_death(jc_peer_t *peer);
/* Whether one has ended since this was last asked. */
int jc_peers_have_died(void);
/* Forgets those without a channel. Not while events are looked at, which may
 * name them. */
void jc_peers_tidy(void);

/* queue.c: puts it at the end, for wait_ms. */
void jc_queue_add(jc_run_t *run, uint32_t wait_ms);
uint32_t jc_queue_count(void);
/* The first one, now the caller's; or NULL. */
jc_run_t *jc_queue_take(void);
jc_run_t *jc_queue_take_overdue(void); /* likewise, if its time is over */
void jc_queue_leave(jc_run_t *run);    /* its client has gone */
int jc_queue_sleep_ms(void);           /* until one is overdue; -1: for ever */

#endif
