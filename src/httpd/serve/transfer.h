/*
 * Declares how an answer reaches the client.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    nothing that the script says
 */
#ifndef JC_TRANSFER_H
#define JC_TRANSFER_H

#include "apr_buckets.h"

typedef struct jc_exchange jc_exchange_t; /* exchange.h */

/* The state of an answer on its way to the client. */
typedef struct {
    jc_exchange_t *c;
    apr_bucket_brigade *in;  /* what follows the header, and our bucket */
    apr_bucket_brigade *out; /* to be passed on */
    apr_off_t out_len;
    int out_buckets;
    int passed;   /* something has left for the client */
    int discard;  /* what follows is read and not kept */
    int bodyless; /* the answer is a header alone: HEAD, 204, 304 */
} jc_page_t;

/* transfer.c: moves the output of the script to the filters. Returns APR_EOF
 * when it has ended. Otherwise returns what a filter said, or APR_EGENERAL if
 * c->why says why. */
apr_status_t jc_transfer(jc_page_t *page);
/* Passes on what is in page->out, and empties it. Returns what the filters
 * say. */
apr_status_t jc_transfer_pass(jc_page_t *page);
/* Reads the rest of the output and keeps nothing of it. */
void jc_transfer_discard(jc_page_t *page);

#endif
