/*
 * The script's header block over buckets of any cut: what it accepts may be
 * sent, of a bad block nothing is applied, and what follows the block is left
 * as it is. httpd's own functions are made here; APR's are the library's.
 *
 * Input: number of buckets; method; the script's output.
 *
 * Runs in:   the tests
 * Privilege: none
 */
#include "src/httpd/child.h"

#include "http_protocol.h"
#include "http_request.h"
#include "apr_lib.h"
#include "apr_strings.h"

#include <strings.h>

#include "t/fuzz/fuzz.h"

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

void jc_client_fail(jc_client_t *c, jc_code_t code, int errnum)
{
    c->why.code = code;
}

/* Where there is src/httpd/length.c: no script may name its length. */
int jc_length_is_trusted(request_rec *r)
{
    return 0;
}

static int check_field(void *unused, const char *name, const char *value)
{
    static const char *const never[] = {"Transfer-Encoding", "Content-Length",
                                        "Status"};

    if (!*name || *ap_scan_http_token(name)) {
        abort();
    }
    for (; *value; value++) {
        if (apr_iscntrl(*value) && *value != '\t') {
            abort();
        }
    }
    for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++) {
        if (strcasecmp(name, never[i]) == 0) {
            abort();
        }
    }
    return 1;
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

static void check_accepted(request_rec *r, apr_bucket_brigade *bb,
                           const uint8_t *data, size_t size)
{
    static char rest[65536];
    apr_size_t len = sizeof(rest);

    apr_table_do(check_field, NULL, r->headers_out, NULL);
    apr_table_do(check_field, NULL, r->err_headers_out, NULL);
    if (r->status < 200 || r->status > 599 ||
        (r->status_line && strpbrk(r->status_line, "\r\n")) ||
        (r->content_type && strpbrk(r->content_type, "\r\n"))) {
        abort();
    }
    if (apr_brigade_flatten(bb, rest, &len) != APR_SUCCESS || len > size ||
        memcmp(rest, data + size - len, len) != 0 ||
        !is_end(data, size - len)) {
        abort();
    }
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

static void parse(uint8_t *bytes, size_t size)
{
    static apr_pool_t *top, *p;
    static apr_bucket_alloc_t *list;
    int status;
    const char *line;

    if (!top) {
        apr_initialize();
        apr_pool_create(&top, NULL);
        apr_pool_create(&p, top);
        list = apr_bucket_alloc_create(top);
    }
    if (size < 2 || size > 65536) {
        return;
    }
    size_t buckets = (bytes[0] & 63u) + 1;
    conn_rec conn = {.bucket_alloc = list};
    server_rec server = {0};
    request_rec r = {.pool = p,
                     .connection = &conn,
                     .server = &server,
                     .status = 200,
                     .method_number = bytes[1] & 1 ? M_GET : M_POST,
                     .headers_out = apr_table_make(p, 1),
                     .err_headers_out = apr_table_make(p, 1),
                     .subprocess_env = apr_table_make(p, 1)};
    jc_server_conf_t conf = {.header_max = 4096};
    jc_client_t c = {.r = &r, .conf = &conf, .declared_len = -1};
    apr_bucket_brigade *bb = apr_brigade_create(p, list);

    fill(bb, list, bytes + 2, size - 2, buckets);
    if (jc_header_read(&c, bb, &status, &line) == JC_CODE_NONE) {
        check_accepted(&r, bb, bytes + 2, size - 2);
    } else if (apr_table_elts(r.headers_out)->nelts > 0 ||
               apr_table_elts(r.err_headers_out)->nelts > 0 || r.content_type ||
               r.status != 200) {
        abort();
    }
    apr_brigade_destroy(bb);
    apr_pool_clear(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_each(data, size, parse);
}
