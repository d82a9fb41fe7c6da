/*
 * Says why a message was not sent, and ends the program.
 *
 * Runs in:   jail, as jailcgi-mail/sendmail
 * Privilege: the tenant's
 * Trusts:    nothing: the words may be of the message or of the server
 * Never:     writes more than one line
 */
#include "mail.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

static const struct {
    jc_code_t code;
    const char *remedy;
} remedies[] = {
    {JC_CODE_MAIL_DOWN, "start the mail server, or correct JailMail"},
    {JC_CODE_MAIL_LATER,
     "send it again later, or see the log and the queue of the mail server"},
    {JC_CODE_MAIL_REFUSED,
     "correct the address, or let the mail server take mail from this machine"},
    {JC_CODE_MAIL_USAGE, "see JailMail in the manual for the options"},
    {JC_CODE_MAIL_ADDRESS, "correct the address"},
    {JC_CODE_MAIL_SETUP,
     "correct JailMail, or let the script keep the variable " JC_MAIL_VARIABLE},
    {JC_CODE_MAIL_MESSAGE, "correct the program that writes the message"},
};

void jc_report_fail(const jc_mail_t *mail, jc_code_t code, int status,
                    const char *format, ...)
{
    char what[1000], line[2000];
    const char *remedy = "";
    va_list arguments;
    int len;

    va_start(arguments, format);
    vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++) {
        if (remedies[i].code == code) {
            remedy = remedies[i].remedy;
        }
    }
    len = snprintf(line, sizeof(line),
                   "JCGI%d: mail of uid %u%s%.300s not sent: %s; remedy: %s",
                   code, (unsigned) geteuid(), mail->script[0] ? ", " : "",
                   mail->script, what, remedy);
    if (len >= (int) sizeof(line)) {
        len = sizeof(line) - 1;
    }
    for (int i = 0; i < len; i++) {
        if ((unsigned char) line[i] < ' ' || line[i] == 0x7f) {
            line[i] = '?';
        }
    }
    line[len] = '\n';
    (void) !write(STDERR_FILENO, line, (size_t) len + 1);
    exit(status);
}
