/*
 * Declares what a jail says about users.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    the machine's user database
 */
#ifndef JC_ACCOUNTS_H
#define JC_ACCOUNTS_H

#include "freeze.h"

/* Each returns the text of a file for a jail of this user, allocated from p.
 * `home` is NULL if the jail does not have it. */
const char *jc_accounts_passwd(apr_pool_t *p, const jc_identity_t *id,
                               const char *home);
const char *jc_accounts_group(apr_pool_t *p, const jc_identity_t *id);

#endif
