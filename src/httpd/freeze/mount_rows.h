/*
 * Declares the rows that make a root, and the functions that append them.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    the configuration
 */
#ifndef JC_MOUNT_ROWS_H
#define JC_MOUNT_ROWS_H

#include "freeze.h"
#include "src/wire/table.h"
#include "src/wire/wire.h"

#include "apr_hash.h"

/* A row of the policy record and its two strings. */
typedef struct {
    jc_mount_t mount;
    const char *source; /* for a file its content, for a link its target */
    const char *target;
} jc_mount_row_t;

/* Holds what virtual hosts have in common, which is looked up and put together
 * once. */
struct jc_mount_rows_t {
    apr_pool_t *p;
    const apr_array_header_t *none;
    const apr_array_header_t *host; /* NULL: no host has needed it yet */
    apr_hash_t *common;             /* by `which`: the rows that it selects */
    char *which; /* a byte for each row of `host`, and three more */
    const apr_array_header_t *lines;    /* JailMount of the main server */
    const apr_array_header_t *of_lines; /* its rows; NULL: not needed yet */
    const char *helper;                 /* its path */
    const char *mail;         /* directory of sendmail; NULL: not needed yet */
    uint64_t mail_ino;        /* inode of sendmail */
    apr_hash_t *mail_servers; /* by JailMail; NULL: not needed yet */
};

/* host_root.c: returns the rows of JailRoot host that are the same for all
 * hosts, allocated from p. */
apr_array_header_t *jc_host_root(apr_pool_t *p);

/* mount_row.c: each appends a row. Strings are not copied, and must live as
 * long as the rows. `size` is in bytes. An `ino` that is not 0 makes another
 * policy of a file that was replaced. */
void jc_mount_row_bind(apr_array_header_t *rows, const char *source,
                       const char *target, uint32_t flags, uint64_t ino);
void jc_mount_row_link(apr_array_header_t *rows, const char *content,
                       const char *target);
void jc_mount_row_directory(apr_array_header_t *rows, const char *target);
void jc_mount_row_tmpfs(apr_array_header_t *rows, const char *target,
                        uint32_t flags, uint32_t mode, uint64_t size,
                        uint32_t inodes);
void jc_mount_row_file(apr_array_header_t *rows, const char *content,
                       const char *target);
void jc_mount_row_layer(apr_array_header_t *rows, const char *source,
                        const char *target, uint64_t ino);

/* A symbolic link of the machine. */
typedef struct {
    const char *path;
    const char *content;
} jc_link_t;

/* link_rows.c: returns the links (jc_link_t) on the way to the DocumentRoot
 * that nobody but root can have made. */
const apr_array_header_t *jc_link_rows_find(apr_pool_t *p, const server_rec *s);

void jc_mount_row_proc(apr_array_header_t *rows, uint32_t flags);
void jc_mount_row_pty(apr_array_header_t *rows, uint32_t max);
/* Appends all directories on the way to `path`, which the root itself must
 * have. */
void jc_mount_row_parents(apr_pool_t *p, apr_array_header_t *rows,
                          const char *path);

/* mail_rows.c: jc_mail_rows_server() returns ADDRESS PORT DOMAIN for a host
 * with JailMail, which begins with ? if the name was not found; or NULL. It
 * lives as long as `mounts`. jc_mail_rows_add() appends the rows. */
const char *jc_mail_rows_server(jc_mount_rows_t *mounts,
                                const jc_server_conf_t *conf);
void jc_mail_rows_add(jc_mount_rows_t *mounts, apr_array_header_t *rows,
                      const jc_server_conf_t *conf);

/* tmp_rows.c: appends the rows of JailTmp and of the PHP sessions of a site;
 * `site` is NULL or a directory; `make` is JC_MOUNT_MAKE or 0. */
void jc_tmp_rows_add(apr_pool_t *p, apr_array_header_t *rows,
                     const jc_server_conf_t *conf, const char *site,
                     uint32_t make);

/* mount_lines.c: return whether a JailMount line has this target, or this kind;
 * whether JailTmp and JailMail have an effect; and whether the sites of a user
 * have their PHP sessions apart. */
int jc_mount_lines_have_target(const jc_server_conf_t *conf,
                               const char *target);
int jc_mount_lines_have_kind(const jc_server_conf_t *conf,
                             jc_mount_conf_kind_t kind);
int jc_mount_lines_have_tmp(const jc_server_conf_t *conf);
int jc_mount_lines_have_sessions(const jc_server_conf_t *conf);
int jc_mount_lines_have_mail(const jc_server_conf_t *conf);

/* mount_check.c: returns 0, or -1 with the refusal of *isolation filled in. */
int jc_mount_check(apr_pool_t *p, const jc_server_conf_t *conf,
                   const jc_identity_t *id, jc_isolation_t *isolation);

#endif
