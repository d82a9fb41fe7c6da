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
#include <string.h>

/* A process that is about to end by itself loses nothing. It gets this long,
 * and only until the log has the line. */
#define LAST_MOMENT_MS 50

static void note(jc_exchange_t *c, jc_code_t code, const char *text)
{
    const jc_reason_t why = {.code = code, .text = text};

    jc_reason_note(c->r, c->conf, &why);
}

/* Returns how many bytes the jail's own /tmp can hold; 0: it has none, or one
 * of its JailRoot. */
static uint64_t tmp_size(const jc_server_conf_t *conf)
{
    for (int i = 0; conf->mounts && i < conf->mounts->nelts; i++) {
        const jc_mount_conf_t *mount =
            &APR_ARRAY_IDX(conf->mounts, i, jc_mount_conf_t);

        if (mount->target && strcmp(mount->target, "/tmp") == 0) {
            return mount->kind == JC_CONF_TMPFS ? mount->size : 0;
        }
    }
    return conf->root_kind == JC_ROOT_HOST ? JC_DEFAULT_TMP_SIZE : 0;
}

/* A program that keeps an upload in /tmp, as PHP does, removes what did not fit
 * before anybody can see that it was full. */
static void report_body(jc_exchange_t *c)
{
    const char *length = apr_table_get(c->r->headers_in, "Content-Length");
    jc_reason_t why = {.code = JC_CODE_TMP_SMALL};

    if (!length || !c->body.expected ||
        !jc_once_is_due(c->conf, JC_CODE_TMP_SMALL)) {
        return;
    }
    why.found = (uint64_t) apr_atoi64(length);
    why.expected = tmp_size(c->conf);
    if (why.expected > 0 && why.found > why.expected) {
        jc_reason_note(c->r, c->conf, &why);
    }
}

static void report_tmp(jc_exchange_t *c)
{
    uint32_t taken = jc_exchange_has_exit(c) ? c->exit.taken : 0;

    if ((taken & JC_TAKEN_TMP_FILES) &&
        jc_once_is_due(c->conf, JC_CODE_TMP_FILES)) {
        note(c, JC_CODE_TMP_FILES, NULL);
    }
    if ((taken & JC_TAKEN_TMP_FULL) &&
        jc_once_is_due(c->conf, JC_CODE_TMP_FULL)) {
        note(c, JC_CODE_TMP_FULL, NULL);
    }
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
    report_body(c);
    report_tmp(c);
}
