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

/* The state of the request's body on its way to stdin. */
typedef struct {
    apr_bucket_brigade *pending;
    int expected;        /* the request has a body */
    int eos;             /* all of it was read from the client */
    int done;            /* nothing more will be written to stdin */
    int want_client;     /* the next step needs bytes from the client */
    int has_filled_pipe; /* the pipe was full once, and was enlarged */
    int hangups;         /* reads without result after the client hung up */
    int quiet_us;        /* HTTP/2: how long to wait for the next look */
} jc_body_t;

/* body.c: jc_body_init sets up c->body. jc_body_step moves what can be moved
 * without waiting. jc_body_stop ends that. */
void jc_body_init(jc_exchange_t *c);
void jc_body_step(jc_exchange_t *c);
void jc_body_stop(jc_exchange_t *c);
/* Treats the request as one without a body, whatever its headers say. */
void jc_body_none(jc_exchange_t *c);
/* Returns whether mod_deflate will take off the content coding. What the
 * headers say about length and coding is then not what the script reads. */
int jc_body_is_inflated(request_rec *r);
/* Makes the request fail because of its body; `rv` is what ap_get_brigade
 * said. */
void jc_body_broken(jc_exchange_t *c, apr_status_t rv);

/* network.c: reads the next piece of the body, at most JC_READ_BYTES, as
 * ap_get_brigade gives it. */
apr_status_t jc_network_read(request_rec *r, apr_bucket_brigade *bb,
                             apr_read_type_e block);

/* spool.c: reads a body of unknown length, if the host says so, and sets the
 * length from which httpd makes CONTENT_LENGTH. Returns 0, or -1 with c->why
 * filled in. */
int jc_spool_body(jc_exchange_t *c);

#endif
