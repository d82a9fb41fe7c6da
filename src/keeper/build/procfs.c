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
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

/* After the last pid the kernel goes on here (RESERVED_PIDS). */
#define PIDS_RESERVED 300

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

/* Returns the number in a file of the procfs, or 0. */
static uint64_t read_number(int proc_fd, const char *path)
{
    char text[24] = "";
    int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return 0;
    }
    ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    return n > 0 ? strtoull(text, NULL, 10) : 0;
}

void jc_procfs_scatter(void)
{
    /* A procfs of its own: the unit of httpd may have made the machine's
     * /proc/sys read-only (ProtectKernelTunables=). */
    static const char *const options[3][2];
    int proc_fd = jc_tree_new("proc", options, 0);
    uint64_t most = read_number(proc_fd, "sys/kernel/pid_max");
    int fd = openat(proc_fd, "sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
    uint64_t random;
    char text[24];

    if (fd >= 0 && most > 2 * PIDS_RESERVED &&
        getrandom(&random, sizeof(random), GRND_NONBLOCK) == sizeof(random)) {
        random = PIDS_RESERVED + random % (most - 2 * PIDS_RESERVED);
        int n =
            snprintf(text, sizeof(text), "%llu", (unsigned long long) random);
        (void) !write(fd, text, (size_t) n);
    }
    close(fd);
    close(proc_fd);
}
