/*
 * Declares the pool of channels of this httpd child that wait for their next
 * request. Any thread may call its functions; a mutex admits one at a time.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 */
#ifndef JC_CHANNEL_POOL_H
#define JC_CHANNEL_POOL_H

#include <stdint.h>

/* One channel: where it leads (the first three), and its two sockets. */
typedef struct {
    uint32_t policy;
    uint32_t uid; /* JC_NO_ID: the policy's */
    uint32_t gid;
    int control_fd;
    int ended_fd;
    uint64_t request_id; /* of the next request */
} jc_pooled_channel_t;

/* Fills in the rest of one that leads where *wanted says, the one that came
 * last; its sockets are the caller's from now on. Returns 1, or 0 if there is
 * none. */
int jc_channel_pool_take(jc_pooled_channel_t *wanted);

/* Keeps it, and its sockets are the caller's no more: returns 1. The one that
 * has waited longest makes room and is closed. Returns 0 if none is kept at
 * all. */
int jc_channel_pool_put(const jc_pooled_channel_t *channel);

#endif
