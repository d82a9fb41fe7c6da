/*
 * Appends rows to the list of those that make a root.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    the configuration
 */
#include "mount_rows.h"

#include "apr_strings.h"

#include <string.h>

static jc_mount_row_t *add(apr_array_header_t *rows, jc_mount_kind_t kind,
                           const char *source, const char *target,
                           uint32_t flags)
{
    jc_mount_row_t *row = apr_array_push(rows);

    memset(row, 0, sizeof(*row));
    row->mount.kind = kind;
    row->mount.flags = flags;
    row->source = source;
    row->target = target;
    return row;
}

void jc_mount_row_bind(apr_array_header_t *rows, const char *source,
                       const char *target, uint32_t flags, uint64_t ino)
{
    add(rows, JC_MOUNT_BIND, source, target, flags)->mount.ino = ino;
}

void jc_mount_row_link(apr_array_header_t *rows, const char *content,
                       const char *target)
{
    add(rows, JC_MOUNT_LINK, content, target, 0);
}

void jc_mount_row_directory(apr_array_header_t *rows, const char *target)
{
    add(rows, JC_MOUNT_DIR, "", target, 0);
}

void jc_mount_row_file(apr_array_header_t *rows, const char *content,
                       const char *target)
{
    add(rows, JC_MOUNT_FILE, content, target, 0);
}

void jc_mount_row_layer(apr_array_header_t *rows, const char *source,
                        const char *target, uint64_t ino)
{
    add(rows, JC_MOUNT_LAYER, source, target, JC_MOUNT_READ_ONLY)->mount.ino =
        ino;
}

void jc_mount_row_tmpfs(apr_array_header_t *rows, const char *target,
                        uint32_t flags, uint32_t mode, uint64_t size,
                        uint32_t inodes)
{
    jc_mount_row_t *row = add(rows, JC_MOUNT_TMPFS, "", target, flags);

    row->mount.mode = mode;
    row->mount.size = size;
    row->mount.inodes = inodes;
}

void jc_mount_row_proc(apr_array_header_t *rows, uint32_t flags)
{
    add(rows, JC_MOUNT_PROC, "", "/proc", flags | JC_MOUNT_NOEXEC);
}

void jc_mount_row_pty(apr_array_header_t *rows, uint32_t max)
{
    add(rows, JC_MOUNT_PTY, "", JC_PTY_DIRECTORY,
        JC_MOUNT_MAKE | JC_MOUNT_DEVICES | JC_MOUNT_NOEXEC)
        ->mount.inodes = max;
}

void jc_mount_row_parents(apr_pool_t *p, apr_array_header_t *rows,
                          const char *path)
{
    const char *slash = path;

    while ((slash = strchr(slash + 1, '/'))) {
        jc_mount_row_directory(rows,
                               apr_pstrmemdup(p, path,
                                              (apr_size_t) (slash - path)));
    }
}
