/*
 * Makes sure that a page which was broken off does not look whole. An error
 * bucket says so to httpd: under HTTP/1.1 the last chunk is left out, and
 * mod_http2 resets the stream. Filters that build a brigade of their own, such
 * as those of mod_sed, mod_lua and modules that inspect answers, drop that
 * bucket and pass on the end. Therefore this filter comes after them, and puts
 * it in front of the end again.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    no filter in front of it
 * Never:     lets the end of a broken page pass without the bucket
 */
#include "answer.h"
#include "hooks.h"

#include "http_protocol.h"
#include "http_request.h"
#include "util_filter.h"

#define FILTER_NAME "JAILCGI_BROKEN"

/* This comes after filters that change the page, and before those of httpd for
 * the protocol. */
#define FILTER_TYPE (AP_FTYPE_PROTOCOL - 1)

apr_bucket *jc_broken_bucket(request_rec *r)
{
    return ap_bucket_error_create(HTTP_BAD_GATEWAY, NULL, r->pool,
                                  r->connection->bucket_alloc);
}

/* httpd's chunk filter and mod_http2 look for this status. */
static int is_ours(const apr_bucket *b)
{
    return AP_BUCKET_IS_ERROR(b) &&
           ((const ap_bucket_error *) b->data)->status == HTTP_BAD_GATEWAY;
}

static apr_status_t filter(ap_filter_t *f, apr_bucket_brigade *bb)
{
    for (apr_bucket *b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb);
         b = APR_BUCKET_NEXT(b)) {
        if (APR_BUCKET_IS_EOS(b)) {
            APR_BUCKET_INSERT_BEFORE(b, jc_broken_bucket(f->r));
        } else if (!is_ours(b)) {
            continue;
        }
        ap_remove_output_filter(f);
        break;
    }
    return ap_pass_brigade(f->next, bb);
}

void jc_broken_mark(request_rec *r)
{
    while (r->main) { /* its page is that of the client */
        r = r->main;
    }
    r->connection->keepalive = AP_CONN_CLOSE;
    ap_add_output_filter(FILTER_NAME, NULL, r, r->connection);
}

void jc_broken_register(void)
{
    ap_register_output_filter(FILTER_NAME, filter, NULL, FILTER_TYPE);
}
