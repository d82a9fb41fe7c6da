/*
 * Reports in the site's log, once for each host and code, what the jail takes
 * from a script that stock Apache would let it have.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    the keeper's EXIT
 */
#include "exchange.h"
#include "once.h"
#include "pump.h"

#include "apr_strings.h"

#include <poll.h>

/* A process that is about to end by itself loses nothing. It gets this long,
 * and only until the log has the line. */
#define LAST_MOMENT_MS 50

static void note(jc_exchange_t *c, jc_code_t code, const char *text)
{
    const jc_reason_t why = {.code = code, .text = text};

    jc_reason_note(c->r, c->conf, &why);
}

/* Returns whether nothing is left, or nothing that this keeper says. It closes
 * the channel when the last process has gone. */
static int has_gone(jc_exchange_t *c)
{
    struct pollfd p = {.events = POLLRDHUP};

    if (!jc_exchange_is_over(c)) {
        jc_pump_end(c, LAST_MOMENT_MS);
    }
    p.fd = c->control_fd;
    return (jc_exchange_is_over(c) && c->exit.left == 0) || p.fd < 0 ||
           poll(&p, 1, LAST_MOMENT_MS) != 0;
}

/* Reports what will be ended when the channel is closed (JailBackground). */
static void report_left(jc_exchange_t *c)
{
    const char *text = "it was still running after its page, and is ended";

    if (c->conf->background_ms > 0 || c->why.code != JC_CODE_NONE ||
        !jc_exchange_has_started(c) ||
        (jc_exchange_has_exit(c) &&
         (c->exit.left == 0 || c->exit.ended == JC_ENDED_TOTAL)) ||
        !jc_once_is_due(c->conf, JC_CODE_LEFT_BEHIND) || has_gone(c)) {
        return;
    }
    if (jc_exchange_is_over(c)) {
        text = apr_psprintf(c->r->pool,
                            "it has left processes behind (%u or more), which "
                            "are ended with the request",
                            c->exit.left);
    }
    note(c, JC_CODE_LEFT_BEHIND, text);
}

void jc_taken_report(jc_exchange_t *c)
{
    report_left(c);
}
