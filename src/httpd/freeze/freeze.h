/*
 * Declares what the files of this folder share. They freeze virtual hosts into
 * the policy table.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    the configuration, the machine's user database
 */
#ifndef JC_FREEZE_H
#define JC_FREEZE_H

#include "src/httpd/config/config.h"

#include "apr_pools.h"

/*
 * freeze.c: turns every virtual host into a number in one table. Looks up each
 * name once. Sets policy and refusal of every server. Sets *table_fd to a
 * sealed memfd, which the caller closes, or to -1 if no host has a policy. Sets
 * *caps_needed to a mask of 1 << CAP_* that the helper must have for the table.
 * If `table_fd` is NULL, as for a configtest, it only checks and warns. Returns
 * NULL, or a sentence for the administrator if httpd must not start (JailStrict
 * On, no memory).
 */
const char *jc_freeze_hosts(apr_pool_t *p, apr_pool_t *ptemp,
                            server_rec *main_server, uint64_t generation,
                            int *table_fd, uint64_t *caps_needed);

/* caps.c: returns a mask of 1 << CAP_* that the helper must have for this host.
 * `inherited` has the JC_RLIMITS hard limits of this process. */
uint64_t jc_caps_of(const jc_server_conf_t *conf, uint32_t namespaces,
                    const uint64_t *inherited);

/* roots.c: finds out whether JailRoots are directories. Sets `problem` of each
 * jc_root_t to NULL, or to what is wrong with it, to follow its name. Returns
 * after some seconds, however long a file server takes. */
typedef struct {
    const char *path;
    server_rec *s; /* the first server that has it */
    const char *problem;
} jc_root_t;
void jc_roots_look(apr_pool_t *p, apr_array_header_t *roots);

/* identity.c: who scripts run as. */
typedef struct jc_identity_names_t
    jc_identity_names_t; /* each name, looked up once */

typedef struct {
    jc_refusal_t refusal; /* JC_CODE_NONE: the rest is valid */
    uint32_t uid;         /* uid and gid: JC_NO_ID with JailUser owner */
    uint32_t gid;
    const uint32_t *groups; /* sorted */
    unsigned group_count;
    const char *name; /* NULL: no entry in the user database */
    const char *home; /* NULL: no entry */
    /* The next two are looked up with JailRoot host only. NULL: no entry. */
    const char *group;
    const char *const *group_names; /* of groups; each may be NULL */
} jc_identity_t;

/* names.c: returns a store of names, which is empty and lives as long as p. */
jc_identity_names_t *jc_names_create(apr_pool_t *p);
/* Fills *id with who the scripts of `conf` run as, or with the refusal.
 * Everything in it lives as long as `names`. */
void jc_identity_resolve(jc_identity_names_t *names,
                         const jc_server_conf_t *conf, jc_identity_t *id);
/* These return the bound in force: the configured one, or the default if it is
 * not above 0. */
uint32_t jc_identity_min(int64_t configured);
uint32_t jc_identity_max(int64_t configured);

/* mount_rows.c: the namespaces, rows and filter that make a virtual host's
 * jail. */
typedef struct {
    uint32_t namespaces; /* JC_NS_* */
    /* jc_mount_row_t: the rows that other hosts have as well, which come first.
     * All hosts that have the same of them have the same array. */
    const apr_array_header_t *common;
    const apr_array_header_t *rows;
    const jc_filter_t *filter;
    const char *site;     /* directory of JailSite; NULL: none */
    const char *mail;     /* JAILCGI_MAIL of scripts; NULL: no JailMail */
    jc_refusal_t refusal; /* JC_CODE_NONE: the rest is valid */
} jc_isolation_t;
typedef struct jc_mount_rows_t jc_mount_rows_t;

/* Returns the rows that a user brings into a jail of JailRoot host: the files
 * that name the user, and, with `has_home`, the home if it is one. */
apr_array_header_t *
jc_mount_rows_of_user(apr_pool_t *p, const jc_identity_t *id, int has_home);

/* Returns what jc_mount_rows_compile shares between hosts, which lives as long
 * as p. `main_conf` is the configuration that hosts inherit. */
jc_mount_rows_t *jc_mount_rows_create(apr_pool_t *p,
                                      const jc_server_conf_t *main_conf);
/* Fills *isolation, except its filter, with the rows of one host or the
 * refusal. It lives as long as p and `mounts` do. */
void jc_mount_rows_compile(jc_mount_rows_t *mounts, apr_pool_t *p,
                           server_rec *s, const jc_identity_t *id,
                           jc_isolation_t *isolation);

/* mail_rows.c: returns NULL, or why sendmail of JailMail would send nothing, to
 * follow the name of the host. The text is allocated from p. */
const char *jc_mail_rows_problem(jc_mount_rows_t *mounts, apr_pool_t *p,
                                 const jc_server_conf_t *conf);

/* tmp_rows.c: makes the directory of JailTmp disk, if the host keeps something
 * there and this is no configtest. */
void jc_tmp_rows_prepare(const jc_server_conf_t *conf, int is_start);

typedef struct jc_table_t jc_table_t;

/* table.c: returns an empty table. What is in it lives as long as p. */
jc_table_t *jc_table_create(apr_pool_t *p);
/* record.c: sets *policy to the number of an equal record, or of a new one.
 * Returns NULL, or what is wrong with this virtual host, to follow its name.
 * The text and everything that is not kept are allocated from p. */
const char *jc_record_add(jc_table_t *table, apr_pool_t *p,
                          const jc_server_conf_t *conf, const jc_identity_t *id,
                          const jc_isolation_t *isolation, uint32_t *policy);
/* Adds an account with these rows (jc_mount_row_t) and JC_ACCOUNT_* flags,
 * whose uid is above those of all before it. Returns 0, or -1 if it is too long
 * and was left out. */
int jc_record_add_account(jc_table_t *table, const jc_identity_t *id,
                          uint32_t flags, const apr_array_header_t *rows);

/* owners.c: adds the accounts of the users who may own scripts, if a record of
 * the table has JailUser owner. */
void jc_owners_add(apr_pool_t *p, jc_table_t *table);

/* table.c: returns how many records the table has. */
uint32_t jc_table_count(const jc_table_t *table);
/* Sets *table_fd to a memfd that holds the table and that nobody can change.
 * The caller closes it. Returns NULL, or a sentence for the administrator. */
const char *jc_table_seal(jc_table_t *table, uint64_t generation,
                          int *table_fd);

#endif
