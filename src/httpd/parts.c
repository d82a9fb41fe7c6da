/*
 * The bytes of the policy table: parts are written one after the other, equal
 * ones are kept once, and at last all of them are one sealed memfd.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: the parent's
 * Trusts:    table.c, which says what the bytes mean
 * Never:     writes a byte into a part that it was not told: padding is zero,
 *            because equal bytes are what makes two policies one
 */
#include "src/httpd/parts.h"
#include "src/wire/wire.h"

#include "apr_hash.h"
#include "apr_strings.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#define KEY_AT offsetof(jc_part_t, common)

/* Parts are many and long, and a multiple of 8 bytes. */
static unsigned hash_of(const char *key, apr_ssize_t *len)
{
    uint64_t hash = 0, word;

    for (apr_ssize_t at = 0; at < *len; at += sizeof(word)) {
        memcpy(&word, key + at, sizeof(word));
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    return (unsigned) hash;
}

jc_table_t *jc_table_create(apr_pool_t *p)
{
    jc_table_t *table = apr_pcalloc(p, sizeof(*table));

    table->p = p;
    table->common.by_bytes = apr_hash_make_custom(p, hash_of);
    table->common.list = apr_array_make(p, 4, sizeof(jc_part_t *));
    table->records.by_bytes = apr_hash_make_custom(p, hash_of);
    table->records.list = apr_array_make(p, 64, sizeof(jc_part_t *));
    table->made = apr_hash_make(p);
    table->scratch_room = 4096;
    table->scratch = apr_palloc(p, table->scratch_room);
    return table;
}

uint32_t jc_table_count(const jc_table_t *table)
{
    return (uint32_t) table->records.list->nelts;
}

void jc_parts_append(jc_table_t *table, const void *data, size_t len)
{
    if (len == 0) {
        return;
    }
    if (len > table->scratch_room - table->scratch_len) {
        size_t room = 2 * (table->scratch_len + len);
        char *larger = apr_palloc(table->p, room);

        memcpy(larger, table->scratch, table->scratch_len);
        table->scratch = larger;
        table->scratch_room = room;
    }
    memcpy(table->scratch + table->scratch_len, data, len);
    table->scratch_len += len;
}

void jc_parts_append_string(jc_table_t *table, const char *string)
{
    jc_parts_append(table, string, strlen(string) + 1);
}

void jc_parts_pad(jc_table_t *table)
{
    static const char zeros[8];

    jc_parts_append(table, zeros, -jc_parts_len(table) & 7);
}

size_t jc_parts_len(const jc_table_t *table)
{
    return table->scratch_len - sizeof(jc_part_t);
}

void jc_parts_begin(jc_table_t *table, uint32_t common)
{
    const jc_part_t part = {.common = common};

    table->scratch_len = 0;
    jc_parts_append(table, &part, sizeof(part));
}

const jc_part_t *jc_parts_end(jc_table_t *table, jc_parts_t *all, void *head,
                              size_t head_len)
{
    jc_part_t *part = (jc_part_t *) table->scratch;
    apr_ssize_t key_len = (apr_ssize_t) (table->scratch_len - KEY_AT);
    const jc_part_t *known;

    if (jc_parts_len(table) > JC_POLICY_LEN_MAX) {
        return NULL;
    }
    part->number = (uint32_t) all->list->nelts;
    part->len = (uint32_t) jc_parts_len(table);
    memcpy(head, &part->len, sizeof(part->len));
    memcpy(part->data, head, head_len);
    known = apr_hash_get(all->by_bytes, &part->common, key_len);
    if (known != NULL) {
        return known;
    }
    part = apr_pmemdup(table->p, part, table->scratch_len);
    APR_ARRAY_PUSH(all->list, jc_part_t *) = part;
    apr_hash_set(all->by_bytes, &part->common, key_len, part);
    table->parts_len += part->len;
    return part;
}

/* Writes entries and bytes of these parts; returns where the next begins. */
static uint32_t copy_parts(const jc_parts_t *all, char *data, size_t entries_at,
                           uint32_t at)
{
    for (int i = 0; i < all->list->nelts; i++) {
        const jc_part_t *part = APR_ARRAY_IDX(all->list, i, jc_part_t *);
        const jc_table_entry_t entry = {at, (uint32_t) part->common};

        memcpy(data + entries_at, &entry, sizeof(entry));
        entries_at += sizeof(entry);
        memcpy(data + at, part->data, part->len);
        at += part->len;
    }
    return at;
}

/* The whole table in memory of malloc, or NULL. */
static char *assemble(const jc_table_t *table, uint64_t generation, size_t len,
                      size_t parts_at)
{
    char *data = calloc(1, len);
    const jc_table_head_t head = {.magic = JC_TABLE_MAGIC,
                                  .version = JC_WIRE_VERSION,
                                  .generation = generation,
                                  .len = (uint32_t) len,
                                  .policy_count = jc_table_count(table),
                                  .common_count =
                                      (uint32_t) table->common.list->nelts};
    size_t records_at =
        sizeof(head) + head.common_count * sizeof(jc_table_entry_t);
    uint32_t at;

    if (data == NULL) {
        return NULL;
    }
    memcpy(data, &head, sizeof(head));
    at = copy_parts(&table->common, data, sizeof(head), (uint32_t) parts_at);
    copy_parts(&table->records, data, records_at, at);
    return data;
}

const char *jc_table_seal(jc_table_t *table, uint64_t generation, int *table_fd)
{
    int count = table->common.list->nelts + table->records.list->nelts;
    size_t parts_at =
        sizeof(jc_table_head_t) + (size_t) count * sizeof(jc_table_entry_t);
    size_t len = parts_at + table->parts_len;
    char *data;
    int fd;

    if (len > JC_TABLE_LEN_MAX) {
        return apr_psprintf(
            table->p,
            "The policies of all virtual hosts are %" APR_SIZE_T_FMT
            " bytes; there is room for %u. Give fewer of them "
            "JailEnv and JailTrust lines of their own",
            len, JC_TABLE_LEN_MAX);
    }
    data = assemble(table, generation, len, parts_at);
    fd = data != NULL ? jc_memfd_sealed("jailcgi-policies", data, len) : -1;
    free(data);
    if (fd < 0) {
        return apr_psprintf(table->p,
                            "The policy table of %" APR_SIZE_T_FMT
                            " bytes could not be written to a memfd: %s",
                            len, strerror(errno));
    }
    *table_fd = fd;
    return NULL;
}
