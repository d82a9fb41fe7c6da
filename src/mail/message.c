/*
 * Reads the header of a message, takes out what must not be sent, and adds what
 * is missing and who has sent it.
 *
 * Runs in:   jail, as jailcgi-mail/sendmail
 * Privilege: the tenant's
 * Trusts:    nothing: the text is of a message
 * Never:     passes on a field whose name begins with X-JailCGI-, Bcc, or a
 *            line that is no field
 */
#include "mail.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

/* The header that is being made. */
typedef struct {
    jc_mail_t *mail;
    char *bytes;
    size_t len;
    size_t room;
    int has_from, has_date, has_id, has_to;
} header_t;

static void put(header_t *h, const char *bytes, size_t len)
{
    if (h->len + len + 1 > h->room) {
        h->room = 2 * (h->len + len + 1);
        h->bytes = realloc(h->bytes, h->room);
    }
    if (!h->bytes || h->len + len > JC_MAIL_HEADER_MAX) {
        jc_report_fail(h->mail, JC_CODE_MAIL_MESSAGE, EX_DATAERR,
                       "its header has more than %u bytes", JC_MAIL_HEADER_MAX);
    }
    memcpy(h->bytes + h->len, bytes, len);
    h->len += len;
    h->bytes[h->len] = 0;
}

/* Adds a line and its end. A carriage return in it could begin another line
 * for some servers. */
static void put_line(header_t *h, const char *line, size_t len)
{
    size_t column = 0;

    for (size_t i = 0; i < len; i++) {
        char c = line[i];

        if (++column > JC_MAIL_LINE_MAX) {
            put(h, "\r\n ", 3);
            column = 2;
        }
        put(h, c == '\r' || c == 0 ? " " : &c, 1);
    }
    put(h, "\r\n", 2);
}

/* Adds a field whose value may hold anything. */
static void put_field(header_t *h, const char *name, const char *value)
{
    char line[512];
    int len = snprintf(line, sizeof(line), "%s: %s", name, value);

    if (len >= (int) sizeof(line)) {
        len = sizeof(line) - 1;
    }
    for (int i = 0; i < len; i++) {
        if (line[i] < ' ' || line[i] > '~') {
            line[i] = '?';
        }
    }
    put_line(h, line, (size_t) len);
}

/* Returns the length of the name of a field, or 0 if the line is none. */
static size_t name_len(const char *line, size_t len)
{
    size_t n = 0, end;

    while (n < len && line[n] > ' ' && line[n] < 0x7f && line[n] != ':') {
        n++;
    }
    for (end = n; end < len && (line[end] == ' ' || line[end] == '\t'); end++) {
    }
    return end < len && line[end] == ':' ? n : 0;
}

static int is_name(const char *line, size_t len, const char *name)
{
    return len == strlen(name) && strncasecmp(line, name, len) == 0;
}

static int is_dropped(const char *field, size_t len)
{
    static const char ours[] = "X-JailCGI-";

    return is_name(field, len, "Bcc") || is_name(field, len, "Resent-Bcc") ||
           is_name(field, len, "Return-Path") ||
           is_name(field, len, "Content-Length") ||
           (len >= sizeof(ours) - 1 &&
            strncasecmp(field, ours, sizeof(ours) - 1) == 0);
}

static int has_addresses(const char *field, size_t len)
{
    static const char *const names[] = {"From", "Sender", "Reply-To", "To",
                                        "Cc"};
    static const char resent[] = "Resent-";

    if (len >= sizeof(resent) &&
        strncasecmp(field, resent, sizeof(resent) - 1) == 0) {
        field += sizeof(resent) - 1;
        len -= sizeof(resent) - 1;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (is_name(field, len, names[i])) {
            return 1;
        }
    }
    return 0;
}

/* Sends on the lines of a field, each with its \n. */
static void put_lines(header_t *h, const char *field, size_t len)
{
    while (len > 0) {
        const char *end = memchr(field, '\n', len);
        size_t line = end ? (size_t) (end - field) : len;
        size_t text = line > 0 && field[line - 1] == '\r' ? line - 1 : line;

        put_line(h, field, text);
        line += end != NULL;
        field += line;
        len -= line;
    }
}

/* Sends on a field with addresses, with a domain for those that have none:
 * Exim refuses a message that has others. */
static void put_addresses(header_t *h, const char *field, size_t len)
{
    size_t name = (size_t) ((const char *) memchr(field, ':', len) + 1 - field);
    char *line;
    char *list = jc_addresses_qualify(h->mail, field + name, len - name, &len);

    line = list ? malloc(name + len + 1) : NULL;
    if (!line) {
        jc_report_fail(h->mail, JC_CODE_MAIL_MESSAGE, EX_OSERR,
                       "there is no memory for its header");
    }
    memcpy(line, field, name);
    memcpy(line + name, list, len);
    put_lines(h, line, name + len);
    free(line);
    free(list);
}

/* Takes a whole field: its lines, each with its \n, `len` bytes in all. */
static void take(header_t *h, const char *field, size_t len)
{
    size_t n = name_len(field, len);
    int is_to = is_name(field, n, "To") || is_name(field, n, "Cc");
    const char *wrong = NULL;

    if (h->mail->from_header && (is_to || is_name(field, n, "Bcc"))) {
        const char *value = (const char *) memchr(field, ':', len) + 1;

        wrong =
            jc_addresses_add(h->mail, value, len - (size_t) (value - field));
    }
    if (wrong) {
        jc_report_fail(h->mail, JC_CODE_MAIL_ADDRESS, EX_DATAERR, "%.*s %s",
                       (int) n, field, wrong);
    }
    h->has_to |= is_to;
    h->has_from |= is_name(field, n, "From");
    h->has_date |= is_name(field, n, "Date");
    h->has_id |= is_name(field, n, "Message-ID");
    if (is_dropped(field, n)) {
        return;
    }
    if (has_addresses(field, n)) {
        put_addresses(h, field, len);
    } else {
        put_lines(h, field, len);
    }
}

/* What is said about the sender by those who may know. Only the number comes
 * from the kernel. */
static void add_origin(header_t *h)
{
    char number[32];

    snprintf(number, sizeof(number), "%u", (unsigned) geteuid());
    put_field(h, "X-JailCGI-User", number);
    if (h->mail->site[0]) {
        put_field(h, "X-JailCGI-Site", h->mail->site);
    }
    if (h->mail->script[0]) {
        put_field(h, "X-JailCGI-Script", h->mail->script);
    }
}

static void add_missing(header_t *h)
{
    const jc_mail_t *mail = h->mail;
    time_t now = time(NULL);
    struct tm tm;
    char text[400];

    if (!h->has_from) {
        char name[80];
        size_t n = 0;

        for (const char *at = mail->name ? mail->name : ""; *at; at++) {
            if (*at != '"' && *at != '\\' && n < sizeof(name) - 1) {
                name[n++] = *at;
            }
        }
        name[n] = 0;
        snprintf(text, sizeof(text), n ? "\"%2$s\" <%1$s>" : "%1$s",
                 mail->sender, name);
        put_field(h, "From", text);
    }
    if (!h->has_date && gmtime_r(&now, &tm) &&
        strftime(text, sizeof(text), "%a, %d %b %Y %T +0000", &tm)) {
        put_field(h, "Date", text);
    }
    if (!h->has_id) {
        struct timespec at;

        clock_gettime(CLOCK_REALTIME, &at);
        snprintf(text, sizeof(text), "<%llx.%lx.%x.%x@%s>",
                 (unsigned long long) at.tv_sec, (unsigned long) at.tv_nsec,
                 (unsigned) geteuid(), (unsigned) getpid(), mail->domain);
        put_field(h, "Message-ID", text);
    }
    if (!h->has_to) {
        put_field(h, "To", "undisclosed-recipients:;");
    }
}

/* Reads fields up to the empty line, or to a line that is none: it belongs to
 * the body. Returns that line without its end, or NULL. */
static char *read_fields(header_t *h, FILE *in)
{
    char *line = NULL, *field = NULL;
    size_t room = 0, field_len = 0, total = 0;
    ssize_t len;
    int is_first = 1;

    while ((len = getline(&line, &room, in)) > 0) {
        size_t text = (size_t) len;

        while (text > 0 && (line[text - 1] == '\n' || line[text - 1] == '\r')) {
            text--;
        }
        if (is_first && strncmp(line, "From ", 5) == 0) {
            is_first = 0;
            continue; /* of a mailbox file */
        }
        is_first = 0;
        if ((line[0] != ' ' && line[0] != '\t') || field_len == 0) {
            if (field_len > 0) {
                take(h, field, field_len);
            }
            field_len = 0;
            if (text == 0 || name_len(line, text) == 0) {
                free(field);
                line[text] = 0;
                return text > 0 ? line : NULL;
            }
        }
        total += (size_t) len;
        field = total > JC_MAIL_HEADER_MAX
                    ? NULL
                    : realloc(field, field_len + (size_t) len);
        if (!field) {
            jc_report_fail(h->mail, JC_CODE_MAIL_MESSAGE, EX_DATAERR,
                           "its header has more than %u bytes",
                           JC_MAIL_HEADER_MAX);
        }
        memcpy(field + field_len, line, (size_t) len);
        field_len += (size_t) len;
    }
    if (field_len > 0) {
        take(h, field, field_len);
    }
    free(field);
    free(line);
    return NULL;
}

char *jc_message_read(jc_mail_t *mail, FILE *in, char **body)
{
    header_t h = {.mail = mail};

    add_origin(&h); /* above the tenant's own fields */
    *body = read_fields(&h, in);
    if (ferror(in)) {
        jc_report_fail(mail, JC_CODE_MAIL_MESSAGE, EX_IOERR,
                       "the message cannot be read");
    }
    add_missing(&h);
    put(&h, "\r\n", 2);
    return h.bytes;
}
