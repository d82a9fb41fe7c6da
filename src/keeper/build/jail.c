/*
 * The jail, as one ordered list of steps. Read this file first.
 *
 * The helper forks a keeper as root. The keeper applies these steps once, in
 * this order, and is the tenant from then on. It forks every script, and each
 * script inherits the jail. A step that fails is never only a warning: the
 * keeper reports the failure to each request that waits for it, and exits.
 *
 * Runs in:   keeper
 * Privilege: root at the first row, none after the last
 * Trusts:    the policy record
 * Never:     continues after a step that failed
 */
#include "build.h"
#include "trees.h"
#include "src/keeper/serve/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/securebits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static int step_session(jc_jail_t *jail, jc_failure_t *failure)
{
    return setsid() < 0 ? -1 : 0;
}

int jc_jail_place(int fd, int number)
{
    if (fd == number) {
        return fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    int result = dup3(fd, number, O_CLOEXEC);
    close(fd);
    return result < 0 ? -1 : 0;
}

static int step_descriptors(jc_jail_t *jail, jc_failure_t *failure)
{
    jc_keeper_start_t *start = &jail->start;

    /* Move both above the low numbers first, because either may occupy the
     * place of the other. */
    int sock_fd = fcntl(start->sock_fd, F_DUPFD_CLOEXEC, 64);
    int parent_fd = fcntl(start->parent_pidfd, F_DUPFD_CLOEXEC, 64);
    int stale_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    /* Each jail opens its own /dev/null, because scripts get it: an open file
     * that tenants share would carry its flags and locks from one to the
     * other. */
    int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (sock_fd < 0 || parent_fd < 0 || stale_fd < 0 || null_fd < 0 ||
        dup2(null_fd, STDIN_FILENO) < 0 ||
        /* 1 is /dev/null already; 2 is still httpd's main error log */
        dup2(STDOUT_FILENO, STDERR_FILENO) < 0 ||
        /* Stays there until the step "processes". It moves first, because it
         * may occupy the place of the others. */
        (start->cgroup_fd >= 0 &&
         jc_jail_place(start->cgroup_fd, JC_KEEPER_CHILDREN_FD)) ||
        jc_jail_place(stale_fd, JC_KEEPER_STALE_FD) ||
        jc_jail_place(sock_fd, JC_KEEPER_HELPER_FD) ||
        jc_jail_place(parent_fd, JC_KEEPER_PARENT_FD)) {
        return -1;
    }
    start->sock_fd = JC_KEEPER_HELPER_FD;
    start->parent_pidfd = JC_KEEPER_PARENT_FD;
    return close_range(start->cgroup_fd < 0 ? JC_KEEPER_PARENT_FD + 1
                                            : JC_KEEPER_CHILDREN_FD + 1,
                       ~0U, 0);
}

static int step_processes(jc_jail_t *jail, jc_failure_t *failure)
{
    int children_fd, proc_fd;

    if (prctl(PR_SET_CHILD_SUBREAPER, 1)) {
        return -1;
    }
    children_fd = jc_procfs_open(jc_jail_has(jail, JC_NS_PID), &proc_fd);
    /* proc_fd moves first: it was opened first, so it may occupy the place of
     * children_fd. */
    if (children_fd < 0 || jc_jail_place(proc_fd, JC_KEEPER_PROC_FD) ||
        jc_jail_place(children_fd, JC_KEEPER_CHILDREN_FD)) {
        return -1;
    }
    if (jc_jail_has(jail, JC_NS_PID)) {
        jc_procfs_scatter();
    }
    return close_range(JC_KEEPER_PROC_FD + 1, JC_KEEPER_EVENTS_FD - 1, 0) ||
                   close_range(JC_KEEPER_EVENTS_FD + JC_KEEPER_EVENTS, ~0U, 0)
               ? -1
               : 0;
}

/* Only raises limits that are too low, because a tenant cannot do that; the
 * script's child sets the exact values. NPROC alone must hold for the keeper,
 * so that fork in it fails (doc/protocol.md). */
static int step_limits(jc_jail_t *jail, jc_failure_t *failure)
{
    const jc_policy_view_t *policy = &jail->policy;

    for (uint32_t i = 0; i < policy->rec->limit_count; i++) {
        const jc_limit_t *wanted = &policy->limits[i];
        struct rlimit limit;

        failure->found = wanted->resource;
        if (getrlimit((int) wanted->resource, &limit)) {
            return -1;
        }
        failure->expected = wanted->hard;
        if (wanted->resource == RLIMIT_NPROC) {
            limit.rlim_cur = wanted->soft;
            limit.rlim_max = wanted->hard;
        } else if (limit.rlim_max < wanted->hard) {
            limit.rlim_max = wanted->hard;
        } else {
            continue;
        }
        if (setrlimit((int) wanted->resource, &limit)) {
            return -1;
        }
    }
    return 0;
}

static int step_nice(jc_jail_t *jail, jc_failure_t *failure)
{
    int nice_value = jail->policy.rec->nice;

    failure->expected = (uint64_t) nice_value;
    return nice_value == JC_NICE_UNSET
               ? 0
               : setpriority(PRIO_PROCESS, 0, nice_value);
}

static int step_umask(jc_jail_t *jail, jc_failure_t *failure)
{
    (void) umask(jail->policy.rec->umask);
    return 0;
}

/* Returns the groups for setgroups(2), and sets *count. With JailUser owner
 * they are those of the account, or without one the primary group alone, as the
 * record of a number has it. */
static const uint32_t *groups_of(const jc_jail_t *jail, size_t *count)
{
    const jc_policy_view_t *policy = &jail->policy;

    if (!policy->account && (policy->rec->flags & JC_POLICY_OWNER)) {
        *count = 1;
        return &jail->start.gid;
    }
    *count = policy->account ? policy->account->group_count
                             : policy->rec->group_count;
    return policy->account ? policy->account_groups : policy->groups;
}

static int step_groups(jc_jail_t *jail, jc_failure_t *failure)
{
    size_t count;
    const uint32_t *groups = groups_of(jail, &count);

    return setgroups(count, groups);
}

static int step_gid(jc_jail_t *jail, jc_failure_t *failure)
{
    gid_t gid = jail->start.gid;

    return setresgid(gid, gid, gid);
}

static int step_bounding(jc_jail_t *jail, jc_failure_t *failure)
{
    for (cap_value_t cap = 0; cap_get_bound(cap) >= 0; cap++) {
        if (cap_drop_bound(cap)) {
            failure->found = (uint64_t) cap;
            return -1;
        }
    }
    return 0;
}

/* SECBIT_KEEP_CAPS is not locked. It keeps capabilities when the ids change,
 * and a tenant has neither capabilities nor other ids; but programs such as
 * ping set it (PR_SET_KEEPCAPS) and end if they cannot. */
static int step_securebits(jc_jail_t *jail, jc_failure_t *failure)
{
    return prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
                                        SECBIT_NO_SETUID_FIXUP |
                                        SECBIT_NO_SETUID_FIXUP_LOCKED |
                                        SECBIT_NO_CAP_AMBIENT_RAISE |
                                        SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED);
}

static int step_uid(jc_jail_t *jail, jc_failure_t *failure)
{
    uid_t uid = jail->start.uid;

    return setresuid(uid, uid, uid);
}

static int step_capabilities(jc_jail_t *jail, jc_failure_t *failure)
{
    cap_t none = cap_init();
    int result = none ? cap_set_proc(none) : -1;

    cap_free(none);
    return result;
}

static int step_no_new_privs(jc_jail_t *jail, jc_failure_t *failure)
{
    return jail->policy.rec->flags & JC_POLICY_PRIVS
               ? 0
               : prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static int step_undumpable(jc_jail_t *jail, jc_failure_t *failure)
{
    return prctl(PR_SET_DUMPABLE, 0);
}

static int has_capabilities(void)
{
    cap_t have = cap_get_proc();
    cap_t none = cap_init();
    int differ = !have || !none || cap_compare(have, none) != 0;

    cap_free(have);
    cap_free(none);
    return differ;
}

/* Tries what must fail now, and checks what must hold. The filter refuses
 * chroot to everybody, so chroot alone would prove nothing; it lets the other
 * calls through. */
static int step_proof(jc_jail_t *jail, jc_failure_t *failure)
{
    uid_t ruid, euid, suid;
    gid_t rgid, egid, sgid;
    size_t group_count;

    (void) groups_of(jail, &group_count);
    errno = EPERM;
    if (setuid(0) == 0 || seteuid(0) == 0 || setresuid(0, 0, 0) == 0 ||
        setgid(0) == 0 || setegid(0) == 0 || setresgid(0, 0, 0) == 0 ||
        setgroups(0, NULL) == 0 || chroot("/") == 0 || has_capabilities()) {
        return -1;
    }
    if (getresuid(&ruid, &euid, &suid) || getresgid(&rgid, &egid, &sgid)) {
        return -1;
    }
    return ruid == jail->start.uid && euid == ruid && suid == ruid &&
                   rgid == jail->start.gid && egid == rgid && sgid == rgid &&
                   ruid != 0 && rgid != 0 &&
                   getgroups(0, NULL) == (int) group_count &&
                   (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ||
                    (jail->policy.rec->flags & JC_POLICY_PRIVS))
               ? 0
               : -1;
}

typedef struct {
    const char *name;
    jc_code_t code;
    int (*apply)(jc_jail_t *jail, jc_failure_t *failure);
} step_t;

/*
 * Each row says why it is at its place. The namespaces exist before the first
 * row: the helper makes them when it clones the keeper, because a process
 * cannot move itself into a new PID namespace (pid_namespaces(7)).
 */
static const step_t steps[] = {
    /* First, so that no signal from a terminal or to a process group can reach
     * a later step. */
    {"session", JC_CODE_STEP_SESSION, step_session},
    /* Before "descriptors", which closes the descriptor of the page. */
    {"tally", JC_CODE_STEP_LIMITS, jc_tally_open},
    /* Before the keeper touches anything of the tenant. This step closes the
     * helper's sockets, which lead to all other jails, and the main error
     * log. */
    {"descriptors", JC_CODE_STEP_DESCRIPTORS, step_descriptors},
    /* Before the keeper makes or reads anything that a limit must count. */
    {"cgroup", JC_CODE_STEP_CGROUP, jc_cgroup_enter},
    /* Needs CAP_SYS_ADMIN to mount the procfs, and the host's root for /proc
     * where there is no PID namespace. After "root" it would need a /proc in
     * the jail. */
    {"processes", JC_CODE_STEP_PROCESSES, step_processes},
    /* "limits" needs CAP_SYS_RESOURCE and "nice" needs CAP_SYS_NICE, so both
     * come before "uid". */
    {"limits", JC_CODE_STEP_LIMITS, step_limits},
    {"nice", JC_CODE_STEP_NICE, step_nice},
    /* Before "mounts". If a source is replaced between the two steps, the mount
     * is newer than the print, and the next look notices. */
    {"print", JC_CODE_STEP_MOUNTS, jc_print_take},
    /* Needs CAP_SYS_ADMIN and CAP_DAC_READ_SEARCH, and the host's root, where
     * the sources of the mounts are. */
    {"mounts", JC_CODE_STEP_MOUNTS, jc_mounts_make},
    /* Needs CAP_SYS_ADMIN or CAP_SYS_CHROOT. From here on everything happens
     * inside the jail, so not even an error message could name a file of the
     * host. */
    {"root", JC_CODE_STEP_CHROOT, jc_root_enter},
    /* After the last step that makes a file: root's own have the modes that the
     * code says, whatever umask the tenant gets. */
    {"umask", JC_CODE_STEP_SESSION, step_umask},
    /* Groups, then gid, then uid: each needs the privilege that a later one
     * gives up. In the opposite order the web server's groups would remain. */
    {"groups", JC_CODE_STEP_GROUPS, step_groups},
    {"gid", JC_CODE_STEP_GID, step_gid},
    /* Both need CAP_SETPCAP, so they come before "uid". After it nothing could
     * be dropped, and a program with file capabilities could get them. */
    {"bounding", JC_CODE_STEP_BOUNDING, step_bounding},
    {"securebits", JC_CODE_STEP_SECUREBITS, step_securebits},
    {"uid", JC_CODE_STEP_UID, step_uid},
    /* After "root", to which its rules refer, and after the last step that
     * mounts, because Landlock refuses mounts. It needs CAP_SYS_ADMIN or
     * no_new_privs, as "filter" does. Both come before "capabilities", so
     * JailNoNewPrivs Off turns neither off. */
    {"files", JC_CODE_STEP_FILES, jc_landlock_enter},
    /* After all steps that make calls which the filter refuses. It is the last
     * row with CAP_SYS_ADMIN. */
    {"filter", JC_CODE_STEP_FILTER, jc_filter_install},
    /* "uid" has not cleared the capabilities, because the securebits disable
     * that (SECBIT_NO_SETUID_FIXUP in capabilities(7)). */
    {"capabilities", JC_CODE_STEP_CAPABILITIES, step_capabilities},
    {"no_new_privs", JC_CODE_STEP_NO_NEW_PRIVS, step_no_new_privs},
    /* After "no_new_privs", without which a tenant may not restrict itself with
     * Landlock. */
    {"scope", JC_CODE_STEP_SCOPE, jc_landlock_scope},
    /* setresuid has made the process dumpable or not, as the sysctl
     * fs.suid_dumpable says (PR_SET_DUMPABLE in prctl(2)). From here on no
     * process of the tenant may trace the keeper or read its memory. */
    {"undumpable", JC_CODE_STEP_UNDUMPABLE, step_undumpable},
    /* Last, because it checks all of the above. */
    {"proof", JC_CODE_ROOT_REGAINED, step_proof},
};

#ifdef JC_TESTING
/* Tests make a step fail with JailEnv JC_FAIL_STEP name. */
static int must_fail(const jc_policy_view_t *policy, const char *name)
{
    const char *env = policy->env;

    for (uint32_t i = 0; i < policy->rec->env_count; i++) {
        if (strncmp(env, "JC_FAIL_STEP=", 13) == 0 &&
            strcmp(env + 13, name) == 0) {
            errno = EPERM;
            return 1;
        }
        env = jc_policy_next(env);
    }
    return 0;
}
#else
#define must_fail(policy, name) 0
#endif

int jc_jail_build(jc_jail_t *jail, jc_failure_t *failure)
{
    int result = 0;

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        memset(failure, 0, sizeof(*failure));
        errno = 0;
        if (must_fail(&jail->policy, steps[i].name) ||
            steps[i].apply(jail, failure)) {
            if (!failure->code) { /* the step gave no code of its own */
                failure->code = steps[i].code;
                failure->errnum = errno;
                jc_wire_set_text(failure, steps[i].name);
            }
            result = -1;
            break;
        }
    }
    return result;
}
