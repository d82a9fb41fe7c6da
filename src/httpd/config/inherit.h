/*
 * Declares how the record of a server is made, first empty, and then with what
 * it inherits.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    the directives, which have checked every value
 */
#ifndef JC_INHERIT_H
#define JC_INHERIT_H

#include "config.h"

/* inherit.c: httpd calls these four for each server and each directory. */
void *jc_inherit_create_server(apr_pool_t *p, server_rec *s);
void *jc_inherit_merge_server(apr_pool_t *p, void *base, void *over);
void *jc_inherit_create_dir(apr_pool_t *p, char *dir);
void *jc_inherit_merge_dir(apr_pool_t *p, void *base, void *over);

/* simple.c: the fields that are -1 where they are unset. */
void jc_simple_unset(jc_server_conf_t *conf);
void jc_simple_merge(jc_server_conf_t *merged, const jc_server_conf_t *base,
                     const jc_server_conf_t *over);
int jc_simple_is_any_set(const jc_server_conf_t *conf);

/* concurrency.c: the nearest line holds. */
void jc_concurrency_merge(jc_server_conf_t *merged,
                          const jc_server_conf_t *base,
                          const jc_server_conf_t *over);
/* cgroup.c: limits add to what is inherited, unless `none` is among them. */
void jc_cgroup_merge(jc_server_conf_t *merged, const jc_server_conf_t *base,
                     const jc_server_conf_t *over);
/* env.c: both, the nearer value for a name; names are compared with their
 * case. Either may be NULL. */
apr_table_t *jc_env_merge(apr_pool_t *p, apr_table_t *base, apr_table_t *over);
/* limits.c: likewise, for each limit. */
jc_rlimit_t *jc_limits_merge(apr_pool_t *p, jc_rlimit_t *base,
                             jc_rlimit_t *over);

#endif
