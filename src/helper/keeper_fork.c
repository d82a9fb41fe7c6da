/*
 * Forks a keeper into the namespaces of its policy and into its cgroup.
 *
 * Runs in:   helper
 * Privilege: root, least capabilities
 */
#include "jails.h"

#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
    uint32_t namespace;
    unsigned long flag;
} map[] = {{JC_NS_MOUNT, CLONE_NEWNS}, {JC_NS_PID, CLONE_NEWPID},
           {JC_NS_IPC, CLONE_NEWIPC},  {JC_NS_UTS, CLONE_NEWUTS},
           {JC_NS_NET, CLONE_NEWNET},  {JC_NS_CGROUP, CLONE_NEWCGROUP}};

/*
 * Uses the raw system calls, because the C library's fork takes no flags and
 * its clone needs a stack. The helper has one thread, so the child cannot find
 * a lock taken.
 */
pid_t jc_keeper_fork(uint32_t namespaces, int cgroup_fd)
{
    struct clone_args args = {.exit_signal = SIGCHLD,
                              .cgroup = (uint64_t) cgroup_fd};
    unsigned long flags = 0;
    pid_t pid = -1;

    for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++) {
        flags |= namespaces & map[i].namespace ? map[i].flag : 0;
    }
    if (cgroup_fd >= 0) {
        /* The root of a cgroup namespace is the cgroup of its maker, so the
         * keeper makes that namespace itself (cgroup_namespaces(7)). */
        flags &= ~(unsigned long) CLONE_NEWCGROUP;
        args.flags = flags | CLONE_INTO_CGROUP;
        pid = (pid_t) syscall(SYS_clone3, &args, sizeof(args));
    }
    /* RestrictNamespaces= refuses clone3 whatever it asks for. The keeper then
     * joins its cgroup in one of its first steps. */
    if (cgroup_fd < 0 || (pid < 0 && errno == ENOSYS)) {
        pid =
            (pid_t) syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);
    }
    return pid;
}
