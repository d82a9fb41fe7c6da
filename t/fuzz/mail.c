/*
 * The header of a message and the addresses in it, as jailcgi-sendmail reads
 * them. Whatever the message says, each line ends as SMTP wants it, the field
 * with the number of the user is there once, and no address ends a command.
 *
 * Runs in:   the tests
 * Privilege: none
 */
#include "src/mail/mail.h"

#include "fuzz.h"

#include <ctype.h>
#include <setjmp.h>
#include <strings.h>
#include <unistd.h>

static jmp_buf failed;

/* What is allocated before a failure is lost, as in the program, which ends. */
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

void jc_report_fail(const jc_mail_t *mail, jc_code_t code, int status,
                    const char *format, ...)
{
    longjmp(failed, 1);
}

static void check_header(const char *header)
{
    size_t column = 0, users = 0, len = strlen(header);

    if (len < 4 || strcmp(header + len - 4, "\r\n\r\n") != 0) {
        abort();
    }
    for (size_t i = 0; i < len; i++, column++) {
        if (column == 0 && strncasecmp(header + i, "X-JailCGI-", 10) == 0) {
            users++;
        }
        if (column == 0 && strncasecmp(header + i, "Bcc:", 4) == 0) {
            abort();
        }
        if (column == 0 && i + 2 < len && header[i] == '\r') {
            abort(); /* an empty line that is not the last */
        }
        if (header[i] == '\r' && header[i + 1] == '\n') {
            i++;
            column = (size_t) -1;
        } else if (header[i] == '\r' || header[i] == '\n' || column > 998) {
            abort();
        }
    }
    if (users != 1) {
        abort();
    }
}

static void parse(uint8_t *bytes, size_t size)
{
    static jc_mail_t mail;
    FILE *in = size ? fmemopen(bytes, size, "r") : NULL;
    char *header, *body = NULL;

    if (!in) {
        return;
    }
    mail = (jc_mail_t){.from_header = 1,
                       .sender = "a@example.org",
                       .domain = "example.org",
                       .site = "",
                       .script = ""};
    if (setjmp(failed) == 0) {
        header = jc_message_read(&mail, in, &body);
        check_header(header);
        free(header);
        free(body);
    }
    for (size_t i = 0; i < mail.recipient_count; i++) {
        const char *at = mail.recipients[i];

        if (!strchr(at, '@') || strlen(at) > JC_MAIL_ADDRESS_MAX + 12) {
            abort();
        }
        for (; *at; at++) {
            if (iscntrl((unsigned char) *at) || *at == '<' || *at == '>') {
                abort();
            }
        }
        free(mail.recipients[i]);
    }
    fclose(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_each(data, size, parse);
}
