/*
 * Translates a path of the host into the path that it has in the jail.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    the configuration
 */
#include "reason.h"

#include <string.h>

const char *jc_jail_path(apr_pool_t *p, const jc_server_conf_t *conf,
                         const char *path)
{
    size_t len;

    if (conf->root_kind != JC_ROOT_PATH || !conf->root) {
        return path;
    }
    len = strlen(conf->root);
    if (strncmp(path, conf->root, len) != 0) {
        return path;
    }
    /* Only whole components count: /srv/jail is no part of /srv/jail2. */
    if (path[len] == '\0') {
        return "/";
    }
    return path[len] == '/' ? path + len : path;
}
