/*
 * Declares how the records and common parts of the policy table are put
 * together.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    record.c, which says what the bytes mean
 */
#ifndef JC_TABLE_WRITER_H
#define JC_TABLE_WRITER_H

#include "freeze.h"
#include "src/wire/table.h"

#include "apr_hash.h"

/* A record or a common part. */
typedef struct {
    uint64_t hash;   /* of its bytes and of `common` */
    size_t at;       /* offset in jc_parts_t.bytes */
    uint32_t len;    /* bytes */
    uint32_t common; /* number of a record's common part; otherwise 0 */
} jc_part_t;

/* Holds all parts of one kind. They are written where they stay. */
typedef struct {
    char *bytes;
    size_t taken; /* bytes of the parts in the list */
    size_t len;   /* the same, and those of the part being written */
    size_t room;
    jc_part_t *list;
    uint32_t count;
    uint32_t list_room; /* 0, or a power of two */
    uint32_t *slots;    /* twice as many: number of a part, plus 1; 0: free */
} jc_parts_t;

struct jc_table_t {
    apr_pool_t *p;
    jc_parts_t common;
    jc_parts_t records;
    jc_parts_t accounts; /* in ascending order of their uids */
    int has_include;     /* mod_include is loaded */
    uint32_t umask;      /* of httpd */
    uint32_t owner_min;  /* the uids that JailUser owner admits; none if the */
    uint32_t owner_max;  /* first is above the second */
    apr_hash_t *made;    /* record.c: the sources of common parts */
    jc_parts_t *writing; /* the kind of the part being written */
    uint32_t beside;     /* the common part of that part */
};

/* These write one part after the other. jc_table_begin begins one in `all`,
 * beside the common part of that number. jc_table_append adds `len` bytes,
 * jc_table_append_string a string and its NUL, and jc_table_pad zeros up to a
 * multiple of 8 bytes. */
void jc_table_begin(jc_table_t *table, jc_parts_t *all, uint32_t common);
void jc_table_append(jc_table_t *table, const void *data, size_t len);
void jc_table_append_string(jc_table_t *table, const char *string);
void jc_table_pad(jc_table_t *table);
/* Ends a part. Writes `head`, for which room was left, over its beginning, and
 * its length into the first field of that. Sets *number to the number of the
 * part, or of an equal one. Returns 0, or -1 if the part is too long and was
 * not taken. */
int jc_table_end(jc_table_t *table, void *head, size_t head_len,
                 uint32_t *number);
/* Returns how many bytes of a part have been written, also after it was too
 * long. */
size_t jc_table_len(const jc_table_t *table);

/* policy_env.c: appends what is set over everything in a script's environment,
 * one NAME=VALUE after the other. Returns how many there are. */
uint32_t jc_policy_env_append(jc_table_t *table, const jc_server_conf_t *conf,
                              const jc_identity_t *id,
                              const jc_isolation_t *isolation);

#endif
