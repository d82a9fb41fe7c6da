/*
 * What the table's records and common parts are put together with.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: the parent's
 * Trusts:    table.c, which says what the bytes mean
 */
#ifndef JC_PARTS_H
#define JC_PARTS_H

#include "src/httpd/freeze.h"
#include "src/wire/table.h"

#include "apr_hash.h"

/* A record or a common part. An equal one is found by all bytes from `common`
 * on. */
typedef struct {
    uint32_t number;
    uint32_t len;
    uint64_t common; /* number of a record's common part; else 0 */
    char data[];
} jc_part_t;

typedef struct {
    apr_hash_t *by_bytes;     /* jc_part_t */
    apr_array_header_t *list; /* jc_part_t * */
} jc_parts_t;

struct jc_table_t {
    apr_pool_t *p;
    jc_parts_t common;
    jc_parts_t records;
    uint64_t parts_len;
    apr_hash_t *made; /* table.c: what common parts are made of */
    char *scratch;    /* the jc_part_t being written */
    size_t scratch_len;
    size_t scratch_room;
};

/* One part after the other: */
void jc_parts_begin(jc_table_t *table, uint32_t common);
void jc_parts_append(jc_table_t *table, const void *data, size_t len);
void jc_parts_append_string(jc_table_t *table, const char *string);
void jc_parts_pad(jc_table_t *table);
/* Writes `head`, for which room was left, over the beginning, and the length
 * into its first field. Returns the part, or one in *all that is equal; NULL:
 * it is too long. */
const jc_part_t *jc_parts_end(jc_table_t *table, jc_parts_t *all, void *head,
                              size_t head_len);
/* What has been written of a part. */
size_t jc_parts_len(const jc_table_t *table);

#endif
