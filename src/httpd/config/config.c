/*
 * Holds the table of directives, and implements those that have no file of
 * their own. inherit.c says how a virtual host inherits them.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    nothing; every argument is checked
 * Never:     looks up a name or opens a file: freeze.c does that, once for all
 *            virtual hosts
 */
#include "directives.h"
#include "mount_directives.h"
#include "parse.h"
#include "src/wire/wire.h"

#include "http_core.h"

#include "apr_strings.h"

#include <stddef.h>

static jc_server_conf_t *conf_of(cmd_parms *cmd)
{
    return jc_config_of(cmd->server);
}

static const char *set_root(cmd_parms *cmd, void *unused, const char *arg)
{
    jc_server_conf_t *conf = conf_of(cmd);
    const char *root = NULL;

    if (strcasecmp(arg, "off") == 0) {
        conf->root_kind = JC_ROOT_OFF;
    } else if (strcasecmp(arg, "none") == 0) {
        conf->root_kind = JC_ROOT_NONE;
    } else if (strcasecmp(arg, "host") == 0) {
        conf->root_kind = JC_ROOT_HOST;
    } else {
        const char *wrong = jc_parse_path(cmd->pool, arg, &root);

        if (wrong) {
            return apr_psprintf(
                cmd->pool,
                "JailRoot: '%s' %s; give the absolute path of the directory "
                "that scripts see as /, or host, none or off",
                arg, wrong);
        }
        if (root[1] == '\0') {
            return "JailRoot: '/' is the root of the machine and jails "
                   "nothing; write JailRoot host for a jail that has the "
                   "machine's programs, or none if scripts are to run in that "
                   "root";
        }
        conf->root_kind = JC_ROOT_PATH;
    }
    conf->root = root;
    return NULL;
}

#define FIELD(name) ((void *) offsetof(jc_server_conf_t, name))

/* Serves JailMinUID, JailMaxUID, JailMinGID and JailMaxGID; cmd->info is the
 * offset of the field. */
static const char *set_bound(cmd_parms *cmd, void *unused, const char *arg)
{
    jc_server_conf_t *conf = conf_of(cmd);
    int64_t number;

    if (!jc_parse_number(arg, 1, JC_NO_ID - 1, &number)) {
        return apr_psprintf(
            cmd->pool,
            "%s: '%s' is not a number above 0; write 1 or more, because "
            "scripts never run as root (a minimum is usually %d)",
            cmd->cmd->name, arg, JC_DEFAULT_MIN_ID);
    }
    *(int64_t *) ((char *) conf + (uintptr_t) cmd->info) = number;
    return NULL;
}

/* Sets an int of the structure; cmd->info is its offset. */
static const char *set_flag(cmd_parms *cmd, void *unused, int on)
{
    *(int *) ((char *) conf_of(cmd) + (uintptr_t) cmd->info) = on;
    return NULL;
}

static const char *set_umask(cmd_parms *cmd, void *unused, const char *arg)
{
    uint32_t mode = JC_UMASK_INHERIT;

    if (strcasecmp(arg, "inherit") != 0 && !jc_parse_mode(arg, 0777, &mode)) {
        return apr_psprintf(cmd->pool,
                            "JailUmask: '%s' is not an octal number up to 777; "
                            "write one as 027, or inherit for httpd's own",
                            arg);
    }
    conf_of(cmd)->umask_mode = (int) mode;
    return NULL;
}

static const char *set_header_max(cmd_parms *cmd, void *unused, const char *arg)
{
    int64_t number;

    if (!jc_parse_number(arg, 1024, 64 << 20, &number)) {
        return apr_psprintf(cmd->pool,
                            "JailHeaderMax: '%s' is not a number of bytes from "
                            "1024 to 67108864 (64 MB)",
                            arg);
    }
    conf_of(cmd)->header_max = number;
    return NULL;
}

static const char *set_timeout(cmd_parms *cmd, void *unused, const char *arg)
{
    jc_server_conf_t *conf = conf_of(cmd);
    int64_t *field = NULL;
    int64_t time_ms;

    if (strncasecmp(arg, "total=", 6) == 0) {
        field = &conf->timeout_total_ms;
        arg += 6;
    } else if (strncasecmp(arg, "idle=", 5) == 0) {
        field = &conf->timeout_idle_ms;
        arg += 5;
    }
    time_ms = strcasecmp(arg, "none") == 0 ? 0 : jc_parse_ms(arg);
    if (!field || time_ms < 0) {
        return apr_psprintf(cmd->pool,
                            "JailTimeout: '%s' is not understood; write "
                            "total=TIME or idle=TIME or both, each with a time "
                            "from 1ms to 24 days (" JC_PARSE_TIMES ") or none",
                            arg);
    }
    *field = time_ms;
    return NULL;
}

static const char *set_idle(cmd_parms *cmd, void *unused, const char *arg)
{
    int64_t idle_ms = jc_parse_ms(arg);

    if (idle_ms < 0) {
        return apr_psprintf(cmd->pool,
                            "JailIdle: '%s' is not a time from 1ms to 24 days; "
                            "write " JC_PARSE_TIMES,
                            arg);
    }
    conf_of(cmd)->idle_ms = idle_ms;
    return NULL;
}

static const char *set_strict(cmd_parms *cmd, void *unused, int on)
{
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    if (!error) {
        conf_of(cmd)->strict = on;
    }
    return error;
}

static const char *set_helper(cmd_parms *cmd, void *unused, const char *arg)
{
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    if (error) {
        return error;
    }
    if (arg[0] != '/') {
        return apr_psprintf(cmd->pool,
                            "JailHelper: '%s' is not absolute; give the "
                            "absolute path of jailcgi-helper",
                            arg);
    }
    conf_of(cmd)->helper = arg;
    return NULL;
}

static const char *add_trust(cmd_parms *cmd, void *unused, const char *arg)
{
    jc_server_conf_t *conf = conf_of(cmd);
    const char *path, *wrong;

    if (jc_parse_none(arg, &conf->trust, &conf->trust_is_reset)) {
        return NULL;
    }
    wrong = jc_parse_path(cmd->pool, arg, &path);
    if (!wrong && path[1] == '\0') {
        wrong = "would trust every file that belongs to root";
    }
    if (wrong) {
        return apr_psprintf(cmd->pool,
                            "JailTrust: '%s' %s; give the absolute path, as "
                            "scripts see it, of a file or directory that "
                            "belongs to root, or none",
                            arg, wrong);
    }
    jc_parse_add_string(cmd->pool, &conf->trust, path);
    return NULL;
}

/* All have RSRC_CONF, and only those that say nothing about a jail have
 * ACCESS_CONF: anybody who can write a .htaccess must not choose who a script
 * runs as, nor where. */
const command_rec jc_config_commands[] = {
    AP_INIT_TAKE1("JailRoot", set_root, NULL, RSRC_CONF,
                  "directory that scripts see as /, or host, none or off"),
    AP_INIT_TAKE_ARGV("JailNamespaces", jc_namespaces_set, NULL, RSRC_CONF,
                      "namespaces that a jail has of its own: mount pid ipc "
                      "uts net cgroup, or none, or default"),
    AP_INIT_TAKE_ARGV("JailCgroup", jc_cgroup_set, NULL, RSRC_CONF,
                      "limits of a jail as a whole, such as memory=512M "
                      "cpu=150% pids=100, or none"),
    AP_INIT_TAKE_ARGV(
        "JailMount", jc_mount_set, NULL, RSRC_CONF,
        "a mount in the jail: bind, ro, tmpfs, proc, dev or home; or none"),
    AP_INIT_TAKE_ARGV("JailSite", jc_site_set, NULL, RSRC_CONF,
                      "directory of a site in the home of its user, of which "
                      "the jail has nothing else: PATTERN [shared=PATH]; or "
                      "off"),
    AP_INIT_TAKE1("JailMail", jc_mail_set, NULL, RSRC_CONF,
                  "mail server to which sendmail in the jail hands messages: "
                  "HOST[:PORT], or none"),
    AP_INIT_TAKE1("JailTmp", jc_tmp_line_set, NULL, RSRC_CONF,
                  "disk, or a directory, in which each user has a /tmp that "
                  "outlives the jail; or off"),
    AP_INIT_TAKE1("JailSeccomp", jc_seccomp_set, NULL, RSRC_CONF,
                  "system calls that the kernel refuses to scripts: default, "
                  "off, or a file"),
    AP_INIT_FLAG("JailScope", set_flag, FIELD(scope), RSRC_CONF,
                 "Off: requests of one jail may signal and trace each other"),
    AP_INIT_FLAG("JailNoNewPrivs", set_flag, FIELD(no_new_privs), RSRC_CONF,
                 "Off: set-user-id and set-group-id programs gain privileges"),
    AP_INIT_TAKE12("JailAbort", jc_abort_set, NULL, RSRC_CONF | ACCESS_CONF,
                   "a script whose client has gone: kill, or finish "
                   "[max=TIME]"),
    AP_INIT_TAKE12("JailBackground", jc_background_set, NULL, RSRC_CONF,
                   "processes that outlive their request: deny, or allow "
                   "[max=TIME]"),
    AP_INIT_TAKE_ARGV("JailListen", jc_listen_set, NULL, RSRC_CONF,
                      "TCP ports that scripts may bind: Off, On, or numbers"),
    AP_INIT_TAKE12("JailUser", jc_user_set, NULL, RSRC_CONF,
                   "user that scripts run as: NAME or #UID, and a group; or "
                   "owner [directory]"),
    AP_INIT_TAKE2("SuexecUserGroup", jc_user_set_suexec, NULL, RSRC_CONF,
                  "user and group of scripts, as with mod_suexec"),
    AP_INIT_TAKE1("JailMinUID", set_bound, FIELD(min_uid), RSRC_CONF,
                  "no script runs as a user below this number"),
    AP_INIT_TAKE1("JailMinGID", set_bound, FIELD(min_gid), RSRC_CONF,
                  "no script runs with a group below this number"),
    AP_INIT_TAKE1("JailMaxUID", set_bound, FIELD(max_uid), RSRC_CONF,
                  "no script runs as a user above this number"),
    AP_INIT_TAKE1("JailMaxGID", set_bound, FIELD(max_gid), RSRC_CONF,
                  "no script runs with a group above this number"),
    AP_INIT_FLAG("JailEagerBinding", set_flag, FIELD(eager_binding), RSRC_CONF,
                 "On: LD_BIND_NOW=1 is in every script's environment"),
    AP_INIT_FLAG("JailExecCmd", set_flag, FIELD(exec_cmd), RSRC_CONF,
                 "Off: pages may not run commands (SSI exec cmd)"),
    AP_INIT_FLAG("JailErrorDetail", set_flag, FIELD(error_detail), RSRC_CONF,
                 "On: error pages say why a script failed"),
    AP_INIT_FLAG("JailSpoolBody", set_flag, FIELD(spool_body), RSRC_CONF,
                 "On: a body of unknown length is read before the script "
                 "starts, which then has CONTENT_LENGTH"),
    AP_INIT_TAKE1("JailUmask", set_umask, NULL, RSRC_CONF,
                  "umask of scripts in octal, or inherit for httpd's own"),
    AP_INIT_TAKE1("JailHeaderMax", set_header_max, NULL, RSRC_CONF,
                  "largest size of a script's header block, in bytes"),
    AP_INIT_RAW_ARGS(
        "JailEnv", jc_env_set, NULL, RSRC_CONF,
        "a variable of every script and its value, which win over all others"),
    AP_INIT_ITERATE("JailPassEnv", jc_env_set_pass, NULL, RSRC_CONF,
                    "with JailUser owner: names of variables that reach "
                    "scripts besides the usual ones, or none"),
    AP_INIT_TAKE_ARGV("JailLimit", jc_limits_set, NULL, RSRC_CONF,
                      "resource limits: NAME SOFT[:HARD] ..."),
    AP_INIT_TAKE1("JailIdle", set_idle, NULL, RSRC_CONF,
                  "how long a jail without requests stays ready"),
    AP_INIT_ITERATE("JailTimeout", set_timeout, NULL, RSRC_CONF,
                    "how long a script may take: total=TIME, idle=TIME"),
    AP_INIT_TAKE_ARGV("JailConcurrency", jc_concurrency_set, NULL, RSRC_CONF,
                      "how many scripts run at once in a jail, how many "
                      "requests wait, and how the others are refused"),
    AP_INIT_ITERATE("JailTrust", add_trust, NULL, RSRC_CONF,
                    "paths of scripts that may belong to root instead of the "
                    "tenant, or none"),
    AP_INIT_ITERATE(
        "JailTrustMount", jc_trust_mount_set, NULL, RSRC_CONF,
        "FUSE and nosuid mount points whose file owners count, or none"),
    AP_INIT_FLAG("JailStrict", set_strict, NULL, RSRC_CONF,
                 "On: httpd does not start while a virtual host cannot run "
                 "its scripts"),
    AP_INIT_TAKE1("JailHelper", set_helper, NULL, RSRC_CONF,
                  "path of jailcgi-helper"),
    AP_INIT_TAKE1("ScriptLog", jc_compat_script_log, NULL, RSRC_CONF,
                  "file that records each request for a script that failed"),
    AP_INIT_TAKE1("ScriptLogLength", jc_compat_log_number, NULL, RSRC_CONF,
                  "largest size of the ScriptLog, in bytes"),
    AP_INIT_TAKE1("ScriptLogBuffer", jc_compat_log_number, (void *) "buffer",
                  RSRC_CONF,
                  "how many bytes of a request body the ScriptLog records"),
    AP_INIT_TAKE1("ScriptSock", jc_compat_script_sock, NULL, RSRC_CONF,
                  "mod_cgid's socket; has no effect"),
    AP_INIT_TAKE1("CGIScriptTimeout", jc_compat_timeout, NULL,
                  RSRC_CONF | ACCESS_CONF,
                  "how long a script may be silent; default: JailTimeout idle, "
                  "then Timeout"),
    AP_INIT_TAKE1(
        "CGIDScriptTimeout", jc_compat_timeout, NULL, RSRC_CONF | ACCESS_CONF,
        "the same as CGIScriptTimeout, under the name that mod_cgid uses"),
    {.name = NULL},
};
