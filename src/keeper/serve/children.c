/*
 * The keeper's children, from the kernel: its direct children and the orphans
 * that it was given as PID 1 or child subreaper.
 *
 * Runs in:   keeper
 * Privilege: root when it opens, the tenant when it reads
 * Never:     keeps a directory open that leads out of the jail: without a PID
 *            namespace the one file task/1/children stays open, nothing else.
 *            With one, the root of a procfs of its own as well (sweep.c): all
 *            that is in it are the jail's own processes, whose roots and
 *            descriptors are the jail's; .. stays in it; and scripts do not
 *            get it
 */
#include "src/keeper/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int jc_children_open(int has_pid_ns, int *proc_fd)
{
    /* No files of the kernel's in it, processes only. */
    static const char *const options[3][2] = {{"subset", "pid"}};
    char path[64];
    int dir_fd, fd;

    snprintf(path, sizeof(path), "%d/task/%d/children", (int) getpid(),
             (int) getpid());
    if (!has_pid_ns) {
        dir_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    } else {
        /* A procfs of this PID namespace that is mounted nowhere: the host's
         * shows the host's numbers, and there need be none in the jail. */
        dir_fd = jc_tree_new("proc", options, 0);
    }
    if (dir_fd < 0) {
        return -1;
    }
    /* Without a PID namespace something that cannot be listed. */
    *proc_fd = openat(dir_fd, has_pid_ns ? "." : path, O_RDONLY | O_CLOEXEC);
    fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
    close(dir_fd);
    return fd;
}

/* Reads the numbers, separated by blanks; one may be cut in two by the end of
 * a read. */
int jc_children_list(pid_t *pids, int max)
{
    char buffer[4096];
    off_t at = 0;
    ssize_t len;
    uint32_t pid = 0;
    int count = 0;

    while ((len = pread(JC_KEEPER_CHILDREN_FD, buffer, sizeof(buffer), at)) >
           0) {
        for (ssize_t i = 0; i < len; i++) {
            if (buffer[i] >= '0' && buffer[i] <= '9') {
                pid = pid * 10 + (uint32_t) (buffer[i] - '0');
            } else if (pid > 0) {
                if (count == max) {
                    return count;
                }
                pids[count++] = (pid_t) pid;
                pid = 0;
            }
        }
        at += len;
    }
    return len < 0 ? -1 : count;
}
