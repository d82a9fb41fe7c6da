/*
 * The directives of mod_cgi and mod_cgid. httpd gives a directive to every
 * module that has it in its table, so they work beside these modules, without
 * them, and with the stand-ins of compat/.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: the parent's
 * Trusts:    nothing; every argument is checked
 * Never:     opens the log: the child does, as the web user
 */
#include "config.h"

#include "http_core.h"

#include "apr_lib.h"
#include "apr_strings.h"

#include <errno.h>
#include <stdlib.h>

const char *jc_compat_script_log(cmd_parms *cmd, void *unused, const char *arg)
{
    jc_server_conf_t *conf = jc_config_of(cmd->server);

    conf->script_log = ap_server_root_relative(cmd->pool, arg);
    if (!conf->script_log) {
        return apr_psprintf(cmd->pool,
                            "ScriptLog: '%s' is not a path; give that of a "
                            "file that httpd's User may write",
                            arg);
    }
    return NULL;
}

const char *jc_compat_log_number(cmd_parms *cmd, void *unused, const char *arg)
{
    jc_server_conf_t *conf = jc_config_of(cmd->server);
    long long number;
    char *end;

    errno = 0;
    number = strtoll(arg, &end, 10);
    if (!apr_isdigit(arg[0]) || *end != '\0' || errno != 0) {
        return apr_psprintf(cmd->pool, "%s: '%s' is not a number of bytes",
                            cmd->cmd->name, arg);
    }
    if (cmd->info) {
        conf->script_log_buffer = number;
    } else {
        conf->script_log_len = number;
    }
    return NULL;
}

/* Where mod_cgid's daemon listens. There is none, and nothing here has a name
 * in the file system. */
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
    jc_dir_conf_t *conf = dir;

    if (!apr_isdigit(arg[0]) ||
        ap_timeout_parameter_parse(arg, &conf->timeout, "s") != APR_SUCCESS ||
        conf->timeout < apr_time_from_msec(1) ||
        apr_time_as_msec(conf->timeout) >= INT32_MAX) {
        return apr_psprintf(cmd->pool,
                            "%s: '%s' is not a time from 1ms to 24 days; "
                            "write seconds, or a number with ms, s, min or h",
                            cmd->cmd->name, arg);
    }
    return NULL;
}

void *jc_inherit_create_dir(apr_pool_t *p, char *dir)
{
    jc_dir_conf_t *conf = apr_pcalloc(p, sizeof(*conf));

    conf->timeout = -1;
    return conf;
}

void *jc_inherit_merge_dir(apr_pool_t *p, void *base_ptr, void *over_ptr)
{
    const jc_dir_conf_t *base = base_ptr, *over = over_ptr;
    jc_dir_conf_t *merged = apr_pmemdup(p, base, sizeof(*base));

    if (over->timeout >= 0) {
        merged->timeout = over->timeout;
    }
    return merged;
}

/* A stand-in has a name and nothing else. */
int jc_compat_is_loaded(const char *file)
{
    const module *found = ap_find_linked_module(file);

    return found && found->register_hooks;
}
