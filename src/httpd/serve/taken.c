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

#include <errno.h>
#include <poll.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

/* A process that is about to end by itself loses nothing. It gets this long,
 * and only until the log has the line. */
#define LAST_MOMENT_MS 50

static void note(jc_exchange_t *c, jc_code_t code, const char *text)
{
    const jc_reason_t why = {.code = code, .text = text};

    jc_reason_note(c->r, c->conf, &why);
}

/* Returns how many bytes the jail's own /tmp can hold, or 0 if the jail has no
 * /tmp in memory. */
static uint64_t tmp_size(const jc_server_conf_t *conf)
{
    for (int i = 0; conf->mounts && i < conf->mounts->nelts; i++) {
        const jc_mount_conf_t *mount =
            &APR_ARRAY_IDX(conf->mounts, i, jc_mount_conf_t);

        if (mount->target && strcmp(mount->target, "/tmp") == 0) {
            return mount->kind == JC_CONF_TMPFS ? mount->size : 0;
        }
    }
    return conf->root_kind == JC_ROOT_HOST && !(conf->tmp && *conf->tmp)
               ? JC_DEFAULT_TMP_SIZE
               : 0;
}

/* A program that keeps an upload in /tmp, as PHP does, removes what did not fit
 * before anybody can see that it was full. */
static void report_body(jc_exchange_t *c)
{
    const char *length = apr_table_get(c->r->headers_in, "Content-Length");
    jc_reason_t why = {.code = JC_CODE_TMP_SMALL};

    if (!length || !c->body.expected || !jc_exchange_has_started(c) ||
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
    if ((taken & JC_TAKEN_SYSLOG) &&
        jc_once_is_due(c->conf, JC_CODE_SYSLOG_LOST)) {
        note(c, JC_CODE_SYSLOG_LOST, NULL);
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
static void report_left(jc_exchange_t *c, const jc_reason_t *why)
{
    const char *text = "it was still running after its page, and is ended";

    if (c->conf->background_ms > 0 || c->why.code != JC_CODE_NONE ||
        !jc_exchange_has_started(c) ||
        (why->code != JC_CODE_NONE && !jc_exchange_has_exit(c)) ||
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

static const char *call_remedy(apr_pool_t *p, const char *name, int is_native)
{
    static const char *const own[] = {"get_robust_list",    "ioprio_set",
                                      "migrate_pages",      "move_pages",
                                      "prlimit64",          "sched_setaffinity",
                                      "sched_setattr",      "sched_setparam",
                                      "sched_setscheduler", "setpriority"};

    if (!is_native) {
        return "a program for another mode of the processor (32 bits) needs "
               "JailSeccomp off; build it for 64 bits if you can";
    }
    if (strcmp(name, "setsid") == 0) {
        return "set JailBackground allow [max=TIME] if it is meant to stay "
               "when "
               "its request is over";
    }
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (strcmp(name, own[i]) == 0) {
            return "name its own process by 0 instead of a process id; "
                   "processes.md in the manual says why";
        }
    }
    return apr_psprintf(p,
                        "if it needs that, set JailSeccomp FILE with the line "
                        "'allow %s'; seccomp.md in the manual says what it "
                        "opens",
                        name);
}

/* Reports the first call of the script that the filter has refused. */
static void report_call(jc_exchange_t *c)
{
    apr_pool_t *p = c->r->pool;
    jc_refusal_t refusal = {.code = JC_CODE_CALL_REFUSED};
    jc_reason_t why = {.code = JC_CODE_CALL_REFUSED, .refusal = &refusal};
    uint32_t arch = c->exit.call_arch;
    int is_native = arch == seccomp_arch_native();
    char *name;

    if (!jc_exchange_has_exit(c) || arch == 0 ||
        !jc_once_call(c->conf, c->exit.call)) {
        return;
    }
    name = seccomp_syscall_resolve_num_arch(arch, (int) c->exit.call);
    why.text = name ? apr_pstrdup(p, name)
                    : apr_psprintf(p, "%u", (unsigned) c->exit.call);
    free(name);
    why.errnum = is_native ? EPERM : ENOSYS;
    refusal.expected = call_remedy(p, why.text, is_native);
    jc_reason_note(c->r, c->conf, &why);
}

void jc_taken_report(jc_exchange_t *c, const jc_reason_t *why)
{
    report_left(c, why);
    report_body(c);
    report_tmp(c);
    report_call(c);
}
