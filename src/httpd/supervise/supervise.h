/*
 * Declares what mod_jailcgi.c calls to keep the helper alive.
 *
 * Runs in:   httpd parent (root)
 * Privilege: that of the parent
 * Trusts:    the configuration; of the helper only its pid and exit status
 */
#ifndef JC_SUPERVISE_H
#define JC_SUPERVISE_H

#include "src/httpd/config/config.h"
#include "src/httpd/link.h"
#include "src/wire/wire.h"

/*
 * supervise.c: the helper's life. These functions run in the parent.
 * jc_supervise_post_config opens a new generation with this table, starts the
 * helper if none runs, replaces it if it lacks a capability, and fills *link.
 * It takes ownership of table_fd, which is -1 if no host is jailed. Returns
 * NULL, or a sentence for the administrator.
 */
const char *jc_supervise_post_config(apr_pool_t *pconf, apr_pool_t *plog,
                                     server_rec *s, int table_fd,
                                     uint64_t generation, uint64_t caps_needed,
                                     jc_link_t *link);
/* Finds what an earlier configuration has left, and keeps it from other
 * processes. Call it as soon as the module is loaded, before another module can
 * fork. */
void jc_supervise_load(void);
/* Returns the number of the generation that begins now. */
uint64_t jc_supervise_next_generation(void);
/* Hook, which httpd calls about every ten seconds: starts a helper that could
 * not be started, replaces one that hangs, and drops generations that have
 * ended. */
int jc_supervise_monitor(apr_pool_t *p, server_rec *s);
/* Hook: httpd has started a child, or one has ended. Notes the started ones. */
void jc_supervise_child_status(server_rec *s, pid_t pid, ap_generation_t gen,
                               int slot, mpm_child_status status);
/* Runs in an httpd child before it serves: closes what only the parent may
 * hold. */
void jc_supervise_child_init(void);

#endif
