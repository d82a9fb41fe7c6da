/*
 * One request at the keeper: its descriptors, its messages, its end.
 *
 * Runs in:   httpd child
 * Privilege: the web user's
 * Trusts:    of control messages their shape, which jc_wire_recv has checked
 * Never:     sends again what may have been run; leaves control open at the
 *            end of a request, for its closing is the order to kill
 */
#include "channel.h"
#include "exchange.h"
#include "notes.h"

#include "http_core.h"
#include "apr_portable.h"
#include "apr_strings.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A request that nothing was heard of is sent once more, not for ever. */
#define MAX_SENDS 2

/* A keeper that was killed has closed its sockets, but a script's child that
 * it had just forked still holds copies until the kernel has ended it as well,
 * and until then the helper can send to a queue that nobody will read. */
#define RESEND_DELAY_MS 50

/* Of one request there are two, STARTED and FAILED. A keeper that sends on and
 * on must not keep the thread in its loop. */
#define MAX_MESSAGES 8

/* The keeper's SIGTERM, 3 s, SIGKILL, and its giving up 3 s later. */
#define END_WAIT_MS 6500

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

/* What was sent instead of pipes. The close of a TCP socket would wait as long
 * as its maker has said (SO_LINGER), for a peer who may be he. */
static void discard(int *fds, unsigned count)
{
    static const struct linger off = {.l_onoff = 0};

    for (unsigned i = 0; i < count; i++) {
        if (fds[i] >= 0) {
            (void) setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &off, sizeof(off));
        }
    }
    jc_wire_close_fds(fds, count);
}

static void close_all(jc_exchange_t *c)
{
    close_fd(&c->stdin_fd);
    close_fd(&c->stdout_fd);
    close_fd(&c->stderr_fd);
    if (!jc_channel_keep(c)) {
        close_fd(&c->control_fd);
        close_fd(&c->ended_fd);
    }
}

void jc_exchange_close_stdin(jc_exchange_t *c)
{
    close_fd(&c->stdin_fd);
}

/*
 * Part of a body must not look like a whole one to a script that lives on for
 * a while, because it ignores SIGTERM or cleans up: its stdin ends after it.
 * POLLERR, which needs not be asked for, says that nobody can read it now.
 */
static void outlast_reader(const jc_exchange_t *c, int stdin_fd)
{
    struct pollfd p = {.fd = stdin_fd};

    if (c->why.code != JC_CODE_NONE && c->started && !c->exited) {
        while (poll(&p, 1, END_WAIT_MS) < 0 && errno == EINTR) {
            continue;
        }
    }
}

void jc_exchange_close(jc_exchange_t *c)
{
    int stdin_fd = c->stdin_fd;

    c->stdin_fd = -1;
    close_all(c);
    if (stdin_fd >= 0) {
        outlast_reader(c, stdin_fd);
        close_fd(&stdin_fd);
    }
    if (c->read_buffer) {
        apr_bucket_free(c->read_buffer);
        c->read_buffer = NULL;
    }
    jc_stderr_finish(c);
}

/* Also reached when a filter fails or the thread's request is torn down. */
static apr_status_t cleanup(void *data)
{
    jc_exchange_close(data);
    return APR_SUCCESS;
}

void jc_exchange_fail(jc_exchange_t *c, jc_code_t code, int errnum)
{
    if (c->why.code == JC_CODE_NONE) {
        c->why.code = code;
        c->why.errnum = errnum;
    }
}

/* HTTP/2 runs each stream on a connection of its own, whose socket is shared
 * by all streams: what happens on it says nothing about this one. */
static int client_socket(conn_rec *conn)
{
    apr_socket_t *sock = conn->master ? NULL : ap_get_conn_socket(conn);
    apr_os_sock_t fd;

    if (!sock || apr_os_sock_get(&fd, sock) != APR_SUCCESS) {
        return -1;
    }
    return fd;
}

/* How long the script may say nothing: the nearest of three settings. */
static int timeout_ms_of(const request_rec *r, const jc_server_conf_t *conf)
{
    const jc_dir_conf_t *dir =
        ap_get_module_config(r->per_dir_config, &jailcgi_module);
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
    jc_exchange_t *c = apr_pcalloc(r->pool, sizeof(*c));

    c->r = r;
    c->conf = conf;
    c->stdin_fd = c->stdout_fd = c->stderr_fd = -1;
    c->control_fd = c->ended_fd = -1;
    c->client_fd = client_socket(r->connection);
    c->timeout_ms = timeout_ms_of(r, conf);
    c->half_closed =
        apr_table_get(r->connection->notes, JC_NOTE_HALF_CLOSED) != NULL;
    if (conf->script_log) {
        c->log = apr_pcalloc(r->pool, sizeof(*c->log));
    }
    apr_table_setn(r->notes, JC_NOTE_JAIL,
                   conf->root_kind == JC_ROOT_HOST ? "host"
                   : conf->root                    ? conf->root
                                                   : "-");
    c->declared_len = -1;
    c->asked = r->request_time;
    jc_body_init(c);
    apr_pool_cleanup_register(r->pool, c, cleanup, apr_pool_cleanup_null);
    return c;
}

int jc_exchange_spawn(jc_exchange_t *c)
{
    int result;

    close_all(c);
    c->hung_up = 0;
    c->stdout_eof = 0;
    c->read_first = 0;
    c->control_ended = 0;
    /* A channel that has served before may lead to a keeper that was killed. */
    result = c->sends == 0 && jc_channel_reuse(c) ? 0 : jc_channel_open(c);
    c->sends++;
    c->active = apr_time_now();
    return result;
}

static void note(jc_exchange_t *c, const char *name, int64_t value)
{
    apr_table_setn(c->r->notes, name,
                   apr_psprintf(c->r->pool, "%" APR_INT64_T_FMT,
                                (apr_int64_t) value));
}

/*
 * Whether this is an end of a pipe, and from now on one that nobody waits for:
 * O_NONBLOCK belongs to the open file, and the two ends of a pipe are two of
 * them, so the script's end stays blocking.
 */
static int take_pipe(int fd, int flags)
{
    return fcntl(fd, F_GETPIPE_SZ) > 0 &&
           fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

static void on_started(jc_exchange_t *c, const jc_wire_any_t *any, int *fds)
{
    const jc_msg_started_t *m = &any->started;
    int has_stdin = any->head.type == JC_MSG_STARTED_STDIN;

    if (c->started || has_stdin != c->body.expected ||
        !take_pipe(fds[JC_STARTED_STDOUT], O_RDONLY) ||
        !take_pipe(fds[JC_STARTED_STDERR], O_RDONLY) ||
        (has_stdin && !take_pipe(fds[JC_STARTED_STDIN], O_WRONLY))) {
        jc_exchange_fail(c, JC_CODE_NO_ANSWER, EPROTO);
        return;
    }
    c->started = 1;
    c->stdout_fd = fds[JC_STARTED_STDOUT];
    c->stderr_fd = fds[JC_STARTED_STDERR];
    c->stdin_fd = has_stdin ? fds[JC_STARTED_STDIN] : -1;
    for (int i = 0; i < JC_MAX_FDS; i++) {
        fds[i] = -1; /* taken */
    }
    if (has_stdin) {
        apr_table_setn(c->r->notes, JC_NOTE_BODY_GIVEN, "1");
    }
    note(c, JC_NOTE_PID, m->pid);
    note(c, JC_NOTE_UID, m->uid);
    note(c, JC_NOTE_GID, m->gid);
}

static void on_failed(jc_exchange_t *c, const jc_msg_failed_t *m)
{
    jc_reason_t *why = &c->why;

    if (why->code != JC_CODE_NONE) {
        return;
    }
    why->code = m->code ? (jc_code_t) m->code : JC_CODE_EXEC_OTHER;
    why->errnum = m->errnum;
    why->found = m->found;
    why->expected = m->expected;
    why->text =
        apr_pstrmemdup(c->r->pool, m->text, strnlen(m->text, sizeof(m->text)));
}

static void on_exit_message(jc_exchange_t *c, const jc_msg_exit_t *m)
{
    c->exited = 1;
    c->exit = *m;
    note(c, JC_NOTE_STATUS, m->status);
    apr_table_setn(c->r->notes, JC_NOTE_EXIT,
                   jc_verdict_in_words(c->r->pool, m->status));
    note(c, JC_NOTE_UTIME, (int64_t) m->utime_us);
    note(c, JC_NOTE_STIME, (int64_t) m->stime_us);
    note(c, JC_NOTE_MAXRSS, (int64_t) m->maxrss_kb);
}

/* Nothing was run if control ended in silence: the helper or the keeper died
 * with the request in its queue. */
static void on_silence(jc_exchange_t *c)
{
    if (c->started || c->why.code != JC_CODE_NONE) {
        return;
    }
    if (c->sends < MAX_SENDS) {
        apr_sleep(apr_time_from_msec(RESEND_DELAY_MS));
        jc_exchange_spawn(c);
        return;
    }
    jc_exchange_fail(c, JC_CODE_LOST_TWICE, 0);
}

/* Each message of a channel begins with head and request id. One of another
 * request would be a mistake of the keeper's, and its page another visitor's.
 */
static int is_of_request(const jc_exchange_t *c, const jc_wire_any_t *any)
{
    return any->exit.request_id == c->request_id;
}

static void on_message(jc_exchange_t *c, const jc_wire_any_t *any, int *fds)
{
    switch (is_of_request(c, any) ? any->head.type : 0) {
    case 0:
        jc_exchange_fail(c, JC_CODE_NO_ANSWER, EPROTO);
        break;
    case JC_MSG_STARTED:
    case JC_MSG_STARTED_STDIN:
        on_started(c, any, fds);
        break;
    case JC_MSG_FAILED:
        on_failed(c, &any->failed);
        break;
    default:
        break;
    }
    discard(fds, JC_MAX_FDS);
}

/* EXIT, or the end of the channel: then control, which the script's child may
 * hold for a moment longer, tells the rest. */
static void read_ended(jc_exchange_t *c)
{
    int fds[JC_MAX_FDS];
    jc_wire_any_t any;
    jc_wire_result_t result;

    if (c->ended_fd < 0 || c->exited) {
        return;
    }
    result =
        jc_wire_recv_from(c->ended_fd, &any, fds, MSG_DONTWAIT, discard, NULL);
    if (result == JC_WIRE_AGAIN) {
        return;
    }
    if (result == JC_WIRE_OK && any.head.type == JC_MSG_EXIT &&
        is_of_request(c, &any)) {
        on_exit_message(c, &any.exit);
        return;
    }
    discard(fds, JC_MAX_FDS);
    close_fd(&c->ended_fd);
}

/*
 * After EXIT nothing can follow, and what the script's child has sent is there.
 * It has sent no more than STARTED unless it has ended as it does after FAILED,
 * or was killed.
 */
static int all_was_read(const jc_exchange_t *c)
{
    return c->exited && c->started && WIFEXITED(c->exit.status) &&
           WEXITSTATUS(c->exit.status) != JC_FAILED_STATUS;
}

void jc_exchange_on_control(jc_exchange_t *c)
{
    int fds[JC_MAX_FDS];
    jc_wire_any_t any;
    unsigned messages = 0;

    if (c->hung_up) {
        return;
    }
    read_ended(c);
    while (c->control_fd >= 0 && !all_was_read(c)) {
        if (++messages > MAX_MESSAGES) {
            jc_exchange_fail(c, JC_CODE_NO_ANSWER, EPROTO);
            break;
        }
        switch (jc_wire_recv_from(c->control_fd, &any, fds, MSG_DONTWAIT,
                                  discard, NULL)) {
        case JC_WIRE_OK:
            on_message(c, &any, fds);
            break;
        case JC_WIRE_AGAIN:
            if (!c->exited) {
                return;
            }
            goto told;
        case JC_WIRE_MALFORMED:
            /* There is no room for the pipes. */
            jc_exchange_fail(c, JC_CODE_NO_RESOURCES, errno);
            break;
        default:
            /* A keeper that finishes sends EXIT and closes at once: both may
             * have come since the look above. */
            read_ended(c);
            if (c->exited) {
                goto told;
            }
            c->hung_up = 1;
            on_silence(c);
            return;
        }
    }
told:
    c->hung_up = 1;
    /* EXIT alone: the script's child was killed on its way to the start. There
     * will be no output; the verdict says by what it was killed. */
    if (!c->started) {
        c->stdout_eof = 1;
    }
}
