/*
 * Restricts the jail with Landlock (landlock(7)), in two layers.
 *
 * The keeper restricts itself once, and all scripts inherit this first layer.
 * It allows only files below the jail's root, however a process obtained the
 * directory from which it names them. An open / that a process outside passes
 * in over a socket therefore leads nowhere. It also refuses to bind any TCP
 * port except those of JailListen. A file that is already open stays usable:
 * the kernel asks Landlock when a file is opened, made, moved or executed, but
 * not at read or stat.
 *
 * Each script's child then enters a second layer of its own, which keeps the
 * requests of the jail apart.
 *
 * Runs in:   keeper
 * Privilege: the tenant; with CAP_SYS_ADMIN in jc_landlock_enter(), which
 *            otherwise would need no_new_privs
 * Trusts:    the policy record
 * Never:     continues with less than the kernel has
 */
#include "build.h"
#include "trees.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Parts of the kernel's interface, because the headers may be too old. */
#define ASK_VERSION 1u
#define BENEATH     1
#define PORT        2

/* Versions of Landlock. Linux 5.13 has the first, which refuses to move any
 * file from one directory to another. */
#define FILES_SINCE  2 /* 5.19 */
#define PORTS_SINCE  4 /* 6.7 */
#define SCOPES_SINCE 6 /* 6.12 */

#define WRITE_FILE UINT64_C(0x2)
#define READ_FILE  UINT64_C(0x4)
#define READ_DIR   UINT64_C(0x8)
#define REFER      UINT64_C(0x2000)
#define ALL_OF_2   UINT64_C(0x3fff) /* and later ones, by version: */
#define TRUNCATE   UINT64_C(0x4000) /* 3 */
#define IOCTL_DEV  UINT64_C(0x8000) /* 5 */
#define BIND_TCP   UINT64_C(0x1)
#define SCOPES     UINT64_C(0x3) /* abstract sockets, signals */

typedef struct {
    uint64_t files; /* refused unless a rule allows it */
    uint64_t net;
    uint64_t scoped;
} ruleset_t;

static long version_of_kernel(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_VERSION);
}

static int make(const ruleset_t *ruleset)
{
    return (int) syscall(SYS_landlock_create_ruleset, ruleset, sizeof(*ruleset),
                         0);
}

static int allow_file(int ruleset_fd, int fd, uint64_t rights)
{
    const struct {
        uint64_t rights;
        int32_t fd;
    } __attribute__((packed)) rule = {rights, fd};

    return (int) syscall(SYS_landlock_add_rule, ruleset_fd, BENEATH, &rule, 0);
}

static int allow_port(int ruleset_fd, uint64_t port)
{
    const struct {
        uint64_t rights;
        uint64_t port;
    } rule = {BIND_TCP, port};

    return (int) syscall(SYS_landlock_add_rule, ruleset_fd, PORT, &rule, 0);
}

/* Returns all rights that this kernel can refuse, or none if the jail has no
 * root of its own, because all files are below the root then. */
static uint64_t file_rights(const jc_jail_t *jail, long version)
{
    uint32_t flags = jail->policy.rec->flags;

    if (version < FILES_SINCE ||
        !(flags & (JC_POLICY_CHROOT | JC_POLICY_HOST))) {
        return 0;
    }
    return ALL_OF_2 | (version >= 3 ? TRUNCATE : 0) |
           (version >= 5 ? IOCTL_DEV : 0);
}

static int allow_root(int ruleset_fd, uint64_t rights)
{
    int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int result = root_fd < 0 ? -1 : allow_file(ruleset_fd, root_fd, rights);

    if (root_fd >= 0) {
        close(root_fd);
    }
    return result;
}

/* POSIX message queues are files of a file system that is mounted nowhere
 * (mq_overview(7)). If the kernel or httpd's unit does not give that file
 * system, there are no queues to allow. */
static int allow_queues(int ruleset_fd)
{
    static const char *const options[3][2];
    int fd = jc_tree_new("mqueue", options, 0);

    if (fd < 0) {
        return 0;
    }
    int result = allow_file(ruleset_fd, fd, READ_FILE | WRITE_FILE);
    close(fd);
    return result;
}

/* Allows files below the root, and those that the keeper and its scripts have
 * open and reopen by descriptor. */
static int allow_files(const jc_jail_t *jail, int ruleset_fd, uint64_t rights)
{
    if (allow_root(ruleset_fd, rights) ||
        /* /dev/null, also by the name /dev/stdin */
        allow_file(ruleset_fd, STDIN_FILENO,
                   rights & (READ_FILE | WRITE_FILE | TRUNCATE | IOCTL_DEV)) ||
        (jc_jail_has(jail, JC_NS_PID) &&
         allow_file(ruleset_fd, JC_KEEPER_PROC_FD, READ_FILE | READ_DIR))) {
        return -1;
    }
    return allow_queues(ruleset_fd);
}

static int allow_ports(const jc_jail_t *jail, int ruleset_fd)
{
    const jc_policy_view_t *policy = &jail->policy;

    for (uint32_t i = 0; i < policy->rec->port_count; i++) {
        if (allow_port(ruleset_fd, policy->ports[i])) {
            return -1;
        }
    }
    return 0;
}

int jc_landlock_enter(jc_jail_t *jail, jc_failure_t *failure)
{
    long version = version_of_kernel();
    ruleset_t ruleset = {.files = file_rights(jail, version)};

    if (version >= PORTS_SINCE &&
        !(jail->policy.rec->flags & JC_POLICY_LISTEN)) {
        ruleset.net = BIND_TCP;
    }
    if (!ruleset.files && !ruleset.net) {
        return 0;
    }
    int fd = make(&ruleset);
    if (fd < 0) {
        return -1;
    }
    int failed = (ruleset.files && allow_files(jail, fd, ruleset.files)) ||
                 (ruleset.net && allow_ports(jail, fd)) ||
                 syscall(SYS_landlock_restrict_self, fd, 0) != 0;
    close(fd);
    return failed ? -1 : 0;
}

/* Makes the ruleset with which each script's child makes a domain of its own.
 * The script and its descendants then reach nobody outside by signals, ptrace
 * or abstract sockets. The keeper is in no domain and reaches all. */
int jc_landlock_scope(jc_jail_t *jail, jc_failure_t *failure)
{
    long version = version_of_kernel();
    ruleset_t ruleset = {.scoped = SCOPES};

    if (!(jail->policy.rec->flags & JC_POLICY_SCOPE) ||
        version < SCOPES_SINCE) {
        return 0;
    }
    /* As soon as any layer restricts files, each layer without a rule for it
     * refuses to move a file into another directory. This layer therefore needs
     * one. */
    ruleset.files = file_rights(jail, version) ? REFER : 0;
    int fd = make(&ruleset);
    if (fd < 0 || (ruleset.files && allow_root(fd, REFER))) {
        return -1; /* the keeper exits, which closes fd */
    }
    jail->has_scope = 1;
    return jc_jail_place(fd, JC_KEEPER_SCOPE_FD);
}
