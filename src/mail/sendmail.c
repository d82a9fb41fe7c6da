/*
 * `sendmail` for jails (JailMail): the options that PHP, Perl and cron use, one
 * message from standard input, and a mail server that speaks SMTP. It is
 * linked statically and looks up no name, so it runs in any root.
 *
 * Nothing is queued. The exit status is 0 if the server has the message. It is
 * never EX_TEMPFAIL, which callers such as PHP take for "in the queue".
 *
 * Runs in:   jail, started by scripts
 * Privilege: the tenant's, and none beyond it
 * Trusts:    nothing; the environment may be the tenant's own
 */
#include "mail.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define SERVER_FILE "/etc/jailcgi-mail"

static int refuse_option(const jc_mail_t *mail, const char *option)
{
    jc_report_fail(mail, JC_CODE_MAIL_USAGE, EX_USAGE,
                   "the option %s is not supported: this sendmail sends one "
                   "message from its standard input, and has no queue",
                   option);
}

/* Takes one argument that begins with '-'. Returns how many arguments it was,
 * 1 or 2. */
static int take_option(jc_mail_t *mail, char *argument, char *next)
{
    for (const char *at = argument + 1; *at; at++) {
        const char *value = at[1] ? at + 1 : next;
        int taken = at[1] ? 1 : 2;

        if (strchr("GnmsUv", *at)) {
            continue;
        }
        switch (*at) {
        case 't':
            mail->from_header = 1;
            continue;
        case 'i':
            mail->dots = 1;
            continue;
        case 'o': /* -oi is -i; the others are about queue and errors */
            mail->dots |= at[1] == 'i' && !at[2];
            return 1;
        case 'b':
            return at[1] == 'm' ? 1 : refuse_option(mail, argument);
        case 'A': /* -Am, -Ac, and how errors are told: attached values */
        case 'e':
            return 1;
        }
        if (!strchr("fFrBNRVOhLXp", *at) || !value) {
            (void) refuse_option(mail, argument);
        }
        if (*at == 'f' || *at == 'r') {
            mail->sender = value;
        } else if (*at == 'F') {
            mail->name = value;
        }
        return taken;
    }
    return 1;
}

static void take_arguments(jc_mail_t *mail, int argc, char *argv[])
{
    int i = 1;

    while (i < argc && argv[i][0] == '-' && argv[i][1] &&
           strcmp(argv[i], "--") != 0) {
        i += take_option(mail, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
    }
    if (i < argc && strcmp(argv[i], "--") == 0) {
        i++;
    }
    /* Addresses need the domain, which take_server() has found. */
    for (; i < argc; i++) {
        const char *wrong = jc_addresses_add(mail, argv[i], strlen(argv[i]));

        if (wrong) {
            jc_report_fail(mail, JC_CODE_MAIL_ADDRESS, EX_USAGE, "'%s' %s",
                           argv[i], wrong);
        }
    }
}

/* Returns ADDRESS PORT DOMAIN: from the environment that JailMail sets, or from
 * a file for scripts that have emptied it. */
static char *server_of(char *room, size_t size)
{
    const char *set = getenv(JC_MAIL_VARIABLE);
    int fd = set ? -1 : open(SERVER_FILE, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? 0 : read(fd, room, size - 1);

    if (set) {
        snprintf(room, size, "%s", set);
    } else {
        room[len > 0 ? len : 0] = 0;
    }
    if (fd >= 0) {
        close(fd);
    }
    return room;
}

static void take_server(jc_mail_t *mail)
{
    static char room[1024];
    char *rest = server_of(room, sizeof(room));

    mail->address = strtok_r(rest, " \n", &rest);
    mail->port = strtok_r(NULL, " \n", &rest);
    mail->domain = strtok_r(NULL, " \n", &rest);
    if (!mail->domain ||
        mail->domain[strspn(mail->domain,
                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST"
                            "UVWXYZ0123456789.-_[]:")]) {
        jc_report_fail(mail, JC_CODE_MAIL_SETUP, EX_CONFIG,
                       "the variable " JC_MAIL_VARIABLE
                       " does not have the address of a mail server");
    }
    if (strcmp(mail->address, "?") == 0) {
        jc_report_fail(
            mail, JC_CODE_MAIL_SETUP, EX_CONFIG,
            "the address of JailMail's host was not found when httpd "
            "read its configuration");
    }
}

static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value ? value : "";
}

/* The sender of bounces: what -f says, or the user at the domain. The empty
 * one of -f '<>' or '' is a bounce itself. */
static void settle_sender(jc_mail_t *mail)
{
    const char *sender = mail->sender;
    size_t len;

    if (!sender) {
        sender = variable("LOGNAME");
        sender = *sender ? sender : variable("USER");
        sender = *sender ? sender : "nobody";
    }
    len = strlen(sender);
    if (len >= 2 && sender[0] == '<' && sender[len - 1] == '>') {
        sender++;
        len -= 2;
    }
    mail->sender = len == 0 ? "" : jc_addresses_clean(mail, sender, len);
    if (!mail->sender) {
        jc_report_fail(mail, JC_CODE_MAIL_ADDRESS, EX_USAGE,
                       "the sender is not a valid address");
    }
}

int main(int argc, char *argv[])
{
    static jc_mail_t mail;
    char *header, *body;

    mail.site = variable("SERVER_NAME");
    mail.script = variable("SCRIPT_FILENAME");
    take_server(&mail);
    take_arguments(&mail, argc, argv);
    settle_sender(&mail);
    header = jc_message_read(&mail, stdin, &body);
    if (mail.recipient_count == 0) {
        jc_report_fail(&mail, JC_CODE_MAIL_ADDRESS, EX_USAGE,
                       "it has no recipient");
    }
    jc_smtp_send(&mail, header, body, stdin);
    return 0;
}
