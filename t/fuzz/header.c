/*
 * The script's header block, cut into buckets anywhere. A block that is
 * accepted may be sent, nothing of a bad block is applied, and the data after
 * the block stays as it is.
 *
 * Input: see answer.h.
 *
 * Runs in:   the tests
 * Privilege: none
 */
#include "t/fuzz/answer.h"

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

static void check_accepted(const request_rec *r)
{
    apr_table_do(check_field, NULL, r->headers_out, NULL);
    apr_table_do(check_field, NULL, r->err_headers_out, NULL);
    if (r->status < 200 || r->status > 599 ||
        (r->status_line && strpbrk(r->status_line, "\r\n")) ||
        (r->content_type && strpbrk(r->content_type, "\r\n"))) {
        abort();
    }
}

static void parse(uint8_t *bytes, size_t size)
{
    answer_t a;
    int status;
    const char *line;

    if (!answer_open(&a, bytes, size)) {
        return;
    }
    if (jc_header_read(&a.c, a.bb, &status, &line) == JC_CODE_NONE) {
        check_accepted(&a.r);
        (void) check_rest(a.bb, bytes + 2, size - 2);
    } else if (apr_table_elts(a.r.headers_out)->nelts > 0 ||
               apr_table_elts(a.r.err_headers_out)->nelts > 0 ||
               a.r.content_type || a.r.status != 200) {
        abort();
    }
    answer_close(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_each(data, size, parse);
}
