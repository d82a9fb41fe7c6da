/*
 * Implements JailEnv, which sets variables of scripts, and JailPassEnv, which
 * lets a request bring more variables than those of CGI.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    the configuration
 */
#include "directives.h"
#include "inherit.h"
#include "parse.h"
#include "src/wire/env_names.h"

#include "apr_lib.h"
#include "apr_strings.h"

#include <string.h>

static int is_name(const char *name)
{
    if (!apr_isalpha(name[0]) && name[0] != '_') {
        return 0;
    }
    while (apr_isalnum(*name) || *name == '_') {
        name++;
    }
    return *name == '\0';
}

/* Does not use an overlay of apr_tables: they ignore case, and environments do
 * not. */
static void set_line(apr_table_t *env, const char *name, const char *value)
{
    const apr_array_header_t *lines = apr_table_elts(env);
    apr_table_entry_t *line = (apr_table_entry_t *) lines->elts;

    for (int i = 0; i < lines->nelts; i++) {
        if (strcmp(line[i].key, name) == 0) {
            line[i].val = (char *) value;
            return;
        }
    }
    apr_table_addn(env, name, value);
}

apr_table_t *jc_env_merge(apr_pool_t *p, apr_table_t *base, apr_table_t *over)
{
    const apr_array_header_t *lines;
    const apr_table_entry_t *line;
    apr_table_t *merged;

    if (!base || !over) {
        return base ? base : over;
    }
    merged = apr_table_copy(p, base);
    lines = apr_table_elts(over);
    line = (const apr_table_entry_t *) lines->elts;
    for (int i = 0; i < lines->nelts; i++) {
        set_line(merged, line[i].key, line[i].val);
    }
    return merged;
}

/* Takes raw arguments, because httpd would refuse an empty value: JailEnv NAME
 * "". */
const char *jc_env_set(cmd_parms *cmd, void *unused, const char *args)
{
    jc_server_conf_t *conf = jc_config_of(cmd->server);
    const char *name = ap_getword_conf(cmd->pool, &args);
    const char *rest = args;
    const char *value = ap_getword_conf(cmd->pool, &args);

    if (*rest == '\0' || *args != '\0') {
        return "JailEnv takes two arguments, a name and a value (in quotes if "
               "it has spaces): JailEnv TZ Europe/Berlin";
    }
    if (!is_name(name)) {
        return apr_psprintf(cmd->pool,
                            "JailEnv: '%s' is not the name of a variable; "
                            "write a name of letters, digits and _ that does "
                            "not begin with a digit, a space, and the value: "
                            "JailEnv TZ Europe/Berlin",
                            name);
    }
    if (strcmp(name, "LD_BIND_NOW") == 0) {
        return "JailEnv: 'LD_BIND_NOW' is set by JailEagerBinding alone; write "
               "JailEagerBinding On or Off";
    }
    if (!conf->env) {
        conf->env = apr_table_make(cmd->pool, 4);
    }
    set_line(conf->env, name, value);
    return NULL;
}

/* Takes the '*' off PREFIX_* before it looks at the name. */
static int is_pattern(apr_pool_t *p, const char *pattern)
{
    size_t len = strlen(pattern);

    if (len > 2 && strcmp(pattern + len - 2, "_*") == 0) {
        return is_name(apr_pstrndup(p, pattern, len - 1));
    }
    return is_name(pattern);
}

const char *jc_env_set_pass(cmd_parms *cmd, void *unused, const char *name)
{
    jc_server_conf_t *conf = jc_config_of(cmd->server);

    if (jc_parse_none(name, &conf->pass, &conf->pass_is_reset)) {
        return NULL;
    }
    if (!is_pattern(cmd->pool, name)) {
        return apr_psprintf(cmd->pool,
                            "JailPassEnv: '%s' is not the name of a variable; "
                            "write names of letters, digits and _, or PREFIX_* "
                            "for all names that begin with PREFIX_, or none",
                            name);
    }
    if (jc_env_names_are_denied(name, strcspn(name, "*"))) {
        return apr_psprintf(cmd->pool,
                            "JailPassEnv: '%s' never passes, because its value "
                            "decides what programs load or run; set it for "
                            "every script by JailEnv NAME VALUE",
                            name);
    }
    jc_parse_add_string(cmd->pool, &conf->pass, name);
    return NULL;
}
