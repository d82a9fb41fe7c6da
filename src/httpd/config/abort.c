/*
 * Implements JailAbort, which says whether a script may finish when its client
 * has gone.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    nothing; every argument is checked
 */
#include "directives.h"
#include "parse.h"

#include "apr_strings.h"

#include <string.h>

const char *jc_abort_set(cmd_parms *cmd, void *dir, const char *what,
                         const char *max)
{
    int may_finish = strcasecmp(what, "finish") == 0;
    int64_t time_ms = JC_NO_MAX;

    if (max) {
        time_ms = strncasecmp(max, "max=", 4) == 0 ? jc_parse_ms(max + 4) : -1;
    }
    if ((!may_finish && strcasecmp(what, "kill") != 0) || time_ms < 0 ||
        (!may_finish && max)) {
        return apr_psprintf(cmd->pool,
                            "JailAbort: '%s%s%s' is not understood; write "
                            "kill, finish, or finish max=TIME with a time from "
                            "1ms to 24 days (" JC_PARSE_TIMES ")",
                            what, max ? " " : "", max ? max : "");
    }
    ((jc_dir_conf_t *) dir)->finish_ms = may_finish ? time_ms : 0;
    return NULL;
}
