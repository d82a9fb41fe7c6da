/*
 * The helper's lines in httpd's main error log. If the log accepts no more, the
 * line is lost, so that nobody can stop the helper through its log.
 *
 * Runs in:   helper
 * Privilege: root
 * Trusts:    its callers' formats
 * Never:     prints data from a tenant or a request
 */
#include "helper.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Makes one write(2) for each line, into descriptor 2. The time is UTC, because
 * local time would have to be read from a file. */
void jc_log(const char *format, ...)
{
    char line[1024];
    struct timespec now;
    struct tm tm;
    va_list args;
    size_t len;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    len = strftime(line, sizeof(line), "[%Y-%m-%dT%H:%M:%SZ] ", &tm);
    len += snprintf(line + len, sizeof(line) - len,
                    "[jailcgi] [pid %d] jailcgi-helper: ", (int) getpid());
    va_start(args, format);
    int n = vsnprintf(line + len, sizeof(line) - len - 1, format, args);
    va_end(args);
    len += n < 0 ? 0 : (size_t) n;
    if (len > sizeof(line) - 2) {
        len = sizeof(line) - 2;
    }
    line[len++] = '\n';
    /* A log that is a pipe may be full. Nobody must wait for its reader, so the
     * line is lost then. */
    struct pollfd log = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&log, 1, 0) == 1 && write(STDERR_FILENO, line, len) < 0) {
        return; /* there is no place left to report it */
    }
}

void jc_log_bug(const char *what)
{
    jc_log("BUG: %s; this helper ends and httpd starts another", what);
    abort();
}
