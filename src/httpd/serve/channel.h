/*
 * The way of a request to the keeper of its jail.
 *
 * Runs in:   httpd child
 * Privilege: the web user's
 * Trusts:    nothing: the other end checks
 */
#ifndef JC_CHANNEL_H
#define JC_CHANNEL_H

typedef struct jc_exchange jc_exchange_t; /* exchange.h */

/*
 * channel.c. jc_channel_open makes a channel and sends SPAWN: 0, or -1 with
 * c->why filled in. jc_channel_reuse has the request go over one that is idle:
 * 1, or 0 if there is none. jc_channel_keep takes the request's channel for the
 * next one if it is free for it: 1, or 0 and it is still the caller's to close.
 */
int jc_channel_open(jc_exchange_t *c);
int jc_channel_reuse(jc_exchange_t *c);
int jc_channel_is_free(const jc_exchange_t *c);
int jc_channel_keep(jc_exchange_t *c);
/* handover.c: puts it into a control socket. 0, or -1 with errno. */
int jc_handover(const jc_exchange_t *c, int control_fd);

#endif
