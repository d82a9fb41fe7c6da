/*
 * Declares what JailSite makes of a host.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    the configuration
 */
#ifndef JC_SITE_ROWS_H
#define JC_SITE_ROWS_H

#include "mount_rows.h"

/* site_rows.c: jc_site_rows_find() sets isolation->site to the directory of the
 * site, or to NULL without JailSite; returns 0, or -1 with the refusal.
 * jc_site_rows_add() appends its rows. jc_site_rows_own() returns the source of
 * a directory below `base`, for a site or, if that is NULL, for the user; its
 * name ends in `suffix`. */
int jc_site_rows_find(apr_pool_t *p, const server_rec *s,
                      const jc_identity_t *id, jc_isolation_t *isolation);
void jc_site_rows_add(apr_pool_t *p, apr_array_header_t *rows,
                      const jc_server_conf_t *conf, const jc_identity_t *id,
                      const jc_isolation_t *isolation);
const char *jc_site_rows_own(apr_pool_t *p, const char *base, const char *site,
                             const char *suffix);

#endif
