/*
 * Spells a home in one way, whichever of its names the user database has. The
 * mounts of a jail and the HOME of its scripts must agree on it.
 *
 * Runs in:   httpd parent (root), httpd child
 * Privilege: that of the caller
 * Trusts:    the user database
 * Never:     asks a file system
 */
#include "home_path.h"

#include "apr_strings.h"

#include <string.h>

const char *jc_home_path_clean(apr_pool_t *p, const char *home)
{
    char *to, *spelling = apr_palloc(p, strlen(home) + 1);

    if (home[0] != '/') {
        return apr_pstrdup(p, home);
    }
    to = spelling;
    for (const char *at = home; *at;) {
        size_t len;

        at += strspn(at, "/");
        len = strcspn(at, "/");
        if (len > 0 && !(len == 1 && at[0] == '.')) {
            *to++ = '/';
            memcpy(to, at, len);
            to += len;
        }
        at += len;
    }
    if (to == spelling) {
        *to++ = '/';
    }
    *to = '\0';
    return spelling;
}
