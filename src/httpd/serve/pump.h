/*
 * Declares the one poll for everything that can happen to a request, and the
 * buckets that read on top of it.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    nothing that comes out of the pipes
 */
#ifndef JC_PUMP_H
#define JC_PUMP_H

#include "apr_buckets.h"

typedef struct jc_exchange jc_exchange_t; /* exchange.h */

#define JC_NAP_MS 20 /* for a script that ends soon */

/*
 * pump.c: jc_pump moves the body, stderr and control messages until stdout has
 * something, or its end, and then returns APR_SUCCESS. It returns APR_TIMEUP if
 * nothing has come after wait_ms; -1 waits as long as Timeout allows. It
 * returns APR_EGENERAL if the request has failed, and c->why says why.
 */
apr_status_t jc_pump(jc_exchange_t *c, int wait_ms);
/* Sleeps until the whole request has ended, at most wait_ms. A script that is
 * done as soon as that costs one wake-up, instead of one each for its output,
 * the ends of its pipes and its exit. A slow one loses wait_ms. Has no effect
 * while there is a body to be written. */
void jc_pump_nap(jc_exchange_t *c, int wait_ms);
/*
 * Does the same as jc_pump while the request's body comes in and something
 * moves, so that the page waits (up to PASS_BYTES of it, transfer.c). Some
 * clients, LWP among them, stop sending as soon as they see a response, and
 * then wait for its end.
 */
apr_status_t jc_pump_beside_body(jc_exchange_t *c);
/* Waits for the end of the script after that of its output, at most wait_ms. */
void jc_pump_end(jc_exchange_t *c, int wait_ms);

/* nap.c: calls jc_pump_nap for the first wait of a request, for at most
 * JC_NAP_MS, unless that has lately held up the script's output. */
void jc_nap_first(jc_exchange_t *c);

/* source.c: returns a bucket of unknown length that reads `from`. */
apr_bucket *jc_source_create(const apr_bucket_type_t *type, void *from,
                             apr_bucket_alloc_t *list);
/* Turns `b` into a heap bucket holding the `n` bytes in `buf` (allocated with
 * `size` from b's allocator; takes ownership) and inserts a new reading bucket
 * after it. */
void jc_source_turn(apr_bucket *b, char *buf, apr_size_t size, apr_size_t n);

/* bucket.c: returns a bucket of unknown length that reads the script's
 * stdout. */
apr_bucket *jc_bucket_create(jc_exchange_t *c, apr_bucket_alloc_t *list);

#endif
