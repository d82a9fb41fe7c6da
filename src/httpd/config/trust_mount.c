/*
 * Implements JailTrustMount: file systems whose owners count although they are
 * FUSE or nosuid. Warns at start of sites whose scripts are on others.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    the configuration, the kernel's table of mounts
 * Never:     asks a file system, because its server may not answer
 */
#include "directives.h"
#include "parse.h"
#include "src/wire/mountinfo.h"

#include "http_core.h"

#include "apr_strings.h"

const char *jc_trust_mount_set(cmd_parms *cmd, void *unused, const char *arg)
{
    jc_server_conf_t *conf = jc_config_of(cmd->server);
    const char *point, *wrong;

    if (jc_parse_none(arg, &conf->trust_mounts,
                      &conf->trust_mounts_are_reset)) {
        return NULL;
    }
    wrong = jc_parse_path(cmd->pool, arg, &point);
    if (wrong) {
        return apr_psprintf(cmd->pool,
                            "JailTrustMount: '%s' %s; give the absolute path "
                            "of a mount point of this machine (see findmnt), "
                            "or none",
                            arg, wrong);
    }
    jc_parse_add_string(cmd->pool, &conf->trust_mounts, point);
    return NULL;
}

static int take(void *data, const jc_mountinfo_t *mount)
{
    apr_array_header_t *mounts = data;
    jc_mountinfo_t *kept = apr_array_push(mounts);

    *kept = *mount;
    kept->point = apr_pstrdup(mounts->pool, mount->point);
    return 0;
}

static int is_below(const char *path, const char *point)
{
    size_t len = strlen(point);

    return len == 1 || (strncmp(path, point, len) == 0 &&
                        (path[len] == '\0' || path[len] == '/'));
}

/* Returns the mount that is seen at `path`, as far as no symbolic link leads
 * elsewhere. */
static const jc_mountinfo_t *mount_of(const apr_array_header_t *mounts,
                                      const char *path)
{
    const jc_mountinfo_t *found = NULL;

    for (int i = 0; i < mounts->nelts; i++) {
        const jc_mountinfo_t *mount = &APR_ARRAY_IDX(mounts, i, jc_mountinfo_t);

        /* The last one of several mounts at one place covers the others. */
        if (is_below(path, mount->point) &&
            (!found || strlen(mount->point) >= strlen(found->point))) {
            found = mount;
        }
    }
    return found;
}

static int is_trusted(const jc_server_conf_t *conf,
                      const apr_array_header_t *mounts,
                      const jc_mountinfo_t *mount)
{
    for (int i = 0; conf->trust_mounts && i < mounts->nelts; i++) {
        const jc_mountinfo_t *named = &APR_ARRAY_IDX(mounts, i, jc_mountinfo_t);

        for (int k = 0; k < conf->trust_mounts->nelts; k++) {
            if (named->dev == mount->dev && !named->by_user &&
                strcmp(named->point, APR_ARRAY_IDX(conf->trust_mounts, k,
                                                   const char *)) == 0) {
                return 1;
            }
        }
    }
    return 0;
}

const char *jc_trust_mount_problem(apr_pool_t *p, server_rec *s,
                                   const jc_server_conf_t *conf,
                                   apr_array_header_t **mounts)
{
    const core_server_config *core =
        ap_get_core_module_config(s->module_config);
    const char *path =
        conf->root_kind == JC_ROOT_PATH ? conf->root : core->ap_document_root;
    const jc_mountinfo_t *mount;

    if (conf->user_kind != JC_USER_OWNER || !path) {
        return NULL;
    }
    if (!*mounts) {
        *mounts = apr_array_make(p, 32, sizeof(jc_mountinfo_t));
        (void) jc_mountinfo_each(take, *mounts);
    }
    mount = mount_of(*mounts, path);
    if (!mount || mount->fs == JC_FS_VOUCHED ||
        is_trusted(conf, *mounts, mount)) {
        return NULL;
    }
    return apr_psprintf(
        p,
        "JailUser owner is set, and %s is on %s, mounted at %s: the owners of "
        "files there do not count, and requests for scripts get 500%s%s",
        path,
        mount->fs == JC_FS_FUSE ? "a FUSE file system"
                                : "a file system that is mounted nosuid",
        mount->point,
        mount->by_user
            ? "; a user mounted it, whose process says who owns a file"
            : "; if root alone decides what it says, write JailTrustMount ",
        mount->by_user ? "" : mount->point);
}
