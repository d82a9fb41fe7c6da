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
 * pump.c. jc_pump moves body, stderr and control messages until stdout has
 * something (or its end): APR_SUCCESS. After wait_ms without: APR_TIMEUP; -1
 * waits as long as Timeout allows. APR_EGENERAL: c->why tells.
 * jc_pump_end waits for the script's end after that of its output.
 */
apr_status_t jc_pump(jc_exchange_t *c, int wait_ms);
/* Sleeps until the whole request has ended, wait_ms at most: a script that is
 * done as soon as that costs one wake-up, instead of one each for its output,
 * the ends of its pipes and its exit. A slow one loses wait_ms. Without effect
 * while there is a body to be written. */
void jc_pump_nap(jc_exchange_t *c, int wait_ms);
/*
 * While the request's body is on its way and something moves, the page waits
 * (up to PASS_BYTES of it, transfer.c): there are clients, LWP among them, that
 * stop sending as soon as they see a response, and then wait for its end.
 */
apr_status_t jc_pump_beside_body(jc_exchange_t *c);
void jc_pump_end(jc_exchange_t *c, int wait_ms);

/* nap.c: jc_pump_nap for the first wait of a request, JC_NAP_MS at most, unless
 * that has lately held up the script's output. */
void jc_nap_first(jc_exchange_t *c);

/* source.c: a bucket of unknown length that reads `from`. */
apr_bucket *jc_source_create(const apr_bucket_type_t *type, void *from,
                             apr_bucket_alloc_t *list);
/* It becomes the n bytes in buf, which is of its allocator, has room for `size`
 * and is the bucket's now; one that reads on comes after it. */
void jc_source_turn(apr_bucket *b, char *buf, apr_size_t size, apr_size_t n);

/* bucket.c: a bucket of unknown length that reads the script's stdout. */
apr_bucket *jc_bucket_create(jc_exchange_t *c, apr_bucket_alloc_t *list);

#endif
