/*
 * Holds the bytes of the policy table. Parts are written one after the other,
 * equal ones are kept once, and in the end all of them become one sealed memfd.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    record.c, which says what the bytes mean
 * Never:     writes a byte into a part that its caller did not give it: padding
 *            is zero, because policies are one if their bytes are equal
 */
#include "table_writer.h"
#include "src/httpd/memfd.h"
#include "src/wire/wire.h"

#include "apr_strings.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#define LIST_ROOM_MIN 64

static void free_parts(jc_parts_t *all)
{
    free(all->bytes);
    free(all->list);
    free(all->slots);
}

static apr_status_t free_table(void *data)
{
    jc_table_t *table = data;

    free_parts(&table->common);
    free_parts(&table->records);
    free_parts(&table->accounts);
    return APR_SUCCESS;
}

/* Nobody makes a file meanwhile: httpd has one thread while it reads its
 * configuration. */
static uint32_t own_umask(void)
{
    mode_t mask = umask(0777);

    (void) umask(mask);
    return mask;
}

/*
 * The parts are not in the pool. It would keep each smaller block that was
 * outgrown, and take large blocks from the kernel in small pieces.
 */
jc_table_t *jc_table_create(apr_pool_t *p)
{
    jc_table_t *table = apr_pcalloc(p, sizeof(*table));

    table->p = p;
    table->has_include = jc_loaded("mod_include.c");
    table->umask = own_umask();
    table->owner_min = JC_NO_ID;
    table->made = apr_hash_make(p);
    apr_pool_cleanup_register(p, table, free_table, apr_pool_cleanup_null);
    return table;
}

uint32_t jc_table_count(const jc_table_t *table)
{
    return table->records.count;
}

void jc_table_append(jc_table_t *table, const void *data, size_t len)
{
    jc_parts_t *all = table->writing;

    if (len == 0) {
        return;
    }
    if (len > all->room - all->len) {
        all->room = 2 * (all->len + len);
        all->bytes = ap_realloc(all->bytes, all->room);
    }
    memcpy(all->bytes + all->len, data, len);
    all->len += len;
}

void jc_table_append_string(jc_table_t *table, const char *string)
{
    jc_table_append(table, string, strlen(string) + 1);
}

void jc_table_pad(jc_table_t *table)
{
    static const char zeros[8];

    jc_table_append(table, zeros, -jc_table_len(table) & 7);
}

size_t jc_table_len(const jc_table_t *table)
{
    return table->writing->len - table->writing->taken;
}

void jc_table_begin(jc_table_t *table, jc_parts_t *all, uint32_t common)
{
    table->writing = all;
    all->len = all->taken;
    table->beside = common;
}

/* Takes 8 bytes at once; the length of each part is a multiple of that. */
static uint64_t hash_of(const char *bytes, uint32_t len, uint32_t common)
{
    uint64_t hash = common, word;

    for (uint32_t at = 0; at < len; at += sizeof(word)) {
        memcpy(&word, bytes + at, sizeof(word));
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    return hash;
}

static int is_equal(const jc_parts_t *all, const jc_part_t *a,
                    const jc_part_t *b)
{
    return a->hash == b->hash && a->common == b->common && a->len == b->len &&
           memcmp(all->bytes + a->at, all->bytes + b->at, a->len) == 0;
}

/* Returns the slot of an equal part, or the free one where the part belongs.
 * Half of the slots are free. */
static uint32_t *slot_of(const jc_parts_t *all, const jc_part_t *part)
{
    uint32_t mask = 2 * all->list_room - 1;
    uint32_t i = (uint32_t) part->hash & mask;

    while (all->slots[i] != 0 &&
           !is_equal(all, &all->list[all->slots[i] - 1], part)) {
        i = (i + 1) & mask;
    }
    return &all->slots[i];
}

static void grow(jc_parts_t *all)
{
    all->list_room = all->list_room > 0 ? 2 * all->list_room : LIST_ROOM_MIN;
    all->list = ap_realloc(all->list, all->list_room * sizeof(*all->list));
    free(all->slots);
    all->slots = ap_calloc(2 * (size_t) all->list_room, sizeof(*all->slots));
    for (uint32_t i = 0; i < all->count; i++) {
        *slot_of(all, &all->list[i]) = i + 1;
    }
}

int jc_table_end(jc_table_t *table, void *head, size_t head_len,
                 uint32_t *number)
{
    jc_parts_t *all = table->writing;
    size_t written = jc_table_len(table);
    uint32_t len = (uint32_t) written;
    jc_part_t part = {.at = all->taken, .common = table->beside};
    uint32_t *slot;

    if (written > JC_POLICY_LEN_MAX) {
        return -1;
    }
    memcpy(head, &len, sizeof(len));
    memcpy(all->bytes + part.at, head, head_len);
    part.len = len;
    part.hash = hash_of(all->bytes + part.at, len, part.common);
    if (all->count == all->list_room) {
        grow(all);
    }
    slot = slot_of(all, &part);
    if (*slot == 0) {
        all->list[all->count] = part;
        *slot = ++all->count;
        all->taken = all->len;
    }
    *number = *slot - 1;
    return 0;
}

/* Returns the head of the table with all of its entries, which the caller
 * frees. */
static char *make_head(const jc_table_t *table, uint64_t generation, size_t len,
                       size_t parts_at)
{
    const jc_parts_t *kinds[] = {&table->common, &table->records,
                                 &table->accounts};
    const jc_table_head_t head = {.magic = JC_TABLE_MAGIC,
                                  .version = JC_WIRE_VERSION,
                                  .generation = generation,
                                  .len = (uint32_t) len,
                                  .policy_count = table->records.count,
                                  .common_count = table->common.count,
                                  .account_count = table->accounts.count};
    char *data = ap_malloc(parts_at);
    char *end = data + sizeof(head);

    memcpy(data, &head, sizeof(head));
    for (int kind = 0; kind < 3; kind++) {
        for (uint32_t i = 0; i < kinds[kind]->count; i++) {
            const jc_part_t *part = &kinds[kind]->list[i];
            const jc_table_entry_t entry = {(uint32_t) (parts_at + part->at),
                                            part->common};

            memcpy(end, &entry, sizeof(entry));
            end += sizeof(entry);
        }
        parts_at += kinds[kind]->taken;
    }
    return data;
}

const char *jc_table_seal(jc_table_t *table, uint64_t generation, int *table_fd)
{
    const jc_parts_t *common = &table->common, *records = &table->records;
    const jc_parts_t *accounts = &table->accounts;
    size_t parts_at =
        sizeof(jc_table_head_t) +
        ((size_t) common->count + records->count + accounts->count) *
            sizeof(jc_table_entry_t);
    size_t len = parts_at + common->taken + records->taken + accounts->taken;
    struct iovec parts[] = {{NULL, parts_at},
                            {common->bytes, common->taken},
                            {records->bytes, records->taken},
                            {accounts->bytes, accounts->taken}};
    int saved, fd;

    if (len > JC_TABLE_LEN_MAX) {
        return apr_psprintf(
            table->p,
            "The policies of all virtual hosts take %" APR_SIZE_T_FMT
            " bytes, and there is room for %u; give fewer of them JailEnv and "
            "JailTrust lines of their own",
            len, JC_TABLE_LEN_MAX);
    }
    parts[0].iov_base = make_head(table, generation, len, parts_at);
    fd = jc_memfd_sealed("jailcgi-policies", parts, 4);
    saved = errno;
    free(parts[0].iov_base);
    if (fd < 0) {
        return apr_psprintf(table->p,
                            "The policy table of %" APR_SIZE_T_FMT
                            " bytes could not be written to a memfd: %s",
                            len, strerror(saved));
    }
    *table_fd = fd;
    return NULL;
}
