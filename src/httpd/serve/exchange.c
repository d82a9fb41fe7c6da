/*
 * Begins an exchange, which is one run of a script, and ends it in one
 * function.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    the configuration
 * Never:     leaves control open at the end of a request, unless its channel is
 *            free: closing it is the order to kill
 */
#include "channel.h"
#include "client.h"
#include "exchange.h"
#include "notes.h"
#include "pump.h"

#include "http_core.h"
#include "apr_strings.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* The keeper sends SIGTERM, 3 s later SIGKILL, and gives up 3 s after that. */
#define END_WAIT_MS 6500

/*
 * Part of a body must not look like a whole one to a script that lives on for a
 * while, because it ignores SIGTERM or cleans up. Its stdin therefore ends
 * after it. POLLERR, which need not be asked for, says that nobody can read it
 * now.
 */
static void outlast_reader(const jc_exchange_t *c, int stdin_fd)
{
    struct pollfd p = {.fd = stdin_fd};

    if (c->why.code != JC_CODE_NONE && jc_exchange_has_started(c) &&
        !jc_exchange_has_exit(c)) {
        while (poll(&p, 1, END_WAIT_MS) < 0 && errno == EINTR) {
            continue;
        }
    }
}

static void close_all(jc_exchange_t *c)
{
    int stdin_fd = c->stdin_fd;

    c->stdin_fd = -1;
    jc_exchange_close_fd(&c->stdout_fd);
    jc_exchange_close_fd(&c->stderr_fd);
    jc_channel_release(c);
    if (stdin_fd >= 0) {
        outlast_reader(c, stdin_fd);
        jc_exchange_close_fd(&stdin_fd);
    }
    if (c->read_buffer) {
        apr_bucket_free(c->read_buffer);
        c->read_buffer = NULL;
    }
    jc_stderr_finish(c);
}

/* Sets Retry-After among the headers that errors keep, and an ErrorDocument
 * too. A command that a page includes has no answer of its own. */
static void answer_full(const jc_exchange_t *c, jc_reason_t *why)
{
    request_rec *r = c->r;

    if (why->code != JC_CODE_JAIL_FULL || c->conf->running_max <= 0) {
        return;
    }
    why->http_status = c->conf->full_status;
    if (!c->command) {
        apr_table_setn(r->err_headers_out, "Retry-After",
                       apr_psprintf(r->pool, "%" APR_INT64_T_FMT,
                                    (apr_int64_t) c->conf->retry_s));
    }
}

/* Sends a byte, which says to the keeper that the request is not given up. What
 * the request has left behind may then stay (JailBackground). */
static void let_background_stay(const jc_exchange_t *c)
{
    if (c->control_fd >= 0 && c->conf->background_ms > 0 &&
        !jc_channel_is_free(c)) {
        (void) send(c->control_fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
}

int jc_exchange_end(jc_exchange_t *c, const jc_reason_t *why)
{
    int status = OK;

    if (why && why->code != JC_CODE_NONE) {
        jc_reason_t reason = *why;

        answer_full(c, &reason);
        jc_control_read(c); /* for the notes of a script that is given up */
        jc_stderr_read(c);
        jc_stderr_finish(c);
        status = jc_reason_log(c->r, c->conf, &reason);
    }
    if (why) {
        jc_taken_report(c, why);
    }
    if (why && why->code == JC_CODE_NONE) {
        let_background_stay(c);
    }
    close_all(c);
    return status;
}

jc_code_t jc_exchange_finish(jc_exchange_t *c, int *status)
{
    jc_reason_t why;

    if (c->why.code == JC_CODE_NONE) {
        jc_pump_end(c, JC_EXIT_WAIT_MS);
    }
    jc_control_read_again(c);
    jc_verdict_of(c, &why);
    *status = jc_exchange_end(c, &why);
    return why.code;
}

/* Runs when the thread's request is torn down. */
static apr_status_t cleanup(void *data)
{
    (void) jc_exchange_end(data, NULL);
    return APR_SUCCESS;
}

/* Returns how long the script may say nothing: the nearest of three
 * settings. */
static int timeout_ms_of(const request_rec *r, const jc_server_conf_t *conf,
                         const jc_dir_conf_t *dir)
{
    int64_t ms = apr_time_as_msec(r->server->timeout);

    if (dir->timeout >= 0) {
        ms = apr_time_as_msec(dir->timeout);
    } else if (conf->timeout_idle_ms > 0) {
        ms = conf->timeout_idle_ms;
    }
    return ms < INT_MAX ? (int) ms : INT_MAX;
}

jc_exchange_t *jc_exchange_create(request_rec *r, const jc_server_conf_t *conf)
{
    const jc_dir_conf_t *dir =
        ap_get_module_config(r->per_dir_config, &jailcgi_module);
    jc_exchange_t *c = apr_pcalloc(r->pool, sizeof(*c));

    c->r = r;
    c->conf = conf;
    c->stdin_fd = c->stdout_fd = c->stderr_fd = -1;
    c->control_fd = c->ended_fd = -1;
    jc_client_init(c);
    c->timeout_ms = timeout_ms_of(r, conf, dir);
    c->finish_ms = dir->finish_ms > 0 ? dir->finish_ms : 0;
    if (conf->script_log) {
        c->log = apr_pcalloc(r->pool, sizeof(*c->log));
    }
    apr_table_setn(r->notes, JC_NOTE_JAIL,
                   conf->root_kind == JC_ROOT_HOST ? "host"
                   : conf->root                    ? conf->root
                                                   : "-");
    c->declared_len = -1;
    jc_body_init(c);
    apr_pool_cleanup_register(r->pool, c, cleanup, apr_pool_cleanup_null);
    return c;
}
