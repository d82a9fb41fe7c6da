/*
 * Moves the body of an answer from the script to httpd's filters.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    nothing that the script says
 * Never:     holds more than PASS_BYTES
 */
#include "exchange.h"
#include "pump.h"
#include "transfer.h"

#include "util_filter.h"

#define PASS_BYTES     262144 /* passed on to the filters at once */
#define PASS_BUCKETS   64     /* the same, in buckets */
#define GATHER_MS      2      /* wait for more before a flush */
#define DUPLEX_BUCKETS 4096   /* as PASS_BUCKETS, while a body comes in */

apr_status_t jc_transfer_pass(jc_page_t *page)
{
    request_rec *r = page->c->r;
    apr_status_t rv = ap_pass_brigade(r->output_filters, page->out);

    apr_brigade_cleanup(page->out);
    page->out_len = 0;
    page->out_buckets = 0;
    page->passed = 1;
    /* The time that the client took does not count as silence of the script. */
    page->c->active = apr_time_now();
    if (rv == APR_SUCCESS && r->connection->aborted) {
        rv = APR_ECONNABORTED;
    }
    return rv;
}

/* Moves one bucket of data to `out`. Returns APR_EOF if there is no more. */
static apr_status_t take(jc_page_t *page, apr_read_type_e block)
{
    apr_bucket *b = APR_BRIGADE_FIRST(page->in);
    const char *data;
    apr_size_t len;
    apr_status_t rv;

    if (b == APR_BRIGADE_SENTINEL(page->in)) {
        return APR_EOF;
    }
    rv = apr_bucket_read(b, &data, &len, block);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    page->c->body_sent += len;
    if (len == 0 || page->discard) {
        apr_bucket_delete(b);
        return APR_SUCCESS;
    }
    page->out_len += (apr_off_t) len;
    page->out_buckets++;
    APR_BUCKET_REMOVE(b);
    APR_BRIGADE_INSERT_TAIL(page->out, b);
    return APR_SUCCESS;
}

static apr_status_t gather(jc_page_t *page)
{
    jc_exchange_t *c = page->c;

    if (!c->body.done && !c->body.eos) {
        return jc_pump_beside_body(c);
    }
    /* A script that has filled its pipe may wait for room in it. */
    if (page->passed || c->pipe_stage > 0 || page->out_len >= JC_READ_BYTES ||
        c->body.expected) {
        return jc_pump(c, GATHER_MS);
    }
    jc_pump_nap(c, GATHER_MS);
    return c->output == JC_OUTPUT_READ ? APR_SUCCESS : jc_pump(c, 0);
}

/* Flushes, but not if the rest is as near as 2 ms, because its length is known
 * then. Does not flush a header that is all either: mod_http2 may reset a
 * stream whose end comes later. */
static apr_status_t wait_for_more(jc_page_t *page)
{
    jc_exchange_t *c = page->c;
    apr_bucket_alloc_t *list = c->r->connection->bucket_alloc;
    apr_status_t rv;

    if (!page->passed || page->out_buckets > 0) {
        rv = gather(page);
        if (!APR_STATUS_IS_TIMEUP(rv)) {
            return rv;
        }
        if (page->bodyless) {
            return jc_pump(c, -1);
        }
        APR_BRIGADE_INSERT_TAIL(page->out, apr_bucket_flush_create(list));
        rv = jc_transfer_pass(page);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    return jc_pump(c, -1);
}

/* Returns whether data is in front of our bucket, or is known to be in the
 * pipe. */
static int has_more(const jc_page_t *page)
{
    const apr_bucket *b = APR_BRIGADE_FIRST(page->in);

    return page->c->output == JC_OUTPUT_READ ||
           b == APR_BRIGADE_SENTINEL(page->in) || b->length != (apr_size_t) -1;
}

static int is_enough(const jc_page_t *page)
{
    const jc_body_t *body = &page->c->body;
    int most = body->done || body->eos ? PASS_BUCKETS : DUPLEX_BUCKETS;

    return page->out_len >= PASS_BYTES || page->out_buckets >= most;
}

/* Lets the script write the rest of a page that is not sent. Filters that count
 * the whole page have to go; the others see its beginning. */
static apr_status_t keep_no_more(jc_page_t *page)
{
    ap_filter_t *filters = page->c->r->output_filters;

    page->discard = 1;
    page->out_len = page->out_buckets = 0;
    ap_remove_output_filter_byhandle(filters, "CONTENT_LENGTH");
    ap_remove_output_filter_byhandle(filters, "BYTERANGE");
    return APR_SUCCESS;
}

apr_status_t jc_transfer(jc_page_t *page)
{
    apr_status_t rv;

    for (;;) {
        if (!has_more(page)) {
            rv = wait_for_more(page);
            if (rv != APR_SUCCESS) {
                return rv;
            }
        }
        rv = take(page, APR_NONBLOCK_READ);
        if (APR_STATUS_IS_EAGAIN(rv)) {
            continue;
        }
        if (rv == APR_SUCCESS && is_enough(page)) {
            rv = page->bodyless ? keep_no_more(page) : jc_transfer_pass(page);
        }
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
}

void jc_transfer_discard(jc_page_t *page)
{
    page->discard = 1;
    while (take(page, APR_BLOCK_READ) == APR_SUCCESS) {
        continue;
    }
}
