/*
 * The keeper's children, from the kernel: its direct children and the orphans
 * that it was given as PID 1 or child subreaper.
 *
 * Runs in:   keeper
 * Privilege: root when it opens, the tenant when it reads
 * Never:     keeps a directory open that leads out of the jail: the one file
 *            task/1/children stays open, nothing else
 */
#define _GNU_SOURCE
#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef FSOPEN_CLOEXEC
#define FSOPEN_CLOEXEC 1
#endif
#ifndef FSMOUNT_CLOEXEC
#define FSMOUNT_CLOEXEC 1
#endif
#ifndef FSCONFIG_CMD_CREATE
#define FSCONFIG_CMD_CREATE 6
#endif

/* A procfs of this PID namespace that is mounted nowhere: the host's shows
 * the host's numbers, and there need be none in the jail. */
static int open_own_procfs(void)
{
    int mount_fd = -1;
    int fs_fd = (int) syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC);

    if (fs_fd < 0) {
        return -1;
    }
    if (syscall(SYS_fsconfig, fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0) {
        mount_fd = (int) syscall(SYS_fsmount, fs_fd, FSMOUNT_CLOEXEC, 0);
    }
    close(fs_fd);
    return mount_fd;
}

int jc_children_open(int has_namespaces)
{
    char path[64];
    int dir_fd, fd;

    snprintf(path, sizeof(path), "%d/task/%d/children", (int) getpid(),
             (int) getpid());
    if (!has_namespaces) {
        dir_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    } else {
        dir_fd = open_own_procfs();
    }
    if (dir_fd < 0) {
        return -1;
    }
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
    pid_t pid = 0;
    int count = 0;

    while ((len = pread(JC_KEEPER_CHILDREN_FD, buffer, sizeof(buffer), at)) >
           0) {
        for (ssize_t i = 0; i < len; i++) {
            if (buffer[i] >= '0' && buffer[i] <= '9') {
                pid = pid * 10 + (buffer[i] - '0');
            } else if (pid > 0) {
                if (count == max) {
                    return count;
                }
                pids[count++] = pid;
                pid = 0;
            }
        }
        at += len;
    }
    return len < 0 ? -1 : count;
}
