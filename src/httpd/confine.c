/*
 * JailSeccomp and JailBackground: what they say.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: the parent's
 * Trusts:    nothing; every argument is checked
 */
#include "src/httpd/freeze.h"
#include "src/wire/table.h"
#include "src/wire/wire.h"

#include "apr_strings.h"

#include <strings.h>

const char *jc_confine_seccomp(cmd_parms *cmd, void *unused, const char *arg)
{
    const char *setting = arg;

    if (strcasecmp(arg, "default") != 0 && strcasecmp(arg, "off") != 0) {
        setting = ap_server_root_relative(cmd->pool, arg);
        if (setting == NULL) {
            return apr_psprintf(cmd->pool,
                                "JailSeccomp: '%s' is not the path of a file; "
                                "write one, or default or off",
                                arg);
        }
    }
    return jc_seccomp_find(cmd->pool, setting,
                           &jc_config_of(cmd->server)->filter);
}

const char *jc_confine_background(cmd_parms *cmd, void *unused,
                                  const char *what, const char *max)
{
    jc_server_conf_t *conf = jc_config_of(cmd->server);
    int is_allowed = strcasecmp(what, "allow") == 0;
    int64_t time_ms = JC_NO_MAX;

    if (max != NULL) {
        time_ms =
            strncasecmp(max, "max=", 4) == 0 ? jc_config_parse_ms(max + 4) : -1;
    }
    if ((!is_allowed && strcasecmp(what, "deny") != 0) || time_ms < 0 ||
        (!is_allowed && max != NULL)) {
        return apr_psprintf(cmd->pool,
                            "JailBackground: '%s%s%s' is not understood; write "
                            "deny, allow, or allow max=TIME with a time from "
                            "1ms to 24 days (seconds, or a number with ms, s, "
                            "min or h)",
                            what, max != NULL ? " " : "",
                            max != NULL ? max : "");
    }
    conf->background_ms = is_allowed ? time_ms : 0;
    return NULL;
}
