/*
 * The request into the control socket, where the script's child finds it.
 *
 * Runs in:   httpd child
 * Privilege: the web user's
 * Trusts:    nothing, and needs not: the other end checks
 * Never:     waits
 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif

/* Asks for a memfd that can never be executed, where the kernel knows that. */
static int make_memfd(void)
{
    static int no_exec_seal = 1;
    int fd = -1;

    if (__atomic_load_n(&no_exec_seal, __ATOMIC_RELAXED)) {
        fd = memfd_create("jailcgi-request",
                          MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
        if (fd >= 0 || errno != EINVAL) {
            return fd;
        }
        __atomic_store_n(&no_exec_seal, 0, __ATOMIC_RELAXED);
    }
    return memfd_create("jailcgi-request", MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

static int write_memfd(const char *buf, size_t len)
{
    int fd = make_memfd();
    int saved;

    if (fd < 0) {
        return -1;
    }
    while (len > 0) {
        ssize_t n = write(fd, buf, len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            goto failed;
        }
        buf += n;
        len -= (size_t) n;
    }
    if (fcntl(fd, F_ADD_SEALS, JC_REQUEST_SEALS) == 0) {
        return fd;
    }
failed:
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

/* One byte and the descriptor beside it. */
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

static int hand_over_memfd(const jc_client_t *c, int control_fd)
{
    int fd = write_memfd(c->request, c->request_len);
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

int jc_request_hand_over(const jc_client_t *c, int control_fd)
{
    if (c->request_len <= JC_REQUEST_INLINE_MAX) {
        if (send(control_fd, c->request, c->request_len,
                 MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
            return 0;
        }
        if (errno != EMSGSIZE) { /* a small net.core.wmem_default */
            return -1;
        }
    }
    return hand_over_memfd(c, control_fd);
}
