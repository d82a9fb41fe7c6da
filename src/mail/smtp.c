/*
 * Sends a message by SMTP (RFC 5321). All or nothing: where the server refuses
 * one recipient, no one gets the message, and the script is told.
 *
 * Runs in:   jail, as jailcgi-mail/sendmail
 * Privilege: the tenant's
 * Trusts:    nothing: the server's answers may be anything
 * Never:     waits without an end; reports success before the server has said
 *            that it has the message
 */
#include "mail.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <arpa/inet.h>
#include <unistd.h>

#define CONNECT_MS  10000
#define COMMAND_MS  60000
#define DATA_MS     120000
#define ACCEPTED_MS 600000 /* RFC 5321, 4.5.3.2.6: it may be delivering */
#define REPLY_LINES 200

typedef struct {
    const jc_mail_t *mail;
    int fd;
    char in[4096];
    size_t in_len, in_at;
    char out[16384];
    size_t out_len;
    char reply[512]; /* the last line, without its end */
    int has_8bit, has_utf8;
} smtp_t;

static void lost(const smtp_t *smtp, const char *why)
{
    jc_report_fail(smtp->mail, JC_CODE_MAIL_DOWN, EX_UNAVAILABLE,
                   "the mail server %s port %s %s", smtp->mail->address,
                   smtp->mail->port, why);
}

static void wait_for(const smtp_t *smtp, short events, int timeout_ms)
{
    struct pollfd one = {.fd = smtp->fd, .events = events};
    int ready;

    do {
        ready = poll(&one, 1, timeout_ms);
    } while (ready < 0 && errno == EINTR);
    if (ready <= 0) {
        lost(smtp, ready ? strerror(errno) : "does not answer");
    }
}

static void flush_out(smtp_t *smtp)
{
    size_t at = 0;

    while (at < smtp->out_len) {
        ssize_t sent;

        wait_for(smtp, POLLOUT, DATA_MS);
        sent = send(smtp->fd, smtp->out + at, smtp->out_len - at, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR) {
            lost(smtp, "has closed the connection");
        }
        at += sent > 0 ? (size_t) sent : 0;
    }
    smtp->out_len = 0;
}

static void put(smtp_t *smtp, char c)
{
    if (smtp->out_len == sizeof(smtp->out)) {
        flush_out(smtp);
    }
    smtp->out[smtp->out_len++] = c;
}

static void put_all(smtp_t *smtp, const char *text)
{
    while (*text) {
        put(smtp, *text++);
    }
}

static char next_byte(smtp_t *smtp, int timeout_ms)
{
    while (smtp->in_at == smtp->in_len) {
        ssize_t got;

        wait_for(smtp, POLLIN, timeout_ms);
        got = recv(smtp->fd, smtp->in, sizeof(smtp->in), 0);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
            lost(smtp, got ? strerror(errno) : "has closed the connection");
        }
        smtp->in_at = 0;
        smtp->in_len = got > 0 ? (size_t) got : 0;
    }
    return smtp->in[smtp->in_at++];
}

static void read_line(smtp_t *smtp, int timeout_ms)
{
    size_t len = 0, total = 0;
    char c;

    while ((c = next_byte(smtp, timeout_ms)) != '\n') {
        if (++total > sizeof(smtp->in)) {
            lost(smtp, "does not speak SMTP");
        }
        if (c != '\r' && len < sizeof(smtp->reply) - 1) {
            smtp->reply[len++] = c;
        }
    }
    smtp->reply[len] = 0;
}

static void note_extension(smtp_t *smtp)
{
    smtp->has_8bit |= strcasecmp(smtp->reply + 4, "8BITMIME") == 0;
    smtp->has_utf8 |= strcasecmp(smtp->reply + 4, "SMTPUTF8") == 0;
}

/* Returns the code of a reply, whose last line is then in smtp->reply. */
static int read_reply(smtp_t *smtp, int timeout_ms)
{
    int lines = 0;

    do {
        read_line(smtp, timeout_ms);
        if (strspn(smtp->reply, "0123456789") != 3 ||
            !strchr(" -", smtp->reply[3]) || ++lines > REPLY_LINES) {
            lost(smtp, "does not speak SMTP");
        }
        if (smtp->reply[3]) {
            note_extension(smtp);
        }
    } while (smtp->reply[3] == '-');
    return atoi(smtp->reply);
}

static void refuse(const smtp_t *smtp, const char *what)
{
    int is_later = smtp->reply[0] == '4';

    jc_report_fail(smtp->mail,
                   is_later ? JC_CODE_MAIL_LATER : JC_CODE_MAIL_REFUSED,
                   is_later ? EX_UNAVAILABLE : EX_NOPERM,
                   "the mail server %s port %s %s %s: %s", smtp->mail->address,
                   smtp->mail->port, is_later ? "cannot take now" : "refuses",
                   what, smtp->reply);
}

/* Sends a line and wants an answer that begins with `wanted`. */
static void command(smtp_t *smtp, char wanted, const char *what,
                    const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void command(smtp_t *smtp, char wanted, const char *what,
                    const char *format, ...)
{
    char line[2 * JC_MAIL_ADDRESS_MAX + 400];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    put_all(smtp, line);
    put_all(smtp, "\r\n");
    flush_out(smtp);
    (void) read_reply(smtp, COMMAND_MS);
    if (smtp->reply[0] != wanted) {
        refuse(smtp, what);
    }
}

static void connect_to(smtp_t *smtp)
{
    const jc_mail_t *mail = smtp->mail;
    unsigned short port = htons((unsigned short) atoi(mail->port));
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = port};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = port};
    int is_v4 = inet_pton(AF_INET, mail->address, &v4.sin_addr) == 1;
    socklen_t len = sizeof(int);
    int problem = 0;

    if (!is_v4 && inet_pton(AF_INET6, mail->address, &v6.sin6_addr) != 1) {
        jc_report_fail(mail, JC_CODE_MAIL_SETUP, EX_CONFIG,
                       "'%s' is no address of a mail server", mail->address);
    }
    smtp->fd = socket(is_v4 ? AF_INET : AF_INET6,
                      SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (smtp->fd < 0 ||
        (connect(smtp->fd,
                 is_v4 ? (struct sockaddr *) &v4 : (struct sockaddr *) &v6,
                 is_v4 ? sizeof(v4) : sizeof(v6)) &&
         errno != EINPROGRESS)) {
        problem = errno;
    } else {
        wait_for(smtp, POLLOUT, CONNECT_MS);
        (void) getsockopt(smtp->fd, SOL_SOCKET, SO_ERROR, &problem, &len);
    }
    if (problem) {
        char why[128];

        snprintf(why, sizeof(why), "cannot be reached (%s)", strerror(problem));
        lost(smtp, why);
    }
}

static void greet(smtp_t *smtp)
{
    (void) read_reply(smtp, COMMAND_MS);
    if (smtp->reply[0] != '2') {
        refuse(smtp, "connections");
    }
    put_all(smtp, "EHLO ");
    put_all(smtp, smtp->mail->domain);
    put_all(smtp, "\r\n");
    flush_out(smtp);
    if (read_reply(smtp, COMMAND_MS) / 100 != 2) {
        command(smtp, '2', "this machine", "HELO %s", smtp->mail->domain);
    }
}

static int is_ascii(const char *text)
{
    while (*text && !(*text & 0x80)) {
        text++;
    }
    return !*text;
}

static void address_it(smtp_t *smtp)
{
    const jc_mail_t *mail = smtp->mail;
    int needs_utf8 = !is_ascii(mail->sender);
    char what[JC_MAIL_ADDRESS_MAX + 300];

    for (size_t i = 0; i < mail->recipient_count; i++) {
        needs_utf8 |= !is_ascii(mail->recipients[i]);
    }
    if (needs_utf8 && !smtp->has_utf8) {
        jc_report_fail(mail, JC_CODE_MAIL_ADDRESS, EX_DATAERR,
                       "an address has other letters than ASCII, and the mail "
                       "server does not take such addresses (SMTPUTF8)");
    }
    snprintf(what, sizeof(what), "the sender %s", mail->sender);
    command(smtp, '2', what, "MAIL FROM:<%s>%s%s", mail->sender,
            smtp->has_8bit ? " BODY=8BITMIME" : "",
            needs_utf8 ? " SMTPUTF8" : "");
    for (size_t i = 0; i < mail->recipient_count; i++) {
        snprintf(what, sizeof(what), "the recipient %s", mail->recipients[i]);
        command(smtp, '2', what, "RCPT TO:<%s>", mail->recipients[i]);
    }
    command(smtp, '3', "the message", "DATA");
}

/* Where the next byte of the message stands in its line. */
typedef struct {
    smtp_t *smtp;
    size_t column;
    int has_cr; /* a \r was read and not sent yet */
} text_t;

static void end_line(text_t *text)
{
    put_all(text->smtp, "\r\n");
    text->column = 0;
}

/* Ends each line with \r\n alone: some servers take a bare \n or \r for the end
 * of one, and could then read a dot or a command where there is none. */
static void put_text(text_t *text, char c)
{
    if (text->has_cr) {
        text->has_cr = 0;
        end_line(text);
        if (c == '\n') {
            return;
        }
    }
    if (c == '\r') {
        text->has_cr = 1;
    } else if (c == '\n') {
        end_line(text);
    } else {
        if (text->column == JC_MAIL_LINE_MAX) {
            put_all(text->smtp, "\r\n ");
            text->column = 1;
        }
        if (text->column == 0 && c == '.') {
            put(text->smtp, '.');
        }
        put(text->smtp, c);
        text->column++;
    }
}

static void send_body(text_t *text, FILE *in)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t len;

    while ((len = getdelim(&line, &room, '\n', in)) > 0) {
        if (!text->smtp->mail->dots &&
            (strcmp(line, ".\n") == 0 || strcmp(line, ".\r\n") == 0)) {
            break;
        }
        for (ssize_t i = 0; i < len; i++) {
            put_text(text, line[i]);
        }
    }
    free(line);
    if (ferror(in)) {
        jc_report_fail(text->smtp->mail, JC_CODE_MAIL_MESSAGE, EX_IOERR,
                       "the message cannot be read");
    }
    if (text->has_cr || text->column > 0) {
        end_line(text);
    }
}

void jc_smtp_send(const jc_mail_t *mail, const char *header, const char *body,
                  FILE *in)
{
    smtp_t smtp = {.mail = mail, .fd = -1};
    text_t text = {.smtp = &smtp};

    connect_to(&smtp);
    greet(&smtp);
    address_it(&smtp);
    for (; *header; header++) {
        put_text(&text, *header);
    }
    for (; body && *body; body++) {
        put_text(&text, *body);
    }
    if (body) {
        put_text(&text, '\n');
    }
    send_body(&text, in);
    put_all(&smtp, ".\r\n");
    flush_out(&smtp);
    (void) read_reply(&smtp, ACCEPTED_MS);
    if (smtp.reply[0] != '2') {
        refuse(&smtp, "the message");
    }
    put_all(&smtp, "QUIT\r\n");
    (void) !send(smtp.fd, smtp.out, smtp.out_len, MSG_NOSIGNAL);
    close(smtp.fd);
}
