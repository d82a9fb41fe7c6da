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

/* run.c: zeroed; NULL: no memory. */
jc_run_t *jc_run_new(void);
void jc_run_free(jc_run_t *run);
/* Whether the process belongs to the request: 1, or 0; -1: it is there, and the
 * kernel does not say. */
int jc_run_owns(const jc_run_t *run, pid_t pid);
/* The pid of the leader of the request that the process belongs to. 0: to none,
 * or it has gone; -1: it is there, and the kernel does not say. */
pid_t jc_run_leader_of(pid_t pid);

#endif
