/*
 * Reads the script's header block (RFC 3875 section 6).
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    nothing: the block comes from the tenant
 * Never:     holds more than JailHeaderMax; applies a part of a block that
 *            turns out to be bad; believes a transfer coding, or says anything
 *            about the connection, with which a script could desynchronise it
 *            (CVE-2024-24795). length.c decides about a length
 */
#include "answer.h"
#include "exchange.h"
#include "pump.h"

#include "http_protocol.h"
#include "http_request.h"
#include "apr_date.h"
#include "apr_lib.h"
#include "apr_strings.h"

#include <string.h>

#define HEADER_LINES_MAX 1000    /* in one header block */
#define HEADER_LEN_MAX   1048576 /* bytes, where JailHeaderMax is unset */

/* The log shows this much of an offending line. */
#define SHOWN_MAX 120

/* The block that is being collected, in one piece. */
typedef struct {
    apr_pool_t *pool;
    char *bytes;
    size_t len;
    size_t size;
    size_t line; /* where the current line begins */
} block_t;

/* The block as it was understood. It is applied only when all of it is good. */
typedef struct {
    int status; /* of a Status line, or 0 */
    const char *status_line;
    const char *content_type;
    const char *content_length;
    const char *last_modified;
    apr_table_t *single; /* for headers_out; the last one counts */
    apr_table_t *merged; /* for err_headers_out, in one line each */
    apr_table_t *cookies;
} header_t;

static void keep(block_t *block, const char *data, size_t len)
{
    /* Leave room for the NUL that parse_block puts after the last line. */
    if (block->len + len >= block->size) {
        size_t size = (block->len + len) * 2;
        char *bytes = apr_palloc(block->pool, size);

        if (block->len > 0) {
            memcpy(bytes, block->bytes, block->len);
        }
        block->bytes = bytes;
        block->size = size;
    }
    memcpy(block->bytes + block->len, data, len);
    block->len += len;
}

/* Returns whether the current line is empty but for a CR: the block is then
 * complete. */
static int is_blank(const block_t *block)
{
    size_t len = block->len - block->line;

    return len == 1 || (len == 2 && block->bytes[block->line] == '\r');
}

/*
 * Adds what belongs to the block. Sets *used to how much of the data that was.
 * Returns 1 when the block is complete.
 */
static int collect(block_t *block, const char *data, size_t len, size_t *used)
{
    *used = 0;
    while (*used < len) {
        const char *from = data + *used;
        const char *nl = memchr(from, '\n', len - *used);
        size_t n = nl ? (size_t) (nl - from) + 1 : len - *used;

        keep(block, from, n);
        *used += n;
        if (!nl) {
            return 0;
        }
        if (is_blank(block)) {
            block->len = block->line;
            return 1;
        }
        block->line = block->len;
    }
    return 0;
}

/* Takes the block out of the brigade. What follows it stays. */
static jc_code_t read_block(jc_exchange_t *c, apr_bucket_brigade *bb,
                            block_t *block)
{
    size_t most =
        c->conf->header_max > 0 ? (size_t) c->conf->header_max : HEADER_LEN_MAX;

    for (;;) {
        apr_bucket *b = APR_BRIGADE_FIRST(bb);
        const char *data;
        apr_size_t len, used;
        int complete;

        if (b == APR_BRIGADE_SENTINEL(bb)) {
            return block->len > 0 ? JC_CODE_BAD_HEADER : JC_CODE_NO_OUTPUT;
        }
        if (apr_bucket_read(b, &data, &len, APR_BLOCK_READ) != APR_SUCCESS) {
            jc_exchange_fail(c, JC_CODE_NO_OUTPUT, 0);
            return c->why.code;
        }
        complete = collect(block, data, len, &used);
        if (used < len) {
            apr_bucket_split(b, used);
        }
        apr_bucket_delete(b);
        if (block->len > most) {
            return JC_CODE_HEADER_TOO_LONG;
        }
        if (complete) {
            return JC_CODE_NONE;
        }
    }
}

/* Takes three digits, from 200 on, because 1xx is no final status. Returns 0
 * for anything else. */
static int parse_status(const char *value)
{
    int status;

    if (!apr_isdigit(value[0]) || !apr_isdigit(value[1]) ||
        !apr_isdigit(value[2]) || apr_isalnum(value[3])) {
        return 0;
    }
    status = (value[0] - '0') * 100 + (value[1] - '0') * 10 + value[2] - '0';
    return status >= 200 && status <= 599 ? status : 0;
}

/* RFC 3875, 6.3: without a value, these are as good as not sent. */
static int is_cgi_field(const char *name)
{
    return ap_cstr_casecmp(name, "Status") == 0 ||
           ap_cstr_casecmp(name, "Content-Type") == 0 ||
           ap_cstr_casecmp(name, "Location") == 0;
}

static jc_code_t store(header_t *h, const char *name, char *value)
{
    if (jc_header_field_is_of_connection(name)) {
        return JC_CODE_NONE; /* RFC 3875, 6.3.4 */
    }
    if (!*value && is_cgi_field(name)) {
        return JC_CODE_NONE;
    }
    if (ap_cstr_casecmp(name, "Status") == 0) {
        h->status = parse_status(value);
        h->status_line = value;
        return h->status ? JC_CODE_NONE : JC_CODE_BAD_STATUS;
    }
    if (ap_cstr_casecmp(name, "Content-Type") == 0) {
        ap_content_type_tolower(value);
        h->content_type = value;
    } else if (ap_cstr_casecmp(name, "Content-Length") == 0) {
        h->content_length = value;
    } else if (ap_cstr_casecmp(name, "Transfer-Encoding") == 0) {
        return JC_CODE_NONE;
    } else if (ap_cstr_casecmp(name, "Last-Modified") == 0) {
        h->last_modified = value;
    } else if (ap_cstr_casecmp(name, "Location") == 0 ||
               ap_cstr_casecmp(name, "Content-Range") == 0 ||
               ap_cstr_casecmp(name, "ETag") == 0) {
        apr_table_setn(h->single, name, value);
    } else if (ap_cstr_casecmp(name, "Set-Cookie") == 0) {
        apr_table_addn(h->cookies, name, value);
    } else {
        apr_table_addn(h->merged, name, value);
    }
    return JC_CODE_NONE;
}

/* mod_cgi drops every CR, and some scripts write two. */
static void drop_returns(char *line)
{
    char *to = line;

    for (const char *from = line; *from; from++) {
        if (*from != '\r') {
            *to++ = *from;
        }
    }
    *to = '\0';
}

static jc_code_t on_line(void *header, char *line)
{
    char *value = jc_header_field_split(line);

    return value ? store(header, line, value) : JC_CODE_BAD_HEADER;
}

static const char *shown(apr_pool_t *p, const char *line, size_t len)
{
    if (len > SHOWN_MAX) {
        return apr_pstrcat(p, apr_pstrmemdup(p, line, SHOWN_MAX), "...", NULL);
    }
    return apr_pstrmemdup(p, line, len);
}

static jc_code_t parse_block(block_t *block, jc_header_line_t *each, void *to,
                             const char **bad)
{
    char *line = block->bytes;
    char *end = block->bytes + block->len;
    unsigned lines = 0;

    while (line < end) {
        char *nl = memchr(line, '\n', (size_t) (end - line));
        size_t len = (size_t) ((nl ? nl : end) - line);
        const char *copy = shown(block->pool, line, len);
        jc_code_t code;

        /* Each line costs some fifty times as much as the shortest one has in
         * bytes. */
        if (++lines > HEADER_LINES_MAX) {
            *bad = "more than 1000 lines";
            return JC_CODE_HEADER_TOO_LONG;
        }
        if (memchr(line, '\0', len)) {
            *bad = copy;
            return JC_CODE_BAD_HEADER;
        }
        line[len] = '\0';
        drop_returns(line);
        code = each(to, line);
        if (code != JC_CODE_NONE) {
            *bad = copy;
            return code;
        }
        line += len + 1;
    }
    return JC_CODE_NONE;
}

/* Keeps the length, to distinguish a whole page from a broken one. Sends it on
 * only if the administrator says that the scripts can be trusted with it. */
static void apply_length(jc_exchange_t *c, const char *value)
{
    request_rec *r = c->r;
    char *end = NULL;

    if (!value || !apr_isdigit(value[0])) {
        return;
    }
    c->declared_len = apr_strtoi64(value, &end, 10);
    if (*end != '\0' || c->declared_len < 0) {
        c->declared_len = -1;
        return;
    }
    c->length_is_sent = jc_length_is_trusted(r);
    if (c->length_is_sent) {
        apr_table_setn(r->headers_out, "Content-Length", value);
    }
}

/* A value that is no date is left out, and not sent as the year 1970. */
static void apply_date(request_rec *r, const char *value)
{
    apr_time_t date = value ? apr_date_parse_http(value) : APR_DATE_BAD;

    if (date != APR_DATE_BAD) {
        ap_update_mtime(r, date);
        ap_set_last_modified(r);
    }
}

/* Leaves the request as ap_scan_script_header_err_core_ex does. */
static int apply(jc_exchange_t *c, const header_t *h)
{
    request_rec *r = c->r;
    int status = OK;

    c->headers_before = apr_table_copy(r->pool, r->headers_out);
    c->err_headers_before = apr_table_copy(r->pool, r->err_headers_out);
    if (h->content_type) {
        ap_set_content_type(r, h->content_type);
    }
    if (h->status) {
        r->status = h->status;
        r->status_line = h->status_line;
    }
    r->headers_out = apr_table_overlay(r->pool, h->single, r->headers_out);
    apply_length(c, h->content_length);
    apply_date(r, h->last_modified);
    if (!h->status && r->method_number == M_GET) {
        status = ap_meets_conditions(r);
    }
    apr_table_overlap(r->err_headers_out, h->merged, APR_OVERLAP_TABLES_MERGE);
    /* Cookies are not merged into one line: their values may hold commas. */
    r->err_headers_out =
        apr_table_overlay(r->pool, r->err_headers_out, h->cookies);
    return status;
}

jc_code_t jc_header_block(jc_exchange_t *c, apr_bucket_brigade *bb,
                          jc_header_line_t *each, void *to, const char **line)
{
    block_t block = {.pool = c->r->pool};
    jc_code_t code = read_block(c, bb, &block);

    *line = NULL;
    if (code == JC_CODE_NONE) {
        return parse_block(&block, each, to, line);
    }
    if (code == JC_CODE_BAD_HEADER) {
        /* The block has no end. A line that is no header says more than
         * that. */
        code = parse_block(&block, each, to, line);
        if (code == JC_CODE_NONE) {
            code = JC_CODE_BAD_HEADER;
            *line = "end of output where an empty line should be";
        }
    }
    return code;
}

jc_code_t jc_header_read(jc_exchange_t *c, apr_bucket_brigade *bb, int *status,
                         const char **line)
{
    apr_pool_t *p = c->r->pool;
    header_t h = {
        .single = apr_table_make(p, 4),
        .merged = apr_table_make(p, 8),
        .cookies = apr_table_make(p, 4),
    };
    jc_code_t code = jc_header_block(c, bb, on_line, &h, line);

    if (code != JC_CODE_NONE) {
        return code;
    }
    c->have_headers = 1;
    *status = apply(c, &h);
    return JC_CODE_NONE;
}
