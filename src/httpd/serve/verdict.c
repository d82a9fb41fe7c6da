/*
 * Decides how a script ended, and whether that is a failure.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    the keeper's EXIT
 */
#include "exchange.h"
#include "notes.h"

#include "http_core.h"
#include "apr_strings.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* This much time is reported for each second of a limit that was reached. */
#define CPU_LEAST_US 750000

#define LOADER_STATUS 127 /* of most of what the dynamic loader reports */

/* With equal soft and hard limits the kernel sends SIGKILL and no SIGXCPU
 * (setrlimit(2)), so only the time used shows it. The kernel counts the limit
 * in ticks and what it reports in nanoseconds, which on a busy machine is a
 * tenth less. */
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

/* The loader has said why it, or an interpreter, gave up. After a header, only
 * its own status counts. */
static int is_of_loader(const jc_exchange_t *c)
{
    int status = WEXITSTATUS(c->exit.status);

    return c->err.loader_code != JC_CODE_NONE &&
           (status == LOADER_STATUS || (status != 0 && !c->have_headers));
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

/* The keeper has seen in the jail's cgroup what limit the script ran into. */
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
    if (jc_exchange_has_exit(c) && (c->exit.ended & JC_ENDED_THROTTLED)) {
        apr_table_setn(c->r->notes, JC_NOTE_THROTTLED, "1");
    }
    if (c->why.code != JC_CODE_NONE) {
        *why = c->why;
        return;
    }
    if (!jc_exchange_is_over(c)) {
        return; /* it closed its output and goes on, as daemons do */
    }
    if (!jc_exchange_has_exit(c)) {
        why->code = JC_CODE_END_UNKNOWN;
    } else if ((c->exit.ended & ~JC_ENDED_THROTTLED) == JC_ENDED_MEMORY ||
               (c->exit.ended & ~JC_ENDED_THROTTLED) == JC_ENDED_PIDS) {
        by_cgroup(c, why);
    } else if (c->exit.ended == JC_ENDED_TOTAL) {
        why->code = JC_CODE_TOTAL_TIMEOUT;
        why->found = (uint64_t) c->conf->timeout_total_ms;
    } else if (WIFSIGNALED(c->exit.status)) {
        by_signal(c, why);
    } else if (is_of_loader(c)) {
        why->code = c->err.loader_code;
        why->text = c->err.loader_line;
    } else if (WEXITSTATUS(c->exit.status) != 0) {
        why->code = JC_CODE_EXIT_STATUS;
        why->found = (uint64_t) WEXITSTATUS(c->exit.status);
    } else if (c->exit.ended & JC_ENDED_THROTTLED) {
        why->code = JC_CODE_THROTTLED; /* why it was slow, if it was */
    }
}
