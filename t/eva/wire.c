/*
 * Eva's driver: jc_wire_recv with a kernel that gives any record and any
 * two control messages, jc_wire_pack and jc_wire_failed with any values.
 *
 * Runs in:   nowhere; Eva reads it
 * Privilege: none
 */
#include "src/wire/wire.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "t/eva/stubs.h"

static char any_bytes[2048];

/* Up to two control messages of any kind and content; a length is that of its
 * header at least, and fits: put_cmsg() of the kernel. */
static void put_blocks(struct msghdr *mh)
{
    /* of descriptors: around what a message carries */
    static const size_t numbers[] = {0, 2, 3};
    size_t used = 0;
    int blocks = one_of(0, 2);

    memcpy(mh->msg_control, any_bytes, mh->msg_controllen);
    for (int i = 0; i < 2; i++) {
        struct cmsghdr *c = (void *) ((char *) mh->msg_control + used);
        size_t n = numbers[one_of(0, 2)];

        if (i >= blocks) {
            break;
        }
        c->cmsg_len = CMSG_LEN(n * sizeof(int));
        c->cmsg_level = one_of(SOL_SOCKET, SOL_SOCKET + 1);
        c->cmsg_type = one_of(SCM_RIGHTS, SCM_CREDENTIALS);
        for (size_t k = 0; k < n; k++) {
            ((int *) CMSG_DATA(c))[k] = Frama_C_interval(0, 1023);
        }
        used += CMSG_SPACE(n * sizeof(int));
    }
    mh->msg_controllen = used;
}

ssize_t recvmsg(int fd, struct msghdr *mh, int flags)
{
    static int failures; /* it could go on for ever */
    ssize_t length = Frama_C_interval(0, (int) mh->msg_iov->iov_len);

    if (failures < 1 && one_of(0, 1)) {
        failures++;
        errno = Frama_C_interval(1, 133);
        return -1;
    }
    Frama_C_make_unknown(any_bytes, sizeof(any_bytes));
    memcpy(mh->msg_iov->iov_base, any_bytes, sizeof(jc_wire_any_t));
    put_blocks(mh);
    mh->msg_flags = Frama_C_interval(0, 0xffff);
    return length;
}

int poll(struct pollfd *p, nfds_t n, int timeout)
{
    p->revents = (short) Frama_C_interval(-32768, 32767);
    return Frama_C_interval(-1, 1);
}

int close(int fd)
{
    return Frama_C_interval(-1, 0);
}

pid_t getppid(void)
{
    return Frama_C_interval(0, 4194304);
}

int main(void)
{
    jc_wire_any_t any;
    jc_wire_packed_t packed;
    jc_failure_t failure = {.code = Frama_C_interval(0, 9999)};
    char text[600];
    int fds[JC_MAX_FDS];
    int type = Frama_C_interval(0, 65535);

    if (jc_wire_recv(Frama_C_interval(0, 1023), &any, fds, 0) == JC_WIRE_OK) {
        (void) jc_wire_fd_count(any.head.type);
        (void) jc_wire_length(any.head.type);
        jc_wire_close_fds(fds, JC_MAX_FDS);
    }
    for (int i = 0; i < JC_MAX_FDS; i++) {
        fds[i] = Frama_C_interval(0, 1023);
    }
    (void) jc_wire_pack(&packed, (uint16_t) type, &any, fds,
                        (unsigned) Frama_C_interval(0, JC_MAX_FDS + 1));
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        text[i] = (char) Frama_C_interval(-128, 127);
    }
    text[sizeof(text) - 1] = 0;
    jc_wire_set_text(&failure, text);
    jc_wire_failed(&any.failed, 1, &failure);
    return 0;
}
