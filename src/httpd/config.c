/*
 * The directives. How a virtual host inherits them is in inherit.c.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: the parent's
 * Trusts:    nothing; every argument is checked
 * Never:     looks a name up or opens a file: that is done once for all
 *            virtual hosts, in policy.c
 */
#include "src/httpd/freeze.h"
#include "src/wire/wire.h"

#include "http_core.h"
#include "unixd.h"

#include "apr_lib.h"
#include "apr_strings.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

static jc_server_conf_t *conf_of(cmd_parms *cmd)
{
    return jc_config_of(cmd->server);
}

/*
 * Sets *clean to `path` without doubled and trailing slashes. Returns NULL or
 * what is wrong with it, to follow it in a sentence.
 */
static const char *clean_path(apr_pool_t *p, const char *path,
                              const char **clean)
{
    char *out = apr_palloc(p, strlen(path) + 1);
    char *end = out;

    if (path[0] != '/') {
        return "is not absolute";
    }
    while (*path != '\0') {
        size_t len;

        while (*path == '/') {
            path++;
        }
        len = strcspn(path, "/");
        if ((len == 1 && path[0] == '.') ||
            (len == 2 && path[0] == '.' && path[1] == '.')) {
            return "has a component . or ..";
        }
        if (len > 0) {
            *end++ = '/';
            memcpy(end, path, len);
            end += len;
            path += len;
        }
    }
    if (end == out) {
        *end++ = '/';
    }
    *end = '\0';
    *clean = out;
    return end - out >= PATH_MAX ? "is longer than a path may be" : NULL;
}

static const char *set_root(cmd_parms *cmd, void *unused, const char *arg)
{
    jc_server_conf_t *conf = conf_of(cmd);
    const char *root = NULL;

    if (strcasecmp(arg, "off") == 0) {
        conf->root_kind = JC_ROOT_OFF;
    } else if (strcasecmp(arg, "none") == 0) {
        conf->root_kind = JC_ROOT_NONE;
    } else {
        const char *wrong = clean_path(cmd->pool, arg, &root);

        if (wrong != NULL) {
            return apr_psprintf(cmd->pool,
                                "JailRoot: '%s' %s; give the absolute path of "
                                "the directory that scripts shall see as /, "
                                "or none, or off",
                                arg, wrong);
        }
        if (root[1] == '\0') {
            return "JailRoot: / is the root of the machine and jails nothing; "
                   "write JailRoot none if scripts shall run in it";
        }
        conf->root_kind = JC_ROOT_PATH;
    }
    conf->root = root;
    return NULL;
}

/* A name, or # and a number. NULL or what is wrong. */
static const char *check_id(const char *arg)
{
    char *end;
    unsigned long long number;

    if (arg[0] == '\0') {
        return "is empty";
    }
    if (arg[0] != '#') {
        return NULL;
    }
    errno = 0;
    number = strtoull(arg + 1, &end, 10);
    if (!apr_isdigit(arg[1]) || *end != '\0' || errno != 0 ||
        number >= JC_NO_ID) {
        return "is not # and a number, as in #1001";
    }
    return NULL;
}

static const char *check_user_and_group(cmd_parms *cmd, const char *user,
                                        const char *group)
{
    const char *arg = user;
    const char *wrong = check_id(user);

    if (wrong == NULL && group != NULL) {
        arg = group;
        wrong = check_id(group);
    }
    if (wrong == NULL) {
        return NULL;
    }
    return apr_psprintf(cmd->pool,
                        "%s: '%s' %s; give a name, or # and the number, in "
                        "quotes: \"#1001\"",
                        cmd->cmd->name, arg, wrong);
}

static const char *set_user(cmd_parms *cmd, void *unused, const char *user,
                            const char *group)
{
    jc_server_conf_t *conf = conf_of(cmd);
    const char *error;

    if (strcasecmp(user, "owner") == 0) {
        if (group != NULL) {
            return apr_psprintf(cmd->pool,
                                "JailUser owner takes no group, but '%s' was "
                                "given: scripts run as their own owner and "
                                "group (a user who is called owner is "
                                "written as #UID)",
                                group);
        }
        conf->user_kind = JC_USER_OWNER;
        conf->user = NULL;
        conf->group = NULL;
        return NULL;
    }
    if ((error = check_user_and_group(cmd, user, group)) != NULL) {
        return error;
    }
    conf->user_kind = JC_USER_NAMED;
    conf->user = user;
    conf->group = group;
    return NULL;
}

/*
 * mod_suexec's own directive. httpd gives a directive to every module that
 * has it in its table, so this one works with mod_suexec and without.
 */
static const char *set_suexec(cmd_parms *cmd, void *unused, const char *user,
                              const char *group)
{
    jc_server_conf_t *conf = conf_of(cmd);
    const char *error = ap_check_cmd_context(cmd, NOT_IN_DIR_LOC_FILE);

    if (error == NULL) {
        error = check_user_and_group(cmd, user, group);
    }
    if (error != NULL) {
        return error;
    }
    /* suexec.c enables it, so this is `Suexec Off` above. mod_suexec is asked
     * too and will refuse; say how that is mended. */
    if (!ap_unixd_config.suexec_enabled &&
        ap_find_linked_module("mod_suexec.c") != NULL) {
        return "SuexecUserGroup: mod_suexec refuses this line after Suexec "
               "Off; mod_jailcgi needs neither, so remove Suexec Off or the "
               "LoadModule line of suexec_module";
    }
    conf->suexec_user = user;
    conf->suexec_group = group;
    return NULL;
}

static const char *set_minimum(cmd_parms *cmd, void *unused, const char *arg)
{
    jc_server_conf_t *conf = conf_of(cmd);
    unsigned long long number;
    char *end;

    errno = 0;
    number = strtoull(arg, &end, 10);
    if (!apr_isdigit(arg[0]) || *end != '\0' || errno != 0 || number == 0 ||
        number >= JC_NO_ID) {
        return apr_psprintf(cmd->pool,
                            "%s: '%s' is not a number above 0; scripts never "
                            "run as root, and the usual value is %d",
                            cmd->cmd->name, arg, JC_DEFAULT_MIN_ID);
    }
    if (cmd->info != NULL) {
        conf->min_gid = (int64_t) number;
    } else {
        conf->min_uid = (int64_t) number;
    }
    return NULL;
}

static const char *set_eager_binding(cmd_parms *cmd, void *unused, int on)
{
    conf_of(cmd)->eager_binding = on;
    return NULL;
}

static int is_env_name(const char *name)
{
    if (!apr_isalpha(name[0]) && name[0] != '_') {
        return 0;
    }
    while (apr_isalnum(*name) || *name == '_') {
        name++;
    }
    return *name == '\0';
}

/* Raw, because httpd would refuse an empty value: JailEnv NAME "". */
static const char *set_env(cmd_parms *cmd, void *unused, const char *args)
{
    jc_server_conf_t *conf = conf_of(cmd);
    const char *name = ap_getword_conf(cmd->pool, &args);
    const char *rest = args;
    const char *value = ap_getword_conf(cmd->pool, &args);

    if (*rest == '\0' || *args != '\0') {
        return "JailEnv takes two arguments, a name and a value (in quotes if "
               "it has spaces): JailEnv TZ Europe/Berlin";
    }
    if (!is_env_name(name)) {
        return apr_psprintf(cmd->pool,
                            "JailEnv: '%s' is not the name of a variable; "
                            "write a name of letters, digits and _ that does "
                            "not begin with a digit, a space, and the value: "
                            "JailEnv TZ Europe/Berlin",
                            name);
    }
    if (strcmp(name, "LD_BIND_NOW") == 0) {
        return "JailEnv: LD_BIND_NOW is set by JailEagerBinding and by nothing "
               "else; write JailEagerBinding On or Off";
    }
    if (conf->env == NULL) {
        conf->env = apr_table_make(cmd->pool, 4);
    }
    jc_config_env_set(conf->env, name, value);
    return NULL;
}

static const char *set_limits(cmd_parms *cmd, void *unused, int argc,
                              char *const argv[])
{
    return jc_limits_parse(cmd->pool, conf_of(cmd), argc, argv);
}

static const char *set_idle(cmd_parms *cmd, void *unused, const char *arg)
{
    apr_interval_time_t idle;

    if (!apr_isdigit(arg[0]) ||
        ap_timeout_parameter_parse(arg, &idle, "s") != APR_SUCCESS ||
        idle < apr_time_from_msec(1) || apr_time_as_msec(idle) >= INT32_MAX) {
        return apr_psprintf(cmd->pool,
                            "JailIdle: '%s' is not a time from 1ms to 24 days; "
                            "write seconds, or a number with ms, s, min or h",
                            arg);
    }
    conf_of(cmd)->idle_ms = apr_time_as_msec(idle);
    return NULL;
}

static const char *set_strict(cmd_parms *cmd, void *unused, int on)
{
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    if (error == NULL) {
        conf_of(cmd)->strict = on;
    }
    return error;
}

static const char *set_helper(cmd_parms *cmd, void *unused, const char *arg)
{
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    if (error != NULL) {
        return error;
    }
    if (arg[0] != '/') {
        return apr_psprintf(cmd->pool,
                            "JailHelper: '%s' is not absolute; give the whole "
                            "path of jailcgi-helper",
                            arg);
    }
    conf_of(cmd)->helper = arg;
    return NULL;
}

static const char *add_trust(cmd_parms *cmd, void *unused, const char *arg)
{
    jc_server_conf_t *conf = conf_of(cmd);
    const char *path, *wrong;

    if (strcasecmp(arg, "none") == 0) {
        conf->trust = NULL;
        conf->trust_is_reset = 1;
        return NULL;
    }
    wrong = clean_path(cmd->pool, arg, &path);
    if (wrong == NULL && path[1] == '\0') {
        wrong = "would trust every file that belongs to root";
    }
    if (wrong != NULL) {
        return apr_psprintf(cmd->pool,
                            "JailTrust: '%s' %s; give the absolute path, as "
                            "scripts see it, of a file or directory that "
                            "belongs to root, or none",
                            arg, wrong);
    }
    if (conf->trust == NULL) {
        conf->trust = apr_array_make(cmd->pool, 2, sizeof(const char *));
    }
    APR_ARRAY_PUSH(conf->trust, const char *) = path;
    return NULL;
}

/* RSRC_CONF throughout: whoever may write a .htaccess must not choose who a
 * script runs as, nor where. */
const command_rec jc_config_commands[] = {
    AP_INIT_TAKE1("JailRoot", set_root, NULL, RSRC_CONF,
                  "directory that scripts see as /, or none, or off"),
    AP_INIT_TAKE12("JailUser", set_user, NULL, RSRC_CONF,
                   "who scripts run as: NAME or #UID, and a group; or owner"),
    AP_INIT_TAKE2("SuexecUserGroup", set_suexec, NULL, RSRC_CONF,
                  "user and group of scripts, as with mod_suexec"),
    AP_INIT_TAKE1("JailMinUID", set_minimum, NULL, RSRC_CONF,
                  "no script runs as a user below this number"),
    AP_INIT_TAKE1("JailMinGID", set_minimum, (void *) "gid", RSRC_CONF,
                  "no script runs with a group below this number"),
    AP_INIT_FLAG("JailEagerBinding", set_eager_binding, NULL, RSRC_CONF,
                 "On: LD_BIND_NOW=1 is in every script's environment"),
    AP_INIT_RAW_ARGS("JailEnv", set_env, NULL, RSRC_CONF,
                     "a variable and its value, set over everything else"),
    AP_INIT_TAKE_ARGV("JailLimit", set_limits, NULL, RSRC_CONF,
                      "resource limits: NAME SOFT[:HARD] ..."),
    AP_INIT_TAKE1("JailIdle", set_idle, NULL, RSRC_CONF,
                  "how long a jail without requests stays warm"),
    AP_INIT_ITERATE("JailTrust", add_trust, NULL, RSRC_CONF,
                    "paths of root's that any jail may run, or none"),
    AP_INIT_FLAG("JailStrict", set_strict, NULL, RSRC_CONF,
                 "On: httpd does not start while a virtual host cannot run "
                 "its scripts"),
    AP_INIT_TAKE1("JailHelper", set_helper, NULL, RSRC_CONF,
                  "path of jailcgi-helper"),
    {NULL},
};
