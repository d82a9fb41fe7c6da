/*
 * Closes the descriptors that an httpd child or a keeper has sent.
 *
 * The last close of a descriptor can block for as long as its maker likes: a
 * TCP socket that lingers, a FUSE file whose server never answers, or either of
 * them hidden in the queue of another socket. The helper therefore never makes
 * the last close. It passes descriptors to a closer, a process that does
 * nothing but close them. It first sends the descriptors, and when its own
 * copies are closed, a message that the closer may close them. If a closer gets
 * stuck, the next takes its place. When there are many, the helper kills the
 * oldest, which ends a lingering close. A descriptor that no closer accepts
 * stays open, and the caller gives up the peer that sent it.
 *
 * Channels that were served have closers of their own: while a channel is in
 * the queue of a stuck closer, its peer does not see that its keeper has died.
 * Descriptors from keepers also have their own, because otherwise one tenant
 * could use up the closers of all.
 *
 * Runs in:   helper; the closers run as root without capabilities
 * Privilege: root
 * Trusts:    nothing about the descriptors
 * Never:     makes the last close of one of them
 */
#include "helper.h"

#include <signal.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LIVING_MAX 16
#define DYING_MAX  64  /* killed, but not gone */
#define AT_ONCE    128 /* descriptors in one message */

typedef struct {
    int sock_fd;     /* to the newest closer; -1: none */
    unsigned count;  /* of pids, the oldest first */
    unsigned killed; /* how many of the oldest were killed */
    pid_t pids[LIVING_MAX + DYING_MAX];
} closers_t;

static closers_t closers[JC_DISPOSE_CLASSES] = {
    [JC_DISPOSE_UNKNOWN] = {.sock_fd = -1},
    [JC_DISPOSE_CHANNEL] = {.sock_fd = -1},
    [JC_DISPOSE_KEEPER] = {.sock_fd = -1},
};

typedef union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int) * AT_ONCE)];
} room_t;

/* Holds what it receives until a message says that nobody else does. Exits when
 * the helper has gone or has made another closer. */
static void run_closer(int sock_fd) __attribute__((noreturn));
static void run_closer(int sock_fd)
{
    cap_t none = cap_init();

    if (!none || cap_set_proc(none) || dup2(sock_fd, 3) < 0 ||
        close_range(4, ~0U, 0) || prctl(PR_SET_NAME, "jailcgi-closer")) {
        _exit(1);
    }
    for (;;) {
        room_t room;
        char byte;
        struct iovec iov = {.iov_base = &byte, .iov_len = 1};
        struct msghdr mh = {.msg_iov = &iov,
                            .msg_iovlen = 1,
                            .msg_control = &room,
                            .msg_controllen = sizeof(room)};
        if (recvmsg(3, &mh, 0) <= 0) {
            _exit(0);
        }
        if (mh.msg_controllen == 0 && close_range(4, ~0U, 0)) {
            _exit(1);
        }
    }
}

/* Makes room for one more closer. */
static int make_room(closers_t *c)
{
    if (c->count - c->killed < LIVING_MAX) {
        return 0;
    }
    if (c->killed == DYING_MAX) {
        return -1;
    }
    kill(c->pids[c->killed++], SIGKILL);
    return 0;
}

static int start_closer(closers_t *c)
{
    int pair[2];

    if (c->sock_fd >= 0) {
        close(c->sock_fd); /* the old closer ends when it can */
        c->sock_fd = -1;
    }
    if (make_room(c) ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
        return -1;
    }
    pid_t pid = (pid_t) syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0) {
        run_closer(pair[1]);
    }
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return -1;
    }
    c->pids[c->count++] = pid;
    c->sock_fd = pair[0];
    return 0;
}

static int forget(closers_t *c, pid_t pid)
{
    for (unsigned i = 0; i < c->count; i++) {
        if (c->pids[i] == pid) {
            c->count--;
            c->killed -= i < c->killed;
            memmove(&c->pids[i], &c->pids[i + 1],
                    (c->count - i) * sizeof(c->pids[0]));
            return 1;
        }
    }
    return 0;
}

int jc_dispose_reaped(pid_t pid)
{
    for (unsigned which = 0; which < JC_DISPOSE_CLASSES; which++) {
        if (forget(&closers[which], pid)) {
            return 1;
        }
    }
    return 0;
}

/* A message without descriptors says that those sent before may be closed. */
static int pass_on(const closers_t *c, const int *fds, unsigned count)
{
    room_t room;
    char byte = 0;
    struct iovec iov = {.iov_base = &byte, .iov_len = 1};
    struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};

    if (count > 0) {
        memset(&room, 0, sizeof(room));
        mh.msg_control = &room;
        mh.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *cmsg = CMSG_FIRSTHDR(&mh);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * count);
    }
    return sendmsg(c->sock_fd, &mh, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1 : 0;
}

/* A closer that is stuck lets its queue grow until it is full. What is in the
 * queue is closed by that closer, or when it dies. */
static int dispose_some(closers_t *c, int *fds, unsigned count)
{
    if ((c->sock_fd < 0 || pass_on(c, fds, count)) &&
        (start_closer(c) || pass_on(c, fds, count))) {
        return -1;
    }
    jc_wire_close_fds(fds, count);
    /* If this message is lost, the next one covers them too. */
    (void) pass_on(c, NULL, 0);
    return 0;
}

static int has_failed;

void jc_dispose_as(jc_dispose_class_t which, int *fds, unsigned count)
{
    int result = 0;

    for (unsigned at = 0; at < count; at += AT_ONCE) {
        unsigned some = count - at < AT_ONCE ? count - at : AT_ONCE;
        result |= dispose_some(&closers[which], fds + at, some);
    }
    if (result) {
        jc_log("cannot close descriptors that %s has sent: the %u processes "
               "that close them are stuck, so they stay open; the sender may "
               "be compromised",
               which == JC_DISPOSE_KEEPER ? "a keeper" : "an httpd child",
               closers[which].count);
        has_failed = 1;
    }
}

/* Has the type that jc_wire_recv_from() expects. */
void jc_dispose(int *fds, unsigned count)
{
    jc_dispose_as(JC_DISPOSE_UNKNOWN, fds, count);
}

int jc_dispose_has_failed(void)
{
    int failed = has_failed;

    has_failed = 0;
    return failed;
}
