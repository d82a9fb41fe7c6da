/*
 * Opens channels and uses them again. A channel is two sockets, over which
 * requests go to the keeper of one jail, one after the other. The helper makes
 * the first connection, and is not asked again as long as the keeper lives. A
 * request then costs no socket, no message to the helper and no wake-up of it.
 *
 * EXIT says that nothing of a request is left. Its channel is then kept for the
 * next request, as soon as everything that was said about this one has been
 * read (channel_pool.c).
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    nothing, and need not: the other end checks
 * Never:     keeps a channel that may still hold its request unread
 */
#include "channel.h"
#include "channel_pool.h"
#include "exchange.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* ETOOMANYREFS passes when the helper has received something, and nothing
 * reports that. */
#define REFS_SLEEP_MS_MAX 20

/* A channel has this many request ids before it comes to those of another. */
#define IDS 65536u

static jc_pooled_channel_t describe(const jc_exchange_t *c)
{
    int by_owner = c->conf->user_kind == JC_USER_OWNER;

    return (jc_pooled_channel_t){.policy = c->conf->policy,
                                 .uid = by_owner ? c->owner_uid : JC_NO_ID,
                                 .gid = by_owner ? c->owner_gid : JC_NO_ID,
                                 .control_fd = c->control_fd,
                                 .ended_fd = c->ended_fd,
                                 .request_id = c->request_id + 1};
}

int jc_channel_is_free(const jc_exchange_t *c)
{
    /* The request was read, and so was everything that was answered. */
    return c->control_fd >= 0 && c->ended_fd >= 0 &&
           c->state == JC_EXCHANGE_ENDED && c->exit.is_free;
}

void jc_channel_release(jc_exchange_t *c)
{
    jc_pooled_channel_t channel = describe(c);

    if (jc_channel_is_free(c) && jc_channel_pool_put(&channel)) {
        c->control_fd = c->ended_fd = -1;
        return;
    }
    jc_exchange_close_fd(&c->control_fd);
    jc_exchange_close_fd(&c->ended_fd);
}

int jc_channel_reuse(jc_exchange_t *c)
{
    jc_pooled_channel_t channel = describe(c);

    while (jc_channel_pool_take(&channel)) {
        if (jc_handover(c, channel.control_fd) == 0) {
            c->control_fd = channel.control_fd;
            c->ended_fd = channel.ended_fd;
            c->request_id = channel.request_id;
            return 1;
        }
        close(channel.control_fd); /* its keeper has gone */
        close(channel.ended_fd);
    }
    return 0;
}

/* Waits until sending may succeed. Returns 0, or -1 when Timeout is used up. */
static int wait_to_send(jc_wire_result_t result, int *sleep_ms,
                        apr_time_t deadline)
{
    apr_time_t left = deadline - apr_time_now();
    struct pollfd p = {.fd = jc_link.socket_fd, .events = POLLOUT};

    if (left <= 0) {
        return -1;
    }
    if (result == JC_WIRE_AGAIN) {
        poll(&p, 1, (int) apr_time_as_msec(left) + 1);
        return 0;
    }
    apr_sleep(apr_time_from_msec(*sleep_ms));
    *sleep_ms *= 2;
    if (*sleep_ms > REFS_SLEEP_MS_MAX) {
        *sleep_ms = REFS_SLEEP_MS_MAX;
    }
    return 0;
}

/* The request goes first, so that it is there when it is asked for. */
static jc_wire_result_t try_to_send(jc_exchange_t *c, jc_msg_spawn_t *msg,
                                    const int *theirs, int *is_handed_over)
{
    if (!*is_handed_over && jc_handover(c, c->control_fd) < 0) {
        return JC_WIRE_ERROR;
    }
    *is_handed_over = 1;
    return jc_wire_send(jc_link.socket_fd, JC_MSG_SPAWN, msg, theirs,
                        JC_SPAWN_FDS, MSG_DONTWAIT);
}

static int send_spawn(jc_exchange_t *c, const int *theirs)
{
    jc_pooled_channel_t channel = describe(c);
    jc_msg_spawn_t msg = {
        .generation = jc_link.generation,
        .request_id = c->request_id,
        .policy = channel.policy,
        .uid = channel.uid,
        .gid = channel.gid,
    };
    apr_time_t deadline = 0;
    int sleep_ms = 1, is_handed_over = 0;

    for (;;) {
        jc_wire_result_t result = try_to_send(c, &msg, theirs, &is_handed_over);
        int errnum = errno;

        if (result == JC_WIRE_OK) {
            return 0;
        }
        if (result == JC_WIRE_EOF) {
            jc_exchange_fail(c, JC_CODE_LOST_TWICE, 0);
            return -1;
        }
        if (result != JC_WIRE_AGAIN && errnum != ETOOMANYREFS) {
            jc_exchange_fail(c, JC_CODE_NO_RESOURCES, errnum);
            return -1;
        }
        if (deadline == 0) {
            deadline = apr_time_now() + c->r->server->timeout;
        }
        if (wait_to_send(result, &sleep_ms, deadline) < 0) {
            jc_exchange_fail(c, JC_CODE_QUEUE_TIMEOUT, errnum);
            return -1;
        }
    }
}

/* Returns the first id of a channel. Ids have the process id in them, to
 * distinguish requests in traces. Nothing depends on their being unique. */
static uint64_t first_request_id(void)
{
    static uint32_t next;

    return ((uint64_t) getpid() << 32) |
           __atomic_fetch_add(&next, IDS, __ATOMIC_RELAXED);
}

static int make_pair(int *ours_fd, int *theirs_fd)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        return -1;
    }
    *ours_fd = pair[0];
    *theirs_fd = pair[1];
    return 0;
}

int jc_channel_open(jc_exchange_t *c)
{
    int theirs[JC_SPAWN_FDS] = {-1, -1};
    int result = -1, on = 1;

    c->request_id = first_request_id();
    /* SO_PASSCRED must be set before the first request. The kernel attaches the
     * sender to a record if its receiver has asked for that, and a record
     * without a sender is not accepted. */
    if (make_pair(&c->control_fd, &theirs[JC_SPAWN_CONTROL]) < 0 ||
        make_pair(&c->ended_fd, &theirs[JC_SPAWN_ENDED]) < 0 ||
        setsockopt(theirs[JC_SPAWN_CONTROL], SOL_SOCKET, SO_PASSCRED, &on,
                   sizeof(on)) < 0) {
        jc_exchange_fail(c, JC_CODE_NO_RESOURCES, errno);
    } else {
        result = send_spawn(c, theirs);
    }
    jc_wire_close_fds(theirs, JC_SPAWN_FDS);
    return result;
}
