/*
 * One request of a keeper that has not ended, and the channel that it came
 * over.
 *
 * Runs in:   keeper
 * Privilege: none; it is the tenant
 * Trusts:    the kernel's session ids
 */
#ifndef JC_RUN_H
#define JC_RUN_H

#include "serve.h"
#include "src/wire/clock.h"

#include <stdint.h>
#include <sys/types.h>

#define JC_TERMED_MAX 32

typedef enum {
    JC_RUN_RUNNING,
    JC_RUN_QUEUED, /* not started; in the list of queue.c, not of runs.c */
    JC_RUN_LEFT,   /* the request has ended and left processes behind */
    JC_RUN_TERM,   /* SIGTERM was sent */
    JC_RUN_KILL,   /* SIGKILL is sent at every tick */
} jc_run_state_t;

/* An httpd child that has channels to this keeper. */
typedef struct jc_peer {
    int source; /* JC_SOURCE_PEER; epoll returns a pointer to it */
    struct jc_peer *next;
    int pidfd; /* readable when it has ended */
    int32_t pid;
    unsigned channels;
    int is_dead;
} jc_peer_t;

enum { JC_SOURCE_OWN, JC_SOURCE_CHANNEL, JC_SOURCE_PEER };

/* A channel, over which an httpd child sends its requests one after the
 * other. */
typedef struct jc_channel {
    int source; /* JC_SOURCE_CHANNEL; epoll returns a pointer to it */
    jc_peer_t *peer;
    uint32_t web_uid; /* the only uid whose requests are taken */
    struct jc_channel *next;
    struct jc_channel *before;
    int control_fd;
    int ended_fd;
    uint64_t request_id; /* of its request, or of the next one */
    struct jc_run *run;  /* NULL: it is free */
} jc_channel_t;

/* A request ends when its leader has been reaped and no process is left in its
 * session, whose id is the leader's pid. */
typedef struct jc_run {
    struct jc_run *next;
    struct jc_run *before; /* in the queue only */
    pid_t pid;
    int reaped; /* `exit` is filled in */
    int told;   /* `exit` was sent */
    jc_msg_exit_t exit;
    jc_channel_t *channel; /* NULL: one side has closed it */
    jc_run_state_t state;
    uint64_t since_ms; /* when this state, or the last death in it, began */
    uint32_t left;     /* fewest processes that SIGKILL has found */
    uint64_t until_ms; /* when its total or queue time is over; 0: never */
    uint32_t ended;    /* why: JC_ENDED_* */
    uint32_t call;     /* the first that was refused; see jc_msg_exit_t */
    uint32_t call_arch;
    uint32_t taken;            /* JC_TAKEN_* of its own */
    jc_cgroup_events_t events; /* at its start */
    int is_counted;            /* counted for JailConcurrency */
    int group_termed;          /* the leader's group got SIGTERM */
    unsigned termed;
    pid_t termed_pids[JC_TERMED_MAX];
} jc_run_t;

/* run.c: returns a zeroed run, or NULL if memory is short. */
jc_run_t *jc_run_new(void);
/* Takes ownership, and keeps the memory for the next run. */
void jc_run_free(jc_run_t *run);
/* Returns 1 if the process belongs to the request, 0 if not, and -1 if the
 * process exists but the kernel does not say. */
int jc_run_owns(const jc_run_t *run, pid_t pid);
/* Returns the pid of the leader of the request that the process belongs to. 0:
 * it belongs to none, or has gone. -1: it exists, but the kernel does not
 * say. */
pid_t jc_run_leader_of(pid_t pid);

/*
 * sessions.c: jc_sessions_note() notes that a process of the request with this
 * leader makes a session; returns 0, or -1 with errno if there are too many.
 * jc_sessions_drop() forgets a session that begins anew, and all those of a
 * leader; 0: none. jc_sessions_leader() returns the leader of the request that
 * has made a session, or `session` if it is a leader's own.
 */
int jc_sessions_note(pid_t session, pid_t leader);
void jc_sessions_drop(pid_t session, pid_t leader);
pid_t jc_sessions_leader(pid_t session);

#endif
