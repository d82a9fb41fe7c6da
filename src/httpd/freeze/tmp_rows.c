/*
 * Makes the rows of directories that a user or a site has of its own on disk:
 * the /tmp of JailTmp, and the PHP sessions of a site with JailSite. The keeper
 * makes the directories (src/keeper/build/own_dir.c), because only it knows the
 * user with JailUser owner.
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

static const char *base_of(const jc_server_conf_t *conf)
{
    return conf->tmp && conf->tmp[0] ? conf->tmp : JC_TMP_DIRECTORY;
}

void jc_tmp_rows_add(apr_pool_t *p, apr_array_header_t *rows,
                     const jc_server_conf_t *conf, const char *site,
                     uint32_t make)
{
    if (jc_mount_lines_have_tmp(conf)) {
        jc_mount_row_bind(rows, jc_site_rows_own(p, conf->tmp, site, ""),
                          "/tmp", JC_MOUNT_OWN | make, 0);
    }
    /* In a directory that the sites of a user share, a site could make sessions
     * for another: PHP asks only for the user of such a file. */
    if (site && jc_mount_lines_have_sessions(conf)) {
        jc_mount_row_bind(rows,
                          jc_site_rows_own(p, base_of(conf), site, ".sessions"),
                          JC_PHP_SESSIONS,
                          JC_MOUNT_OWN | JC_MOUNT_NOEXEC | make, 0);
    }
}

void jc_tmp_rows_prepare(const jc_server_conf_t *conf, int is_start)
{
    /* Where this fails, the first request says why (JCGI1427). */
    if (is_start &&
        (jc_mount_lines_have_tmp(conf) || jc_mount_lines_have_sessions(conf)) &&
        strcmp(base_of(conf), JC_TMP_DIRECTORY) == 0) {
        (void) mkdir("/var/lib/jailcgi", 0755);
        (void) mkdir(JC_TMP_DIRECTORY, 0711);
    }
}
