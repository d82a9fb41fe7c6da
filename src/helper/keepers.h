/*
 * The keepers of all jails.
 *
 * Runs in:   helper
 * Privilege: root, least capabilities
 */
#ifndef JC_KEEPERS_H
#define JC_KEEPERS_H

#include "helper.h"

/* keepers.c */
typedef struct {
    int epoll_fd;
    int parent_pidfd;
    unsigned jails_max;
    char *title; /* the memory of argv, which ps shows */
    size_t title_size;
} jc_keepers_conf_t;

void jc_keepers_init(const jc_keepers_conf_t *conf);
/*
 * Passes a request on to the keeper of (policy, uid, gid), which is made if
 * there is none. The JC_RUN_FDS descriptors remain the caller's. On failure
 * *failure says why. Returns 0 or -1.
 */
int jc_keepers_run(jc_policy_t *policy, uint32_t uid, uint32_t gid,
                   jc_msg_run_t *msg, const int *fds, jc_failure_t *failure);
/* What a keeper says. */
void jc_keepers_on_message(void *jail);
/* Reaps keepers that have ended. Not while events are looked at, which may name
 * their jails. */
void jc_keepers_reap(void);
/* Whether there is a jail. */
int jc_keepers_any(void);
/* Tells those keepers to finish whose policy is in no table any more. That no
 * request has come for JailIdle a keeper sees itself: most do not pass here. */
void jc_keepers_sweep(void);
/* SIGKILL to all of them: the parent has gone. */
void jc_keepers_kill(void);

#endif
