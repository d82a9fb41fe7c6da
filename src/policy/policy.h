/*
 * One policy, as the helper and the keepers see it.
 *
 * Runs in:   helper (checks, interns), keeper (obeys)
 * Privilege: root in the helper
 * Trusts:    the table's meaning, because the httpd parent has sealed and sent
 *            it. Its shape is checked all the same, because a mistake here
 *            would be a bug of root
 */
#ifndef JC_POLICY_H
#define JC_POLICY_H

#include "src/wire/table.h"
#include "src/wire/wire.h"

#include <stddef.h>

/* The mounts, in the order in which they are made. */
typedef struct {
    const jc_mount_t *mounts;
    const char *strings; /* two for each mount: source, target */
    uint32_t count;
} jc_rows_t;

/* Pointers into one record and its common part. */
typedef struct {
    const jc_policy_rec_t *rec;
    const jc_common_t *common;
    const uint32_t *groups;
    const uint32_t *ports; /* rec->port_count of them */
    const jc_limit_t *limits;
    jc_rows_t common_rows;  /* made before the others */
    jc_rows_t account_rows; /* made next; none without JC_POLICY_HOST */
    jc_rows_t rows;
    const jc_account_t *account; /* NULL: none, or not known */
    const uint32_t *account_groups;
    const void *filter;       /* common->filter_count instructions of 8 bytes */
    const char *root;         /* "" without JC_POLICY_CHROOT */
    const char *env;          /* rec->env_count strings, one after the other */
    const char *trust;        /* rec->trust_count strings */
    const char *cgroup;       /* rec->cgroup_count strings FILE=VALUE */
    const char *trust_mounts; /* rec->trust_mount_count strings */
    const char *pass;         /* rec->pass_count patterns of names */
} jc_policy_view_t;

/*
 * Checks the shape of the record in `len` bytes at `data` (8-byte aligned), and
 * sets the pointers of *view that refer to it. view->common must have been
 * checked, because the record must suit it. Returns 0, or -1 if the record is
 * malformed.
 */
int jc_policy_view(const void *data, size_t len, jc_policy_view_t *view);

/* policy_rows.c: jc_policy_rows_view() does the same for a common part.
 * jc_policy_rows_suit() is the part of the check of a record that concerns
 * mounts and the cgroup: it returns 1 if they are sane and the record suits its
 * common part. */
int jc_policy_rows_view(const void *data, size_t len, jc_policy_view_t *view);
int jc_policy_rows_suit(const jc_policy_view_t *view);
/* Returns whether the rows have sane shapes for a keeper with these
 * namespaces. */
int jc_policy_rows_are_sane(const jc_rows_t *rows, uint32_t namespaces);

/* policy_account.c: does the same for an account. Sets account, account_groups
 * and account_rows of the view and nothing else. */
int jc_policy_account_view(const void *data, size_t len,
                           jc_policy_view_t *view);

/*
 * Checks a whole table. Returns its head, or NULL if it is malformed. In a
 * checked table each common part has passed jc_policy_rows_view(), and each
 * record has passed jc_policy_view() with its common part.
 */
const jc_table_head_t *jc_policy_check_table(const void *data, size_t len);

/* Returns part `number` of a checked table: the common parts come first, and
 * the records from table->common_count on. */
const void *jc_policy_part(const jc_table_head_t *table, uint32_t number);

/* Returns the string after this one. */
const char *jc_policy_next(const char *string);
/* Sets *first to *at, and moves *at past `count` strings, which must not pass
 * `end`. Returns 0 or -1. */
int jc_policy_take(const char **at, const char *end, uint32_t count,
                   const char **first);

#endif
