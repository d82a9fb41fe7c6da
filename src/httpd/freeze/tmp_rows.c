/*
 * Makes the row of JailTmp: a /tmp of the user's own on disk. The keeper makes
 * the directory (src/keeper/build/own_dir.c), because only it knows the user
 * with JailUser owner.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    the configuration
 * Never:     makes a directory that the configuration names: it could be on a
 *            file server that does not answer
 */
#include "site_rows.h"

#include <string.h>
#include <sys/stat.h>

void jc_tmp_rows_add(apr_pool_t *p, apr_array_header_t *rows,
                     const jc_server_conf_t *conf, const char *site,
                     uint32_t make)
{
    if (jc_mount_lines_have_tmp(conf)) {
        jc_mount_row_bind(rows, jc_site_rows_tmp(p, conf->tmp, site), "/tmp",
                          JC_MOUNT_OWN | make, 0);
    }
}

void jc_tmp_rows_prepare(const jc_server_conf_t *conf, int is_start)
{
    /* Where this fails, the first request says why (JCGI1427). */
    if (is_start && jc_mount_lines_have_tmp(conf) &&
        strcmp(conf->tmp, JC_TMP_DIRECTORY) == 0) {
        (void) mkdir("/var/lib/jailcgi", 0755);
        (void) mkdir(JC_TMP_DIRECTORY, 0711);
    }
}
