/*
 * Declares what freezing knows about homes.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    the user database
 */
#ifndef JC_HOMES_H
#define JC_HOMES_H

#include "freeze.h"

/* Returns whether this is the home of one user, and not a directory in which
 * others live as well. `home` is from jc_home_path_clean(), or NULL. */
int jc_homes_is_own(const char *home);
/* Returns NULL, or what is wrong if the jails of a host lack the home of their
 * user and no line says what they have instead, to follow the host's name. */
const char *jc_homes_problem(apr_pool_t *p, const jc_server_conf_t *conf,
                             const jc_identity_t *id);

#endif
