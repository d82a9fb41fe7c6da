/*
 * Sends and receives the messages of wire.h: a whole record with its
 * descriptors, or nothing.
 *
 * Runs in:   all five kinds of process
 * Privilege: none of its own
 * Trusts:    nothing that it decodes
 * Never:     allocates, logs, knows a policy
 */
#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define SCM_FDS_MAX 253 /* the kernel's SCM_MAX_FD */

static const struct {
    size_t length;
    unsigned fd_count;
} shapes[] = {
    [JC_MSG_GENERATION] = {sizeof(jc_msg_generation_t), JC_GENERATION_FDS},
    [JC_MSG_SPAWN] = {sizeof(jc_msg_spawn_t), JC_SPAWN_FDS},
    [JC_MSG_RUN] = {sizeof(jc_msg_run_t), JC_RUN_FDS},
    [JC_MSG_STARTED] = {sizeof(jc_msg_started_t), JC_STARTED_FDS},
    [JC_MSG_STARTED_STDIN] = {sizeof(jc_msg_started_t), JC_STARTED_STDIN_FDS},
    [JC_MSG_FAILED] = {sizeof(jc_msg_failed_t), 0},
    [JC_MSG_EXIT] = {sizeof(jc_msg_exit_t), 0},
    [JC_MSG_RETIRE] = {sizeof(jc_msg_retire_t), 0},
    [JC_MSG_READY] = {sizeof(jc_msg_ready_t), 0},
    [JC_MSG_STALE] = {sizeof(jc_msg_stale_t), 0},
    [JC_MSG_PING] = {sizeof(jc_msg_ping_t), 0},
};

static int known(uint16_t type)
{
    return type >= JC_MSG_GENERATION && type < JC_MSG_TYPES;
}

size_t jc_wire_length(uint16_t type)
{
    return known(type) ? shapes[type].length : 0;
}

unsigned jc_wire_fd_count(uint16_t type)
{
    return known(type) ? shapes[type].fd_count : 0;
}

void jc_wire_close_fds(int *fds, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
            fds[i] = -1;
        }
    }
}

int jc_wire_pack(jc_wire_packed_t *packed, uint16_t type, void *msg,
                 const int *fds, unsigned fd_count)
{
    jc_wire_head_t head = {.magic = JC_WIRE_MAGIC,
                           .version = JC_WIRE_VERSION,
                           .type = type};

    if (!known(type) || fd_count != shapes[type].fd_count) {
        return -1;
    }
    memcpy(msg, &head, sizeof(head));
    packed->iov =
        (struct iovec){.iov_base = msg, .iov_len = shapes[type].length};
    packed->mh = (struct msghdr){.msg_iov = &packed->iov, .msg_iovlen = 1};
    if (fd_count > 0) {
        memset(&packed->ancillary, 0, sizeof(packed->ancillary));
        packed->mh.msg_control = &packed->ancillary;
        packed->mh.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
        struct cmsghdr *c = CMSG_FIRSTHDR(&packed->mh);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
        memcpy(CMSG_DATA(c), fds, sizeof(int) * fd_count);
    }
    return 0;
}

jc_wire_result_t jc_wire_send(int sock_fd, uint16_t type, void *msg,
                              const int *fds, unsigned fd_count, int flags)
{
    jc_wire_packed_t packed;

    if (jc_wire_pack(&packed, type, msg, fds, fd_count)) {
        errno = EINVAL;
        return JC_WIRE_ERROR;
    }
    for (;;) {
        if (sendmsg(sock_fd, &packed.mh, flags | MSG_NOSIGNAL) >= 0) {
            return JC_WIRE_OK;
        }
        if (errno == EINTR) {
            continue;
        }
        if (errno == EAGAIN) {
            return JC_WIRE_AGAIN;
        }
        return errno == EPIPE || errno == ECONNRESET ? JC_WIRE_EOF
                                                     : JC_WIRE_ERROR;
    }
}

/*
 * Takes the descriptors out of every SCM_RIGHTS block; the kernel lets a sender
 * have SCM_FDS_MAX in all. Takes the sender out of the block that SO_PASSCRED
 * brings, if the caller asks for it. Returns the number of descriptors, and
 * sets *foreign if there is a block of another kind.
 */
static unsigned take_fds(struct msghdr *mh, int *fds, struct ucred *sender,
                         int *foreign)
{
    unsigned count = 0;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
        if (sender && c->cmsg_level == SOL_SOCKET &&
            c->cmsg_type == SCM_CREDENTIALS &&
            c->cmsg_len == CMSG_LEN(sizeof(*sender))) {
            memcpy(sender, CMSG_DATA(c), sizeof(*sender));
            continue;
        }
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
            *foreign = 1;
            continue;
        }
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n && count < SCM_FDS_MAX; i++) {
            memcpy(&fds[count++], CMSG_DATA(c) + i * sizeof(int), sizeof(int));
        }
    }
    return count;
}

/* End of file and an empty record both read as 0 bytes. Only the first may end
 * the connection, or one bad peer could close it for all that share it. A peer
 * that has shut down its sending side will never send again either. */
static int hung_up(int sock_fd)
{
    struct pollfd p = {.fd = sock_fd, .events = POLLRDHUP};

    return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLRDHUP));
}

static int shape_is_right(const jc_wire_any_t *any, size_t length,
                          unsigned fd_count)
{
    return length >= sizeof(any->head) && any->head.magic == JC_WIRE_MAGIC &&
           any->head.version == JC_WIRE_VERSION && known(any->head.type) &&
           length == jc_wire_length(any->head.type) &&
           fd_count == jc_wire_fd_count(any->head.type);
}

jc_wire_result_t jc_wire_recv_from(int sock_fd, jc_wire_any_t *any, int *fds,
                                   int flags, jc_wire_discard_t *discard,
                                   struct ucred *sender)
{
    /* Room for everything that can arrive, so that surplus descriptors of a
     * peer are seen and discarded here, and not by the kernel. */
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * SCM_FDS_MAX) +
                   CMSG_SPACE(sizeof(struct ucred))];
    } ancillary;
    int all[SCM_FDS_MAX];
    struct iovec iov = {.iov_base = any, .iov_len = sizeof(*any)};
    struct msghdr mh = {.msg_iov = &iov,
                        .msg_iovlen = 1,
                        .msg_control = &ancillary,
                        .msg_controllen = sizeof(ancillary)};
    int foreign = 0;
    ssize_t length;

    for (unsigned i = 0; i < JC_MAX_FDS; i++) {
        fds[i] = -1;
    }
    if (sender) {
        *sender = (struct ucred){.pid = 0, .uid = JC_NO_ID, .gid = JC_NO_ID};
    }
    do {
        length = recvmsg(sock_fd, &mh, flags | MSG_CMSG_CLOEXEC);
        /* The kernel reports ECONNRESET once for a peer that has closed without
         * reading everything, and before the data that it has sent. */
    } while (length < 0 && (errno == EINTR || errno == ECONNRESET));
    if (length < 0) {
        return errno == EAGAIN ? JC_WIRE_AGAIN : JC_WIRE_ERROR;
    }
    unsigned count = take_fds(&mh, all, sender, &foreign);
    if (length == 0 && count == 0 && !(mh.msg_flags & MSG_CTRUNC)) {
        return hung_up(sock_fd) ? JC_WIRE_EOF : JC_WIRE_MALFORMED;
    }
    if ((mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || foreign ||
        !shape_is_right(any, (size_t) length, count)) {
        discard(all, count);
        errno = mh.msg_flags & MSG_CTRUNC ? EMFILE : EPROTO;
        return JC_WIRE_MALFORMED;
    }
    memcpy(fds, all, count * sizeof(int));
    return JC_WIRE_OK;
}

jc_wire_result_t jc_wire_recv(int sock_fd, jc_wire_any_t *any, int *fds,
                              int flags)
{
    return jc_wire_recv_from(sock_fd, any, fds, flags, jc_wire_close_fds, NULL);
}

void jc_wire_failed(jc_msg_failed_t *msg, uint64_t request_id,
                    const jc_failure_t *failure)
{
    *msg = (jc_msg_failed_t){.request_id = request_id,
                             .code = failure->code,
                             .errnum = failure->errnum,
                             .found = failure->found,
                             .expected = failure->expected};
    memcpy(msg->text, failure->text, sizeof(msg->text));
}

void jc_wire_send_failed(int control_fd, uint64_t request_id,
                         const jc_failure_t *failure)
{
    jc_msg_failed_t msg;

    jc_wire_failed(&msg, request_id, failure);
    (void) jc_wire_send(control_fd, JC_MSG_FAILED, &msg, NULL, 0, MSG_DONTWAIT);
}

int jc_wire_has_unread(int sock_fd)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
    } room;
    int on = 1;
    char byte;
    struct iovec iov = {.iov_base = &byte, .iov_len = 1};
    struct msghdr mh = {.msg_iov = &iov,
                        .msg_iovlen = 1,
                        .msg_control = &room,
                        .msg_controllen = sizeof(room)};

    /* An empty record reads like end of file, but the kernel reports who has
     * sent it. There is no room for descriptors, so none is received. */
    if (setsockopt(sock_fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on))) {
        return 1;
    }
    return recvmsg(sock_fd, &mh, MSG_PEEK | MSG_DONTWAIT) >= 0 &&
           mh.msg_controllen > 0;
}
