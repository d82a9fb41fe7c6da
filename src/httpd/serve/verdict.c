/*
 * How a script ended, and whether that is a failure.
 *
 * Runs in:   httpd child
 * Privilege: the web user's
 * Trusts:    the keeper's EXIT
 */
#include "answer.h"
#include "channel.h"
#include "exchange.h"
#include "notes.h"
#include "pump.h"

#include "http_core.h"
#include "apr_strings.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* Time that is reported, for each second of a limit that was reached. */
#define CPU_LEAST_US 750000

/* With equal soft and hard limits the kernel sends SIGKILL and no SIGXCPU
 * (setrlimit(2)); only the time used tells. It counts the limit in ticks and
 * what it reports in nanoseconds, which on a busy machine is a tenth less. */
static int is_cpu_limit(const jc_exchange_t *c, int signum)
{
    const core_dir_config *core =
        ap_get_core_module_config(c->r->per_dir_config);
    uint64_t used_us = c->exit.utime_us + c->exit.stime_us;
    uint64_t hard = RLIM_INFINITY;

    if (c->conf->limits && c->conf->limits[RLIMIT_CPU].is_set) {
        hard = c->conf->limits[RLIMIT_CPU].hard;
    }
    if (core->limit_cpu && core->limit_cpu->rlim_max < hard) {
        hard = core->limit_cpu->rlim_max;
    }
    return signum == SIGXCPU ||
           (signum == SIGKILL && used_us / CPU_LEAST_US >= hard);
}

static void by_signal(jc_exchange_t *c, jc_reason_t *why)
{
    int signum = WTERMSIG(c->exit.status);
    const char *name = sigabbrev_np(signum);

    if (is_cpu_limit(c, signum)) {
        why->code = JC_CODE_CPU_LIMIT;
    } else if (signum == SIGXFSZ) {
        why->code = JC_CODE_FSIZE_LIMIT;
    } else {
        why->code = JC_CODE_SIGNAL;
    }
    why->found = (uint64_t) signum;
    why->text = name ? apr_pstrcat(c->r->pool, "SIG", name, NULL) : "real-time";
}

const char *jc_verdict_in_words(apr_pool_t *p, int status)
{
    if (status == 0) {
        return "exit 0";
    }
    return WIFSIGNALED(status)
               ? apr_psprintf(p, "signal %d", WTERMSIG(status))
               : apr_psprintf(p, "exit %d", WEXITSTATUS(status));
}

/* The keeper has seen in the jail's cgroup what the script ran into. */
static void by_cgroup(jc_exchange_t *c, jc_reason_t *why)
{
    why->code = (c->exit.ended & ~JC_ENDED_THROTTLED) == JC_ENDED_MEMORY
                    ? JC_CODE_MEMORY_LIMIT
                    : JC_CODE_PIDS_LIMIT;
    why->text = jc_verdict_in_words(c->r->pool, c->exit.status);
}

void jc_verdict_of(jc_exchange_t *c, jc_reason_t *why)
{
    memset(why, 0, sizeof(*why));
    if (c->exited && (c->exit.ended & JC_ENDED_THROTTLED)) {
        apr_table_setn(c->r->notes, JC_NOTE_THROTTLED, "1");
    }
    if (c->why.code != JC_CODE_NONE) {
        *why = c->why;
        return;
    }
    if (!c->hung_up) {
        return; /* it closed its output and goes on: a daemon's way */
    }
    if (!c->exited) {
        why->code = JC_CODE_END_UNKNOWN;
    } else if ((c->exit.ended & ~JC_ENDED_THROTTLED) == JC_ENDED_MEMORY ||
               (c->exit.ended & ~JC_ENDED_THROTTLED) == JC_ENDED_PIDS) {
        by_cgroup(c, why);
    } else if (c->exit.ended == JC_ENDED_TOTAL) {
        why->code = JC_CODE_TOTAL_TIMEOUT;
        why->found = (uint64_t) c->conf->timeout_total_ms;
    } else if (WIFSIGNALED(c->exit.status)) {
        by_signal(c, why);
    } else if (WEXITSTATUS(c->exit.status) == 127 &&
               c->err.loader_code != JC_CODE_NONE) {
        why->code = c->err.loader_code;
        why->text = c->err.loader_line;
    } else if (WEXITSTATUS(c->exit.status) != 0) {
        why->code = JC_CODE_EXIT_STATUS;
        why->found = (uint64_t) WEXITSTATUS(c->exit.status);
    } else if (c->exit.ended & JC_ENDED_THROTTLED) {
        why->code = JC_CODE_THROTTLED; /* why it was slow, if it was */
    }
}

/* Among the headers that errors keep, and an ErrorDocument too. A command that
 * a page includes has no answer of its own. */
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

int jc_page_fail(jc_exchange_t *c, const jc_reason_t *why)
{
    jc_reason_t reason = *why;
    int status;

    answer_full(c, &reason);
    jc_exchange_on_control(c); /* for the notes of a script that is given up */
    jc_stderr_read(c);
    jc_stderr_finish(c);
    status = jc_reason_log(c->r, c->conf, &reason);
    jc_exchange_close(c);
    return status;
}

void jc_exchange_leave(jc_exchange_t *c)
{
    if (c->control_fd >= 0 && c->conf->background_ms > 0 &&
        !jc_channel_is_free(c)) {
        (void) send(c->control_fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    jc_exchange_close(c);
}

void jc_page_finish(jc_exchange_t *c)
{
    jc_reason_t why;

    if (c->why.code == JC_CODE_NONE) {
        jc_pump_end(c, JC_EXIT_WAIT_MS);
    }
    jc_verdict_of(c, &why);
    if (why.code != JC_CODE_NONE) {
        jc_page_fail(c, &why);
    }
    jc_exchange_leave(c);
}
