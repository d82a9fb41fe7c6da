/*
 * Turns what the script says into an answer to the client: a page, a redirect,
 * raw HTTP, or an error if it was nothing of use.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    nothing that the script says
 * Never:     passes off a broken page as whole
 */
#include "answer.h"
#include "client.h"
#include "exchange.h"
#include "look.h"
#include "pump.h"
#include "transfer.h"
#include "variables.h"

#include "http_core.h"
#include "http_protocol.h"
#include "http_request.h"
#include "util_filter.h"

#include <string.h>
#include <sys/wait.h>

#define FAILED_WAIT_MS 1000 /* as JC_EXIT_WAIT_MS, if there was no page */

/* If no header came, or a bad one, the end of the script explains more. */
static int fail_without_page(jc_exchange_t *c, jc_code_t code, const char *line)
{
    jc_reason_t why;
    int status;

    if (c->why.code == JC_CODE_NONE) {
        jc_pump_end(c, c->output == JC_OUTPUT_EOF ? FAILED_WAIT_MS
                                                  : JC_EXIT_WAIT_MS);
    }
    jc_verdict_of(c, &why);
    jc_look_at_script(c, &why);
    if (why.code == JC_CODE_NONE || why.code == JC_CODE_EXIT_STATUS ||
        why.code == JC_CODE_THROTTLED) {
        uint64_t exit_status = why.found;

        memset(&why, 0, sizeof(why));
        why.code = code;
        why.text = line;
        why.found = exit_status;
    }
    status = jc_exchange_end(c, &why);
    if (c->log) {
        jc_script_log_write(c->r, c->conf, status, c->log);
    }
    return status;
}

/* A script that crashes on its way out has delivered what it promised. */
static int is_whole(const jc_exchange_t *c)
{
    return c->declared_len >= 0 && c->body_sent == (uint64_t) c->declared_len;
}

/*
 * The page is not complete and must not look so. If none of it has left yet,
 * the client gets an error page. Otherwise this does the same as mod_proxy with
 * a broken back end, and more (broken.c).
 */
static int break_off(jc_page_t *page, int status)
{
    request_rec *r = page->c->r;
    conn_rec *conn = r->connection;

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
    jc_broken_mark(r);
    r->no_cache = 1;
    if (r->main) {
        r->main->no_cache = 1;
    }
    APR_BRIGADE_INSERT_TAIL(page->out, jc_broken_bucket(r));
    APR_BRIGADE_INSERT_TAIL(page->out,
                            apr_bucket_eos_create(conn->bucket_alloc));
    jc_transfer_pass(page);
    return OK;
}

/* Where the rest of the output means nothing, stderr still does. Returns
 * whether the client has gone. */
static int discard_rest(jc_page_t *page)
{
    int status;

    jc_transfer_discard(page);
    (void) jc_exchange_finish(page->c, &status);
    return page->c->r->connection->aborted;
}

/* A filter refused: it has answered or logged, or the client has gone. A script
 * that may finish then writes for nobody. */
static int filter_failed(jc_page_t *page, apr_status_t rv)
{
    jc_exchange_t *c = page->c;

    if (c->r->connection->aborted) {
        jc_client_gone(c);
        (void) discard_rest(page);
        return OK;
    }
    (void) jc_exchange_end(c, NULL);
    return rv == AP_FILTER_ERROR ? AP_FILTER_ERROR : OK;
}

static int end_page(jc_page_t *page)
{
    jc_exchange_t *c = page->c;
    apr_bucket *eos = apr_bucket_eos_create(c->r->connection->bucket_alloc);
    int status;
    jc_code_t wrong = jc_exchange_finish(c, &status);

    /* Any exit is an end: only the script knows what a status means. */
    if (wrong != JC_CODE_NONE && !is_whole(c) &&
        !(jc_exchange_has_exit(c) && WIFEXITED(c->exit.status))) {
        apr_bucket_destroy(eos);
        return break_off(page, status);
    }
    APR_BRIGADE_INSERT_TAIL(page->out, eos);
    jc_transfer_pass(page);
    return OK;
}

static int send_page(jc_page_t *page)
{
    jc_exchange_t *c = page->c;
    apr_status_t rv = jc_transfer(page);

    if (rv == APR_EOF) {
        return end_page(page);
    }
    if (c->why.code != JC_CODE_NONE) {
        return break_off(page, jc_exchange_end(c, &c->why));
    }
    return filter_failed(page, rv);
}

static int redirect(jc_page_t *page, const char *location)
{
    request_rec *r = page->c->r;

    if (discard_rest(page)) {
        return OK;
    }
    if (location[0] != '/') {
        return HTTP_MOVED_TEMPORARILY;
    }
    /* The target is asked for with GET, and must not find our body as its own.
     * What the script has left of the body is read first, and dropped. */
    ap_discard_request_body(r);
    apr_table_unset(r->headers_in, "Content-Length");
    apr_table_unset(r->headers_in, "Transfer-Encoding");
    r->method = "GET";
    r->method_number = M_GET;
    /* ap_internal_redirect_handler would let the target inherit this handler,
     * and a text file named by the script would be run (CVE-2026-42356). */
    ap_internal_redirect(location, r);
    return OK;
}

static int answer(jc_exchange_t *c, jc_page_t *page)
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
        /* This goes past the error handling, as in mod_cgi: mod_cache may have
         * set the conditions itself, to validate what it has. */
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

/* The script speaks HTTP itself, so only filters of the connection remain. */
static int answer_raw(jc_exchange_t *c, jc_page_t *page)
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
    /* After this there is no way back to an error page. */
    apr_brigade_puts(page->out, NULL, NULL, head.text);
    rv = jc_transfer_pass(page);
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
    jc_page_t page = {
        .c = c,
        .in = apr_brigade_create(c->r->pool, list),
        .out = apr_brigade_create(c->r->pool, list),
    };

    APR_BRIGADE_INSERT_TAIL(page.in, jc_bucket_create(c, list));
    jc_nap_first(c);
    return raw ? answer_raw(c, &page) : answer(c, &page);
}
