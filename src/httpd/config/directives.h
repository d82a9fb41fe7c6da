/*
 * Declares the directives that have a file of their own, for the table in
 * config.c. Each function returns NULL, or a sentence for the administrator.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    nothing; every argument is checked
 */
#ifndef JC_DIRECTIVES_H
#define JC_DIRECTIVES_H

#include "config.h"

/* Each is in the file that it is named after, and sets the directive's fields
 * in the configuration of cmd->server; jc_abort_set sets that of `dir`, which
 * is a jc_dir_conf_t. */
const char *jc_user_set(cmd_parms *cmd, void *unused, const char *user,
                        const char *group);
const char *jc_user_set_suexec(cmd_parms *cmd, void *unused, const char *user,
                               const char *group);
const char *jc_namespaces_set(cmd_parms *cmd, void *unused, int argc,
                              char *const argv[]);
const char *jc_mount_set(cmd_parms *cmd, void *unused, int argc,
                         char *const argv[]);
const char *jc_seccomp_set(cmd_parms *cmd, void *unused, const char *arg);
const char *jc_background_set(cmd_parms *cmd, void *unused, const char *what,
                              const char *max);
const char *jc_abort_set(cmd_parms *cmd, void *dir, const char *what,
                         const char *max);
const char *jc_listen_set(cmd_parms *cmd, void *unused, int argc,
                          char *const argv[]);
const char *jc_cgroup_set(cmd_parms *cmd, void *unused, int argc,
                          char *const argv[]);
const char *jc_limits_set(cmd_parms *cmd, void *unused, int argc,
                          char *const argv[]);
const char *jc_concurrency_set(cmd_parms *cmd, void *unused, int argc,
                               char *const argv[]);
const char *jc_env_set(cmd_parms *cmd, void *unused, const char *args);
const char *jc_env_set_pass(cmd_parms *cmd, void *unused, const char *name);
const char *jc_trust_mount_set(cmd_parms *cmd, void *unused, const char *arg);

/* compat.c: the directives of mod_cgi and mod_cgid. jc_compat_log_number sets
 * ScriptLogBuffer if cmd->info is not NULL, and ScriptLogLength otherwise.
 * jc_compat_timeout sets the timeout of `dir`, which is a jc_dir_conf_t. */
const char *jc_compat_script_log(cmd_parms *cmd, void *unused, const char *arg);
const char *jc_compat_log_number(cmd_parms *cmd, void *unused, const char *arg);
const char *jc_compat_script_sock(cmd_parms *cmd, void *unused,
                                  const char *arg);
const char *jc_compat_timeout(cmd_parms *cmd, void *dir, const char *arg);

#endif
