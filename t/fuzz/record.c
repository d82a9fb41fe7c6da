/*
 * jc_wire_recv with an imitated kernel, which is faster than a socket (wire.c)
 * and can send more: any flags, control messages of any kind, any number of
 * descriptors in any number of blocks.
 *
 * Input: flags; number of blocks; for each its kind and count; the record.
 *
 * Runs in:   the tests
 * Privilege: none
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "t/fuzz/fuzz.h"

#define FIRST_FD 1000
#define PARENT   7

static struct {
    const uint8_t *bytes;
    size_t size;
    int given; /* descriptors that the kernel has made */
    int closed;
    uint32_t sum; /* of the numbers that are still open */
} kernel;

static size_t next_byte(void)
{
    return kernel.size > 0 ? (kernel.size--, *kernel.bytes++) : 0;
}

/* One block, if there is room; as the kernel lays it out. */
static int put_block(struct msghdr *mh, size_t *used, int type, size_t n)
{
    size_t len =
        type == SCM_CREDENTIALS ? sizeof(struct ucred) : n * sizeof(int);
    char *at = (char *) mh->msg_control + *used;
    struct cmsghdr c = {.cmsg_len = CMSG_LEN(len),
                        .cmsg_level = type == -1 ? SOL_SOCKET + 1 : SOL_SOCKET,
                        .cmsg_type = type};

    if (mh->msg_controllen - *used < CMSG_SPACE(len)) {
        return -1;
    }
    memset(at, 0, CMSG_SPACE(len));
    memcpy(at, &c, sizeof(c));
    if (type == SCM_CREDENTIALS) {
        struct ucred cred = {.pid = n & 1 ? PARENT : PARENT + 1};
        memcpy(at + CMSG_LEN(0), &cred, sizeof(cred));
    }
    for (size_t i = 0; type == SCM_RIGHTS && i < n; i++) {
        int fd = FIRST_FD + kernel.given++;
        kernel.sum += (uint32_t) fd;
        memcpy(at + CMSG_LEN(i * sizeof(int)), &fd, sizeof(fd));
    }
    *used += CMSG_SPACE(len);
    return 0;
}

static void put_blocks(struct msghdr *mh)
{
    static const int types[] = {SCM_RIGHTS,      SCM_RIGHTS,   SCM_RIGHTS,
                                SCM_CREDENTIALS, SO_TIMESTAMP, -1};
    size_t used = 0;

    for (size_t blocks = next_byte() % 8; blocks > 0; blocks--) {
        int type = types[next_byte() % 6];
        size_t n = next_byte() & 0x80 ? next_byte() : next_byte() % 5;
        /* SCM_MAX_FD, which the kernel itself holds to */
        if (type == SCM_RIGHTS && kernel.given + n > 253) {
            n = 253 - (size_t) kernel.given;
        }
        if (put_block(mh, &used, type, n)) {
            mh->msg_flags |= MSG_CTRUNC;
            break;
        }
    }
    mh->msg_controllen = used;
}

static ssize_t fake_recvmsg(int fd, struct msghdr *mh, int flags)
{
    static const int errors[] = {EINTR, EAGAIN, ECONNRESET, EBADF};
    size_t first = next_byte();

    if (first >= 252 && kernel.size > 0) {
        errno = errors[first - 252];
        return -1;
    }
    mh->msg_flags = first & 1 ? MSG_CTRUNC : 0;
    put_blocks(mh);
    size_t len = kernel.size;
    if (len > mh->msg_iov->iov_len) {
        len = mh->msg_iov->iov_len;
        mh->msg_flags |= MSG_TRUNC;
    }
    memcpy(mh->msg_iov->iov_base, kernel.bytes, len);
    return (ssize_t) len;
}

static int fake_close(int fd)
{
    if (fd < FIRST_FD || fd >= FIRST_FD + kernel.given) {
        abort(); /* not one that came */
    }
    kernel.closed++;
    kernel.sum -= (uint32_t) fd;
    return 0;
}

static int fake_poll(struct pollfd *p, nfds_t n, int timeout)
{
    p->revents = kernel.given & 1 ? POLLHUP : 0;
    return 1;
}

#define recvmsg   fake_recvmsg
#define close     fake_close
#define poll      fake_poll
#define getppid() PARENT
#include "src/wire/wire.c"

static void parse(uint8_t *bytes, size_t size)
{
    jc_wire_any_t any;
    int fds[JC_MAX_FDS];

    kernel.bytes = bytes;
    kernel.size = size;
    kernel.given = kernel.closed = 0;
    kernel.sum = 0;
    jc_wire_result_t result = jc_wire_recv(3, &any, fds, 0);
    if (result == JC_WIRE_OK) {
        if (any.head.magic != JC_WIRE_MAGIC ||
            any.head.version != JC_WIRE_VERSION ||
            jc_wire_length(any.head.type) == 0 ||
            jc_wire_fd_count(any.head.type) != (unsigned) kernel.given) {
            abort();
        }
        jc_wire_close_fds(fds, JC_MAX_FDS);
    }
    if (kernel.closed != kernel.given || kernel.sum != 0) {
        abort(); /* one is left open, or was closed twice */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_each(data, size, parse);
}
