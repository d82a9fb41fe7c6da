/*
 * The program that is /usr/sbin/sendmail in a jail with JailMail. It hands one
 * message to the mail server of the machine by SMTP and ends. It keeps nothing:
 * what the server has not taken is not sent, and the caller is told.
 *
 * Runs in:   jail, started by scripts
 * Privilege: the tenant's, and none beyond it
 * Trusts:    nothing: arguments, environment and message are the tenant's, and
 *            the server's answers are anybody's
 */
#ifndef JC_MAIL_H
#define JC_MAIL_H

#include "src/wire/codes.h"

#include <stddef.h>
#include <stdio.h>

#define JC_MAIL_VARIABLE      "JAILCGI_MAIL" /* ADDRESS PORT DOMAIN */
#define JC_MAIL_HEADER_MAX    (1u << 20) /* bytes of the header of a message */
#define JC_MAIL_RECIPIENT_MAX 1000
#define JC_MAIL_ADDRESS_MAX   320 /* RFC 5321, 4.5.3.1 */
#define JC_MAIL_LINE_MAX      990 /* RFC 5321 allows 998 */

/* What `sendmail` was asked to do, and by whom. */
typedef struct {
    int from_header;    /* -t: recipients are in the message */
    int dots;           /* -i: a line with a dot alone does not end it */
    const char *sender; /* -f */
    const char *name;   /* -F; NULL: none */
    char *address;      /* of the server, in numbers */
    const char *port;   /* the same */
    const char *domain; /* for addresses without one */
    const char *site;   /* the next two: "" or what the script says */
    const char *script;
    char *recipients[JC_MAIL_RECIPIENT_MAX];
    size_t recipient_count;
} jc_mail_t;

/* report.c: says why nothing was sent, in one line that ends in the log of
 * the site, and ends with that status of sysexits.h. */
void jc_report_fail(const jc_mail_t *mail, jc_code_t code, int status,
                    const char *format, ...)
    __attribute__((noreturn, format(printf, 4, 5)));

/* addresses.c: adds the addresses in the value of a field To, Cc or Bcc, or in
 * an argument. Returns NULL, or what is wrong, to follow a name. */
const char *jc_addresses_add(jc_mail_t *mail, const char *list, size_t len);
/* Returns a copy of such a list in which each address has a domain, or NULL if
 * there is no memory. */
char *jc_addresses_qualify(jc_mail_t *mail, const char *list, size_t len,
                           size_t *new_len);
/* Returns a copy of an address, with @domain if it has none; or NULL if it
 * cannot stand between < and > in a command. */
char *jc_addresses_clean(const jc_mail_t *mail, const char *address,
                         size_t len);

/* message.c: reads the header of a message from `in`, and returns it as it is
 * to be sent, with \r\n at the end of each line and an empty one behind them.
 * Adds the recipients that it names if mail->from_header. Sets *body to what
 * was read of the body, which is a line without its end, or NULL. Both are
 * allocated. */
char *jc_message_read(jc_mail_t *mail, FILE *in, char **body);

/* smtp.c: sends the message. `header` and `body` are those of
 * jc_message_read(), and the rest comes from `in`. Returns when the server
 * has taken it. */
void jc_smtp_send(const jc_mail_t *mail, const char *header, const char *body,
                  FILE *in);

#endif
