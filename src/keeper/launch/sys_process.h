/*
 * More system calls in the manner of sys.h: messages, memory, limits, and what
 * a process does to itself.
 *
 * Runs in:   script's child
 * Privilege: the caller's
 * Trusts:    its caller
 */
#ifndef JC_SYS_PROCESS_H
#define JC_SYS_PROCESS_H

#include "sys.h"

static inline long jc_sys_recvmsg(int fd, struct msghdr *mh, int flags)
{
    return jc_sys(SYS_recvmsg, fd, jc_sys_arg(mh), flags, 0, 0);
}

static inline long jc_sys_sendmsg(int fd, const struct msghdr *mh, int flags)
{
    return jc_sys(SYS_sendmsg, fd, jc_sys_arg(mh), flags, 0, 0);
}

/* Maps `len` bytes at `at`, over any mapping there: private and read-only from
 * fd, or anonymous and writable if fd is -1. */
static inline int jc_sys_map(void *at, int fd, size_t len)
{
    long result =
        jc_sys6(SYS_mmap, jc_sys_arg(at), (long) len,
                fd < 0 ? PROT_READ | PROT_WRITE : PROT_READ,
                MAP_FIXED | MAP_PRIVATE | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);

    return result == jc_sys_arg(at) ? 0 : (int) result;
}

static inline int jc_sys_shutdown(int fd, int how)
{
    return (int) jc_sys(SYS_shutdown, fd, how, 0, 0, 0);
}

static inline int jc_sys_get_seals(int fd)
{
    return (int) jc_sys(SYS_fcntl, fd, F_GET_SEALS, 0, 0, 0);
}

/* The kernel ignores the argument; the seccomp filter does not
 * (src/keeper/build/own_filter.c). */
static inline int jc_sys_setsid(uint64_t secret)
{
    return (int) jc_sys(SYS_setsid, (long) secret, 0, 0, 0, 0);
}

static inline int jc_sys_restrict_self(int ruleset_fd)
{
    return (int) jc_sys(SYS_landlock_restrict_self, ruleset_fd, 0, 0, 0, 0);
}

static inline int jc_sys_getpid(void)
{
    return (int) jc_sys(SYS_getpid, 0, 0, 0, 0, 0);
}

/* Unblocks all signals, because the mask survives exec. */
static inline int jc_sys_unblock_signals(void)
{
    uint64_t none = 0;

    return (int) jc_sys(SYS_rt_sigprocmask, 2 /* SIG_SETMASK */,
                        jc_sys_arg(&none), 0, sizeof(none), 0);
}

/* `limit` is soft and hard, with RLIM_INFINITY as the kernel defines it. */
static inline int jc_sys_setrlimit(unsigned resource, const uint64_t limit[2])
{
    return (int) jc_sys(SYS_prlimit64, 0, resource, jc_sys_arg(limit), 0, 0);
}

static inline int jc_sys_getrlimit(unsigned resource, uint64_t limit[2])
{
    return (int) jc_sys(SYS_prlimit64, 0, resource, 0, jc_sys_arg(limit), 0);
}

static inline int jc_sys_execve(const char *path, char *const *argv,
                                char *const *envp)
{
    return (int) jc_sys(SYS_execve, jc_sys_arg(path), jc_sys_arg(argv),
                        jc_sys_arg(envp), 0, 0);
}

static inline void jc_sys_exit(int status) __attribute__((noreturn));
static inline void jc_sys_exit(int status)
{
    for (;;) {
        jc_sys(SYS_exit_group, status, 0, 0, 0, 0);
    }
}

#endif
