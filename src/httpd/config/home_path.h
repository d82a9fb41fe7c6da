/*
 * Declares the one spelling of a home.
 *
 * Runs in:   httpd parent (root), httpd child
 * Privilege: that of the caller
 * Trusts:    the user database
 */
#ifndef JC_HOME_PATH_H
#define JC_HOME_PATH_H

#include "apr_pools.h"

/* Returns the path without empty components, "." and a slash at its end,
 * allocated from p. */
const char *jc_home_path_clean(apr_pool_t *p, const char *home);

#endif
