/*
 * The keepers of all jails.
 *
 * Runs in:   helper
 * Privilege: root, least capabilities
 */
#ifndef JC_KEEPERS_H
#define JC_KEEPERS_H

#include "helper.h"

/* The helper's resources that keepers.c uses. */
typedef struct {
    int epoll_fd;
    int parent_pidfd;
    unsigned jails_max;
    char *title; /* the memory of argv, which ps shows */
    size_t title_size;
} jc_keepers_conf_t;

/* keepers.c: copies *conf; must be called first. */
void jc_keepers_init(const jc_keepers_conf_t *conf);
/*
 * Passes a channel to the keeper of (policy, uid, gid) that was made with this
 * account, and makes that keeper if there is none. `account` may be NULL. The
 * caller still owns the JC_RUN_FDS descriptors. Returns 0, or -1 with *failure.
 */
int jc_keepers_run(jc_policy_t *policy, jc_policy_t *account, uint32_t uid,
                   uint32_t gid, jc_msg_run_t *msg, const int *fds,
                   jc_failure_t *failure);
/* Receives one message from the keeper of `jail`, a jc_jail_entry_t. */
void jc_keepers_on_message(void *jail);
/* Reaps keepers, closers and the processes of looks.c that have ended, and
 * frees their records. Must not be called between events of one round, because
 * these may name them. */
void jc_keepers_reap(void);
/* Returns whether any keeper is left. */
int jc_keepers_any(void);
/* Orders the keepers to finish whose policy is in no table any more. JailIdle
 * is observed by the keepers themselves, because most requests bypass the
 * helper. */
void jc_keepers_sweep(void);
/* Sends SIGKILL to all keepers: the httpd parent has gone. */
void jc_keepers_kill(void);

#endif
