/*
 * What the files that freeze virtual hosts into the policy table share.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: the parent's
 * Trusts:    the configuration, the machine's user database
 */
#ifndef JC_FREEZE_H
#define JC_FREEZE_H

#include "mod_jailcgi.h"

#include "apr_pools.h"

/* inherit.c: sets a line of JailEnv; names are compared with their case. */
void jc_config_env_set(apr_table_t *env, const char *name, const char *value);

/* config.c: sets *clean to `path` without doubled and trailing slashes. NULL
 * or what is wrong with it, to follow it in a sentence. */
const char *jc_config_clean_path(apr_pool_t *p, const char *path,
                                 const char **clean);
/* config.c: one more string of a list, which is NULL before the first.
 * The string must live as long as p. */
void jc_config_add_string(apr_pool_t *p, apr_array_header_t **strings,
                          const char *string);

/* config.c: from 1 ms to what an int holds of them, which is 24 days; or -1. */
int64_t jc_config_parse_ms(const char *arg);

/* concurrency.c: JailConcurrency, and its inheritance: the nearest line. */
const char *jc_concurrency_set(cmd_parms *cmd, void *unused, int argc,
                               char *const argv[]);
void jc_concurrency_merge(jc_server_conf_t *merged,
                          const jc_server_conf_t *base,
                          const jc_server_conf_t *over);

/* env.c: whether a variable may be called so; JailPassEnv. */
int jc_env_is_name(const char *name);
const char *jc_env_pass(cmd_parms *cmd, void *unused, const char *name);

/* confine.c: JailSeccomp, JailBackground and JailListen. */
const char *jc_confine_seccomp(cmd_parms *cmd, void *unused, const char *arg);
const char *jc_confine_background(cmd_parms *cmd, void *unused,
                                  const char *what, const char *max);
const char *jc_confine_listen(cmd_parms *cmd, void *unused, int argc,
                              char *const argv[]);
/* seccomp.c: the filter of `setting`, which is default, off or a file, made
 * once for all that have it; lives as long as p. NULL or a sentence. */
const char *jc_seccomp_find(apr_pool_t *p, const char *setting,
                            const jc_filter_t **found);

/* isolation.c: JailNamespaces and JailMount. */
const char *jc_isolation_namespaces(cmd_parms *cmd, void *unused, int argc,
                                    char *const argv[]);
const char *jc_isolation_mount(cmd_parms *cmd, void *unused, int argc,
                               char *const argv[]);

/* cgroup.c: JailCgroup. */
const char *jc_cgroup_parse(cmd_parms *cmd, void *unused, int argc,
                            char *const argv[]);
void jc_cgroup_merge(jc_server_conf_t *merged, const jc_server_conf_t *base,
                     const jc_server_conf_t *over);
/* FILE=VALUE for each file of the jail's cgroup. */
apr_array_header_t *jc_cgroup_lines(apr_pool_t *p,
                                    const jc_server_conf_t *conf);
/* NULL, or what this machine lacks for it, to follow a name. What it has is
 * read into *have, which begins as NULL and lives as long as p. */
const char *jc_cgroup_problem(apr_pool_t *p, const jc_server_conf_t *conf,
                              const char **have);

/* roots.c: whether JailRoots are directories. Sets `problem` of each jc_root_t:
 * NULL, or what is wrong with it, to follow its name. Returns after some
 * seconds, however long a file server takes. */
typedef struct {
    const char *path;
    server_rec *s; /* the first one that has it */
    const char *problem;
} jc_root_t;
void jc_roots_look(apr_pool_t *p, apr_array_header_t *roots);

/* vouch.c: JailTrustMount. */
const char *jc_vouch_parse(cmd_parms *cmd, void *unused, const char *arg);
/* NULL, or why `JailUser owner` of this server would run nothing, to follow a
 * name. What is mounted is read into *mounts, which begins as NULL and lives
 * as long as p. */
const char *jc_vouch_problem(apr_pool_t *p, server_rec *s,
                             const jc_server_conf_t *conf,
                             apr_array_header_t **mounts);

/* config_user.c: JailUser and SuexecUserGroup. */
const char *jc_config_set_user(cmd_parms *cmd, void *unused, const char *user,
                               const char *group);
const char *jc_config_set_suexec(cmd_parms *cmd, void *unused, const char *user,
                                 const char *group);

/* compat.c: the directives of mod_cgi and mod_cgid. */
const char *jc_compat_script_log(cmd_parms *cmd, void *unused, const char *arg);
const char *jc_compat_log_number(cmd_parms *cmd, void *unused, const char *arg);
const char *jc_compat_script_sock(cmd_parms *cmd, void *unused,
                                  const char *arg);
const char *jc_compat_timeout(cmd_parms *cmd, void *dir, const char *arg);
/* Whether this module itself is loaded ("mod_cgid.c"), and not a stand-in. */
int jc_compat_is_loaded(const char *file);

/* limits.c: bytes, with or without K, M or G; UINT64_MAX: it is none. */
uint64_t jc_limits_parse_size(const char *text);
/* limits.c: the arguments of JailLimit into conf; NULL or a sentence. */
const char *jc_limits_parse(apr_pool_t *p, jc_server_conf_t *conf, int argc,
                            char *const argv[]);

/* identity.c */
typedef struct jc_names_t jc_names_t; /* every name looked up, once */

typedef struct {
    jc_code_t refusal; /* JC_CODE_NONE: the rest is valid */
    const char *found; /* with a refusal */
    const char *expected;
    uint32_t uid; /* JC_NO_ID with JailUser owner, likewise gid */
    uint32_t gid;
    const uint32_t *groups; /* sorted */
    unsigned group_count;
    const char *name;  /* NULL: no entry in the user database */
    const char *home;  /* likewise */
    const char *group; /* likewise; with JailRoot host alone always asked */
} jc_identity_t;

jc_names_t *jc_names_create(apr_pool_t *p);
/* Who the scripts of `conf` run as. Everything in *id lives as long as p. */
void jc_identity_resolve(jc_names_t *names, const jc_server_conf_t *conf,
                         jc_identity_t *id);
uint32_t jc_identity_min(int64_t configured);
uint32_t jc_identity_max(int64_t configured);

/* mounts.c: what the keeper of a virtual host's jail makes. */
typedef struct {
    uint32_t namespaces; /* JC_NS_* */
    /* jc_mount_row_t: first those that other hosts have as well. The array is
     * the same one for all that have the same of them. */
    const apr_array_header_t *common;
    const apr_array_header_t *rows;
    const jc_filter_t *filter;
    const char *found; /* with a refusal */
    const char *expected;
} jc_isolation_t;
typedef struct jc_mounts_t jc_mounts_t;

jc_mounts_t *jc_mounts_create(apr_pool_t *p, const jc_server_conf_t *main_conf);
/* Fills *isolation, which lives as long as p. JC_CODE_NONE, or why not. */
jc_code_t jc_mounts_compile(jc_mounts_t *mounts, apr_pool_t *p,
                            const jc_server_conf_t *conf,
                            const jc_identity_t *id, jc_isolation_t *isolation);

/* suexec.c: hooks around the reading of directives. */
int jc_suexec_pretend(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp);
int jc_suexec_restore(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                      server_rec *s);
/* After them: NULL, or why httpd must not start: programs of this host would
 * run as the web user although SuexecUserGroup names another. */
const char *jc_suexec_problem(apr_pool_t *p, const jc_server_conf_t *conf,
                              const jc_server_conf_t *main_conf, int has_cgi);

/* table.c */
typedef struct jc_table_t jc_table_t;

jc_table_t *jc_table_create(apr_pool_t *p);
/* Sets *policy to the number of an equal record or of a new one. NULL or what
 * is wrong with this virtual host, to follow its name; made in p, as all that
 * is not kept. */
const char *jc_table_add(jc_table_t *table, apr_pool_t *p,
                         const jc_server_conf_t *conf, const jc_identity_t *id,
                         const jc_isolation_t *isolation, uint32_t *policy);
uint32_t jc_table_count(const jc_table_t *table);
/* Sets *table_fd to a memfd that nobody can change. NULL or a sentence. */
const char *jc_table_seal(jc_table_t *table, uint64_t generation,
                          int *table_fd);

#endif
