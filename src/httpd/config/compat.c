/*
 * Implements the directives of mod_cgi and mod_cgid. httpd gives a directive to
 * every module that has it in its table. Therefore these work beside the two
 * modules, without them, and with the stand-ins of compat/.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    nothing; every argument is checked
 * Never:     opens the log: an httpd child does that, as the web user
 */
#include "directives.h"
#include "parse.h"

#include "http_core.h"

#include "apr_strings.h"

const char *jc_compat_script_log(cmd_parms *cmd, void *unused, const char *arg)
{
    jc_server_conf_t *conf = jc_config_of(cmd->server);

    conf->script_log = ap_server_root_relative(cmd->pool, arg);
    if (!conf->script_log) {
        return apr_psprintf(cmd->pool,
                            "ScriptLog: '%s' is not a path; give the path of a "
                            "file that httpd's User can write",
                            arg);
    }
    return NULL;
}

const char *jc_compat_log_number(cmd_parms *cmd, void *unused, const char *arg)
{
    jc_server_conf_t *conf = jc_config_of(cmd->server);
    int64_t number;

    if (!jc_parse_number(arg, 0, INT64_MAX, &number)) {
        return apr_psprintf(cmd->pool,
                            "%s: '%s' is not a number of bytes; write 0 or "
                            "more, in digits only",
                            cmd->cmd->name, arg);
    }
    if (cmd->info) {
        conf->script_log_buffer = number;
    } else {
        conf->script_log_len = number;
    }
    return NULL;
}

/* ScriptSock says where the daemon of mod_cgid listens. There is no such
 * daemon here, and no socket has a name in the file system. */
const char *jc_compat_script_sock(cmd_parms *cmd, void *unused, const char *arg)
{
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    if (!error) {
        jc_config_of(cmd->server)->has_script_sock = 1;
    }
    return error;
}

const char *jc_compat_timeout(cmd_parms *cmd, void *dir, const char *arg)
{
    int64_t time_ms = jc_parse_ms(arg);

    if (time_ms < 0) {
        return apr_psprintf(cmd->pool,
                            "%s: '%s' is not a time from 1ms to 24 days; "
                            "write " JC_PARSE_TIMES,
                            cmd->cmd->name, arg);
    }
    ((jc_dir_conf_t *) dir)->timeout = apr_time_from_msec(time_ms);
    return NULL;
}
