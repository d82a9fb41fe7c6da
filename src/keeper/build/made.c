/*
 * Makes the file systems that are no copy of a mount of the machine: tmpfs,
 * procfs, devpts, and a layer of one directory over another.
 *
 * Runs in:   keeper
 * Privilege: root
 * Trusts:    the policy record
 * Never:     attaches what it makes
 */
#include "build.h"
#include "trees.h"

#include <errno.h>
#include <stdio.h>

static int make_tmpfs(const jc_mount_t *mount, unsigned attributes)
{
    char size[24], inodes[16], mode[16];
    const char *const options[3][2] = {{"size", size},
                                       {"nr_inodes", inodes},
                                       {"mode", mode}};

    snprintf(size, sizeof(size), "%llu", (unsigned long long) mount->size);
    snprintf(inodes, sizeof(inodes), "%u", mount->inodes);
    snprintf(mode, sizeof(mode), "%o", mount->mode);
    return jc_tree_new("tmpfs", options, attributes);
}

static int make_proc(unsigned attributes)
{
    /* Hide even the names of processes that a process may not look into. */
    static const char *const options[3][2] = {{"hidepid", "ptraceable"}};

    return jc_tree_new("proc", options, attributes);
}

/* Each devpts is an instance of its own (devpts in the kernel's documentation),
 * so no other jail and nobody on the machine sees its terminals. Who opens ptmx
 * owns the new terminal. */
static int make_pty(const jc_mount_t *mount, unsigned attributes)
{
    char max[16];
    const char *const options[3][2] = {{"max", max},
                                       {"mode", "600"},
                                       {"ptmxmode", "666"}};

    snprintf(max, sizeof(max), "%u", mount->inodes);
    return jc_tree_new("devpts", options, attributes);
}

int jc_made_new(const jc_mount_t *mount, unsigned attributes)
{
    switch (mount->kind) {
    case JC_MOUNT_PROC:
        return make_proc(attributes);
    case JC_MOUNT_PTY:
        return make_pty(mount, attributes);
    default:
        return make_tmpfs(mount, attributes);
    }
}

int jc_made_layer(int over_fd, int under_fd, unsigned attributes)
{
    char lower[64];
    const char *const options[3][2] = {{"lowerdir", lower}};

    if (over_fd < 0 || under_fd < 0) {
        errno = ENOTDIR;
        return -1;
    }
    /* By descriptor, so that what was checked is what is shown. Without an
     * upper directory nobody can write there. */
    snprintf(lower, sizeof(lower), "/proc/self/fd/%d:/proc/self/fd/%d", over_fd,
             under_fd);
    return jc_tree_new("overlay", options, attributes);
}
