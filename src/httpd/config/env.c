/*
 * Names of variables: which ones JailEnv may set, and JailPassEnv, by which a
 * request may bring more than CGI's own.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: the parent's
 * Trusts:    the configuration
 */
#include "config.h"
#include "src/wire/names.h"

#include "apr_lib.h"
#include "apr_strings.h"

#include <string.h>

int jc_env_is_name(const char *name)
{
    if (!apr_isalpha(name[0]) && name[0] != '_') {
        return 0;
    }
    while (apr_isalnum(*name) || *name == '_') {
        name++;
    }
    return *name == '\0';
}

/* PREFIX_* has its '*' taken off before it is looked at. */
static int is_pattern(apr_pool_t *p, const char *pattern)
{
    size_t len = strlen(pattern);

    if (len > 2 && strcmp(pattern + len - 2, "_*") == 0) {
        return jc_env_is_name(apr_pstrndup(p, pattern, len - 1));
    }
    return jc_env_is_name(pattern);
}

const char *jc_env_set_pass(cmd_parms *cmd, void *unused, const char *name)
{
    jc_server_conf_t *conf = jc_config_of(cmd->server);

    if (strcasecmp(name, "none") == 0) {
        conf->pass = NULL;
        conf->pass_is_reset = 1;
        return NULL;
    }
    if (!is_pattern(cmd->pool, name)) {
        return apr_psprintf(cmd->pool,
                            "JailPassEnv: '%s' is not the name of a variable; "
                            "write names of letters, digits and _, or the "
                            "beginning of names as PREFIX_*, or none",
                            name);
    }
    if (jc_names_are_denied(name, strcspn(name, "*"))) {
        return apr_psprintf(cmd->pool,
                            "JailPassEnv: '%s' never passes, because its value "
                            "decides what programs load or run; set it by "
                            "JailEnv NAME VALUE, for every script",
                            name);
    }
    jc_config_add_string(cmd->pool, &conf->pass, name);
    return NULL;
}
