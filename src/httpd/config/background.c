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

const char *jc_background_set(cmd_parms *cmd, void *unused, const char *what,
                              const char *max)
{
    return jc_parse_word_max(cmd, "deny", "allow", what, max,
                             &jc_config_of(cmd->server)->background_ms);
}
