/*
 * Answers questions about the lines of a host that make mounts.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    the configuration
 */
#include "mount_rows.h"

#include <string.h>
#include <unistd.h>

int jc_mount_lines_have_target(const jc_server_conf_t *conf, const char *target)
{
    for (int i = 0; conf->mounts && i < conf->mounts->nelts; i++) {
        const jc_mount_conf_t *mount =
            &APR_ARRAY_IDX(conf->mounts, i, jc_mount_conf_t);

        if (mount->kind != JC_CONF_HOME && strcmp(mount->target, target) == 0) {
            return 1;
        }
    }
    return 0;
}

int jc_mount_lines_have_kind(const jc_server_conf_t *conf,
                             jc_mount_conf_kind_t kind)
{
    for (int i = 0; conf->mounts && i < conf->mounts->nelts; i++) {
        if (APR_ARRAY_IDX(conf->mounts, i, jc_mount_conf_t).kind == kind) {
            return 1;
        }
    }
    return 0;
}

int jc_mount_lines_have_tmp(const jc_server_conf_t *conf)
{
    return conf->tmp && conf->tmp[0] &&
           !jc_mount_lines_have_target(conf, "/tmp");
}

int jc_mount_lines_have_sessions(const jc_server_conf_t *conf)
{
    return conf->root_kind == JC_ROOT_HOST && conf->site &&
           conf->site->pattern &&
           !jc_mount_lines_have_target(conf, JC_PHP_SESSIONS) &&
           access(JC_PHP_SESSIONS, F_OK) == 0;
}

int jc_mount_lines_have_mail(const jc_server_conf_t *conf)
{
    return conf->mail && conf->mail[0] &&
           !jc_mount_lines_have_target(conf, "/usr/sbin/sendmail");
}
