/*
 * Lists the system calls that scripts are refused by default, and why.
 * t/lint/seccomp.t compares this list with the one of the manual
 * (doc/manual/seccomp.md).
 *
 * No CGI program ever needs a call of the list. Each of them reaches more of
 * the kernel than such a program has to, or another process, or something that
 * belongs to the machine. Calls that need a capability are in the list as well:
 * no process in a jail has one, but in some of these calls the kernel checks
 * that late. The error is EPERM, or ENOSYS where programs try the call and do
 * without it if it does not exist.
 *
 * Arguments of 32 bits are compared in 32 bits: the kernel does not look at the
 * upper half of the register, so the test must not look at it either.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 */
#include "seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define WORD UINT32_MAX
/* Tests that the bits of the argument in `mask` are `value`. */
#define BITS(arg, mask, value)                                                 \
    {                                                                          \
        arg, SCMP_CMP_MASKED_EQ, mask, value                                   \
    }
#define IS(arg, value) BITS(arg, WORD, value)
#define ABOVE(arg, value)                                                      \
    {                                                                          \
        arg, SCMP_CMP_GT, value, 0                                             \
    }
#define IS_NOT(arg, value)                                                     \
    {                                                                          \
        arg, SCMP_CMP_NE, value, 0                                             \
    }

#define NAMESPACE(flag)                                                        \
    {                                                                          \
        "clone", EPERM, NULL, NULL, 1, {BITS(0, flag, flag)}, 0                \
    }
/* Flags that are neither all clear nor all set have a bit that is set next to
 * one that is not. */
#define PERSONA(bit, next)                                                     \
    {                                                                          \
        "personality", EPERM, NULL, NULL, 1,                                   \
            {BITS(0, 1u << (bit) | 1u << (next), 1u << (bit))}, 0              \
    }
#define PERSONAS(bit)                                                          \
    PERSONA(bit, (bit) + 1), PERSONA((bit) + 1, (bit) + 2),                    \
        PERSONA((bit) + 2, (bit) + 3), PERSONA((bit) + 3, (bit) + 4),          \
        PERSONA((bit) + 4, (bit) + 5)
#define FAMILY(number)                                                         \
    {                                                                          \
        "socket", EAFNOSUPPORT, NULL, NULL, 1, {IS(0, number)}, 0              \
    }

/* Refuses `count` types or protocols from `first` on. The count is a power of
 * two that divides `first`. What is between two rows of them is not refused. */
#define TYPES(error, family, first, count)                                     \
    {                                                                          \
        "socket", error, NULL, NULL, 2,                                        \
            {IS(0, family), BITS(1, 0xf & ~((count) -1u), first)}, 0           \
    }
#define PROTOCOLS(family, first, count)                                        \
    {                                                                          \
        "socket", EPROTONOSUPPORT, NULL, NULL, 2,                              \
            {IS(0, family), BITS(2, WORD & ~((count) -1u), first)}, 0          \
    }
#define PROTOCOLS_ABOVE(family, last)                                          \
    {                                                                          \
        "socket", EPROTONOSUPPORT, NULL, NULL, 2,                              \
            {IS(0, family), ABOVE(2, last)}, 0                                 \
    }
#define OPTION(level, option)                                                  \
    {                                                                          \
        "setsockopt", ENOPROTOOPT, NULL, NULL, 2,                              \
            {IS(1, level), IS(2, option)}, 0                                   \
    }

#define MOUNTS   "the mounts of a jail are made before it begins"
#define ESCAPE   "another root or namespace brings back what the jail takes away"
#define OTHERS   "reads, changes or compares other processes; debuggers need it"
#define KEYS     "keyrings belong to a user, not to a jail, and hold secrets"
#define DEEP     "a large part of the kernel, with a record of holes"
#define MODULES  "changes the code of the kernel"
#define CLOCKS   "the clock belongs to the machine"
#define MACHINE  "belongs to the machine"
#define HANDLES  "opens files by number and bypasses every directory"
#define HARDWARE "only programs for old hardware need it"
#define BRIDGES  "loads the kernel's code for bridges or VLANs"
#define OBSOLETE "nothing has used it for years"
#define FAMILIES                                                               \
    "protocols that no CGI program speaks load code into the kernel"

const jc_seccomp_row_t jc_seccomp_table[] = {
    {"mount", EPERM, NULL, MOUNTS, 0, {}, 0},
    {"umount2", EPERM, NULL, MOUNTS, 0, {}, 0},
    {"open_tree", EPERM, NULL, MOUNTS, 0, {}, 0},
    {"open_tree_attr", EPERM, NULL, MOUNTS, 0, {}, 467},
    {"move_mount", EPERM, NULL, MOUNTS, 0, {}, 0},
    {"fsopen", EPERM, NULL, MOUNTS, 0, {}, 0},
    {"fsconfig", EPERM, NULL, MOUNTS, 0, {}, 0},
    {"fsmount", EPERM, NULL, MOUNTS, 0, {}, 0},
    {"fspick", EPERM, NULL, MOUNTS, 0, {}, 0},
    {"mount_setattr", EPERM, NULL, MOUNTS, 0, {}, 0},
    {"pivot_root", EPERM, NULL, ESCAPE, 0, {}, 0},
    {"chroot", EPERM, NULL, ESCAPE, 0, {}, 0},
    {"setns", EPERM, NULL, ESCAPE, 0, {}, 0},
    {"unshare", EPERM, NULL, ESCAPE, 0, {}, 0},
    {"clone",
     EPERM,
     "it asks for a new namespace (CLONE_NEW...)",
     ESCAPE,
     1,
     {BITS(0, CLONE_NEWUSER, CLONE_NEWUSER)},
     0},
    NAMESPACE(CLONE_NEWNS),
    NAMESPACE(CLONE_NEWCGROUP),
    NAMESPACE(CLONE_NEWUTS),
    NAMESPACE(CLONE_NEWIPC),
    NAMESPACE(CLONE_NEWPID),
    NAMESPACE(CLONE_NEWNET),
    {"clone3",
     ENOSYS,
     NULL,
     "a filter cannot see its flags; programs fall back to clone",
     0,
     {},
     0},

    {"ptrace", EPERM, NULL, OTHERS, 0, {}, 0},
    {"process_vm_readv", EPERM, NULL, OTHERS, 0, {}, 0},
    {"process_vm_writev", EPERM, NULL, OTHERS, 0, {}, 0},
    {"process_madvise", EPERM, NULL, OTHERS, 0, {}, 0},
    {"pidfd_getfd", EPERM, NULL, OTHERS, 0, {}, 0},
    {"kcmp", EPERM, NULL, OTHERS, 0, {}, 0},
    {"add_key", EPERM, NULL, KEYS, 0, {}, 0},
    {"request_key", EPERM, NULL, KEYS, 0, {}, 0},
    {"keyctl", EPERM, NULL, KEYS, 0, {}, 0},

    {"bpf", EPERM, NULL, DEEP, 0, {}, 0},
    {"perf_event_open", EPERM, NULL, DEEP, 0, {}, 0},
    {"userfaultfd",
     EPERM,
     NULL,
     "stops the kernel in the middle of a copy, which exploits need",
     0,
     {},
     0},
    {"io_uring_setup", ENOSYS, NULL, DEEP, 0, {}, 0},
    {"io_uring_enter", ENOSYS, NULL, DEEP, 0, {}, 0},
    {"io_uring_register", ENOSYS, NULL, DEEP, 0, {}, 0},
    {"io_setup",
     ENOSYS,
     NULL,
     "the machine has one number of events for all (fs.aio-max-nr), and one "
     "script can take them; programs do without",
     0,
     {},
     0},
    {"fanotify_init",
     EPERM,
     NULL,
     "watches whole file systems, which may be shared with other jails",
     0,
     {},
     0},

    {"kexec_load", EPERM, NULL, MODULES, 0, {}, 0},
    {"kexec_file_load", EPERM, NULL, MODULES, 0, {}, 0},
    {"init_module", EPERM, NULL, MODULES, 0, {}, 0},
    {"finit_module", EPERM, NULL, MODULES, 0, {}, 0},
    {"delete_module", EPERM, NULL, MODULES, 0, {}, 0},
    {"create_module", ENOSYS, NULL, OBSOLETE, 0, {}, 0},
    {"query_module", ENOSYS, NULL, OBSOLETE, 0, {}, 0},
    {"get_kernel_syms", ENOSYS, NULL, OBSOLETE, 0, {}, 0},
    {"clock_settime", EPERM, NULL, CLOCKS, 0, {}, 0},
    {"clock_adjtime", EPERM, NULL, CLOCKS, 0, {}, 0},
    {"settimeofday", EPERM, NULL, CLOCKS, 0, {}, 0},
    {"adjtimex", EPERM, NULL, CLOCKS, 0, {}, 0},
    {"sethostname", EPERM, NULL, MACHINE, 0, {}, 0},
    {"setdomainname", EPERM, NULL, MACHINE, 0, {}, 0},
    {"swapon", EPERM, NULL, MACHINE, 0, {}, 0},
    {"swapoff", EPERM, NULL, MACHINE, 0, {}, 0},
    {"reboot", EPERM, NULL, MACHINE, 0, {}, 0},
    {"acct", EPERM, NULL, MACHINE, 0, {}, 0},
    {"quotactl", EPERM, NULL, MACHINE, 0, {}, 0},
    {"quotactl_fd", EPERM, NULL, MACHINE, 0, {}, 0},
    {"vhangup", EPERM, NULL, MACHINE, 0, {}, 0},
    {"syslog",
     EPERM,
     NULL,
     "the log of the kernel shows addresses and names",
     0,
     {},
     0},
    {"lookup_dcookie", EPERM, NULL, OBSOLETE, 0, {}, 0},
    {"nfsservctl", ENOSYS, NULL, OBSOLETE, 0, {}, 0},
    {"uselib", ENOSYS, NULL, OBSOLETE, 0, {}, 0},
    {"_sysctl", ENOSYS, NULL, OBSOLETE, 0, {}, 0},
    {"name_to_handle_at", EPERM, NULL, HANDLES, 0, {}, 0},
    {"open_by_handle_at", EPERM, NULL, HANDLES, 0, {}, 0},
    {"mknod",
     EPERM,
     "it is for a device",
     "devices belong to the machine",
     1,
     {BITS(1, S_IFMT, S_IFCHR)},
     0},
    {"mknod", EPERM, NULL, NULL, 1, {BITS(1, S_IFMT, S_IFBLK)}, 0},
    {"mknodat",
     EPERM,
     "it is for a device",
     "devices belong to the machine",
     1,
     {BITS(2, S_IFMT, S_IFCHR)},
     0},
    {"mknodat", EPERM, NULL, NULL, 1, {BITS(2, S_IFMT, S_IFBLK)}, 0},
    {"iopl", EPERM, NULL, HARDWARE, 0, {}, 0},
    {"ioperm", EPERM, NULL, HARDWARE, 0, {}, 0},
    {"modify_ldt", EPERM, NULL, HARDWARE, 0, {}, 0},
    {"vm86", EPERM, NULL, HARDWARE, 0, {}, 0},
    {"vm86old", EPERM, NULL, HARDWARE, 0, {}, 0},

    {"personality",
     EPERM,
     "it asks for a personality other than the usual one",
     "turns address randomisation and other defences off",
     1,
     {BITS(0, 1u << 31 | 1u, 1u << 31)},
     0},
    PERSONAS(0),
    PERSONAS(5),
    PERSONAS(10),
    PERSONAS(15),
    PERSONAS(20),
    PERSONAS(25),
    PERSONA(30, 31),

    {"ioctl",
     EPERM,
     "it is TIOCSTI, TIOCLINUX or TIOCSETD",
     "types into the terminal of another user, or loads a line discipline",
     1,
     {IS(1, 0x5412 /* TIOCSTI */)},
     0},
    {"ioctl", EPERM, NULL, NULL, 1, {IS(1, 0x541C /* TIOCLINUX */)}, 0},
    {"ioctl", EPERM, NULL, NULL, 1, {IS(1, 0x5423 /* TIOCSETD */)}, 0},
    {"ioctl",
     EPERM,
     "it is SIOCGIFBR, SIOCSIFBR, SIOCBRADDBR, SIOCBRDELBR, SIOCGIFVLAN or "
     "SIOCSIFVLAN",
     BRIDGES,
     1,
     {BITS(1, WORD & ~1u, 0x8940 /* SIOCGIFBR, SIOCSIFBR */)},
     0},
    {"ioctl", EPERM, NULL, NULL, 1, {BITS(1, WORD & ~1u, 0x89a0)}, 0},
    {"ioctl", EPERM, NULL, NULL, 1, {BITS(1, WORD & ~1u, 0x8982)}, 0},

    {"fcntl",
     EPERM,
     "it is F_SETLEASE or F_SETDELEG",
     "makes every other process that opens the file wait, Apache too, for up "
     "to 45 seconds",
     1,
     {IS(1, F_SETLEASE)},
     0},
    {"fcntl", EPERM, NULL, NULL, 1, {IS(1, 1040 /* F_SETDELEG */)}, 0},

    {"socket",
     EAFNOSUPPORT,
     "its family is none of AF_UNIX, AF_INET, AF_INET6, AF_NETLINK",
     FAMILIES,
     1,
     {ABOVE(0, AF_NETLINK)},
     0},
    FAMILY(AF_UNSPEC),
    FAMILY(AF_AX25),
    FAMILY(AF_IPX),
    FAMILY(AF_APPLETALK),
    FAMILY(AF_NETROM),
    FAMILY(AF_BRIDGE),
    FAMILY(AF_ATMPVC),
    FAMILY(AF_X25),
    FAMILY(AF_ROSE),
    FAMILY(AF_DECnet),
    FAMILY(AF_NETBEUI),
    FAMILY(AF_SECURITY),
    FAMILY(AF_KEY),
    {"socket",
     EPROTONOSUPPORT,
     "it is of AF_NETLINK, but not NETLINK_ROUTE",
     "the C library asks NETLINK_ROUTE for addresses; the rest is for "
     "administrators",
     2,
     {IS(0, AF_NETLINK), IS_NOT(2, 0)},
     0},
    {"socket",
     EPERM,
     "it is SOCK_RAW or SOCK_PACKET of AF_INET or AF_INET6",
     "forges and reads the packets of others",
     2,
     {IS(0, AF_INET), BITS(1, 0xf, SOCK_RAW)},
     0},
    TYPES(EPERM, AF_INET, SOCK_PACKET, 1),
    TYPES(EPERM, AF_INET6, SOCK_RAW, 1),
    TYPES(EPERM, AF_INET6, SOCK_PACKET, 1),
    {"socket",
     ESOCKTNOSUPPORT,
     "it is of AF_INET or AF_INET6, but neither SOCK_STREAM nor SOCK_DGRAM",
     FAMILIES,
     2,
     {IS(0, AF_INET), BITS(1, 0xf, 0)},
     0},
    /* The kernel does not know types from 11 on. */
    TYPES(ESOCKTNOSUPPORT, AF_INET, 4, 2),
    TYPES(ESOCKTNOSUPPORT, AF_INET, 6, 2),
    TYPES(ESOCKTNOSUPPORT, AF_INET, 8, 2),
    TYPES(ESOCKTNOSUPPORT, AF_INET6, 0, 1),
    TYPES(ESOCKTNOSUPPORT, AF_INET6, 4, 2),
    TYPES(ESOCKTNOSUPPORT, AF_INET6, 6, 2),
    TYPES(ESOCKTNOSUPPORT, AF_INET6, 8, 2),
    {"socket",
     EPROTONOSUPPORT,
     "it is of AF_INET or AF_INET6, and its protocol is neither 0 nor TCP, "
     "UDP, ICMP or ICMPv6",
     FAMILIES,
     2,
     {IS(0, AF_INET), BITS(2, WORD & ~1u, 2)},
     0},
    /* 0, ICMP (1), */ PROTOCOLS(AF_INET, 4, 2),
    /* TCP (6), */ PROTOCOLS(AF_INET, 7, 1),
    PROTOCOLS(AF_INET, 8, 8),
    PROTOCOLS(AF_INET, 16, 1),
    /* UDP (17), */ PROTOCOLS(AF_INET, 18, 2),
    PROTOCOLS(AF_INET, 20, 4),
    PROTOCOLS(AF_INET, 24, 8),
    PROTOCOLS_ABOVE(AF_INET, 31),
    /* 0, */ PROTOCOLS(AF_INET6, 1, 1),
    PROTOCOLS(AF_INET6, 2, 2),
    PROTOCOLS(AF_INET6, 4, 2),
    /* TCP (6), */ PROTOCOLS(AF_INET6, 7, 1),
    PROTOCOLS(AF_INET6, 8, 8),
    PROTOCOLS(AF_INET6, 16, 1),
    /* UDP (17), */ PROTOCOLS(AF_INET6, 18, 2),
    PROTOCOLS(AF_INET6, 20, 4),
    PROTOCOLS(AF_INET6, 24, 8),
    PROTOCOLS(AF_INET6, 32, 16),
    PROTOCOLS(AF_INET6, 48, 8),
    PROTOCOLS(AF_INET6, 56, 2),
    /* ICMPv6 (58), */ PROTOCOLS(AF_INET6, 59, 1),
    PROTOCOLS(AF_INET6, 60, 4),
    PROTOCOLS_ABOVE(AF_INET6, 63),
    {"setsockopt",
     ENOENT,
     "it is TCP_ULP",
     "hands a connection to other code in the kernel (TLS, ESP, SMC), with a "
     "record of holes",
     2,
     {IS(1, IPPROTO_TCP), IS(2, 31 /* TCP_ULP */)},
     0},
    {"setsockopt",
     ENOPROTOOPT,
     "it is SO_ATTACH_FILTER, SO_ATTACH_BPF or one of that kind",
     "loads programs into the kernel, which has one store of them for all "
     "(net.core.bpf_jit_limit)",
     2,
     {IS(1, SOL_SOCKET), IS(2, SO_ATTACH_FILTER)},
     0},
    OPTION(SOL_SOCKET, SO_ATTACH_BPF),
    OPTION(SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF),
    OPTION(SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF),
    {"socketpair",
     EAFNOSUPPORT,
     "its family is not AF_UNIX",
     FAMILIES,
     1,
     {IS_NOT(0, AF_UNIX)},
     0},
};
const unsigned jc_seccomp_rows =
    sizeof(jc_seccomp_table) / sizeof(jc_seccomp_table[0]);
