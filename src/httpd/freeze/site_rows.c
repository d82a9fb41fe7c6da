/*
 * Makes the rows of JailSite. A jail has only the directory of its own site
 * from the user's home, and what all sites of the user share. The DocumentRoot
 * determines the site, so the HTTP and the HTTPS host of a site have one
 * policy.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    the configuration, the user database
 * Never:     shows a whole home because a host does not fit the pattern
 */
#include "homes.h"
#include "site_rows.h"

#include "apr_strings.h"
#include "http_core.h"

#include <string.h>

static const char *with_home(apr_pool_t *p, const char *pattern,
                             const char *home)
{
    return strncmp(pattern, "%h/", 3) == 0
               ? apr_pstrcat(p, home, pattern + 2, NULL)
               : pattern;
}

/* Returns the beginning of `path` that the pattern describes, or NULL. Each %d
 * stands for one component. */
static const char *site_in(apr_pool_t *p, const char *pattern, const char *path)
{
    const char *at = path;

    while (*pattern) {
        if (pattern[0] == '%' && pattern[1] == 'd') {
            size_t len = strcspn(at, "/");

            if (len == 0 || at[0] == '.') {
                return NULL;
            }
            at += len;
            pattern += 2;
        } else if (*at++ != *pattern++) {
            return NULL;
        }
    }
    return *at == '\0' || *at == '/'
               ? apr_pstrmemdup(p, path, (apr_size_t) (at - path))
               : NULL;
}

static int is_below(const char *path, const char *directory)
{
    size_t len = strlen(directory);

    return strncmp(path, directory, len) == 0 && path[len] == '/';
}

int jc_site_rows_find(apr_pool_t *p, const server_rec *s,
                      const jc_identity_t *id, jc_isolation_t *isolation)
{
    const jc_server_conf_t *conf = jc_config_of((server_rec *) s);
    const core_server_config *core =
        ap_get_core_module_config(s->module_config);
    const char *documents = core->ap_document_root;
    const char *wrong = NULL;

    isolation->site = NULL;
    if (!conf->site || !conf->site->pattern ||
        conf->root_kind == JC_ROOT_PATH) {
        return 0; /* such a root has no home but what the lines bring */
    }
    if (conf->root_kind != JC_ROOT_HOST) {
        wrong = "JailSite, and JailRoot none, which has the whole home";
    } else if (id->uid == JC_NO_ID) {
        wrong = "JailSite, and JailUser owner, whose jails have whole homes";
    } else if (!jc_homes_is_own(id->home)) {
        wrong = "JailSite, and a user without a home of its own";
    } else if (jc_mount_lines_have_kind(conf, JC_CONF_HOME)) {
        wrong = "JailSite, and JailMount home";
    } else {
        isolation->site =
            documents ? site_in(p, with_home(p, conf->site->pattern, id->home),
                                documents)
                      : NULL;
        if (!isolation->site || !is_below(isolation->site, id->home)) {
            wrong = apr_psprintf(p,
                                 "DocumentRoot %s, JailSite %s and the home "
                                 "%s",
                                 documents ? documents : "none",
                                 conf->site->pattern, id->home);
        }
    }
    if (wrong) {
        isolation->refusal = (jc_refusal_t){
            JC_CODE_NO_SITE, wrong,
            "a DocumentRoot in a directory of the home that JailSite "
            "describes, or JailSite off"};
        return -1;
    }
    return 0;
}

/* A site's own directory: %u, the last component, a hash of the whole path, and
 * what it is for. */
const char *jc_site_rows_own(apr_pool_t *p, const char *base, const char *site,
                             const char *suffix)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (const char *at = site; at && *at; at++) {
        hash = (hash ^ (unsigned char) *at) * 0x100000001b3u; /* FNV-1a */
    }
    return site
               ? apr_psprintf(p, "%s/%%u.%.100s.%016" APR_UINT64_T_HEX_FMT "%s",
                              base, strrchr(site, '/') + 1, (apr_uint64_t) hash,
                              suffix)
               : apr_pstrcat(p, base, "/%u", suffix, NULL);
}

void jc_site_rows_add(apr_pool_t *p, apr_array_header_t *rows,
                      const jc_server_conf_t *conf, const jc_identity_t *id,
                      const jc_isolation_t *isolation)
{
    const apr_array_header_t *shared = conf->site->shared;
    uint32_t flags = JC_MOUNT_HOME | JC_MOUNT_MAKE;

    jc_mount_row_parents(p, rows, isolation->site);
    jc_mount_row_bind(rows, isolation->site, isolation->site, flags, 0);
    for (int i = 0; i < shared->nelts; i++) {
        const char *path =
            with_home(p, APR_ARRAY_IDX(shared, i, const char *), id->home);

        jc_mount_row_parents(p, rows, path);
        jc_mount_row_bind(rows, path, path,
                          flags | JC_MOUNT_READ_ONLY | JC_MOUNT_OPTIONAL, 0);
    }
}
