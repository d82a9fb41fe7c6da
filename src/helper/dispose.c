/*
 * Closing what a hijacked child of httpd has sent.
 *
 * The last close of a descriptor can block for as long as its maker likes: a
 * TCP socket that lingers, a FUSE file whose server never answers, and either
 * of them hidden in the queue of another socket. So what was refused, whose
 * kind nobody knows, is passed on to a process that exists to be the last to
 * close it. If one of these gets stuck the next takes its place.
 *
 * Runs in:   helper; the closers run as root with no capability
 * Privilege: root
 * Trusts:    nothing about the descriptors
 * Never:     is itself the last to close one of them, unless all closers that
 *            there may be are stuck
 */
#define _GNU_SOURCE
#include "helper.h"

#include <signal.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CLOSERS_MAX 16
#define AT_ONCE     128 /* descriptors in one message */

static struct {
    int sock_fd; /* to the newest; -1: none */
    unsigned alive;
    pid_t pids[CLOSERS_MAX];
} closers = {.sock_fd = -1};

typedef union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int) * AT_ONCE)];
} room_t;

/* Receives and closes until the helper has gone or has made another. */
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
        if (close_range(4, ~0U, 0)) {
            _exit(1);
        }
    }
}

static int start_closer(void)
{
    int pair[2];

    if (closers.sock_fd >= 0) {
        close(closers.sock_fd); /* it ends, as soon as it can */
        closers.sock_fd = -1;
    }
    if (closers.alive == CLOSERS_MAX ||
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
    closers.pids[closers.alive++] = pid;
    closers.sock_fd = pair[0];
    return 0;
}

int jc_dispose_reaped(pid_t pid)
{
    for (unsigned i = 0; i < closers.alive; i++) {
        if (closers.pids[i] == pid) {
            closers.pids[i] = closers.pids[--closers.alive];
            return 1;
        }
    }
    return 0;
}

static int pass_on(const int *fds, unsigned count)
{
    room_t room;
    char byte = 0;
    struct iovec iov = {.iov_base = &byte, .iov_len = 1};
    struct msghdr mh = {.msg_iov = &iov,
                        .msg_iovlen = 1,
                        .msg_control = &room,
                        .msg_controllen = CMSG_SPACE(sizeof(int) * count)};

    memset(&room, 0, sizeof(room));
    struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int) * count);
    memcpy(CMSG_DATA(c), fds, sizeof(int) * count);
    return sendmsg(closers.sock_fd, &mh, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1
                                                                          : 0;
}

/* A closer that is stuck lets its queue grow until it is full; what is in the
 * queue is closed by it, or with it. */
static void dispose_some(int *fds, unsigned count)
{
    if ((closers.sock_fd < 0 || pass_on(fds, count)) &&
        (start_closer() || pass_on(fds, count))) {
        jc_log("cannot get rid of descriptors that a child of httpd has sent: "
               "%u processes that close such are stuck or cannot be made; is "
               "a child of httpd taken over?",
               closers.alive);
    }
    jc_wire_close_fds(fds, count);
}

void jc_dispose(int *fds, unsigned count)
{
    for (unsigned at = 0; at < count; at += AT_ONCE) {
        unsigned some = count - at < AT_ONCE ? count - at : AT_ONCE;
        dispose_some(fds + at, some);
    }
}
