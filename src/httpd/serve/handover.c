/*
 * Puts the request into the control socket, where the script's child finds it.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    nothing, and need not: the other end checks
 * Never:     waits
 */
#include "channel.h"
#include "exchange.h"
#include "src/httpd/memfd.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Sends one byte with the descriptor beside it. */
static int send_memfd(int control_fd, int fd)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } ancillary;
    char byte = 0;
    struct iovec iov = {.iov_base = &byte, .iov_len = 1};
    struct msghdr mh = {.msg_iov = &iov,
                        .msg_iovlen = 1,
                        .msg_control = &ancillary,
                        .msg_controllen = sizeof(ancillary)};
    struct cmsghdr *c;

    memset(&ancillary, 0, sizeof(ancillary));
    c = CMSG_FIRSTHDR(&mh);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof(int));
    return sendmsg(control_fd, &mh, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1 : 0;
}

static int hand_over_memfd(const jc_exchange_t *c, int control_fd)
{
    const struct iovec request = {c->request, c->request_len};
    int fd = jc_memfd_sealed("jailcgi-request", &request, 1);
    int result, saved;

    if (fd < 0) {
        return -1;
    }
    result = send_memfd(control_fd, fd);
    saved = errno;
    close(fd);
    errno = saved;
    return result;
}

int jc_handover(const jc_exchange_t *c, int control_fd)
{
    if (c->request_len <= JC_REQUEST_INLINE_MAX) {
        if (send(control_fd, c->request, c->request_len,
                 MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
            return 0;
        }
        if (errno != EMSGSIZE) { /* net.core.wmem_default is small */
            return -1;
        }
    }
    return hand_over_memfd(c, control_fd);
}
