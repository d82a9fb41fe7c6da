/*
 * System calls without the C library. Each returns its result or -errno.
 *
 * The script's child runs in the keeper's memory until it executes the script
 * (src/keeper/serve/spawn.c). It must therefore not touch any state of the C
 * library, because that state is the keeper's: neither errno, nor malloc, nor
 * stdio. It may only call functions that copy and compare; t/lint/child.t
 * checks.
 *
 * Runs in:   script's child; keeper as root, for the walk to JailRoot
 * Privilege: the caller's
 * Trusts:    its caller
 */
#ifndef JC_SYS_H
#define JC_SYS_H

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
/* The child shares the keeper's memory. On a machine for which jc_sys has no
 * instruction of its own, and in a build that watches the stack, it is
 * forked. */
#define JC_CHILD_SHARES_MEMORY 1
#else
#define JC_CHILD_SHARES_MEMORY 0
#endif

static inline long jc_sys6(long number, long a, long b, long c, long d, long e,
                           long f)
{
#if defined(__x86_64__)
    register long r10 __asm__("r10") = d; /* syscall(2), "Architecture */
    register long r8 __asm__("r8") = e;   /* calling conventions" */
    register long r9 __asm__("r9") = f;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
                       "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
#else
    long result = syscall(number, a, b, c, d, e, f);

    return result < 0 ? -(long) errno : result;
#endif
}

static inline long jc_sys(long number, long a, long b, long c, long d, long e)
{
    return jc_sys6(number, a, b, c, d, e, 0);
}

static inline long jc_sys_arg(const void *pointer)
{
    return (long) (uintptr_t) pointer;
}

static inline int jc_sys_close(int fd)
{
    return (int) jc_sys(SYS_close, fd, 0, 0, 0, 0);
}

static inline int jc_sys_close_range(unsigned first, unsigned last)
{
    return (int) jc_sys(SYS_close_range, first, last, 0, 0, 0);
}

static inline int jc_sys_dup3(int fd, int number, int flags)
{
    return (int) jc_sys(SYS_dup3, fd, number, flags, 0, 0);
}

/* The copy is close-on-exec, and its number is not below `least`. */
static inline int jc_sys_dup_from(int fd, int least)
{
    return (int) jc_sys(SYS_fcntl, fd, F_DUPFD_CLOEXEC, least, 0, 0);
}

static inline int jc_sys_pipe2(int *ends, int flags)
{
    return (int) jc_sys(SYS_pipe2, jc_sys_arg(ends), flags, 0, 0, 0);
}

static inline int jc_sys_open(const char *path, int flags)
{
    return (int) jc_sys(SYS_openat, AT_FDCWD, jc_sys_arg(path), flags, 0, 0);
}

static inline int jc_sys_openat2(int dir_fd, const char *path,
                                 const struct open_how *how)
{
    return (int) jc_sys(SYS_openat2, dir_fd, jc_sys_arg(path), jc_sys_arg(how),
                        sizeof(*how), 0);
}

static inline int jc_sys_fstat(int fd, struct stat *st)
{
    return (int) jc_sys(SYS_fstat, fd, jc_sys_arg(st), 0, 0, 0);
}

static inline int jc_sys_stat(const char *path, struct stat *st)
{
    return (int) jc_sys(SYS_newfstatat, AT_FDCWD, jc_sys_arg(path),
                        jc_sys_arg(st), 0, 0);
}

static inline int jc_sys_fstatfs(int fd, struct statfs *st)
{
    return (int) jc_sys(SYS_fstatfs, fd, jc_sys_arg(st), 0, 0, 0);
}

static inline int jc_sys_statfs(const char *path, struct statfs *st)
{
    return (int) jc_sys(SYS_statfs, jc_sys_arg(path), jc_sys_arg(st), 0, 0, 0);
}

/* Sets *id to the id of the mount that fd is on. The kernel knows it without
 * asking the file system. Returns 0 or -errno. */
static inline int jc_sys_mount_id(int fd, uint32_t *id)
{
    struct statx st;
    int result = (int) jc_sys(SYS_statx, fd, jc_sys_arg(""),
                              AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID,
                              jc_sys_arg(&st));

    if (result == 0 && !(st.stx_mask & STATX_MNT_ID)) {
        return -ENOSYS; /* before Linux 5.8 */
    }
    *id = result == 0 ? (uint32_t) st.stx_mnt_id : 0;
    return result;
}

static inline int jc_sys_access(const char *path, int mode)
{
    return (int) jc_sys(SYS_faccessat, AT_FDCWD, jc_sys_arg(path), mode, 0, 0);
}

static inline int jc_sys_fchdir(int fd)
{
    return (int) jc_sys(SYS_fchdir, fd, 0, 0, 0, 0);
}

static inline long jc_sys_readlinkat(int fd, const char *path, char *target,
                                     size_t size)
{
    return jc_sys(SYS_readlinkat, fd, jc_sys_arg(path), jc_sys_arg(target),
                  (long) size, 0);
}

static inline long jc_sys_read(int fd, void *data, size_t size)
{
    return jc_sys(SYS_read, fd, jc_sys_arg(data), (long) size, 0, 0);
}

static inline long jc_sys_write(int fd, const void *data, size_t len)
{
    return jc_sys(SYS_write, fd, jc_sys_arg(data), (long) len, 0, 0);
}

#endif
