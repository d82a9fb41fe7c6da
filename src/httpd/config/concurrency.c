/*
 * Implements JailConcurrency: how many scripts run at once, which requests
 * wait, and how refused ones are answered. The keeper counts, and the httpd
 * child answers.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    nothing; every argument is checked
 */
#include "directives.h"
#include "inherit.h"
#include "parse.h"

#include "http_core.h"
#include "http_protocol.h"

#include "apr_strings.h"

#include <stdlib.h>

/* Each script costs the keeper a descriptor. */
#define SCRIPTS_MAX      10000
#define DEFAULT_QUEUE_MS 10000
#define DEFAULT_RETRY_S  10
#define DEFAULT_STATUS   HTTP_SERVICE_UNAVAILABLE

static const char *set_queue(apr_pool_t *p, jc_server_conf_t *conf,
                             const char *arg)
{
    return jc_parse_number(arg, 0, SCRIPTS_MAX, &conf->queue_max)
               ? NULL
               : apr_psprintf(p,
                              "JailConcurrency queue: '%s' is not a number "
                              "from 0 (nobody waits) to %d",
                              arg, SCRIPTS_MAX);
}

static const char *set_wait(apr_pool_t *p, jc_server_conf_t *conf,
                            const char *arg)
{
    conf->queue_ms = jc_parse_ms(arg);
    return conf->queue_ms >= 0
               ? NULL
               : apr_psprintf(p,
                              "JailConcurrency wait: '%s' is not a time from "
                              "1ms to 24 days "
                              "(" JC_PARSE_TIMES
                              "); write queue=0 if nobody is to wait",
                              arg);
}

/* ap_get_status_line() returns the line of 500 for a status that httpd does not
 * know. */
static const char *set_status(apr_pool_t *p, jc_server_conf_t *conf,
                              const char *arg)
{
    int64_t status = 0;

    if (jc_parse_number(arg, 400, 599, &status)) {
        conf->full_status = (int) status;
    }
    return status > 0 && atoi(ap_get_status_line((int) status)) == status
               ? NULL
               : apr_psprintf(p,
                              "JailConcurrency status: '%s' is not a status "
                              "from 400 to 599 that httpd knows; the usual "
                              "ones are 503 and 429",
                              arg);
}

static const char *set_retry(apr_pool_t *p, jc_server_conf_t *conf,
                             const char *arg)
{
    int64_t time_ms = jc_parse_ms(arg);

    conf->retry_s = time_ms / 1000;
    return time_ms >= 1000 && time_ms % 1000 == 0
               ? NULL
               : apr_psprintf(p,
                              "JailConcurrency retry: '%s' is not a time of "
                              "whole seconds from 1s to 24 days "
                              "(" JC_PARSE_TIMES
                              "); a Retry-After header has no smaller unit",
                              arg);
}

static const char *set_option(apr_pool_t *p, jc_server_conf_t *conf,
                              const char *arg)
{
    static const struct {
        const char *name;
        const char *(*set)(apr_pool_t *, jc_server_conf_t *, const char *);
    } options[] = {{"queue=", set_queue},
                   {"wait=", set_wait},
                   {"status=", set_status},
                   {"retry=", set_retry}};

    for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
        size_t len = strlen(options[i].name);

        if (strncasecmp(arg, options[i].name, len) == 0) {
            return options[i].set(p, conf, arg + len);
        }
    }
    return apr_psprintf(p,
                        "JailConcurrency: '%s' is not understood; after the "
                        "number of scripts there may be queue=NUMBER, "
                        "wait=TIME, status=NUMBER and retry=TIME",
                        arg);
}

/* Each line is complete in itself: what it leaves out has its default, and not
 * the value of an earlier line. */
const char *jc_concurrency_set(cmd_parms *cmd, void *unused, int argc,
                               char *const argv[])
{
    jc_server_conf_t *conf = jc_config_of(cmd->server);
    int is_none = argc > 0 && strcasecmp(argv[0], "none") == 0;
    const char *error = NULL;

    if (argc == 0) {
        return "JailConcurrency takes the number of scripts that may run at "
               "once, or none: JailConcurrency 10 queue=20 wait=5s";
    }
    if (is_none && argc > 1) {
        return apr_psprintf(cmd->pool,
                            "JailConcurrency none: '%s' has no meaning where "
                            "nothing is counted; leave it out",
                            argv[1]);
    }
    conf->running_max = 0;
    if (!is_none &&
        !jc_parse_number(argv[0], 1, SCRIPTS_MAX, &conf->running_max)) {
        return apr_psprintf(cmd->pool,
                            "JailConcurrency: '%s' is not a number of scripts "
                            "from 1 to %d; write none for no limit",
                            argv[0], SCRIPTS_MAX);
    }
    conf->queue_max = conf->running_max;
    conf->queue_ms = DEFAULT_QUEUE_MS;
    conf->full_status = DEFAULT_STATUS;
    conf->retry_s = DEFAULT_RETRY_S;
    for (int i = 1; i < argc && !error; i++) {
        error = set_option(cmd->pool, conf, argv[i]);
    }
    return error;
}

void jc_concurrency_merge(jc_server_conf_t *merged,
                          const jc_server_conf_t *base,
                          const jc_server_conf_t *over)
{
    const jc_server_conf_t *from = over->running_max >= 0 ? over : base;

    merged->running_max = from->running_max;
    merged->queue_max = from->queue_max;
    merged->queue_ms = from->queue_ms;
    merged->full_status = from->full_status;
    merged->retry_s = from->retry_s;
}

int64_t jc_concurrency_wait_ms(const jc_server_conf_t *conf)
{
    return conf->running_max > 0 && conf->queue_max > 0 ? conf->queue_ms : 0;
}
