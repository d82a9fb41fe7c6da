/*
 * Declares how the request's body reaches the script's stdin.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    nothing that the client sends
 */
#ifndef JC_BODY_H
#define JC_BODY_H

#include "httpd.h"
#include "apr_buckets.h"

typedef struct jc_exchange jc_exchange_t; /* exchange.h */

#define JC_READ_BYTES 65536 /* one read of stdout, or of a body */

/* The request's body on its way to stdin. */
typedef struct {
    apr_bucket_brigade *pending;
    int expected;        /* the request has a body */
    int eos;             /* all of it was read from the client */
    int done;            /* nothing will be written any more; stdin is closed */
    int want_client;     /* the next step needs bytes from the client */
    int has_filled_pipe; /* and so it was enlarged */
    int hangups;         /* reads without result after the client's hang-up */
} jc_body_t;

/* body.c: sets up c->body; moves what can be moved without waiting. */
void jc_body_init(jc_exchange_t *c);
void jc_body_step(jc_exchange_t *c);
void jc_body_stop(jc_exchange_t *c);
/* There is none, whatever the request's headers say. */
void jc_body_none(jc_exchange_t *c);
/* mod_deflate will take the content coding off: what the headers say of length
 * and coding is not what the script reads. */
int jc_body_is_inflated(request_rec *r);
/* The request fails because of it: what ap_get_brigade said. */
void jc_body_broken(jc_exchange_t *c, apr_status_t rv);

/* network.c: the next piece of the body, JC_READ_BYTES at most, as
 * ap_get_brigade gives it. */
apr_status_t jc_network_read(request_rec *r, apr_bucket_brigade *bb,
                             apr_read_type_e block);

/* spool.c: reads a body of unknown length, if the host says so, and sets
 * CONTENT_LENGTH. Returns 0, or -1 with c->why filled in. */
int jc_spool_body(jc_exchange_t *c);

#endif
