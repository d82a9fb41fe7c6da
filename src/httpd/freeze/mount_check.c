/*
 * Checks whether the settings of a host that make mounts suit each other.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    the configuration, the user database
 */
#include "homes.h"
#include "mount_rows.h"

#include "apr_strings.h"

static int refuse(jc_isolation_t *isolation, jc_code_t code, const char *found,
                  const char *expected)
{
    isolation->refusal = (jc_refusal_t){code, found, expected};
    return -1;
}

/* Returns which directive needs a mount namespace, or NULL. */
static const char *directive_with_mounts(const jc_server_conf_t *conf,
                                         const char *site)
{
    return conf->mounts                      ? "JailMount"
           : jc_mount_lines_have_tmp(conf)   ? "JailTmp"
           : jc_mount_lines_have_mail(conf)  ? "JailMail"
           : site                            ? "JailSite"
           : conf->root_kind == JC_ROOT_HOST ? "JailRoot host"
                                             : NULL;
}

/* With JailUser owner the account brings the home, with JailRoot host alone, as
 * it is. */
static int account_has_home(const jc_server_conf_t *conf)
{
    for (int i = 0; i < conf->mounts->nelts; i++) {
        const jc_mount_conf_t *mount =
            &APR_ARRAY_IDX(conf->mounts, i, jc_mount_conf_t);

        if (mount->kind == JC_CONF_HOME && mount->flags) {
            return 0;
        }
    }
    return conf->root_kind == JC_ROOT_HOST;
}

int jc_mount_check(apr_pool_t *p, const jc_server_conf_t *conf,
                   const jc_identity_t *id, jc_isolation_t *isolation)
{
    uint32_t has = isolation->namespaces;
    const char *mounts = directive_with_mounts(conf, isolation->site);

    if (!(has & JC_NS_MOUNT) && mounts) {
        return refuse(isolation, JC_CODE_NO_MOUNT_NAMESPACE,
                      apr_psprintf(p, "%s, and JailNamespaces without mount",
                                   mounts),
                      "mount among the JailNamespaces");
    }
    if ((has & JC_NS_NET) && jc_mount_lines_have_mail(conf)) {
        return refuse(isolation, JC_CODE_MAIL_NETWORK,
                      "JailMail, and JailNamespaces with net",
                      "no net among the JailNamespaces, or JailMail none: a "
                      "jail without a network reaches no mail server");
    }
    if (!(has & JC_NS_PID) && jc_mount_lines_have_kind(conf, JC_CONF_PROC)) {
        return refuse(isolation, JC_CODE_NO_MOUNT_NAMESPACE,
                      "JailMount proc, and JailNamespaces without pid",
                      "pid among the JailNamespaces: without it /proc would "
                      "show the processes of the whole machine");
    }
    if (!jc_mount_lines_have_kind(conf, JC_CONF_HOME)) {
        return 0;
    }
    if (id->uid == JC_NO_ID && !account_has_home(conf)) {
        return refuse(isolation, JC_CODE_NO_HOME,
                      "JailMount home, and JailUser owner",
                      "JailRoot host, and home without ro or slave");
    }
    if (id->uid != JC_NO_ID && !jc_homes_is_own(id->home)) {
        return refuse(isolation, JC_CODE_NO_HOME,
                      apr_psprintf(p, "JailMount home, and the home '%s'",
                                   id->home ? id->home : ""),
                      "a user whose home in the user database is a directory "
                      "of that user alone");
    }
    return 0;
}
