/*
 * One policy as the helper and the keepers see it.
 *
 * Runs in:   helper (checks, interns), keeper (obeys)
 * Privilege: root in the helper
 * Trusts:    the table came from the httpd parent and is sealed; its shape is
 *            checked all the same, because a mistake here would be root's
 */
#ifndef JC_POLICY_H
#define JC_POLICY_H

#include "src/wire/table.h"
#include "src/wire/wire.h"

#include <stddef.h>

/* Pointers into one record. */
typedef struct {
    const jc_policy_rec_t *rec;
    const uint32_t *groups;
    const jc_limit_t *limits;
    const jc_mount_t *mounts;
    const void *filter;  /* rec->filter_count instructions of 8 bytes */
    const char *root;    /* "" without JC_POLICY_CHROOT */
    const char *env;     /* rec->env_count strings, one after the other */
    const char *trust;   /* rec->trust_count strings */
    const char *mounted; /* two strings for each mount: source, target */
    const char *cgroup;  /* rec->cgroup_count strings FILE=VALUE */
} jc_policy_view_t;

/*
 * Checks the shape of a record in `len` bytes at `data` (8-byte aligned) and
 * fills *view. Returns 0, or -1 if it is malformed.
 */
int jc_policy_view(const void *data, size_t len, jc_policy_view_t *view);

/* rows.c: the part of that check which is about mounts and the cgroup. */
int jc_policy_rows_are_sane(const jc_policy_view_t *view);

/*
 * Checks a whole table. Returns its head, or NULL if it is malformed. Every
 * record has then passed jc_policy_view().
 */
const jc_table_head_t *jc_table_check(const void *data, size_t len);

/* The record with this number of a checked table. */
const jc_policy_rec_t *jc_table_record(const jc_table_head_t *table,
                                       uint32_t number);

/* The string after this one. */
const char *jc_policy_next(const char *string);

#endif
