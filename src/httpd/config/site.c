/*
 * Implements JailSite, which shows a host no more of its user's home than its
 * own site. src/httpd/freeze/site_rows.c makes rows of it.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    nothing; every argument is checked
 * Never:     looks at a directory
 */
#include "mount_directives.h"
#include "parse.h"

#include "apr_strings.h"

#include <strings.h>

#define GRAMMAR                                                                \
    "write a directory in the home of the user, with %h for the home and %d "  \
    "for one directory of any name, such as %h/web/%d, then shared=PATH for "  \
    "what all sites of the user may read; or off"

/* Returns NULL, or what is wrong with a path that may begin with %h. */
static const char *parse(apr_pool_t *p, const char *text, const char **path)
{
    const char *wrong;

    if (strncmp(text, "%h/", 3) != 0) {
        return jc_parse_path(p, text, path);
    }
    wrong = jc_parse_path(p, text + 2, path);
    *path = wrong ? NULL : apr_pstrcat(p, "%h", *path, NULL);
    return wrong;
}

const char *jc_site_set(cmd_parms *cmd, void *unused, int argc,
                        char *const argv[])
{
    jc_site_t *site = apr_pcalloc(cmd->pool, sizeof(*site));

    if (argc == 0) {
        return "JailSite: an argument is missing; " GRAMMAR;
    }
    site->shared = apr_array_make(cmd->pool, 2, sizeof(const char *));
    for (int i = 0; i < argc; i++) {
        const char *path = NULL, *wrong = "is not understood";

        if (argc == 1 && strcasecmp(argv[i], "off") == 0) {
            break;
        }
        if (i == 0) {
            wrong = parse(cmd->pool, argv[i], &site->pattern);
        } else if (strncasecmp(argv[i], "shared=", 7) == 0) {
            wrong = parse(cmd->pool, argv[i] + 7, &path);
            APR_ARRAY_PUSH(site->shared, const char *) = path;
        }
        if (wrong) {
            return apr_psprintf(cmd->pool, "JailSite: '%s' %s; %s", argv[i],
                                wrong, GRAMMAR);
        }
    }
    jc_config_of(cmd->server)->site = site;
    return NULL;
}
