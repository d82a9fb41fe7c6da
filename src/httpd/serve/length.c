/*
 * Limits how much of a script's answer leaves httpd. A reader of the
 * connection, a proxy above all, takes everything after the announced length
 * for the next answer. That one may be for a visitor of another tenant.
 * Therefore this filter comes after everything that may change the page or its
 * header, and makes sure that the two agree.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    nothing that the script says; not mod_headers either, which a
 *            .htaccess controls
 * Never:     passes on more than the length in the header; lets the connection
 *            go on after less
 */
#include "answer.h"
#include "exchange.h"
#include "hooks.h"

#include "http_core.h"
#include "http_protocol.h"
#include "http_request.h"
#include "util_filter.h"
#include "util_script.h"

#include "apr_strings.h"

#ifndef AP_TRUST_CGILIKE_CL_ENVVAR /* httpd before 2.4.59 */
#define AP_TRUST_CGILIKE_CL_ENVVAR "ap_trust_cgilike_cl"
#endif

#define FILTER_NAME "JAILCGI_LENGTH"

/* This comes after filters that change the page, and before those of httpd for
 * the protocol. */
#define FILTER_TYPE (AP_FTYPE_PROTOCOL - 1)

typedef struct {
    jc_exchange_t *c;
    int is_raw; /* the header has left already */
    int has_begun;
    apr_int64_t length; /* as announced to the client; -1: none */
    apr_int64_t left;   /* bytes of it that have not been sent */
    int was_cut;
} guard_t;

/*
 * Reads the variable of mod_cgi. Only the server's configuration can set it: if
 * a .htaccess had its say about this request, the variable may be from there. A
 * script is held to the length that it declares all the same.
 */
int jc_length_is_trusted(request_rec *r)
{
    if (!apr_table_get(r->subprocess_env, AP_TRUST_CGILIKE_CL_ENVVAR)) {
        return 0;
    }
    for (; r; r = r->prev) {
        for (const struct htaccess_result *at = r->htaccess; at;
             at = at->next) {
            if (at->htaccess) {
                return 0;
            }
        }
    }
    return 1;
}

/* The header's length stays if the script has named it and may do so, and if no
 * filter has taken it off because it changes the page. Without one, httpd
 * counts the page, or sends it in chunks. */
static void begin(guard_t *g)
{
    request_rec *r = g->c->r;

    g->has_begun = 1;
    if (g->is_raw) {
        return;
    }
    apr_table_unset(r->headers_out, "Transfer-Encoding");
    apr_table_unset(r->err_headers_out, "Transfer-Encoding");
    apr_table_unset(r->err_headers_out, "Content-Length");
    if (!apr_table_get(r->headers_out, "Content-Length")) {
        return;
    }
    if (!g->c->length_is_sent || r->status == HTTP_NO_CONTENT) {
        apr_table_unset(r->headers_out, "Content-Length");
        return;
    }
    apr_table_setn(r->headers_out, "Content-Length",
                   apr_off_t_toa(r->pool, g->c->declared_len));
    if (!r->header_only && !AP_STATUS_IS_HEADER_ONLY(r->status)) {
        g->left = g->length = g->c->declared_len;
    }
}

static void cut(guard_t *g, apr_bucket *b)
{
    if (g->left > 0) {
        apr_bucket_split(b, (apr_size_t) g->left);
        b = APR_BUCKET_NEXT(b);
        g->left = 0;
    }
    apr_bucket_delete(b);
    if (!g->was_cut) {
        g->was_cut = 1;
        ap_log_rerror(
            APLOG_MARK, APLOG_WARNING, 0, g->c->r,
            "script %s: sends more than its Content-Length of %" APR_INT64_T_FMT
            " bytes, and the rest is dropped; remedy: make it count its page, "
            "or remove the header",
            g->c->r->filename, g->length);
    }
}

/* Does the same as mod_proxy after a back end that has broken off. The length
 * has been sent and will not come, so this answer must not look whole. */
static apr_status_t end_short(ap_filter_t *f, guard_t *g,
                              apr_bucket_brigade *bb, apr_bucket *eos)
{
    request_rec *r = g->c->r;
    conn_rec *conn = r->connection;
    apr_bucket_brigade *rest = apr_brigade_split(bb, eos);
    apr_status_t rv;

    ap_log_rerror(
        APLOG_MARK, APLOG_ERR, 0, r,
        "script %s: sends %" APR_INT64_T_FMT
        " bytes less than its Content-Length, and the answer is broken off; "
        "remedy: make it count its page, or remove the header",
        r->filename, g->left);
    conn->keepalive = AP_CONN_CLOSE;
    r->no_cache = 1;
    g->left = 0;
    /* The header leaves with this, and after it there is no error page. */
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_flush_create(conn->bucket_alloc));
    rv = ap_pass_brigade(f->next, bb);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    APR_BUCKET_INSERT_BEFORE(eos, jc_broken_bucket(r));
    return ap_pass_brigade(f->next, rest);
}

static apr_status_t hold(ap_filter_t *f, guard_t *g, apr_bucket_brigade *bb)
{
    apr_bucket *b, *next;

    for (b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb); b = next) {
        const char *data;
        apr_size_t len;

        if (APR_BUCKET_IS_EOS(b) && g->left > 0 && !g->is_raw) {
            return end_short(f, g, bb, b);
        }
        if (b->length == (apr_size_t) -1) {
            apr_status_t rv = apr_bucket_read(b, &data, &len, APR_BLOCK_READ);

            if (rv != APR_SUCCESS) {
                return rv;
            }
        }
        next = APR_BUCKET_NEXT(b);
        if (APR_BUCKET_IS_METADATA(b)) {
            continue;
        }
        if (b->length > (apr_uint64_t) g->left) {
            cut(g, b);
        } else {
            g->left -= (apr_int64_t) b->length;
        }
    }
    return APR_BRIGADE_EMPTY(bb) ? APR_SUCCESS : ap_pass_brigade(f->next, bb);
}

static apr_status_t filter(ap_filter_t *f, apr_bucket_brigade *bb)
{
    guard_t *g = f->ctx;

    if (!g->has_begun) {
        begin(g);
    }
    if (g->length < 0) {
        ap_remove_output_filter(f);
        return ap_pass_brigade(f->next, bb);
    }
    return hold(f, g, bb);
}

static void add(jc_exchange_t *c, int is_raw, apr_int64_t length)
{
    guard_t *g = apr_pcalloc(c->r->pool, sizeof(*g));

    g->c = c;
    g->is_raw = is_raw;
    g->length = g->left = length;
    ap_add_output_filter(FILTER_NAME, g, c->r, c->r->connection);
}

/* In a page that includes it, the script has no header of its own. */
void jc_length_guard(jc_exchange_t *c)
{
    if (!c->r->main) {
        add(c, 0, -1);
    }
}

void jc_length_limit(jc_exchange_t *c, apr_int64_t length)
{
    if (length >= 0) {
        add(c, 1, length);
    }
}

void jc_length_register(void)
{
    ap_register_output_filter(FILTER_NAME, filter, NULL, FILTER_TYPE);
}
