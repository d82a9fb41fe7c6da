/*
 * Implements the directives that say who scripts run as.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    nothing; every argument is checked
 * Never:     looks up a name: identity.c does that, once for all virtual hosts
 */
#include "directives.h"
#include "parse.h"
#include "src/wire/wire.h"

#include "http_core.h"
#include "unixd.h"

#include "apr_strings.h"

/* Takes a name, or # and a number. Returns NULL, or what is wrong. */
static const char *check_id(const char *arg)
{
    int64_t number;

    if (arg[0] == '\0') {
        return "is empty";
    }
    if (arg[0] != '#') {
        return NULL;
    }
    if (!jc_parse_number(arg + 1, 0, JC_NO_ID - 1, &number)) {
        return "is not # and a number, as in #1001";
    }
    return NULL;
}

static const char *check_user_and_group(cmd_parms *cmd, const char *user,
                                        const char *group)
{
    const char *arg = user;
    const char *wrong = check_id(user);

    if (!wrong && group) {
        arg = group;
        wrong = check_id(group);
    }
    if (!wrong) {
        return NULL;
    }
    return apr_psprintf(cmd->pool,
                        "%s: '%s' %s; give a name, or # and the number, in "
                        "quotes: \"#1001\"",
                        cmd->cmd->name, arg, wrong);
}

const char *jc_user_set(cmd_parms *cmd, void *unused, const char *user,
                        const char *group)
{
    jc_server_conf_t *conf = jc_config_of(cmd->server);
    const char *error;

    if (strcasecmp(user, "owner") == 0) {
        if (group && strcasecmp(group, "directory") != 0) {
            return apr_psprintf(
                cmd->pool,
                "JailUser owner takes no group, but '%s' was given; scripts "
                "run as their own owner and group, or with JailUser owner "
                "directory as those of their directory (write a user whose "
                "name is owner as #UID)",
                group);
        }
        conf->user_kind = JC_USER_OWNER;
        conf->owner_is_dirs = group != NULL;
        conf->user = NULL;
        conf->group = NULL;
        return NULL;
    }
    if ((error = check_user_and_group(cmd, user, group))) {
        return error;
    }
    conf->user_kind = JC_USER_NAMED;
    conf->user = user;
    conf->group = group;
    return NULL;
}

/*
 * Implements the directive of mod_suexec. httpd gives a directive to every
 * module that has it in its table, so this one works with mod_suexec and
 * without it.
 */
const char *jc_user_set_suexec(cmd_parms *cmd, void *unused, const char *user,
                               const char *group)
{
    jc_server_conf_t *conf = jc_config_of(cmd->server);
    const char *error = ap_check_cmd_context(cmd, NOT_IN_DIR_LOC_FILE);

    if (!error) {
        error = check_user_and_group(cmd, user, group);
    }
    if (error) {
        return error;
    }
    /* suexec.c enables suEXEC, so only a `Suexec Off` above this line can have
     * disabled it. mod_suexec is asked too and will refuse; say how to fix
     * that. */
    if (!ap_unixd_config.suexec_enabled && jc_loaded("mod_suexec.c")) {
        return "SuexecUserGroup: mod_suexec refuses this line after Suexec "
               "Off; mod_jailcgi needs neither, so remove Suexec Off or the "
               "LoadModule line of suexec_module";
    }
    conf->suexec_user = user;
    conf->suexec_group = group;
    return NULL;
}
