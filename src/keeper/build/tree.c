/*
 * Makes and copies mount trees that are attached nowhere yet, and sets their
 * attributes (fsopen(2), open_tree(2), mount_setattr(2)).
 *
 * Runs in:   keeper
 * Privilege: root
 */
#include "build.h"
#include "trees.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

int jc_tree_set(int mount_fd, unsigned attributes, unsigned flags)
{
    struct mount_attr attr = {.attr_set = attributes};

    return mount_setattr(mount_fd, "", AT_EMPTY_PATH | flags, &attr,
                         sizeof(attr));
}

int jc_tree_private(int tree_fd)
{
    struct mount_attr attr = {.propagation = MS_PRIVATE};

    return mount_setattr(tree_fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr,
                         sizeof(attr));
}

int jc_tree_clone(int fd)
{
    return open_tree(fd, "",
                     AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE |
                         OPEN_TREE_CLOEXEC);
}

/* Makes a new file system with up to three options, as a detached mount. */
int jc_tree_new(const char *type, const char *const options[][2],
                unsigned attributes)
{
    int mount_fd = -1;
    int fs_fd = fsopen(type, FSOPEN_CLOEXEC);
    int failed = fs_fd < 0;

    for (int i = 0; !failed && i < 3 && options[i][0]; i++) {
        failed = fsconfig(fs_fd, FSCONFIG_SET_STRING, options[i][0],
                          options[i][1], 0);
    }
    if (!failed && !fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0)) {
        mount_fd = fsmount(fs_fd, FSMOUNT_CLOEXEC, attributes);
    }
    if (fs_fd >= 0) {
        close(fs_fd);
    }
    return mount_fd;
}
