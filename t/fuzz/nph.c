/*
 * The head of the answer of an nph- script, cut into buckets anywhere. The
 * target reads the data that is sent instead as a client would: whole heads,
 * each of which gives one length for its body and says that the connection
 * ends. The body stays as it is.
 *
 * Input: see answer.h.
 *
 * Runs in:   the tests
 * Privilege: none
 */
#include "t/fuzz/answer.h"

#define INTERIM_MAX 8

typedef struct {
    int status;
    int is_old; /* HTTP/1.0 */
    const char *length;
    int lengths, codings, closes;
} sent_t;

static void must(int is_true)
{
    if (!is_true) {
        abort();
    }
}

/* Takes the line off the text. */
static char *next_line(char **text)
{
    char *line = *text, *end = strstr(line, "\r\n");

    must(end != NULL);
    *end = '\0';
    *text = end + 2;
    for (const char *c = line; *c; c++) {
        must(!apr_iscntrl(*c) || *c == '\t');
    }
    return line;
}

static void read_status(sent_t *sent, const char *line)
{
    must(strncmp(line, "HTTP/1.", 7) == 0 &&
         (line[7] == '0' || line[7] == '1'));
    must(line[8] == ' ' && apr_isdigit(line[9]) && apr_isdigit(line[10]) &&
         apr_isdigit(line[11]) && line[12] == ' ');
    *sent = (sent_t){.is_old = line[7] == '0', .status = atoi(line + 9)};
}

static void read_field(sent_t *sent, char *line)
{
    static const char *const never[] = {"Keep-Alive", "Proxy-Connection",
                                        "Upgrade", "TE", "Trailer"};
    char *value = strstr(line, ": ");

    must(value != NULL);
    *value = '\0';
    value += 2;
    must(*line && !*ap_scan_http_token(line));
    for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++) {
        must(strcasecmp(line, never[i]) != 0);
    }
    if (strcasecmp(line, "Connection") == 0) {
        must(strcmp(value, "close") == 0);
        sent->closes++;
    } else if (strcasecmp(line, "Content-Length") == 0) {
        must(*value && !value[strspn(value, "0123456789")]);
        sent->length = value;
        sent->lengths++;
    } else if (strcasecmp(line, "Transfer-Encoding") == 0) {
        must(strcmp(value, "chunked") == 0);
        sent->codings++;
    }
}

static void read_sent(sent_t *sent, char **text)
{
    char *line;

    read_status(sent, next_line(text));
    while (*(line = next_line(text))) {
        read_field(sent, line);
    }
    must(sent->closes == 1 && sent->lengths + sent->codings <= 1);
    must(!sent->is_old || sent->codings == 0);
    if (sent->status < 200 || sent->status == HTTP_NO_CONTENT) {
        must(sent->lengths + sent->codings == 0);
    }
}

static void check_accepted(answer_t *a, const jc_nph_head_t *head)
{
    char *text = apr_pstrdup(a->r.pool, head->text);
    sent_t sent;
    int interim = -1;

    do {
        read_sent(&sent, &text);
        must(++interim <= INTERIM_MAX);
        must(sent.status >= 100 && sent.status < 600 && sent.status != 101);
        must(sent.status >= 200 || a->r.proto_num >= HTTP_VERSION(1, 1));
    } while (sent.status < 200);
    must(!*text);
    must(!sent.length || head->length == apr_atoi64(sent.length));
    must(!sent.codings || head->length == -1);
    must(head->has_body ==
         (!a->r.header_only && sent.status != 204 && sent.status != 304));
}

static void parse(uint8_t *bytes, size_t size)
{
    answer_t a;
    jc_nph_head_t head = {.length = -2};
    const char *line = NULL;

    if (!answer_open(&a, bytes, size)) {
        return;
    }
    if (jc_nph_read(&a.c, a.bb, &head, &line) == JC_CODE_NONE) {
        check_accepted(&a, &head);
        (void) check_rest(a.bb, bytes + 2, size - 2);
    } else {
        must(!head.text && head.length == -2);
    }
    answer_close(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_each(data, size, parse);
}
