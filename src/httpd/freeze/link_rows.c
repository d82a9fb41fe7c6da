/*
 * Finds the symbolic links that lead to the documents of a host. A root that is
 * made of mounts has them again: with /var/www/DOMAIN -> clients/client1/web1,
 * httpd names scripts by the link.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    directories of root's that nobody else may write, and links there
 * Never:     looks into a directory in which anybody else could have made a
 *            link. httpd itself has looked for the documents before
 */
#include "mount_rows.h"

#include "apr_strings.h"
#include "http_core.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 40 /* the kernel's own maximum */

static const char *content_of(apr_pool_t *p, const char *path)
{
    char content[PATH_MAX];
    ssize_t len = readlink(path, content, sizeof(content) - 1);

    return len > 0 ? apr_pstrmemdup(p, content, (apr_size_t) len) : NULL;
}

const apr_array_header_t *jc_link_rows_find(apr_pool_t *p, const server_rec *s)
{
    apr_array_header_t *found = apr_array_make(p, 2, sizeof(jc_link_t));
    const core_server_config *core =
        ap_get_core_module_config(s->module_config);
    const char *at = "", *rest = core->ap_document_root;
    int links = 0;

    while (rest) {
        const char *name, *content, *next;
        struct stat st;

        rest += strspn(rest, "/");
        name = apr_pstrmemdup(p, rest, strcspn(rest, "/"));
        rest += strlen(name);
        next = apr_pstrcat(p, at, "/", name, NULL);
        if (!name[0] || strcmp(name, "..") == 0 || lstat(next, &st) != 0) {
            return found;
        }
        if (S_ISLNK(st.st_mode)) {
            content = content_of(p, next);
            if (!content || ++links > LINKS_MAX) {
                return found;
            }
            APR_ARRAY_PUSH(found, jc_link_t) = (jc_link_t){next, content};
            rest = apr_pstrcat(p, content, "/", rest, NULL);
            at = content[0] == '/' ? "" : at;
        } else if (!S_ISDIR(st.st_mode) || st.st_uid != 0 ||
                   (st.st_mode & (S_IWGRP | S_IWOTH))) {
            return found;
        } else if (strcmp(name, ".") != 0) {
            at = next;
        }
    }
    return found;
}
