/*
 * Writes what a jail without an /etc of its own says about users: its
 * /etc/passwd and /etc/group. They name root, the tenant and the groups of the
 * tenant. The names of other users are nobody's business.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    the machine's user database, but not that its names fit into a
 *            line: a directory service may have any
 */
#include "accounts.h"

#include "apr_strings.h"

#include <string.h>

#define ROOT       "root:x:0:0:root:/:/usr/sbin/nologin\n"
#define ROOT_GROUP "root:x:0:\n"

/* Returns the name, or the number if there is none that fits. */
static const char *name_or(apr_pool_t *p, const char *name, uint32_t number)
{
    return name && name[0] && !strpbrk(name, ":,\n")
               ? name
               : apr_psprintf(p, "%u", number);
}

const char *jc_accounts_passwd(apr_pool_t *p, const jc_identity_t *id,
                               const char *home)
{
    return apr_psprintf(p, ROOT "%s:x:%u:%u::%s:/bin/sh\n",
                        name_or(p, id->name, id->uid), id->uid, id->gid,
                        home && !strpbrk(home, ":\n") ? home : "/");
}

const char *jc_accounts_group(apr_pool_t *p, const jc_identity_t *id)
{
    const char *user = name_or(p, id->name, id->uid);
    apr_array_header_t *lines =
        apr_array_make(p, (int) id->group_count + 2, sizeof(const char *));

    APR_ARRAY_PUSH(lines, const char *) = ROOT_GROUP;
    APR_ARRAY_PUSH(lines, const char *) =
        apr_psprintf(p, "%s:x:%u:\n", name_or(p, id->group, id->gid), id->gid);
    for (unsigned i = 0; id->group_names && i < id->group_count; i++) {
        uint32_t gid = id->groups[i];

        if (gid != id->gid) {
            APR_ARRAY_PUSH(lines, const char *) =
                apr_psprintf(p, "%s:x:%u:%s\n",
                             name_or(p, id->group_names[i], gid), gid, user);
        }
    }
    return apr_array_pstrcat(p, lines, '\0');
}
