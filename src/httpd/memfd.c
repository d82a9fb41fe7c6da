/*
 * Makes sealed memfds, whose bytes nobody can change any more: for the policy
 * table and for large requests.
 *
 * Runs in:   httpd parent, httpd child
 * Privilege: that of its caller
 * Trusts:    nothing: it reads nothing
 * Never:     leaves a memfd open that it does not return
 */
#include "memfd.h"
#include "src/wire/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif

/* Linux 6.3 and later log a warning of a memfd that does not say whether it may
 * be executed. Earlier kernels refuse the flag. */
static int make(const char *name)
{
    const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    static int no_exec_seal = 1;
    int fd = -1;

    if (__atomic_load_n(&no_exec_seal, __ATOMIC_RELAXED)) {
        fd = memfd_create(name, flags | MFD_NOEXEC_SEAL);
        if (fd >= 0 || errno != EINVAL) {
            return fd;
        }
        __atomic_store_n(&no_exec_seal, 0, __ATOMIC_RELAXED);
    }
    return memfd_create(name, flags);
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return -1;
        }
        data += n;
        len -= (size_t) n;
    }
    return 0;
}

int jc_memfd_sealed(const char *name, const struct iovec *parts, int count)
{
    int fd = make(name);
    int result = 0, saved;

    for (int i = 0; fd >= 0 && i < count && result == 0; i++) {
        result = write_all(fd, parts[i].iov_base, parts[i].iov_len);
    }
    if (fd >= 0 && (result != 0 || fcntl(fd, F_ADD_SEALS, JC_SEALS) != 0)) {
        saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}
