/*
 * What the script says on its way to the client: a page, a redirect, raw HTTP,
 * or nothing of use.
 *
 * Runs in:   httpd child
 * Privilege: the web user's
 * Trusts:    nothing that the script says
 * Never:     passes off a broken page as whole; holds more than PASS_BYTES
 */
#include "answer.h"
#include "exchange.h"
#include "pump.h"
#include "variables.h"

#include "http_core.h"
#include "http_protocol.h"
#include "http_request.h"
#include "util_filter.h"

#include <string.h>
#include <sys/wait.h>

#define PASS_BYTES     262144 /* passed on to the filters at once */
#define PASS_BUCKETS   64     /* the same, in buckets */
#define GATHER_MS      2      /* wait for more before a flush */
#define DUPLEX_BUCKETS 4096   /* the same, while a body comes in */
#define FAILED_WAIT_MS 1000   /* as JC_EXIT_WAIT_MS, if there was no page */

/* What is on its way to the client. */
typedef struct {
    jc_exchange_t *c;
    apr_bucket_brigade *in;  /* what follows the header, and our bucket */
    apr_bucket_brigade *out; /* to be passed on */
    apr_off_t out_len;
    int out_buckets;
    int passed;   /* something has left for the client */
    int discard;  /* what follows is read and not kept */
    int bodyless; /* the answer is a header alone: HEAD, 204, 304 */
} page_t;

/* No header came, or a bad one: how the script ended explains more. */
static int fail_without_page(jc_exchange_t *c, jc_code_t code, const char *line)
{
    jc_reason_t why;
    int status;

    if (c->why.code == JC_CODE_NONE) {
        jc_pump_end(c, c->stdout_eof ? FAILED_WAIT_MS : JC_EXIT_WAIT_MS);
    }
    jc_verdict_of(c, &why);
    if (why.code == JC_CODE_NONE || why.code == JC_CODE_EXIT_STATUS ||
        why.code == JC_CODE_THROTTLED) {
        uint64_t exit_status = why.found;

        memset(&why, 0, sizeof(why));
        why.code = code;
        why.text = line;
        why.found = exit_status;
    }
    status = jc_page_fail(c, &why);
    if (c->log) {
        jc_script_log_write(c->r, c->conf, status, c->log);
    }
    return status;
}

static apr_status_t pass(page_t *page)
{
    request_rec *r = page->c->r;
    apr_status_t rv = ap_pass_brigade(r->output_filters, page->out);

    apr_brigade_cleanup(page->out);
    page->out_len = 0;
    page->out_buckets = 0;
    page->passed = 1;
    /* The time that the client took is not the script's silence. */
    page->c->active = apr_time_now();
    if (rv == APR_SUCCESS && r->connection->aborted) {
        rv = APR_ECONNABORTED;
    }
    return rv;
}

/* Moves one bucket of data to `out`. APR_EOF: there is no more. */
static apr_status_t take(page_t *page, apr_read_type_e block)
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

static apr_status_t gather(page_t *page)
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
    return c->read_first ? APR_SUCCESS : jc_pump(c, 0);
}

/* Flush, but not if the rest is as near as 2 ms: then its length is known. Nor
 * a header that is all: mod_http2 may reset a stream whose end comes later. */
static apr_status_t wait_for_more(page_t *page)
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
        rv = pass(page);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    return jc_pump(c, -1);
}

/* Data stands before our bucket, or is known to be in the pipe. */
static int has_more(const page_t *page)
{
    const apr_bucket *b = APR_BRIGADE_FIRST(page->in);

    return page->c->read_first || b == APR_BRIGADE_SENTINEL(page->in) ||
           b->length != (apr_size_t) -1;
}

static int is_enough(const page_t *page)
{
    const jc_body_t *body = &page->c->body;
    int most = body->done || body->eos ? PASS_BUCKETS : DUPLEX_BUCKETS;

    return page->out_len >= PASS_BYTES || page->out_buckets >= most;
}

/* The script can write the rest of a page that is not sent. Filters that count
 * the whole of it have to go; the others see its beginning. */
static apr_status_t keep_no_more(page_t *page)
{
    ap_filter_t *filters = page->c->r->output_filters;

    page->discard = 1;
    page->out_len = page->out_buckets = 0;
    ap_remove_output_filter_byhandle(filters, "CONTENT_LENGTH");
    ap_remove_output_filter_byhandle(filters, "BYTERANGE");
    return APR_SUCCESS;
}

/* From the script to the filters until its output ends, which is APR_EOF. */
static apr_status_t transfer(page_t *page)
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
            rv = page->bodyless ? keep_no_more(page) : pass(page);
        }
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
}

/* A script that crashes on its way out has delivered what it promised. */
static int is_whole(const jc_exchange_t *c)
{
    return c->declared_len >= 0 && c->body_sent == (uint64_t) c->declared_len;
}

/*
 * The page is not complete and must not look so. If none of it has left yet,
 * the client gets an error page. Otherwise as mod_proxy's broken back end: the
 * error bucket makes the chunk filter leave out the last chunk, and HTTP/2
 * reset the stream.
 */
static int break_off(page_t *page, int status)
{
    request_rec *r = page->c->r;
    conn_rec *conn = r->connection;
    apr_bucket *b;

    if (conn->aborted) {
        return OK;
    }
    if (!page->passed) {
        apr_brigade_cleanup(page->out);
        r->status = HTTP_OK;
        r->status_line = NULL;
        r->headers_out = page->c->headers_before;
        r->err_headers_out = page->c->err_headers_before;
        return status;
    }
    conn->keepalive = AP_CONN_CLOSE;
    r->no_cache = 1;
    if (r->main) {
        r->main->no_cache = 1;
    }
    b = ap_bucket_error_create(HTTP_BAD_GATEWAY, NULL, r->pool,
                               conn->bucket_alloc);
    APR_BRIGADE_INSERT_TAIL(page->out, b);
    b = apr_bucket_eos_create(conn->bucket_alloc);
    APR_BRIGADE_INSERT_TAIL(page->out, b);
    pass(page);
    return OK;
}

/* A filter refused: it has answered or logged, or the client has gone. */
static int filter_failed(page_t *page, apr_status_t rv)
{
    jc_exchange_t *c = page->c;

    if (c->r->connection->aborted) {
        jc_exchange_fail(c, JC_CODE_CLIENT_GONE, 0);
        jc_page_fail(c, &c->why);
        return OK;
    }
    jc_exchange_close(c);
    return rv == AP_FILTER_ERROR ? AP_FILTER_ERROR : OK;
}

static int end_page(page_t *page)
{
    jc_exchange_t *c = page->c;
    apr_bucket *eos = apr_bucket_eos_create(c->r->connection->bucket_alloc);
    jc_reason_t why;
    int status = OK;

    jc_pump_end(c, JC_EXIT_WAIT_MS);
    jc_verdict_of(c, &why);
    if (why.code != JC_CODE_NONE) {
        status = jc_page_fail(c, &why);
    }
    jc_exchange_leave(c);
    /* Any exit is an end: what a status means only the script knows. */
    if (why.code != JC_CODE_NONE && !is_whole(c) &&
        !(c->exited && WIFEXITED(c->exit.status))) {
        apr_bucket_destroy(eos);
        return break_off(page, status);
    }
    APR_BRIGADE_INSERT_TAIL(page->out, eos);
    pass(page);
    return OK;
}

static int send_page(page_t *page)
{
    jc_exchange_t *c = page->c;
    apr_status_t rv = transfer(page);

    if (rv == APR_EOF) {
        return end_page(page);
    }
    if (c->why.code != JC_CODE_NONE) {
        return break_off(page, jc_page_fail(c, &c->why));
    }
    return filter_failed(page, rv);
}

/* On a redirect the rest of the output means nothing; stderr still does. */
static int discard_rest(page_t *page)
{
    page->discard = 1;
    while (take(page, APR_BLOCK_READ) == APR_SUCCESS) {
        continue;
    }
    jc_page_finish(page->c);
    return page->c->r->connection->aborted;
}

static int redirect(page_t *page, const char *location)
{
    request_rec *r = page->c->r;

    if (discard_rest(page)) {
        return OK;
    }
    if (location[0] != '/') {
        return HTTP_MOVED_TEMPORARILY;
    }
    /* The target is asked for with GET and must not find our body as its own:
     * whatever the script has left of it is read away first. */
    ap_discard_request_body(r);
    apr_table_unset(r->headers_in, "Content-Length");
    apr_table_unset(r->headers_in, "Transfer-Encoding");
    r->method = "GET";
    r->method_number = M_GET;
    /* Not ap_internal_redirect_handler, which lets the target inherit this
     * handler: a text file named by the script would be run (CVE-2026-42356).
     */
    ap_internal_redirect(location, r);
    return OK;
}

static int answer(jc_exchange_t *c, page_t *page)
{
    request_rec *r = c->r;
    const char *line, *location;
    int status = OK;
    jc_code_t code = jc_header_read(c, page->in, &status, &line);

    if (code != JC_CODE_NONE) {
        return fail_without_page(c, code, line);
    }
    if (status != OK) {
        discard_rest(page);
        /* Past the error handling, as mod_cgi: mod_cache may have set the
         * conditions itself, to validate what it has. */
        if (status == HTTP_NOT_MODIFIED) {
            r->status = status;
            return OK;
        }
        return status;
    }
    location = apr_table_get(r->headers_out, "Location");
    if (location && r->status == HTTP_OK) {
        return redirect(page, location);
    }
    page->discard = AP_STATUS_IS_HEADER_ONLY(r->status);
    page->bodyless = page->discard || jc_request_is_head(r);
    jc_length_guard(c);
    return send_page(page);
}

/* The script speaks HTTP itself: only filters of the connection remain. */
static int answer_raw(jc_exchange_t *c, page_t *page)
{
    request_rec *r = c->r;
    ap_filter_t *f = r->proto_output_filters;
    const char *line;
    jc_nph_head_t head;
    jc_code_t code = jc_nph_read(c, page->in, &head, &line);
    apr_status_t rv;

    if (code != JC_CODE_NONE) {
        return fail_without_page(c, code, line);
    }
    while (f && f->frec->ftype < AP_FTYPE_CONNECTION) {
        f = f->next;
    }
    r->output_filters = r->proto_output_filters = f;
    r->connection->keepalive = AP_CONN_CLOSE;
    /* With this there is no way back to an error page. */
    apr_brigade_puts(page->out, NULL, NULL, head.text);
    rv = pass(page);
    if (rv != APR_SUCCESS) {
        return filter_failed(page, rv);
    }
    page->discard = !head.has_body;
    jc_length_limit(c, head.length);
    return send_page(page);
}

int jc_page_answer(jc_exchange_t *c, int raw)
{
    apr_bucket_alloc_t *list = c->r->connection->bucket_alloc;
    page_t page = {
        .c = c,
        .in = apr_brigade_create(c->r->pool, list),
        .out = apr_brigade_create(c->r->pool, list),
    };

    APR_BRIGADE_INSERT_TAIL(page.in, jc_bucket_create(c, list));
    jc_nap_first(c);
    return raw ? answer_raw(c, &page) : answer(c, &page);
}
