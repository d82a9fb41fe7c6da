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

/* One channel: the first three fields say where it leads, and two are its
 * sockets. */
typedef struct {
    uint32_t policy;
    uint32_t uid; /* JC_NO_ID: that of the policy */
    uint32_t gid;
    int control_fd;
    int ended_fd;
    uint64_t request_id; /* of the next request */
} jc_pooled_channel_t;

/* Takes the channel that was put last of those that lead where *wanted says,
 * and fills in the rest of *wanted. The caller owns its sockets from then on.
 * Returns 1, or 0 if there is none. */
int jc_channel_pool_take(jc_pooled_channel_t *wanted);

/* Puts a channel into the pool, which owns its sockets from then on, and
 * returns 1. If there is no room, closes the one that has waited longest.
 * Returns 0 if nothing is kept at all; the caller still owns the sockets
 * then. */
int jc_channel_pool_put(const jc_pooled_channel_t *channel);

#endif
