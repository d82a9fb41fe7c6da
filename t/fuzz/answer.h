/*
 * Shared by the targets that read a script's answer: stand-ins for httpd's
 * functions, a request, and the answer cut into buckets of any size. APR's
 * functions are the library's.
 *
 * Input: number of buckets; the request (see answer_open); the answer.
 *
 * Runs in:   the tests
 * Privilege: none
 */
#ifndef JC_FUZZ_ANSWER_H
#define JC_FUZZ_ANSWER_H

#include "src/httpd/serve/answer.h"
#include "src/httpd/serve/exchange.h"

#include "http_protocol.h"
#include "http_request.h"
#include "apr_lib.h"
#include "apr_strings.h"

#include <strings.h>

#include "t/fuzz/fuzz.h"

#define ANSWER_MAX 65536

typedef struct {
    conn_rec conn;
    server_rec server;
    request_rec r;
    jc_server_conf_t conf;
    jc_exchange_t c;
    apr_bucket_brigade *bb;
} answer_t;

AP_DECLARE(int) ap_cstr_casecmp(const char *a, const char *b)
{
    return strcasecmp(a, b);
}

AP_DECLARE(void) ap_content_type_tolower(char *s)
{
    for (; *s && *s != ';'; s++) {
        *s = (char) apr_tolower(*s);
    }
}

AP_DECLARE(const char *) ap_scan_http_token(const char *s)
{
    while (*s && !apr_iscntrl(*s) && (unsigned char) *s < 0x80 &&
           !strchr(" \t()<>@,;:\\\"/[]?={}", *s)) {
        s++;
    }
    return s;
}

AP_DECLARE(void) ap_set_content_type(request_rec *r, const char *type)
{
    r->content_type = type;
}

AP_DECLARE(int) ap_meets_conditions(request_rec *r)
{
    return OK;
}

AP_DECLARE(void) ap_update_mtime(request_rec *r, apr_time_t mtime)
{
    r->mtime = mtime;
}

AP_DECLARE(void) ap_set_last_modified(request_rec *r)
{
}

/* Where there is src/httpd/serve/length.c: no script may name its length. */
int jc_length_is_trusted(request_rec *r)
{
    return 0;
}

static void fill(apr_bucket_brigade *bb, apr_bucket_alloc_t *list,
                 const uint8_t *data, size_t size, size_t buckets)
{
    size_t piece = size / buckets + 1;

    for (size_t at = 0; at < size; at += piece) {
        size_t n = size - at < piece ? size - at : piece;
        char *copy = malloc(n); /* exactly as long */

        memcpy(copy, data + at, n);
        APR_BRIGADE_INSERT_TAIL(bb,
                                apr_bucket_heap_create(copy, n, free, list));
    }
}

/* An empty line ends at `end`, or the output begins with one. */
static int is_end(const uint8_t *data, size_t end)
{
    if (end == 0 || data[--end] != '\n') {
        return 0;
    }
    if (end > 0 && data[end - 1] == '\r') {
        end--;
    }
    return end == 0 || data[end - 1] == '\n';
}

/* The brigade must hold the rest of the answer, which follows an empty line.
 * Returns the offset at which that rest begins. */
static size_t check_rest(apr_bucket_brigade *bb, const uint8_t *data,
                         size_t size)
{
    static char rest[ANSWER_MAX];
    apr_size_t len = sizeof(rest);

    if (apr_brigade_flatten(bb, rest, &len) != APR_SUCCESS || len > size ||
        memcmp(rest, data + size - len, len) != 0 ||
        !is_end(data, size - len)) {
        abort();
    }
    return size - len;
}

/* The request's second byte: 1: GET; 2: HEAD; 4: HTTP/1.0. */
static int answer_open(answer_t *a, const uint8_t *bytes, size_t size)
{
    static apr_pool_t *top, *p;
    static apr_bucket_alloc_t *list;

    if (!top) {
        apr_initialize();
        apr_pool_create(&top, NULL);
        apr_pool_create(&p, top);
        list = apr_bucket_alloc_create(top);
    }
    if (size < 2 || size > ANSWER_MAX) {
        return 0;
    }
    *a = (answer_t){
        .conn = {.bucket_alloc = list},
        .r = {.pool = p,
              .connection = &a->conn,
              .server = &a->server,
              .status = 200,
              .method_number = bytes[1] & 3 ? M_GET : M_POST,
              .header_only = (bytes[1] & 2) != 0,
              .proto_num =
                  bytes[1] & 4 ? HTTP_VERSION(1, 0) : HTTP_VERSION(1, 1),
              .headers_out = apr_table_make(p, 1),
              .err_headers_out = apr_table_make(p, 1),
              .subprocess_env = apr_table_make(p, 1)},
        .conf = {.header_max = 4096},
        .c = {.r = &a->r, .conf = &a->conf, .declared_len = -1},
        .bb = apr_brigade_create(p, list),
    };
    fill(a->bb, list, bytes + 2, size - 2, (bytes[0] & 63u) + 1);
    return 1;
}

static void answer_close(answer_t *a)
{
    apr_brigade_destroy(a->bb);
    apr_pool_clear(a->r.pool);
}

#endif
