/*
 * Implements JailBackground, which says whether processes may outlive their
 * request.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    nothing; every argument is checked
 */
#include "directives.h"
#include "parse.h"
#include "src/wire/table.h"

#include "apr_strings.h"

#include <string.h>

const char *jc_background_set(cmd_parms *cmd, void *unused, const char *what,
                              const char *max)
{
    jc_server_conf_t *conf = jc_config_of(cmd->server);
    int is_allowed = strcasecmp(what, "allow") == 0;
    int64_t time_ms = JC_NO_MAX;

    if (max) {
        time_ms = strncasecmp(max, "max=", 4) == 0 ? jc_parse_ms(max + 4) : -1;
    }
    if ((!is_allowed && strcasecmp(what, "deny") != 0) || time_ms < 0 ||
        (!is_allowed && max)) {
        return apr_psprintf(cmd->pool,
                            "JailBackground: '%s%s%s' is not understood; write "
                            "deny, allow, or allow max=TIME with a time from "
                            "1ms to 24 days (" JC_PARSE_TIMES ")",
                            what, max ? " " : "", max ? max : "");
    }
    conf->background_ms = is_allowed ? time_ms : 0;
    return NULL;
}
