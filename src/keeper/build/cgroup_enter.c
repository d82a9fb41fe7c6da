/*
 * Puts the keeper into the jail's cgroup, and opens the files that count what
 * happens in it. The helper makes the cgroup and sets its limits
 * (src/helper/cgroup_tree.c).
 *
 * Runs in:   keeper
 * Privilege: root
 * Never:     leaves a descriptor open through which a limit could be written
 */
#include "build.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

static int join(int dir_fd)
{
    int fd = openat(dir_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
    int failed = fd < 0 || write(fd, "0", 1) != 1;

    if (fd >= 0) {
        close(fd);
    }
    return failed ? -1 : 0;
}

/* The kernel checks only at open who may read, so the tenant can read it
 * later. */
static int open_events(int dir_fd, const char *file, int number)
{
    int fd = openat(dir_fd, file, O_RDONLY | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT) {
        /* The controller is not enabled, so nothing is counted: /dev/null reads
         * as empty. */
        return dup3(STDIN_FILENO, number, O_CLOEXEC) < 0 ? -1 : 0;
    }
    int failed = fd < 0 || dup3(fd, number, O_CLOEXEC) < 0;
    if (fd >= 0) {
        close(fd);
    }
    return failed ? -1 : 0;
}

int jc_cgroup_enter(jc_jail_t *jail, jc_failure_t *failure)
{
    static const char *const files[JC_KEEPER_EVENTS] = {"memory.events",
                                                        "pids.events",
                                                        "cpu.stat"};
    int dir_fd = JC_KEEPER_CHILDREN_FD; /* its place until "processes" runs */

    if (jail->start.cgroup_fd < 0) {
        return 0;
    }
    /* The keeper was born in the cgroup, unless clone3 was refused. It joins
     * before it makes the namespace, because the root of a cgroup namespace is
     * the cgroup of its maker (cgroup_namespaces(7)). */
    if (join(dir_fd) ||
        (jc_jail_has(jail, JC_NS_CGROUP) && unshare(CLONE_NEWCGROUP))) {
        return -1;
    }
    for (int i = 0; i < JC_KEEPER_EVENTS; i++) {
        if (open_events(dir_fd, files[i], JC_KEEPER_EVENTS_FD + i)) {
            return -1;
        }
    }
    return close(dir_fd);
}
