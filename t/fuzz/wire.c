/*
 * jc_wire_recv with anything that a peer may send. The first byte is the number
 * of descriptors sent with it, the rest is the record.
 *
 * Runs in:   the tests
 * Privilege: none
 */
#include "src/wire/wire.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "t/fuzz/fuzz.h"

#define FDS_SENT_MAX 24 /* more than jc_wire_recv has room for */

static void send_record(int sock_fd, const uint8_t *bytes, size_t len,
                        unsigned fd_count, int fd)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * FDS_SENT_MAX)];
    } ancillary = {0};
    struct iovec iov = {.iov_base = (void *) bytes, .iov_len = len};
    struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};

    if (fd_count > 0) {
        mh.msg_control = &ancillary;
        mh.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
        struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
        for (unsigned i = 0; i < fd_count; i++) {
            memcpy(CMSG_DATA(c) + i * sizeof(int), &fd, sizeof(int));
        }
    }
    if (sendmsg(sock_fd, &mh, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t) len) {
        abort();
    }
}

/* The lowest free descriptor: one that was left open moves it. */
static int lowest_free(void)
{
    int fd = dup(0);

    close(fd);
    return fd;
}

static int pair[2] = {-1, -1}, null_fd = -1;

static void parse(uint8_t *bytes, size_t size)
{
    jc_wire_any_t any;
    int fds[JC_MAX_FDS];
    unsigned sent = bytes[0] % (FDS_SENT_MAX + 1);

    send_record(pair[0], bytes + 1, size - 1, sent, null_fd);
    switch (jc_wire_recv(pair[1], &any, fds, MSG_DONTWAIT)) {
    case JC_WIRE_OK:
        if (any.head.magic != JC_WIRE_MAGIC ||
            any.head.version != JC_WIRE_VERSION ||
            jc_wire_length(any.head.type) != size - 1 ||
            memcmp(&any, bytes + 1, size - 1) != 0 ||
            jc_wire_fd_count(any.head.type) != sent) {
            abort();
        }
        jc_wire_close_fds(fds, JC_MAX_FDS);
        break;
    case JC_WIRE_MALFORMED:
        break;
    default:
        abort(); /* the peer is open and a record was there */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (null_fd < 0) {
        null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (null_fd < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair)) {
            abort();
        }
    }
    if (size == 0 || size > 65536) {
        return 0;
    }
    int before = lowest_free();
    fuzz_each(data, size, parse);
    if (lowest_free() != before) {
        abort();
    }
    return 0;
}
