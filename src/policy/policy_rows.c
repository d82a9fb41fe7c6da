/*
 * Checks the parts of a policy that make the jail's root and its cgroup.
 *
 * Runs in:   helper, keeper
 * Privilege: root in the helper
 * Trusts:    nothing about their shape; the parent for the meaning
 * Never:     copies, allocates, logs
 */
#include "policy.h"

#include <string.h>

/* With JC_MOUNT_OWN root makes the last component of the source, whose name
 * begins with %u. */
static int own_is_sane(const jc_mount_t *mount, const char *source)
{
    const char *slash = strrchr(source, '/');

    return !(mount->flags & JC_MOUNT_OWN) ||
           (mount->kind == JC_MOUNT_BIND && slash && slash > source &&
            strncmp(slash, "/%u", 3) == 0);
}

/* Mounts need a keeper with a mount namespace of its own: in the host's,
 * everybody would see them. */
int jc_policy_rows_are_sane(const jc_rows_t *rows, uint32_t namespaces)
{
    const char *at = rows->strings;

    if (rows->count > 0 && !(namespaces & JC_NS_MOUNT)) {
        return 0;
    }
    for (uint32_t i = 0; i < rows->count; i++) {
        const jc_mount_t *mount = &rows->mounts[i];
        const char *target = jc_policy_next(at);

        if (mount->kind == 0 || mount->kind > JC_MOUNT_KINDS ||
            (mount->flags & ~JC_MOUNT_FLAGS) || (mount->mode & ~07777u) ||
            ((mount->flags & JC_MOUNT_SLAVE) && mount->kind != JC_MOUNT_BIND) ||
            ((mount->kind == JC_MOUNT_BIND || mount->kind == JC_MOUNT_LAYER) &&
             at[0] != '/') ||
            (mount->kind == JC_MOUNT_PROC && !(namespaces & JC_NS_PID)) ||
            (mount->kind == JC_MOUNT_PTY && mount->inodes == 0) ||
            !own_is_sane(mount, at) || target[0] != '/' || target[1] == 0) {
            return 0;
        }
        at = jc_policy_next(target);
    }
    return 1;
}

int jc_policy_rows_view(const void *data, size_t len, jc_policy_view_t *view)
{
    const jc_common_t *common = data;
    jc_rows_t *rows = &view->common_rows;
    size_t at = sizeof(*common);

    if (len < sizeof(*common) || common->len != len ||
        len > JC_POLICY_LEN_MAX || common->reserved ||
        (common->namespaces & ~JC_NS_ALL) ||
        common->mount_count > JC_MOUNTS_MAX ||
        common->filter_count > JC_FILTER_MAX) {
        return -1;
    }
    view->common = common;
    rows->mounts = (const jc_mount_t *) (common + 1);
    rows->count = common->mount_count;
    at += common->mount_count * sizeof(jc_mount_t);
    view->filter = (const char *) data + at;
    at += common->filter_count * (size_t) JC_FILTER_STEP;
    if (JC_PADDED(at + common->strings_len) != len) {
        return -1;
    }
    const char *next = (const char *) data + at;
    const char *end = next + common->strings_len;
    return jc_policy_take(&next, end, 2 * common->mount_count,
                          &rows->strings) ||
                   next != end ||
                   !jc_policy_rows_are_sane(rows, common->namespaces)
               ? -1
               : 0;
}

/* Checks that each name is a file of cgroupfs without a slash, because it is
 * opened beneath the jail's directory. */
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

/* The record must give the keeper what the rows of the common part need. */
int jc_policy_rows_suit(const jc_policy_view_t *view)
{
    uint32_t namespaces = view->rec->namespaces;

    return !(view->common->namespaces & ~namespaces) &&
           (!(view->rec->flags & JC_POLICY_SESSIONS) ||
            (namespaces & JC_NS_PID)) &&
           (!(view->rec->flags & JC_POLICY_HOST) ||
            (namespaces & JC_NS_MOUNT)) &&
           jc_policy_rows_are_sane(&view->rows, namespaces) &&
           cgroup_is_sane(view->cgroup, view->rec->cgroup_count);
}
