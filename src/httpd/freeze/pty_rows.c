/*
 * Makes the rows of JailMount pty: pseudo-terminals of the jail's own.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    the configuration
 */
#include "pty_rows.h"

/* Returns the maximum of the last JailMount pty. */
static uint32_t max_of(const jc_server_conf_t *conf)
{
    uint32_t max = JC_DEFAULT_PTYS;

    for (int i = 0; conf->mounts && i < conf->mounts->nelts; i++) {
        const jc_mount_conf_t *mount =
            &APR_ARRAY_IDX(conf->mounts, i, jc_mount_conf_t);

        if (mount->kind == JC_CONF_PTY) {
            max = mount->inodes;
        }
    }
    return max;
}

void jc_pty_rows_add(apr_array_header_t *rows, const jc_server_conf_t *conf,
                     int has_own_dev)
{
    jc_mount_row_pty(rows, max_of(conf));
    if (has_own_dev) {
        /* The caller's controlling terminal, which is in the jail too. */
        jc_mount_row_bind(rows, "/dev/tty", "/dev/tty",
                          JC_MOUNT_DEVICES | JC_MOUNT_MAKE | JC_MOUNT_NOEXEC |
                              JC_MOUNT_OPTIONAL,
                          0);
        jc_mount_row_link(rows, "pts/ptmx", "/dev/ptmx");
    }
}

static int have(const apr_array_header_t *rows)
{
    for (int i = 0; i < rows->nelts; i++) {
        if (APR_ARRAY_IDX(rows, i, jc_mount_row_t).mount.kind == JC_MOUNT_PTY) {
            return 1;
        }
    }
    return 0;
}

int jc_pty_rows_exist(const jc_isolation_t *isolation)
{
    return have(isolation->common) || have(isolation->rows);
}
