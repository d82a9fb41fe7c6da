/*
 * The rows of a policy that make the jail's root and its cgroup.
 *
 * Runs in:   helper, keeper
 * Privilege: root in the helper
 * Trusts:    nothing of their shape; the meaning is the parent's
 * Never:     copies, allocates, logs
 */
#include "policy.h"

#include <string.h>

/* Mounts are for keepers that have a mount namespace of their own: the host's
 * would show them to all. */
static int mounts_are_sane(const jc_policy_view_t *view)
{
    const char *at = view->mounted;
    uint32_t ns = view->rec->namespaces;

    if (!(ns & JC_NS_MOUNT) &&
        (view->rec->mount_count > 0 || (view->rec->flags & JC_POLICY_HOST))) {
        return 0;
    }
    for (uint32_t i = 0; i < view->rec->mount_count; i++) {
        const jc_mount_t *mount = &view->mounts[i];
        const char *target = jc_policy_next(at);

        if (mount->kind == 0 || mount->kind > JC_MOUNT_KINDS ||
            (mount->flags & ~JC_MOUNT_FLAGS) || (mount->mode & ~07777u) ||
            (mount->kind == JC_MOUNT_BIND && at[0] != '/') ||
            (mount->kind == JC_MOUNT_PROC && !(ns & JC_NS_PID)) ||
            target[0] != '/' || target[1] == 0) {
            return 0;
        }
        at = jc_policy_next(target);
    }
    return 1;
}

/* A file name of cgroupfs, without a slash: it is opened beneath the jail's. */
static int cgroup_is_sane(const char *line, uint32_t count)
{
    for (; count > 0; count--, line = jc_policy_next(line)) {
        const char *equals = strchr(line, '=');
        const char *slash = strchr(line, '/');

        if (!equals || line[0] == '.' || line[0] == '=' ||
            (slash && slash < equals)) {
            return 0;
        }
    }
    return 1;
}

int jc_policy_rows_are_sane(const jc_policy_view_t *view)
{
    return mounts_are_sane(view) &&
           cgroup_is_sane(view->cgroup, view->rec->cgroup_count);
}
