/*
 * Starts the helper, replaces it and ends it.
 *
 * Theory of operation. The helper and the sockets to it outlive a restart of
 * httpd, but this module does not: httpd unloads it and loads it again.
 * Therefore everything that must live on is in memory that httpd retains
 * (retained.c), and the callbacks are registered again with each configuration.
 * For each generation of httpd children that may still live, the parent keeps
 * its table and the helper's end of its socket. When the helper dies, the
 * requests that it had not read are still in these sockets, and its successor
 * is given all of them.
 *
 * Runs in:   httpd parent (root); closes in each of its children
 * Privilege: root
 * Trusts:    the configuration
 * Never:     reads from a socket; blocks on the helper
 */
#include "retained.h"
#include "supervise.h"
#include "src/wire/wire.h"

#include "ap_mpm.h"
#include "http_core.h"
#include "mpm_common.h"

#include "apr_strings.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

static jc_retained_t *state;

static void close_fd(int *fd)
{
    jc_wire_close_fds(fd, 1);
}

void jc_supervise_load(void)
{
    state = jc_retained_load();
}

uint64_t jc_supervise_next_generation(void)
{
    return ++state->last_generation;
}

static void forget_helper(void)
{
    close_fd(&state->helper_fd);
    state->helper.pid = 0;
}

static void end_helper(void)
{
    jc_helper_process_stop(state->helper.pid);
    forget_helper();
}

static void on_helper(int reason, void *data, int status);

static void watch_helper(void)
{
    apr_proc_other_child_register(&state->helper, on_helper, state, NULL,
                                  state->pconf);
}

/* Returns NULL, or a sentence for the administrator. */
static const char *start_helper(unsigned delay_ms)
{
    uint64_t caps = jc_generations_caps(&state->generations);
    const char *error;

    state->is_forking_helper = 1;
    error = jc_helper_process_start(state->pconf, state->path, caps, delay_ms,
                                    &state->helper.pid, &state->helper_fd,
                                    &state->helper_file);
    state->is_forking_helper = 0;
    if (error) {
        forget_helper();
        return error;
    }
    state->pinged_ms = 0;
    state->helper_caps = caps;
    state->started = apr_time_now();
    watch_helper();
    for (unsigned i = 0; i < state->generations.count; i++) {
        const jc_parent_generation_t *generation = &state->generations.list[i];

        if (jc_generations_announce(state->helper_fd, generation) !=
            JC_WIRE_OK) {
            ap_log_error(APLOG_MARK, APLOG_ERR, errno, state->server,
                         "configuration %" APR_UINT64_T_FMT " could not be "
                         "sent to the new jailcgi-helper",
                         generation->number);
        }
    }
    ap_log_error(APLOG_MARK, APLOG_INFO, 0, state->server,
                 "jailcgi-helper started: pid %" APR_PID_T_FMT
                 ", capabilities %" APR_UINT64_T_HEX_FMT,
                 state->helper.pid, caps);
    return NULL;
}

static void replace_dead_helper(int status)
{
    apr_pool_t *p = state->pconf;
    long pid = state->helper.pid;
    apr_interval_time_t lived = apr_time_now() - state->started;
    unsigned delay_ms =
        jc_helper_process_delay(status, lived, &state->short_lives);
    int wait_for_monitor =
        jc_helper_process_is_hopeless(status, lived, state->short_lives);
    const char *when = "", *error;

    forget_helper();
    jc_generations_drop_dead(&state->generations);
    if (wait_for_monitor) {
        when = " in a few seconds; until then requests for scripts wait";
    } else if (delay_ms > 0) {
        when = apr_psprintf(p, " in %u ms", delay_ms);
    }
    if (jc_helper_process_was_killed(status) ||
        jc_helper_process_is_worth_a_line(state->short_lives)) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, state->server,
                     "jailcgi-helper (pid %ld) %s; its jails finish what they "
                     "run, and a new helper takes its place%s",
                     pid, jc_helper_process_describe_end(p, status), when);
    }
    error = wait_for_monitor ? NULL : start_helper(delay_ms);
    if (error) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, state->server,
                     "%s; httpd tries again every few seconds, and requests "
                     "for jailed scripts wait",
                     error);
    }
}

static int is_stopping(void)
{
    int mpm_state;

    return ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_EXITING ||
           (ap_mpm_query(AP_MPMQ_MPM_STATE, &mpm_state) == APR_SUCCESS &&
            mpm_state == AP_MPMQ_STOPPING);
}

/*
 * This is httpd's other-child callback. At each restart it is also called with
 * APR_OC_REASON_RESTART and _UNREGISTER, which the helper outlives.
 */
static void on_helper(int reason, void *data, int status)
{
    if (reason != APR_OC_REASON_DEATH && reason != APR_OC_REASON_LOST) {
        return;
    }
    /* This comes before anything else: if APR met this entry again, it would
     * follow a pointer that it has just set to NULL. */
    apr_proc_other_child_unregister(data);
    if (is_stopping()) {
        forget_helper();
    } else {
        replace_dead_helper(reason == APR_OC_REASON_DEATH ? status : SIGKILL);
    }
}

/*
 * A helper that does not read what it is sent waits for something, and cannot
 * say so. It is killed. If it cannot even die it is left, and its successor is
 * given all sockets, with what is in them.
 */
static void replace_hung_helper(void)
{
    const char *error;

    ap_log_error(APLOG_MARK, APLOG_CRIT, 0, state->server,
                 "jailcgi-helper (pid %" APR_PID_T_FMT
                 ") has not read what httpd sent to it; httpd kills it and "
                 "starts another",
                 state->helper.pid);
    apr_proc_other_child_unregister(state);
    jc_helper_process_kill(state->helper.pid);
    forget_helper();
    error = start_helper(0);
    if (error) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, state->server, "%s", error);
    }
}

static void check_helper(void)
{
    if (state->helper.pid > 0 && !is_stopping() &&
        jc_heartbeat_has_stopped(state)) {
        replace_hung_helper();
    }
}

int jc_supervise_monitor(apr_pool_t *p, server_rec *s)
{
    const char *error = NULL;

    if (getpid() != state->parent_pid) {
        return DECLINED;
    }
    check_helper();
    if (state->children_end_fd >= 0) {
        jc_generations_check_newest(&state->generations, s);
    }
    jc_generations_drop_dead(&state->generations);
    if (jc_retire_generations(&state->generations, state->helper_fd)) {
        state->pinged_ms = 0;
    }
    if (state->helper.pid == 0 && state->generations.count > 0 &&
        !is_stopping() && (error = start_helper(0))) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s, "%s", error);
    }
    return DECLINED;
}

void jc_supervise_child_status(server_rec *s, pid_t pid, ap_generation_t gen,
                               int slot, mpm_child_status status)
{
    if (status == MPM_CHILD_STARTED && getpid() == state->parent_pid) {
        jc_retire_note_child(&state->generations, pid);
    }
}

/*
 * Runs when the configuration ends, at a restart and when httpd ends. Its
 * children have their own copy of the children's end; while this one is open,
 * the generation is not over. It must not be over before the helper has the
 * next one, which takes seconds with thousands of virtual hosts. The children
 * have gone by then, and the helper would end all jails of a configuration that
 * nobody has. Processes that are forked from httpd come here when they exit,
 * and end nothing.
 */
static apr_status_t on_configuration_end(void *unused)
{
    if (getpid() != state->parent_pid) {
        return APR_SUCCESS;
    }
    close_fd(&state->old_end_fd);
    state->old_end_fd = state->children_end_fd;
    state->children_end_fd = -1;
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_EXITING) {
        if (state->helper.pid > 0) {
            end_helper();
        }
        jc_retained_close();
    } else {
        jc_retained_leave();
    }
    return APR_SUCCESS;
}

/* No callback is registered between two configurations. */
static void notice_unseen_death(void)
{
    if (state->helper.pid > 0 &&
        waitpid(state->helper.pid, NULL, WNOHANG) != 0) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, state->server,
                     "jailcgi-helper (pid %" APR_PID_T_FMT ") ended during "
                     "the restart; a new one takes its place",
                     state->helper.pid);
        forget_helper();
    }
}

/* The helper has no room for more generations than this process keeps. It is
 * replaced by one that does not know the oldest. */
static int make_room(void)
{
    if (state->generations.count < JC_GENERATIONS_KEPT) {
        return 0;
    }
    ap_log_error(
        APLOG_MARK, APLOG_WARNING, 0, state->server,
        "httpd children of %u configurations are still alive; those of the "
        "oldest can start no more scripts; see why GracefulShutdownTimeout and "
        "MaxConnectionsPerChild do not end them",
        state->generations.count);
    jc_generations_drop(&state->generations, 0);
    return 1;
}

/* Returns NULL, or why the running helper cannot serve the new table. */
static const char *why_replace(int lost_a_generation)
{
    uint64_t caps = jc_generations_caps(&state->generations);

    if (lost_a_generation) {
        return "an old configuration was given up";
    }
    if ((caps & ~state->helper_caps) != 0) {
        return apr_psprintf(
            state->pconf,
            "the configuration needs capabilities %" APR_UINT64_T_HEX_FMT
            " and the helper has %" APR_UINT64_T_HEX_FMT,
            caps, state->helper_caps);
    }
    if (!jc_helper_process_is_file(state->path, &state->helper_file)) {
        return "JailHelper is another file now";
    }
    if (jc_generations_announce(state->helper_fd,
                                jc_generations_newest(&state->generations)) !=
        JC_WIRE_OK) {
        return "it does not accept the new configuration";
    }
    return NULL;
}

/* The keepers of a helper that is ended finish their requests. */
static const char *bring_up_helper(int lost_a_generation)
{
    const char *reason;

    if (state->helper.pid > 0) {
        reason = why_replace(lost_a_generation);
        if (!reason) {
            watch_helper();
            return NULL;
        }
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, state->server,
                     "jailcgi-helper is replaced: %s", reason);
        end_helper();
    }
    return start_helper(0);
}

static const char *take_table(apr_pool_t *pconf, server_rec *s, int table_fd,
                              uint64_t generation, uint64_t caps_needed,
                              jc_link_t *link)
{
    const char *path = jc_config_of(s)->helper;
    const char *error;
    int lost_a_generation;

    state->parent_pid = getpid();
    state->pconf = pconf;
    state->server = s;
    state->path = path ? path : JC_HELPER_PATH;
    apr_pool_cleanup_register(pconf, NULL, on_configuration_end,
                              apr_pool_cleanup_null);
    notice_unseen_death();
    jc_generations_drop_dead(&state->generations);
    *link = (jc_link_t){.socket_fd = -1, .generation = generation};
    if (table_fd < 0) {
        /* No host is jailed. Older generations may still need the helper. */
        if (state->helper.pid > 0) {
            watch_helper();
        }
        return NULL;
    }
    state->pinged_ms = 0;
    lost_a_generation = make_room();
    error =
        jc_generations_open(pconf, &state->generations, table_fd, generation,
                            caps_needed, &state->children_end_fd);
    if (error) {
        return error;
    }
    link->socket_fd = state->children_end_fd;
    error = bring_up_helper(lost_a_generation);
    if (error && generation > 1) {
        /* A reload must not end a server that is running. */
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s, "%s; httpd tries again",
                     error);
        return NULL;
    }
    return error;
}

const char *jc_supervise_post_config(apr_pool_t *pconf, apr_pool_t *plog,
                                     server_rec *s, int table_fd,
                                     uint64_t generation, uint64_t caps_needed,
                                     jc_link_t *link)
{
    const char *error;

    state->plog = plog;
    error = take_table(pconf, s, table_fd, generation, caps_needed, link);
    close_fd(&state->old_end_fd);
    return error;
}

void jc_supervise_child_init(void)
{
    /* With -X the parent itself serves, and must keep everything. Elsewhere the
     * fork has closed it already, unless the process was made without the
     * handlers of fork. */
    if (getpid() != state->parent_pid) {
        jc_retained_close();
    }
}
