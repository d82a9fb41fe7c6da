/*
 * Hears the first message that a request sends to syslog(3) in a jail without a
 * /dev/log of the machine (src/keeper/build/dev_log.c), and notes that for its
 * EXIT. The socket is closed then: later messages are refused as on a machine
 * without a syslog daemon, and nobody waits for the keeper to read.
 *
 * Runs in:   keeper
 * Privilege: none; it is the tenant
 * Trusts:    the kernel's word who has sent the message
 * Never:     reads what the message says, keeps a descriptor that comes with it
 */
#include "exit.h"
#include "runs.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* There is room for the sender alone, so the kernel closes descriptors. */
static pid_t sender_of(const struct msghdr *mh)
{
    const struct cmsghdr *cmsg = CMSG_FIRSTHDR(mh);
    struct ucred sender = {.pid = 0};

    if (cmsg && cmsg->cmsg_level == SOL_SOCKET &&
        cmsg->cmsg_type == SCM_CREDENTIALS) {
        memcpy(&sender, CMSG_DATA(cmsg), sizeof(sender));
    }
    return sender.pid;
}

void jc_own_log_hear(void)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
    } ancillary;
    char byte;
    struct iovec iov = {&byte, 1};
    struct msghdr mh = {.msg_iov = &iov,
                        .msg_iovlen = 1,
                        .msg_control = ancillary.bytes,
                        .msg_controllen = sizeof(ancillary.bytes)};

    if (recvmsg(JC_KEEPER_LOG_FD, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0) {
        return;
    }
    pid_t pid = sender_of(&mh);
    jc_run_t *run = pid > 0 ? jc_runs_find(jc_run_leader_of(pid)) : NULL;
    if (run) {
        run->taken |= JC_TAKEN_SYSLOG;
        close(JC_KEEPER_LOG_FD); /* epoll forgets it with that */
    }
}
