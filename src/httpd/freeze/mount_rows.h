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
    const char *source; /* of a file its content, of a link its target */
    const char *target;
} jc_mount_row_t;

/* What virtual hosts have in common is looked up and put together once. */
struct jc_mount_rows_t {
    apr_pool_t *p;
    const apr_array_header_t *none;
    const apr_array_header_t *host; /* NULL: nobody has asked for it */
    apr_hash_t *common;             /* which of its rows -> these rows */
    char *which;                    /* a byte for each, and room for two more */
    const apr_array_header_t *lines;    /* JailMount of the main server, */
    const apr_array_header_t *of_lines; /* and its rows; NULL: likewise */
};

/* host_root.c: the rows of JailRoot host that are the same for all. */
apr_array_header_t *jc_host_root(apr_pool_t *p);

/* Each appends rows; strings are not copied. */
void jc_mount_rows_bind(apr_array_header_t *rows, const char *source,
                        const char *target, uint32_t flags, uint64_t ino);
void jc_mount_rows_link(apr_array_header_t *rows, const char *content,
                        const char *target);
void jc_mount_rows_directory(apr_array_header_t *rows, const char *target);
void jc_mount_rows_tmpfs(apr_array_header_t *rows, const char *target,
                         uint32_t flags, uint32_t mode, uint64_t size,
                         uint32_t inodes);

#endif
