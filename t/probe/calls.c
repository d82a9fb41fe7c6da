/*
 * A CGI program that makes system calls which JailSeccomp may refuse. Their
 * arguments are nonsense, which does no harm where a call is not refused: a
 * call that is reached answers with another error than a filter would. It
 * prints a line "NAME: ERRNO" or "NAME: done" for each. The cases of one call
 * have names with a dash: clone-user.
 *
 * Runs in:   a jail, as a CGI program
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t/probe/i386.h"

#define NOWHERE 8L /* no memory there */
#define UPPER   0x100000000L

typedef struct {
    const char *name;
    long number;
    long arg[3];
} call_t;

#define CALL(name, ...)                                                        \
    {                                                                          \
#name, SYS_##name,                                                     \
        {                                                                      \
            __VA_ARGS__                                                        \
        }                                                                      \
    }
#define CASE(name, more, ...)                                                  \
    {                                                                          \
#name "-" more, SYS_##name,                                            \
        {                                                                      \
            __VA_ARGS__                                                        \
        }                                                                      \
    }

static const call_t calls[] = {
    CALL(mount, NOWHERE, NOWHERE, NOWHERE),
    CALL(umount2, NOWHERE),
    CALL(open_tree, -1, NOWHERE),
    {"open_tree_attr", 467, {-1, NOWHERE}},
    CALL(move_mount, -1, NOWHERE, -1),
    CALL(fsopen, NOWHERE),
    CALL(fsconfig, -1),
    CALL(fsmount, -1),
    CALL(fspick, -1, NOWHERE),
    CALL(mount_setattr, -1, NOWHERE),
    CALL(pivot_root, NOWHERE, NOWHERE),
    CALL(chroot, NOWHERE),
    CALL(setns, -1),
    CALL(unshare, 0),
    CALL(clone3, NOWHERE, 0),
    CALL(ptrace, -1, -1),
    CALL(process_vm_readv, -1),
    CALL(process_vm_writev, -1),
    CALL(process_madvise, -1),
    CALL(pidfd_getfd, -1),
    CALL(kcmp, -1, -1),
    CALL(add_key, NOWHERE),
    CALL(request_key, NOWHERE),
    CALL(keyctl, -1),
    CALL(bpf, -1),
    CALL(perf_event_open, NOWHERE),
    CALL(userfaultfd, -1),
    CALL(io_uring_setup, 0, NOWHERE),
    CALL(io_uring_enter, -1),
    CALL(io_uring_register, -1),
    CALL(io_setup, 0, NOWHERE),
    CALL(fanotify_init, -1),
    CALL(kexec_load, 0, 99),
    CALL(kexec_file_load, -1, -1),
    CALL(init_module, NOWHERE),
    CALL(finit_module, -1),
    CALL(delete_module, NOWHERE),
    CALL(create_module, NOWHERE),
    CALL(query_module, NOWHERE),
    CALL(get_kernel_syms, NOWHERE),
    CALL(clock_settime, -1, NOWHERE),
    CALL(clock_adjtime, -1, NOWHERE),
    CALL(settimeofday, NOWHERE),
    CALL(adjtimex, NOWHERE),
    CALL(sethostname, NOWHERE, -1),
    CALL(setdomainname, NOWHERE, -1),
    CALL(swapon, NOWHERE),
    CALL(swapoff, NOWHERE),
    CALL(reboot, 0),
    CALL(acct, NOWHERE),
    CALL(quotactl, -1, NOWHERE),
    CALL(quotactl_fd, -1),
    CALL(vhangup, 0),
    CALL(syslog, -1),
    CALL(lookup_dcookie, 0, NOWHERE),
    CALL(nfsservctl, -1),
    CALL(uselib, NOWHERE),
    CALL(_sysctl, NOWHERE),
    CALL(name_to_handle_at, -1, NOWHERE),
    CALL(open_by_handle_at, -1, NOWHERE),
    CALL(iopl, 99),
    CALL(ioperm, -1, -1),
    CALL(modify_ldt, -1),
    CASE(clone, "user", CLONE_NEWUSER | SIGCHLD),
    CASE(clone, "mount", CLONE_NEWNS | SIGCHLD),
    CASE(clone, "cgroup", CLONE_NEWCGROUP | SIGCHLD),
    CASE(clone, "uts", CLONE_NEWUTS | SIGCHLD),
    CASE(clone, "ipc", CLONE_NEWIPC | SIGCHLD),
    CASE(clone, "pid", CLONE_NEWPID | SIGCHLD),
    CASE(clone, "net", CLONE_NEWNET | SIGCHLD),
    CASE(clone, "none", SIGCHLD),
    CASE(mknod, "character", NOWHERE, S_IFCHR),
    CASE(mknod, "block", NOWHERE, S_IFBLK),
    CASE(mknod, "fifo", NOWHERE, S_IFIFO),
    CASE(mknodat, "character", -1, NOWHERE, S_IFCHR),
    CASE(mknodat, "block", -1, NOWHERE, S_IFBLK),
    CASE(mknodat, "fifo", -1, NOWHERE, S_IFIFO),
    CASE(personality, "ask", 0xffffffff),
    CASE(personality, "usual", 0),
    CASE(personality, "no-random", 0x40000),
    CASE(personality, "bsd", 6),
    CASE(personality, "top", 0x80000000L | 0x40000),
    CASE(personality, "bottom", 1),
    CASE(personality, "nearly", 0xfffffffe),
    CASE(ioctl, "tiocsti", -1, 0x5412),
    CASE(ioctl, "tiocsti-upper", -1, UPPER | 0x5412),
    CASE(ioctl, "tioclinux", -1, 0x541C),
    CASE(ioctl, "tiocsetd", -1, 0x5423),
    CASE(ioctl, "fionread", -1, 0x541B),
    CASE(ioctl, "getbridge", -1, 0x8940),
    CASE(ioctl, "setbridge", -1, 0x8941),
    CASE(ioctl, "addbridge", -1, UPPER | 0x89a0),
    CASE(ioctl, "delbridge", -1, 0x89a1),
    CASE(ioctl, "getvlan", -1, 0x8982),
    CASE(ioctl, "setvlan", -1, 0x8983),
    CASE(ioctl, "getaddress", -1, 0x8915),
    CASE(fcntl, "lease", -1, F_SETLEASE),
    CASE(fcntl, "lease-upper", -1, UPPER | F_SETLEASE),
    CASE(fcntl, "delegation", -1, 1040),
    CASE(fcntl, "getlease", -1, F_GETLEASE),
    CASE(setsockopt, "ulp", -1, IPPROTO_TCP, 31),
    CASE(setsockopt, "ulp-upper", -1, UPPER | IPPROTO_TCP, UPPER | 31),
    CASE(setsockopt, "filter", -1, SOL_SOCKET, SO_ATTACH_FILTER),
    CASE(setsockopt, "bpf", -1, SOL_SOCKET, SO_ATTACH_BPF),
    CASE(setsockopt, "reuse-cbpf", -1, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF),
    CASE(setsockopt, "reuse-ebpf", -1, SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF),
    CASE(setsockopt, "nodelay", -1, IPPROTO_TCP, 1),
    CASE(setsockopt, "buffer", -1, SOL_SOCKET, SO_SNDBUF),
    CASE(socket, "unix", AF_UNIX, SOCK_STREAM),
    CASE(socket, "inet", AF_INET, SOCK_STREAM),
    CASE(socket, "inet-dgram", AF_INET, SOCK_DGRAM | SOCK_CLOEXEC),
    CASE(socket, "inet6", AF_INET6, SOCK_STREAM),
    CASE(socket, "route", AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0),
    CASE(socket, "netfilter", AF_NETLINK, SOCK_RAW, 12),
    CASE(socket, "raw", AF_INET, SOCK_RAW | SOCK_CLOEXEC, 1),
    CASE(socket, "raw-upper", UPPER | AF_INET, SOCK_RAW, 1),
    CASE(socket, "raw6", AF_INET6, SOCK_RAW, 58),
    CASE(socket, "raw-odd", AF_INET, SOCK_RAW, 255),
    CASE(socket, "raw6-odd", AF_INET6, SOCK_RAW, 255),
    CASE(socket, "packet-old", AF_INET, SOCK_PACKET, 0),
    CASE(socket, "packet", AF_PACKET, SOCK_RAW, 0),
    CASE(socket, "packet-upper", UPPER | AF_PACKET, SOCK_RAW, 0),
    CASE(socket, "x25", AF_X25, SOCK_SEQPACKET, 0),
    CASE(socket, "key", AF_KEY, SOCK_RAW, 2),
    CASE(socket, "alg", AF_ALG, SOCK_SEQPACKET, 0),
    CASE(socket, "vsock", AF_VSOCK, SOCK_STREAM, 0),
    CASE(socket, "xdp", 44, SOCK_RAW, 0),
    CASE(socket, "unspec", AF_UNSPEC, SOCK_STREAM, 0),
    CASE(socket, "tcp", AF_INET, SOCK_STREAM, IPPROTO_TCP),
    CASE(socket, "udp6", AF_INET6, SOCK_DGRAM, IPPROTO_UDP),
    CASE(socket, "mptcp", AF_INET, SOCK_STREAM, 262),
    CASE(socket, "mptcp6-upper", UPPER | AF_INET6, SOCK_STREAM, UPPER | 262),
    CASE(socket, "sctp", AF_INET, SOCK_STREAM, IPPROTO_SCTP),
    CASE(socket, "sctp-packets", AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP),
    CASE(socket, "dccp", AF_INET, SOCK_DCCP, IPPROTO_DCCP),
    CASE(socket, "seqpacket", AF_INET, SOCK_SEQPACKET | SOCK_CLOEXEC, 0),
    CASE(socket, "rdm6", AF_INET6, SOCK_RDM, 0),
    CASE(socket, "type-7", AF_INET, 7, 0),
    CASE(socket, "smc", AF_INET6, SOCK_STREAM, 256),
    CASE(socket, "l2tp", AF_INET, SOCK_DGRAM, 115),
    CASE(socket, "udplite", AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE),
    CASE(socket, "packet-old6", AF_INET6, SOCK_PACKET, 0),
    CASE(socketpair, "unix", AF_UNIX, SOCK_STREAM, 0),
    CASE(socketpair, "tipc", 30, SOCK_SEQPACKET, 0),
    CALL(getppid, 0),
    CALL(memfd_create, NOWHERE),
    CALL(openat2, -1, NOWHERE),
    CALL(setpgid, -1, -1),
    CALL(setuid, -1),
};

/* Which types and protocols come to the kernel: with a flag that it does not
 * know it says EINVAL to each, before it looks for code. */
static void sockets_of(const char *name, int family, int is_type, int most)
{
    const char *between = "";

    printf("%s-%s: ", is_type ? "types" : "protocols", name);
    for (int i = 0; i <= most; i++) {
        errno = 0;
        (void) socket(family, 0x100 | (is_type ? i : SOCK_STREAM),
                      is_type ? 0 : i);
        if (errno == EINVAL) {
            printf("%s%d", between, i);
            between = "_";
        }
    }
    printf("\n");
}

static void all_sockets(void)
{
    sockets_of("inet", AF_INET, 1, 10);
    sockets_of("inet6", AF_INET6, 1, 10);
    sockets_of("inet", AF_INET, 0, 70000);
    sockets_of("inet6", AF_INET6, 0, 70000);
    sockets_of("unix", AF_UNIX, 1, 10);
}

/* x32 and i386: a call that does no harm at all, getpid. */
static void other_modes(void)
{
#if defined(__x86_64__)
    long result = syscall(SYS_getpid | 0x40000000);

    printf("x32: %s\n", result < 0 ? strerrorname_np(errno) : "done");
    result = i386(20, 0, 0, 0, 0);
    printf("i386: %s\n", result < 0 ? strerrorname_np(errno) : "done");
#endif
}

int main(void)
{
    printf("Content-Type: text/plain\n\n");
    fflush(stdout);
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        const call_t *call = &calls[i];
        /* Each in a process of its own, that nothing is left of it. */
        pid_t pid = fork();

        if (pid == 0) {
            errno = 0;
            long result = syscall(call->number, call->arg[0], call->arg[1],
                                  call->arg[2], 0, 0, 0);
            if (call->number == SYS_clone && result == 0) {
                _exit(0);
            }
            printf("%s: %s\n", call->name,
                   result < 0 ? strerrorname_np(errno) : "done");
            fflush(stdout);
            _exit(0);
        }
        waitpid(pid, NULL, 0);
    }
    all_sockets();
    other_modes();
    return 0;
}
