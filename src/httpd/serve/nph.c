/*
 * Reads the head of the answer of an nph- script. The script speaks HTTP
 * itself, and what it says about its body is sent as it is. But the connection
 * belongs to httpd, and a proxy in front may keep it for the visitors of other
 * tenants. Therefore the head is read and written anew. The new one has nothing
 * that two readers could understand in two ways, and says nothing about the
 * connection except that it ends here.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    nothing: the head comes from the tenant
 * Never:     passes on a head that it has not understood; lets an answer look
 *            as if another could follow it
 */
#include "answer.h"
#include "exchange.h"

#include "http_protocol.h"
#include "apr_lib.h"
#include "apr_strings.h"

#include <string.h>

/* At most this many interim answers may come before the final one. */
#define INTERIM_MAX 8

typedef struct {
    apr_pool_t *pool;
    const char *version; /* NULL: its status line has not come yet */
    int status;
    const char *reason;
    apr_table_t *fields; /* all but the two lengths */
    const char *length;
    int is_chunked;
} head_t;

/* Skips "HTTP/" and digits, and perhaps "." and digits: under HTTP/2 many
 * scripts print SERVER_PROTOCOL there. Returns what follows, or NULL. */
static char *skip_version(char *line)
{
    size_t len;

    if (strncmp(line, "HTTP/", 5) != 0) {
        return NULL;
    }
    line += 5;
    len = strspn(line, "0123456789");
    if (len == 0) {
        return NULL;
    }
    line += len;
    if (*line == '.') {
        len = strspn(line + 1, "0123456789");
        line = len > 0 ? line + 1 + len : NULL;
    }
    return line;
}

static jc_code_t on_status_line(head_t *h, char *line)
{
    char *s = skip_version(line);

    if (!s || *s != ' ' || !jc_header_field_is_printable(s)) {
        return JC_CODE_BAD_HEADER;
    }
    s += strspn(s, " ");
    if (!apr_isdigit(s[0]) || !apr_isdigit(s[1]) || !apr_isdigit(s[2]) ||
        (s[3] != '\0' && s[3] != ' ')) {
        return JC_CODE_BAD_STATUS;
    }
    h->status = (s[0] - '0') * 100 + (s[1] - '0') * 10 + s[2] - '0';
    /* 101 would hand the connection to another protocol. */
    if (h->status < 100 || h->status > 599 ||
        h->status == HTTP_SWITCHING_PROTOCOLS) {
        return JC_CODE_BAD_STATUS;
    }
    h->reason = s[3] == ' ' ? s + 4 : "";
    h->version = strncmp(line, "HTTP/1.0 ", 9) == 0 ? "1.0" : "1.1";
    return JC_CODE_NONE;
}

/* Readers disagree on a length that comes twice, or is anything but digits. */
static jc_code_t on_length(head_t *h, const char *value)
{
    if (h->length || !*value || value[strspn(value, "0123456789")] != '\0' ||
        strlen(value) > 18) {
        return JC_CODE_BAD_HEADER;
    }
    h->length = value;
    return JC_CODE_NONE;
}

static jc_code_t on_line(void *to, char *line)
{
    head_t *h = to;
    const char *value;

    if (!h->version) {
        return on_status_line(h, line);
    }
    value = jc_header_field_split(line);
    if (!value) {
        return JC_CODE_BAD_HEADER;
    }
    if (ap_cstr_casecmp(line, "Content-Length") == 0) {
        return on_length(h, value);
    }
    if (ap_cstr_casecmp(line, "Transfer-Encoding") == 0) {
        if (h->is_chunked || ap_cstr_casecmp(value, "chunked") != 0) {
            return JC_CODE_BAD_HEADER;
        }
        h->is_chunked = 1;
    } else if (!jc_header_field_is_of_connection(line)) {
        apr_table_addn(h->fields, line, value);
    }
    return JC_CODE_NONE;
}

/* Returns NULL, or what is wrong with the head as a whole. */
static const char *contradiction(const head_t *h)
{
    if (!h->version) {
        return "an empty line where a status line should be";
    }
    if (h->length && h->is_chunked) {
        return "both Content-Length and Transfer-Encoding";
    }
    if (h->is_chunked && strcmp(h->version, "1.0") == 0) {
        return "Transfer-Encoding with HTTP/1.0";
    }
    if (h->status < 200 && (h->length || h->is_chunked)) {
        return "a length in an interim answer";
    }
    return NULL;
}

static void write_text(apr_array_header_t *text, const char *s)
{
    APR_ARRAY_PUSH(text, const char *) = s;
}

static int write_field(void *text, const char *name, const char *value)
{
    write_text(text, name);
    write_text(text, ": ");
    write_text(text, value);
    write_text(text, "\r\n");
    return 1;
}

static void write_head(apr_array_header_t *text, const head_t *h)
{
    /* RFC 9110, 8.6, and RFC 9112, 6.1: a 204 has neither. */
    int has_length = h->status != HTTP_NO_CONTENT;

    write_text(text, apr_psprintf(h->pool, "HTTP/%s %03d %s\r\n", h->version,
                                  h->status, h->reason));
    apr_table_do(write_field, text, h->fields, NULL);
    if (has_length && h->length) {
        write_field(text, "Content-Length", h->length);
    }
    if (has_length && h->is_chunked) {
        write_field(text, "Transfer-Encoding", "chunked");
    }
    write_text(text, "Connection: close\r\n\r\n");
}

static jc_code_t read_head(jc_exchange_t *c, apr_bucket_brigade *bb, head_t *h,
                           const char **line)
{
    jc_code_t code;

    *h = (head_t){.pool = c->r->pool, .fields = apr_table_make(c->r->pool, 8)};
    code = jc_header_block(c, bb, on_line, h, line);
    if (code == JC_CODE_NONE) {
        *line = contradiction(h);
        code = *line ? JC_CODE_BAD_HEADER : JC_CODE_NONE;
    }
    return code;
}

jc_code_t jc_nph_read(jc_exchange_t *c, apr_bucket_brigade *bb,
                      jc_nph_head_t *head, const char **line)
{
    request_rec *r = c->r;
    apr_array_header_t *text = apr_array_make(r->pool, 32, sizeof(char *));
    int interim = -1;
    head_t h;

    do {
        jc_code_t code = read_head(c, bb, &h, line);

        if (code != JC_CODE_NONE) {
            return code;
        }
        if (++interim > INTERIM_MAX) {
            *line = "more than 8 interim answers";
            return JC_CODE_BAD_HEADER;
        }
        /* RFC 9110, 15.2: HTTP/1.0 has no interim answers. */
        if (h.status >= 200 || r->proto_num >= HTTP_VERSION(1, 1)) {
            write_head(text, &h);
        }
    } while (h.status < 200);
    c->have_headers = 1;
    head->text = apr_array_pstrcat(r->pool, text, 0);
    head->has_body = !r->header_only && !AP_STATUS_IS_HEADER_ONLY(h.status);
    head->length = h.length ? apr_atoi64(h.length) : -1;
    return JC_CODE_NONE;
}
