/*
 * Opens the files of a procfs in which the keeper finds the processes of its
 * jail.
 *
 * Runs in:   keeper
 * Privilege: root
 * Never:     keeps a directory open that leads out of the jail. Without a PID
 *            namespace only the file task/1/children stays open. With one, the
 *            root of a procfs of its own stays open too
 *            (src/keeper/serve/sweep.c). That procfs contains only the jail's
 *            own processes, whose roots and descriptors are the jail's; ..
 *            stays in it; and scripts do not get it
 */
#include "build.h"
#include "trees.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int jc_procfs_open(int has_pid_ns, int *proc_fd)
{
    /* Only processes, none of the kernel's other files. */
    static const char *const options[3][2] = {{"subset", "pid"}};
    char path[64];
    int dir_fd, fd;

    snprintf(path, sizeof(path), "%d/task/%d/children", (int) getpid(),
             (int) getpid());
    if (!has_pid_ns) {
        dir_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    } else {
        /* A procfs of this PID namespace that is mounted nowhere. The host's
         * procfs shows the host's pids, and the jail need not have one. */
        dir_fd = jc_tree_new("proc", options, 0);
    }
    if (dir_fd < 0) {
        return -1;
    }
    /* Without a PID namespace this is a file, which cannot be listed. */
    *proc_fd = openat(dir_fd, has_pid_ns ? "." : path, O_RDONLY | O_CLOEXEC);
    fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
    close(dir_fd);
    return fd;
}
