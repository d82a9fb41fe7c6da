/*
 * Lists the keeper's children, as the kernel reports them: its direct children,
 * and the orphans that it was given as PID 1 or child subreaper.
 *
 * Runs in:   keeper
 * Privilege: none; it is the tenant
 * Trusts:    the kernel's list, which src/keeper/build/procfs.c has opened
 */
#include "serve.h"

#include <unistd.h>

/* The numbers are separated by blanks, and the end of a read may cut one in
 * two. */
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
