/*
 * Reads a body of unknown length (chunked, or HTTP/2 without a length) before
 * the script starts, where the administrator asks for that. RFC 3875 4.1.2
 * demands CONTENT_LENGTH for a body, and PHP reads no further than it says.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    httpd's input filters to keep to LimitRequestBody
 * Never:     holds more than JC_SPOOL_MEMORY in memory
 */
#include "body.h"
#include "exchange.h"
#include "notes.h"

#include "http_protocol.h"
#include "util_filter.h"
#include "apr_file_io.h"
#include "apr_strings.h"

#define JC_SPOOL_MEMORY 65536

typedef struct {
    jc_exchange_t *c;
    apr_bucket_brigade *bb; /* all of it, or a file bucket */
    apr_file_t *file;       /* NULL: it is small so far */
    apr_off_t len;
} spool_t;

static apr_status_t open_file(spool_t *spool)
{
    apr_pool_t *p = spool->c->r->pool;
    const char *dir;
    char *name;
    apr_status_t rv = apr_temp_dir_get(&dir, p);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    name = apr_pstrcat(p, dir, "/jailcgi-body.XXXXXX", NULL);
    rv = apr_file_mktemp(&spool->file, name,
                         APR_CREATE | APR_READ | APR_WRITE | APR_EXCL, p);
    if (rv == APR_SUCCESS) {
        rv = apr_file_remove(name, p); /* it lives as long as it is open */
    }
    return rv;
}

/* Moves everything from memory to the file. */
static apr_status_t flush(spool_t *spool)
{
    apr_bucket *b;

    for (b = APR_BRIGADE_FIRST(spool->bb); b != APR_BRIGADE_SENTINEL(spool->bb);
         b = APR_BUCKET_NEXT(b)) {
        const char *data;
        apr_size_t len;
        apr_status_t rv = apr_bucket_read(b, &data, &len, APR_BLOCK_READ);

        if (rv == APR_SUCCESS) {
            rv = apr_file_write_full(spool->file, data, len, NULL);
        }
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    return apr_brigade_cleanup(spool->bb);
}

static apr_status_t keep(spool_t *spool, apr_bucket *b)
{
    const char *data;
    apr_size_t len;
    apr_status_t rv = apr_bucket_read(b, &data, &len, APR_BLOCK_READ);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    spool->len += (apr_off_t) len;
    if (!spool->file && spool->len > JC_SPOOL_MEMORY) {
        rv = open_file(spool);
        if (rv == APR_SUCCESS) {
            rv = flush(spool);
        }
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    return spool->file ? apr_file_write_full(spool->file, data, len, NULL)
                       : apr_brigade_write(spool->bb, NULL, NULL, data, len);
}

/* Takes one piece from the filters. Returns APR_EOF when that was all. */
static apr_status_t take(spool_t *spool, apr_bucket_brigade *in)
{
    request_rec *r = spool->c->r;
    apr_status_t rv = jc_network_read(r, in, APR_BLOCK_READ);

    while (rv == APR_SUCCESS && !APR_BRIGADE_EMPTY(in)) {
        apr_bucket *b = APR_BRIGADE_FIRST(in);

        if (APR_BUCKET_IS_EOS(b)) {
            return APR_EOF;
        }
        if (!APR_BUCKET_IS_METADATA(b)) {
            rv = keep(spool, b);
            if (rv != APR_SUCCESS) {
                jc_exchange_fail(spool->c, JC_CODE_NO_RESOURCES, rv);
            }
        }
        apr_bucket_delete(b);
    }
    return rv;
}

static apr_status_t take_all(spool_t *spool)
{
    request_rec *r = spool->c->r;
    apr_bucket_brigade *in =
        apr_brigade_create(r->pool, r->connection->bucket_alloc);
    apr_status_t rv;

    do {
        rv = take(spool, in);
    } while (rv == APR_SUCCESS);
    apr_brigade_destroy(in);
    return rv;
}

int jc_spool_body(jc_exchange_t *c)
{
    request_rec *r = c->r;
    apr_bucket_alloc_t *list = r->connection->bucket_alloc;
    spool_t spool = {.c = c, .bb = c->body.pending};
    apr_status_t rv;

    if (c->conf->spool_body != 1 || !c->body.expected ||
        (apr_table_get(r->headers_in, "Content-Length") &&
         !jc_body_is_inflated(r))) {
        return 0;
    }
    /* From here on, the target of a redirect has no body. */
    apr_table_setn(r->notes, JC_NOTE_BODY_GIVEN, "1");
    rv = take_all(&spool);
    if (rv != APR_EOF) {
        jc_body_broken(c, rv);
        return -1;
    }
    if (spool.file) {
        apr_brigade_insert_file(spool.bb, spool.file, 0, spool.len, r->pool);
    }
    APR_BRIGADE_INSERT_TAIL(spool.bb, apr_bucket_eos_create(list));
    apr_table_unset(r->headers_in, "Transfer-Encoding");
    apr_table_setn(r->headers_in, "Content-Length",
                   apr_off_t_toa(r->pool, spool.len));
    return 0;
}
