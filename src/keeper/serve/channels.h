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
 * channels.c: makes a channel of fds[JC_RUN_FDS], and takes ownership of them.
 * epoll reports a request, the hang-up and the end of the httpd child, each
 * once. Returns NULL with errno; the caller then owns those that are still in
 * fds.
 */
jc_channel_t *jc_channels_open(int *fds, const jc_msg_run_t *msg);
/* Closes the channel so that the peer sees the hang-up at once, and frees
 * it. */
void jc_channels_close(jc_channel_t *channel);
/* From now on the keeper accepts no more requests, reports no channel as free,
 * and exits when the last request has ended. */
void jc_channels_drain(void);
/* Returns whether jc_channels_drain() was called. */
int jc_channels_draining(void);
/* Closes the channels without a request. Must not be called between events of
 * one round, because these may name them. */
void jc_channels_close_free(void);
/* Returns a channel of an httpd child that has ended, or NULL if there is
 * none. */
jc_channel_t *jc_channels_of_dead(void);

/* peers.c: finds or makes the record of the httpd child `pid`, and counts one
 * more channel for it. Takes ownership of *pidfd, which refers to that child.
 * Returns NULL with errno. */
jc_peer_t *jc_peers_find(int *pidfd, int32_t pid);
/* Counts one channel less. jc_peers_tidy() frees a record without channels. */
void jc_peers_unref(jc_peer_t *peer);
/* Marks the child as ended, after epoll has reported its pidfd. */
void jc_peers_on_death(jc_peer_t *peer);
/* Returns whether an httpd child has ended since the last call. */
int jc_peers_have_died(void);
/* Frees the records without a channel. Must not be called between events of one
 * round, because these may name them. */
void jc_peers_tidy(void);

#endif
