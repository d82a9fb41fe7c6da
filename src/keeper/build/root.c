/*
 * Opens the root of the jail, and makes it the root of the keeper.
 *
 * Runs in:   keeper
 * Privilege: root
 * Trusts:    the policy record; a symbolic link on the way to JailRoot only
 * where nobody but root could have made it
 */
#include "build.h"
#include "trees.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

static int walk_to_root(const jc_jail_t *jail, jc_walk_t *walk,
                        jc_failure_t *failure)
{
    jc_walk_rule_t rule = {.owner = jail->start.uid,
                           .links_need_root = 1,
                           .file_system = jc_mounted_file_system,
                           .jail = jail};

    return jc_walk(jail->policy.root, &rule, JC_WALK_DIR, walk)
               ? jc_mounts_fail_walk(failure, walk, JC_CODE_ROOT_MISSING,
                                     JC_CODE_ROOT_UNSAFE, JC_CODE_STEP_CHROOT)
               : 0;
}

/* Attaches the root's mount where it hides nothing that is needed: over itself,
 * or over the old root, because lookups from / do not enter it there. */
int jc_root_mount(jc_jail_t *jail, jc_failure_t *failure)
{
    /* A root made of mounts has names, no data. */
    static const char *const options[3][2] = {{"size", "1m"},
                                              {"nr_inodes", "2k"},
                                              {"mode", "755"}};
    jc_walk_t walk;
    int at_fd;

    if (jail->policy.rec->flags & JC_POLICY_HOST) {
        at_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        jail->root_fd = jc_tree_new("tmpfs", options, MOUNT_ATTR_NODEV);
    } else {
        if (walk_to_root(jail, &walk, failure)) {
            return -1;
        }
        at_fd = walk.dir_fd;
        jail->root_fd = jc_tree_clone(at_fd);
        if (jail->root_fd >= 0 && jc_tree_private(jail->root_fd)) {
            close(at_fd);
            return -1;
        }
    }
    int result =
        at_fd < 0 || jail->root_fd < 0
            ? -1
            : move_mount(jail->root_fd, "", at_fd, "",
                         MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
    close(at_fd);
    return result;
}

/* For a keeper without a mount namespace. */
static int open_root(jc_jail_t *jail, jc_failure_t *failure)
{
    jc_walk_t walk;

    if (walk_to_root(jail, &walk, failure)) {
        return -1;
    }
    jail->root_fd = walk.dir_fd;
    return 0;
}

/* Mounts the old root over the new one and detaches it. Then nothing of it is
 * in reach, even for a process that could chroot (pivot_root(2), NOTES). */
static int change_root(void)
{
    return syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) ? -1
                                                                         : 0;
}

int jc_root_enter(jc_jail_t *jail, jc_failure_t *failure)
{
    if (jail->root_fd < 0 && (jail->policy.rec->flags & JC_POLICY_CHROOT) &&
        open_root(jail, failure)) {
        return -1;
    }
    if (jc_mounted_end(jail)) {
        return -1;
    }
    if (jail->root_fd < 0) {
        return chdir("/");
    }
    /* By descriptor, so that what was checked becomes the root. */
    if (fchdir(jail->root_fd) ||
        (jc_jail_has(jail, JC_NS_MOUNT) ? change_root() : chroot(".")) ||
        chdir("/")) {
        return -1;
    }
    close(jail->root_fd);
    jail->root_fd = -1;
    return 0;
}
