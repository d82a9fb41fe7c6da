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

/* inherit.c: httpd calls these four for each server and each directory. They
 * return a record that lives as long as p. jc_inherit_merge_server writes it to
 * `over`. */
void *jc_inherit_create_server(apr_pool_t *p, server_rec *s);
void *jc_inherit_merge_server(apr_pool_t *p, void *base, void *over);
void *jc_inherit_create_dir(apr_pool_t *p, char *dir);
void *jc_inherit_merge_dir(apr_pool_t *p, void *base, void *over);

/* inherit.c: returns whether any of our directives reaches this server.
 * LoadModule alone is no reason to complain about missing ones. */
int jc_inherit_is_configured(const jc_server_conf_t *conf);

/* simple.c: these serve the fields that are -1 where they are unset. The first
 * unsets all of them, the second gives each of `merged` the nearer value, and
 * the third returns whether any of them is set. */
void jc_simple_unset(jc_server_conf_t *conf);
void jc_simple_merge(jc_server_conf_t *merged, const jc_server_conf_t *base,
                     const jc_server_conf_t *over);
int jc_simple_is_any_set(const jc_server_conf_t *conf);

/* concurrency.c: takes all fields from the nearer JailConcurrency line. */
void jc_concurrency_merge(jc_server_conf_t *merged,
                          const jc_server_conf_t *base,
                          const jc_server_conf_t *over);
/* cgroup.c: adds the limits of `over` to what is inherited, unless `none` is
 * among them. */
void jc_cgroup_merge(jc_server_conf_t *merged, const jc_server_conf_t *base,
                     const jc_server_conf_t *over);
/* env.c: returns the variables of both tables; where both have a name, the
 * value of `over` counts. Names are compared with their case. Either may be
 * NULL. The result is one of the two, or a table allocated from p. */
apr_table_t *jc_env_merge(apr_pool_t *p, apr_table_t *base, apr_table_t *over);
/* limits.c: returns the limits of both arrays; where both have a limit, that of
 * `over` counts. Either may be NULL. The result is one of the two, or an array
 * allocated from p. */
jc_rlimit_t *jc_limits_merge(apr_pool_t *p, jc_rlimit_t *base,
                             jc_rlimit_t *over);

#endif
