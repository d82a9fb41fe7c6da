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

const char *jc_abort_set(cmd_parms *cmd, void *dir, const char *what,
                         const char *max)
{
    return jc_parse_word_max(cmd, "kill", "finish", what, max,
                             &((jc_dir_conf_t *) dir)->finish_ms);
}
