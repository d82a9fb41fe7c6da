/*
 * Opens and makes the paths in the jail's root at which something is mounted.
 * They are opened beneath the root. A symbolic link counts only where nobody
 * but root can have made it, as with /usr/sbin/sendmail of some mail servers.
 * No link of a tenant can misdirect what root does here.
 *
 * Runs in:   keeper
 * Privilege: root
 * Trusts:    nothing in the root, and no owner on a file system that root does
 *            not vouch for
 * Never:     makes anything in a directory where anybody but root could change
 *            names
 */
#include "build.h"
#include "trees.h"
#include "src/keeper/launch/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int jc_place_open(int root_fd, const char *path, int flags)
{
    struct open_how how = {.flags = (uint64_t) flags | O_PATH | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
                                      RESOLVE_NO_MAGICLINKS};

    while (*path == '/') {
        path++;
    }
    return (int) syscall(SYS_openat2, root_fd, *path ? path : ".", &how,
                         sizeof(how));
}

/* The walk goes from component to component, so that ".." and an absolute link
 * end at the new root, and asks who can have made each link. */
static int follow(const jc_jail_t *jail, const char *path, int is_dir)
{
    jc_walk_t walk;
    const jc_walk_rule_t rule = {.any_directory = 1,
                                 .links_need_root = 1,
                                 .file_system = jc_mounted_file_system,
                                 .jail = jail,
                                 .root_fd = &jail->root_fd};

    if (jc_walk(path, &rule, JC_WALK_ANY, &walk)) {
        errno = walk.failure.errnum ? walk.failure.errnum : ELOOP;
        return -1;
    }
    if (is_dir != (walk.file_fd < 0)) {
        close(walk.dir_fd);
        close(walk.file_fd);
        errno = is_dir ? ENOTDIR : EISDIR;
        return -1;
    }
    if (!is_dir) {
        close(walk.dir_fd);
    }
    return is_dir ? walk.dir_fd : walk.file_fd;
}

int jc_place_target(const jc_jail_t *jail, const char *path, int is_dir)
{
    int fd = jc_place_open(jail->root_fd, path, is_dir ? O_DIRECTORY : 0);

    return fd < 0 && errno == ELOOP ? follow(jail, path, is_dir) : fd;
}

/* Opens the directory that contains `path`, if only root can change names in
 * it, and sets *name to the last component. */
static int open_parent(const jc_jail_t *jail, const char *path,
                       const char **name)
{
    char parent[4096];
    size_t len = (size_t) (strrchr(path, '/') - path);
    struct stat st;
    int fd;

    *name = path + len + 1;
    if (len >= sizeof(parent)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(parent, path, len);
    parent[len] = 0;
    fd = jc_place_open(jail->root_fd, parent, O_DIRECTORY);
    if (fd >= 0 && (fstat(fd, &st) || st.st_uid != 0 ||
                    (st.st_mode & (S_IWGRP | S_IWOTH)) ||
                    jc_mounted_file_system(jail, fd) != JC_FS_VOUCHED)) {
        close(fd);
        errno = EPERM;
        return -1;
    }
    return fd;
}

static int write_file(int dir_fd, const char *name, const char *content)
{
    size_t len = strlen(content);
    int fd =
        openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    int failed = fd < 0 || write(fd, content, len) != (ssize_t) len;

    if (fd >= 0) {
        close(fd);
    }
    return failed ? -1 : 0;
}

int jc_place_make(const jc_jail_t *jail, const char *path, jc_mount_kind_t kind,
                  const char *content)
{
    const char *name;
    int dir_fd = open_parent(jail, path, &name);
    int result;

    if (dir_fd < 0) {
        return -1;
    }
    switch (kind) {
    case JC_MOUNT_DIR:
        result = mkdirat(dir_fd, name, 0755);
        break;
    case JC_MOUNT_FILE:
        result = write_file(dir_fd, name, content);
        break;
    default:
        result = symlinkat(content, dir_fd, name);
    }
    close(dir_fd);
    return result;
}

void jc_place_offer(const jc_jail_t *jail, const char *path,
                    jc_mount_kind_t kind, const char *content)
{
    struct stat root, parent;
    const char *name;
    int dir_fd = open_parent(jail, path, &name);

    if (dir_fd < 0) {
        return;
    }
    if (fstat(jail->root_fd, &root) == 0 && fstat(dir_fd, &parent) == 0 &&
        root.st_dev == parent.st_dev) {
        (void) jc_place_make(jail, path, kind, content);
    }
    close(dir_fd);
}
