/*
 * Implements JailTmp, which gives each user a /tmp on disk.
 * src/httpd/freeze/tmp_rows.c makes a row of it.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    nothing; the argument is checked
 * Never:     looks at the directory
 */
#include "mount_directives.h"
#include "parse.h"

#include "apr_strings.h"

#include <strings.h>

const char *jc_tmp_line_set(cmd_parms *cmd, void *unused, const char *arg)
{
    jc_server_conf_t *conf = jc_config_of(cmd->server);
    const char *wrong;

    if (strcasecmp(arg, "off") == 0) {
        conf->tmp = "";
        return NULL;
    }
    if (strcasecmp(arg, "disk") == 0) {
        conf->tmp = JC_TMP_DIRECTORY;
        return NULL;
    }
    wrong = jc_parse_path(cmd->pool, arg, &conf->tmp);
    if (!wrong && conf->tmp[1] == '\0') {
        wrong = "is the whole root";
    }
    return wrong
               ? apr_psprintf(
                     cmd->pool,
                     "JailTmp: '%s' %s; write disk, which is " JC_TMP_DIRECTORY
                     ", or the absolute path of a "
                     "directory of root's, or off",
                     arg, wrong)
               : NULL;
}
