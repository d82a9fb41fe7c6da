/*
 * Tests whether this machine, container or unit of httpd gives what the
 * policies need. A hardened unit takes things away, and configtest cannot
 * notice, because it runs outside of the unit. The helper therefore tries each
 * thing in a process that does nothing else, and logs one line: which directive
 * will not work, and the remedy. It refuses nothing; the jail does, step by
 * step.
 *
 * Some attempts look at file systems, and one whose server does not answer
 * holds up every process that looks. All attempts are therefore made in a
 * process that may be lost. That process makes each attempt in a child of its
 * own, for which it waits a limited time. Only the cgroup is tried by the
 * helper itself, because its file system is the kernel's own.
 *
 * Runs in:   helper, when it takes a table; children of it
 * Privilege: root, least capabilities
 * Trusts:    the policies
 * Never:     lets a failure, or a server that does not answer, keep the helper
 *            from its work
 */
#include "helper.h"
#include "jails.h"
#include "src/keeper/build/trees.h"
#include "src/keeper/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Further needs, in bits above JC_NS_*. */
#define NEED_CHROOT 0x100u
#define NEED_FILTER 0x200u
#define NEED_PRIVS  0x400u
#define NEED_SCOPE  0x800u
#define NEED_ALL    0x1000u /* needs of every jail */

#define PATIENCE_MS  5000 /* for one attempt */
#define LIFE_SECONDS 120  /* for all attempts */

#define CGROUPS 16 /* cgroups that are made as a test */

#define LANDLOCK_VERSION 1u /* LANDLOCK_CREATE_RULESET_VERSION */
#define LANDLOCK_FILES   2  /* the first versions that have these */
#define LANDLOCK_PORTS   4
#define LANDLOCK_SCOPES  6

/* The remedies, which are the second half of the sentence, where a unit is the
 * usual reason. */
#define NAMESPACE(name)                                                        \
    "RestrictNamespaces= of Apache's service must allow " name
#define CALLS(names)                                                           \
    "SystemCallFilter= of Apache's service must allow " names                  \
    ", and so must a container"
#define LANDLOCK(since)                                                        \
    "Linux " since " or later with Landlock, and landlock_create_ruleset, "    \
    "landlock_add_rule and landlock_restrict_self in SystemCallFilter=; the "  \
    "rest of the jail holds"
#define READ_ONLY(dir)                                                         \
    "if scripts must write there, remove ProtectHome= or "                     \
    "ProtectSystem=strict from Apache's service, or add ReadWritePaths=" dir

static const char *const no_options[3][2];

static int try_mounts(void)
{
    int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int tree_fd = mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)
                      ? -1
                      : jc_tree_clone(root_fd);

    return tree_fd < 0 ||
                   jc_tree_set(tree_fd, MOUNT_ATTR_NOSUID, AT_RECURSIVE) ||
                   jc_tree_new("tmpfs", no_options, 0) < 0 ||
                   move_mount(tree_fd, "", root_fd, "",
                              MOVE_MOUNT_F_EMPTY_PATH |
                                  MOVE_MOUNT_T_EMPTY_PATH) ||
                   fchdir(tree_fd) || syscall(SYS_pivot_root, ".", ".") ||
                   umount2(".", MNT_DETACH)
               ? -1
               : 0;
}

static int try_proc(void)
{
    return jc_tree_new("proc", no_options, 0) < 0 ? -1 : 0;
}

static int try_chroot(void)
{
    return chroot("/");
}

static int try_filter(void)
{
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {.len = 1, .filter = &allow};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
               ? -1
               : (int) syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0,
                               &program);
}

static int try_places(void)
{
    int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

    return jc_place_open(root_fd, "/", O_DIRECTORY) < 0 ? -1 : 0;
}

/* The SystemCallFilter= of an older unit may refuse landlock_add_rule. */
static int has_landlock(long least)
{
    long version =
        syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION);

    if (version >= 0 && version < least) {
        errno = ENOTSUP;
        return -1;
    }
    return version < 0 || (syscall(SYS_landlock_add_rule, -1, 0, NULL, 0) &&
                           errno != EBADF)
               ? -1
               : 0;
}

static int try_scopes(void)
{
    return has_landlock(LANDLOCK_SCOPES);
}

static int try_ports(void)
{
    return has_landlock(LANDLOCK_PORTS);
}

static int try_files(void)
{
    return has_landlock(LANDLOCK_FILES);
}

static int try_privs(void)
{
    errno = EPERM;
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0 ? 0 : -1;
}

static int try_code(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return page == MAP_FAILED ? -1 : 0;
}

static int try_home(void)
{
    return jc_writes_at("/home");
}

static int try_srv(void)
{
    return jc_writes_at("/srv");
}

typedef struct {
    uint32_t need;
    unsigned long clone_flags;
    int (*try)(void); /* in a child; NULL: clone alone is the test */
    const char *what;
    const char *remedy;
} row_t;

static const row_t rows[] = {
    {JC_NS_MOUNT, CLONE_NEWNS, NULL,
     "JailNamespaces mount (the default), JailMount and JailRoot host",
     NAMESPACE("mnt")},
    {JC_NS_PID, CLONE_NEWPID, NULL, "JailNamespaces pid (the default)",
     NAMESPACE("pid")},
    {JC_NS_IPC, CLONE_NEWIPC, NULL, "JailNamespaces ipc (the default)",
     NAMESPACE("ipc")},
    {JC_NS_UTS, CLONE_NEWUTS, NULL, "JailNamespaces uts (the default)",
     NAMESPACE("uts")},
    {JC_NS_NET, CLONE_NEWNET, NULL, "JailNamespaces net", NAMESPACE("net")},
    {JC_NS_CGROUP, CLONE_NEWCGROUP, NULL, "JailNamespaces cgroup",
     NAMESPACE("cgroup")},
    {JC_NS_MOUNT, CLONE_NEWNS, try_mounts,
     "JailRoot with JailNamespaces mount (the default), and JailMount",
     CALLS("@mount")},
    {JC_NS_PID, CLONE_NEWPID, try_proc,
     "JailNamespaces pid (the default), which needs a procfs of its own",
     CALLS("@mount")},
    {NEED_CHROOT, 0, try_chroot, "JailRoot", CALLS("chroot")},
    {NEED_FILTER, 0, try_filter,
     "any script (JailSeccomp, and each keeper's own filter)",
     CALLS("seccomp") ", and the kernel needs CONFIG_SECCOMP_FILTER"},
    {NEED_PRIVS, 0, try_privs, "JailNoNewPrivs Off",
     "set NoNewPrivileges=no in Apache's service"},
    {NEED_ALL, 0, try_places, "any script",
     "set RestrictSUIDSGID=no in Apache's service (yes refuses openat2)"},
    {NEED_SCOPE, 0, try_scopes, "JailScope (the default)", LANDLOCK("6.12")},
    {NEED_ALL, 0, try_ports,
     "JailListen Off (the default), which keeps scripts from listening,",
     LANDLOCK("6.7")},
    {NEED_ALL, 0, try_files,
     "what keeps processes outside from passing directories into a jail",
     LANDLOCK("5.19")},
    {NEED_ALL, 0, try_code,
     "any script that compiles code while it runs (node, java)",
     "set MemoryDenyWriteExecute=no in Apache's service"},
    {NEED_ALL, 0, try_home, "writing below /home", READ_ONLY("/home")},
    {NEED_ALL, 0, try_srv, "writing below /srv", READ_ONLY("/srv")},
};

/* Returns 0, the errno of what failed, ENOSYS where a seccomp filter has killed
 * the child, or ETIME where it has not ended in time. */
static int attempt(unsigned long clone_flags, int (*try)(void))
{
    int status = 0;
    pid_t pid = (pid_t) syscall(SYS_clone, clone_flags | SIGCHLD, NULL, NULL,
                                NULL, NULL);

    if (pid == 0) {
        prctl(PR_SET_DUMPABLE, 0); /* no core file of an expected death */
        _exit(try && try() ? errno : 0);
    }
    if (pid < 0) {
        return errno;
    }
    int pidfd = (int) syscall(SYS_pidfd_open, pid, 0);
    struct pollfd end = {.fd = pidfd, .events = POLLIN};
    int has_ended = pidfd < 0 || poll(&end, 1, PATIENCE_MS) != 0;
    if (pidfd >= 0) {
        close(pidfd);
    }
    if (!has_ended) {
        kill(pid, SIGKILL); /* do not wait: it may not be able to die */
        return ETIME;
    }
    if (waitpid(pid, &status, 0) != pid) {
        return errno;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : ENOSYS;
}

int jc_selftest_attempt(int (*try)(void))
{
    return attempt(0, try);
}

static const struct {
    cap_value_t cap;
    const char *name;
    const char *what;
} capabilities[] = {
    {CAP_SYS_ADMIN, "CAP_SYS_ADMIN", "JailNamespaces and JailMount"},
    {CAP_SYS_CHROOT, "CAP_SYS_CHROOT", "JailRoot"},
    {CAP_SETUID, "CAP_SETUID", "JailUser"},
    {CAP_SETGID, "CAP_SETGID", "JailUser"},
    {CAP_SETPCAP, "CAP_SETPCAP", "any jail"},
    {CAP_KILL, "CAP_KILL", "ending the jails when httpd is killed"},
    {CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", "JailRoot in a private home"},
    {CAP_SYS_RESOURCE, "CAP_SYS_RESOURCE", "JailLimit above what httpd has"},
    {CAP_SYS_NICE, "CAP_SYS_NICE", "JailLimit nice below 0"},
};

/* Returns whether the helper has CAP_SYS_ADMIN. Without it most other attempts
 * fail for this one reason. */
static int test_capabilities(uint64_t wanted)
{
    cap_t have = cap_get_proc();
    cap_flag_value_t value = CAP_CLEAR;

    for (size_t i = 0; have && i < sizeof(capabilities) / sizeof(*capabilities);
         i++) {
        cap_get_flag(have, capabilities[i].cap, CAP_EFFECTIVE, &value);
        if (value == CAP_CLEAR &&
            (wanted & (UINT64_C(1) << capabilities[i].cap))) {
            jc_log("%s will not work here: %s is missing; remedy: "
                   "CapabilityBoundingSet= of Apache's service must list it, "
                   "and a container must allow it",
                   capabilities[i].what, capabilities[i].name);
        }
    }
    value = CAP_CLEAR;
    cap_get_flag(have, CAP_SYS_ADMIN, CAP_EFFECTIVE, &value);
    cap_free(have);
    return value == CAP_SET;
}

static uint32_t needs_of(const jc_generation_t *generation)
{
    uint32_t needs = generation->policy_count ? NEED_ALL : 0;

    for (uint32_t i = 0; i < generation->policy_count; i++) {
        const jc_policy_t *policy = generation->policies[i];
        const jc_policy_rec_t *rec = &policy->rec;

        /* Every keeper has a filter of its own. */
        needs |= rec->namespaces | NEED_FILTER;
        needs |= rec->flags & JC_POLICY_SCOPE ? NEED_SCOPE : 0;
        needs |= rec->flags & JC_POLICY_PRIVS ? NEED_PRIVS : 0;
        if ((rec->flags & JC_POLICY_CHROOT) &&
            !(rec->namespaces & JC_NS_MOUNT)) {
            needs |= NEED_CHROOT;
        }
    }
    return needs;
}

/* Tests the first few policies that set limits: a controller that one lacks is
 * missing for all. */
static void test_cgroups(const jc_generation_t *generation)
{
    static int tested;

    for (uint32_t i = 0; i < generation->policy_count && tested < CGROUPS;
         i++) {
        const jc_policy_t *policy = generation->policies[i];
        jc_failure_t failure = {.code = JC_CODE_NONE};
        unsigned number;

        if (!policy->rec.cgroup_count) {
            continue;
        }
        tested++;
        int fd = jc_cgroup_tree_make(policy, &number, &failure);
        if (fd < 0) {
            tested = CGROUPS;
            jc_log(
                "JailCgroup will not work here: %s%s%s; remedy: set "
                "Delegate=yes and no ProtectControlGroups= in Apache's service "
                "(see conf/apache2-jailcgi.conf), on a machine with cgroup v2",
                failure.text, *failure.text ? ": " : "",
                strerror(failure.errnum));
        } else {
            close(fd);
            jc_cgroup_tree_remove(number);
        }
    }
}

static void say(const row_t *row, int errnum)
{
    if (errnum == ETIME) {
        jc_log("whether %s will work here could not be tested within %d s: "
               "what it needs does not answer (is a file server down?)",
               row->what, PATIENCE_MS / 1000);
    } else {
        jc_log("%s will not work here: %s; remedy: %s", row->what,
               strerror(errnum), row->remedy);
    }
}

static void try_all(uint32_t needs) __attribute__((noreturn));
static void try_all(uint32_t needs)
{
    if (prctl(PR_SET_NAME, "jailcgi-tester") ||
        prctl(PR_SET_PDEATHSIG, SIGKILL) ||
        close_range(STDERR_FILENO + 1, ~0U, 0)) {
        _exit(1);
    }
    alarm(LIFE_SECONDS);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int errnum = rows[i].need & needs
                         ? attempt(rows[i].clone_flags, rows[i].try)
                         : 0;
        if (errnum) {
            say(&rows[i], errnum);
            /* Log one line only: what builds on this cannot work either. */
            needs &= ~(rows[i].need & ~NEED_ALL);
        }
    }
    _exit(0);
}

void jc_selftest(const jc_generation_t *generation, uint64_t caps)
{
    static uint32_t tried; /* reported once in the helper's life */
    uint32_t needs = needs_of(generation) & ~tried;

    if (!tried && needs && !test_capabilities(caps)) {
        tried |= JC_NS_ALL | NEED_CHROOT;
        needs &= ~tried;
    }
    tried |= needs;
    test_cgroups(generation);
    pid_t pid =
        needs ? (pid_t) syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL) : 1;
    if (pid == 0) {
        try_all(needs);
    }
    if (pid < 0) {
        jc_log("could not test what this machine supports: %s",
               strerror(errno));
    }
}
