/*
 * Declares the channel, over which a request reaches the keeper of its jail.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    nothing: the other end checks
 */
#ifndef JC_CHANNEL_H
#define JC_CHANNEL_H

typedef struct jc_exchange jc_exchange_t; /* exchange.h */

/* channel.c: makes a channel, puts the request into it and sends SPAWN. Returns
 * 0, or -1 with c->why filled in. */
int jc_channel_open(jc_exchange_t *c);
/* Sends the request over an idle channel. Returns 1, or 0 if there is none. */
int jc_channel_reuse(jc_exchange_t *c);
/* Returns whether nothing of the request is left in the channel or in the
 * jail. */
int jc_channel_is_free(const jc_exchange_t *c);
/* Keeps the channel for the next request if it is free. Otherwise closes it,
 * which is the order to the keeper to kill the request. */
void jc_channel_release(jc_exchange_t *c);

/* handover.c: puts the request into a control socket. Returns 0, or -1 with
 * errno. */
int jc_handover(const jc_exchange_t *c, int control_fd);

#endif
