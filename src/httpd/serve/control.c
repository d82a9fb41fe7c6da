/*
 * Reads what the keeper says about a request: STARTED, FAILED and EXIT over its
 * channel. Sends the request again if its keeper has died with it.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    the shape of control messages, which jc_wire_recv_from has checked
 * Never:     sends a request again that may have been run
 */
#include "channel.h"
#include "exchange.h"
#include "notes.h"

#include "apr_strings.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A request of which nothing was heard is sent once more, but not for ever. */
#define MAX_SENDS 2

/* A keeper that was killed has closed its sockets. But a script's child that it
 * had just forked still holds copies until the kernel has ended that as well.
 * Until then the helper can send to a queue that nobody will read. */
#define RESEND_DELAY_MS 50

/* A request has two messages, STARTED and FAILED. A keeper that sends on and on
 * must not keep the thread in its loop. */
#define MAX_MESSAGES 8

/* Closes what was sent instead of pipes. Closing a TCP socket would wait for as
 * long as its maker has said (SO_LINGER), for a peer who may be that maker. */
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

int jc_control_spawn(jc_exchange_t *c)
{
    int result;

    jc_channel_release(c); /* its keeper died with the request */
    c->state = JC_EXCHANGE_SENT;
    c->output = JC_OUTPUT_POLL;
    c->ended_in_nap = 0;
    /* A channel that has served before may lead to a keeper that was killed, so
     * only the first attempt takes one. */
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
 * Returns whether this is an end of a pipe, and makes it one that nobody waits
 * for. O_NONBLOCK belongs to the open file, and the two ends of a pipe are two
 * of them, so the script's end stays blocking.
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

    if (c->state != JC_EXCHANGE_SENT || has_stdin != c->body.expected ||
        !take_pipe(fds[JC_STARTED_STDOUT], O_RDONLY) ||
        !take_pipe(fds[JC_STARTED_STDERR], O_RDONLY) ||
        (has_stdin && !take_pipe(fds[JC_STARTED_STDIN], O_WRONLY))) {
        jc_exchange_fail(c, JC_CODE_NO_ANSWER, EPROTO);
        return;
    }
    c->state = JC_EXCHANGE_RUNNING;
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
    c->exit = *m;
    if (c->is_look) {
        return;
    }
    note(c, JC_NOTE_STATUS, m->status);
    apr_table_setn(c->r->notes, JC_NOTE_EXIT,
                   jc_verdict_in_words(c->r->pool, m->status));
    note(c, JC_NOTE_UTIME, (int64_t) m->utime_us);
    note(c, JC_NOTE_STIME, (int64_t) m->stime_us);
    note(c, JC_NOTE_MAXRSS, (int64_t) m->maxrss_kb);
}

/* If control ended in silence, nothing was run: the helper or the keeper died
 * with the request in its queue. */
static void on_silence(jc_exchange_t *c)
{
    if (jc_exchange_has_started(c) || c->why.code != JC_CODE_NONE) {
        return;
    }
    if (c->sends < MAX_SENDS) {
        apr_sleep(apr_time_from_msec(RESEND_DELAY_MS));
        jc_control_spawn(c);
        return;
    }
    jc_exchange_fail(c, JC_CODE_LOST_TWICE, 0);
}

/* Each message of a channel begins with its head and the request id. One of
 * another request would be a mistake of the keeper, and its page would belong
 * to another visitor. */
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

void jc_control_read_again(jc_exchange_t *c)
{
    int fds[JC_MAX_FDS];
    jc_wire_any_t any;

    if (c->ended_fd >= 0 && c->state == JC_EXCHANGE_ENDED && !c->exit.is_free &&
        jc_wire_recv_from(c->ended_fd, &any, fds, MSG_DONTWAIT, discard,
                          NULL) == JC_WIRE_OK) {
        if (any.head.type == JC_MSG_EXIT && is_of_request(c, &any)) {
            c->exit.ended = any.exit.ended;
        }
        discard(fds, JC_MAX_FDS);
    }
}

/* Reads EXIT, or the end of the channel. At the end, control has the rest, as
 * the script's child may hold it for a moment longer. Sets *has_exit for
 * EXIT. */
static void read_ended(jc_exchange_t *c, int *has_exit)
{
    int fds[JC_MAX_FDS];
    jc_wire_any_t any;
    jc_wire_result_t result;

    if (c->ended_fd < 0 || *has_exit) {
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
        *has_exit = 1;
        return;
    }
    discard(fds, JC_MAX_FDS);
    jc_exchange_close_fd(&c->ended_fd);
}

/*
 * Nothing can follow EXIT, and what the script's child has sent is there. It
 * has sent no more than STARTED, unless it was killed, or has ended as it does
 * after FAILED.
 */
static int all_was_read(const jc_exchange_t *c, int has_exit)
{
    return has_exit && c->state == JC_EXCHANGE_RUNNING &&
           WIFEXITED(c->exit.status) &&
           WEXITSTATUS(c->exit.status) != JC_FAILED_STATUS;
}

/* Sets the last state: nothing more is read of the channel. */
static void be_over(jc_exchange_t *c, int has_exit)
{
    if (c->state == JC_EXCHANGE_RUNNING) {
        c->state = has_exit ? JC_EXCHANGE_ENDED : JC_EXCHANGE_LOST;
    } else {
        c->state = has_exit ? JC_EXCHANGE_KILLED : JC_EXCHANGE_REFUSED;
    }
}

/* Reads control until it has no more to say. Returns 0 if more may come, 1 if
 * not, or -1 if its other end was closed without an EXIT. */
static int read_control(jc_exchange_t *c, int *has_exit)
{
    int fds[JC_MAX_FDS];
    jc_wire_any_t any;
    unsigned messages = 0;

    while (c->control_fd >= 0 && !all_was_read(c, *has_exit)) {
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
            return *has_exit;
        case JC_WIRE_MALFORMED:
            /* There is no room for the pipes. */
            jc_exchange_fail(c, JC_CODE_NO_RESOURCES, errno);
            break;
        default:
            /* A keeper that finishes sends EXIT and closes at once. Both may
             * have come since the look at ended_fd. */
            read_ended(c, has_exit);
            return *has_exit ? 1 : -1;
        }
    }
    return 1;
}

void jc_control_read(jc_exchange_t *c)
{
    int has_exit = 0, result;

    if (jc_exchange_is_over(c)) {
        return;
    }
    read_ended(c, &has_exit);
    result = read_control(c, &has_exit);
    if (result == 0) {
        return;
    }
    be_over(c, has_exit);
    if (result < 0) {
        on_silence(c);
    } else if (!jc_exchange_has_started(c)) {
        /* There will be no output. The verdict says what has killed the
         * script. */
        c->output = JC_OUTPUT_EOF;
    }
}
