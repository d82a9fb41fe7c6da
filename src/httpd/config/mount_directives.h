/*
 * Declares directives that make mounts and are lines of one sense, as
 * directives.h does for the others.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    nothing; every argument is checked
 */
#ifndef JC_MOUNT_DIRECTIVES_H
#define JC_MOUNT_DIRECTIVES_H

#include "config.h"

/* Each is in the file that it is named after, and sets the directive's fields
 * in the configuration of cmd->server. */
const char *jc_site_set(cmd_parms *cmd, void *unused, int argc,
                        char *const argv[]);
const char *jc_mail_set(cmd_parms *cmd, void *unused, const char *arg);
const char *jc_tmp_line_set(cmd_parms *cmd, void *unused, const char *arg);

#endif
