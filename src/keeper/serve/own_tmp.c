/*
 * Watches the jail's own /tmp, a file system in memory: files in it go when the
 * jail ends, which a site may not expect, and it is smaller than a disk.
 *
 * Runs in:   keeper
 * Privilege: none; it is the tenant
 * Trusts:    the policy record, the kernel's counts
 * Never:     opens anything after it has begun to serve
 */
#include "exit.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

static struct {
    int is_watched;
    uint64_t free_inodes; /* when nothing was in it */
    uint32_t said;        /* JC_TAKEN_* */
} tmp;

/* The last row of a target wins. */
static int is_own(const jc_rows_t *rows, int before)
{
    const char *at = rows->strings;

    for (uint32_t i = 0; i < rows->count; i++) {
        const jc_mount_t *mount = &rows->mounts[i];
        const char *target = jc_policy_next(at);

        if (strcmp(target, "/tmp") == 0) {
            before = mount->kind == JC_MOUNT_TMPFS &&
                     !(mount->flags & JC_MOUNT_READ_ONLY);
        }
        at = jc_policy_next(target);
    }
    return before;
}

void jc_own_tmp_watch(const jc_jail_t *jail)
{
    const jc_policy_view_t *policy = &jail->policy;
    struct statfs fs;
    int fd;

    if (!is_own(&policy->rows, is_own(&policy->common_rows, 0))) {
        return;
    }
    fd = open("/tmp", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    tmp.is_watched = dup3(fd, JC_KEEPER_TMP_FD, O_CLOEXEC) >= 0 &&
                     fstatfs(JC_KEEPER_TMP_FD, &fs) == 0 &&
                     fs.f_type == TMPFS_MAGIC;
    tmp.free_inodes = fs.f_ffree;
    close(fd);
}

uint32_t jc_own_tmp_taken(void)
{
    struct statfs fs;
    uint32_t taken;

    if (!tmp.is_watched || (tmp.said & JC_TAKEN_TMP_FULL) ||
        fstatfs(JC_KEEPER_TMP_FD, &fs)) {
        return 0;
    }
    taken = (fs.f_ffree < tmp.free_inodes ? JC_TAKEN_TMP_FILES : 0) |
            (fs.f_bfree == 0 || fs.f_ffree == 0 ? JC_TAKEN_TMP_FULL : 0);
    taken &= ~tmp.said;
    tmp.said |= taken;
    return taken;
}
