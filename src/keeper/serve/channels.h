/*
 * The channels of a keeper, and the httpd children that own them.
 *
 * Runs in:   keeper
 * Privilege: none; it is the tenant
 * Trusts:    the helper, which has sent the channels
 */
#ifndef JC_CHANNELS_H
#define JC_CHANNELS_H

#include "run.h"

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

#endif
