/*
 * Declares what an exchange notices of its client besides the bytes that the
 * client sends: whether it is still there.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    nothing that the client does
 */
#ifndef JC_CLIENT_H
#define JC_CLIENT_H

#include "apr_time.h"

typedef struct jc_exchange jc_exchange_t; /* exchange.h */

/* client.c: jc_client_init sets c->client_fd and what is known of the client.
 * jc_client_events returns what poll() is to watch that descriptor for.
 * jc_client_look handles what poll() has reported of it. */
void jc_client_init(jc_exchange_t *c);
short jc_client_events(const jc_exchange_t *c);
void jc_client_look(jc_exchange_t *c, short revents);
/* Call it when the client has gone. The exchange fails, or c->gone_at is set
 * and the script may finish. */
void jc_client_gone(jc_exchange_t *c);
/* Returns for how many milliseconds the script may still run because of that;
 * 0: it has to be ended; INT_MAX: there is no such limit. */
int jc_client_left_ms(const jc_exchange_t *c, apr_time_t now);

#endif
