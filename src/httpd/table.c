/*
 * The policy table: equal virtual hosts become one record, and all records
 * one sealed memfd. The format is that of src/wire/table.h.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: the parent's
 * Trusts:    the configuration, after the checks of config.c and identity.c
 * Never:     writes a byte into a record that it was not told: padding is
 *            zero, because equal bytes are what makes two policies one
 */
#include "src/httpd/mounts.h"
#include "src/wire/table.h"
#include "src/wire/wire.h"

#include "apr_hash.h"
#include "apr_strings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif

typedef struct {
    const char *data;
    uint32_t len;
} record_t;

struct jc_table_t {
    apr_pool_t *p;
    apr_hash_t *numbers;         /* bytes of a record -> uint32_t */
    apr_array_header_t *records; /* record_t */
    uint64_t records_len;
    char *scratch; /* the record being written */
    size_t scratch_len;
    size_t scratch_room;
};

jc_table_t *jc_table_create(apr_pool_t *p)
{
    jc_table_t *table = apr_pcalloc(p, sizeof(*table));

    table->p = p;
    table->numbers = apr_hash_make(p);
    table->records = apr_array_make(p, 64, sizeof(record_t));
    table->scratch_room = 4096;
    table->scratch = apr_palloc(p, table->scratch_room);
    return table;
}

uint32_t jc_table_count(const jc_table_t *table)
{
    return (uint32_t) table->records->nelts;
}

static void append(jc_table_t *table, const void *data, size_t len)
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

static void append_string(jc_table_t *table, const char *string)
{
    append(table, string, strlen(string) + 1);
}

static void pad(jc_table_t *table)
{
    static const char zeros[8];

    append(table, zeros, -table->scratch_len & 7);
}

static uint32_t append_limits(jc_table_t *table, const jc_server_conf_t *conf)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < JC_RLIMITS; i++) {
        if (conf->limits[i].is_set) {
            const jc_limit_t limit = {.resource = i,
                                      .soft = conf->limits[i].soft,
                                      .hard = conf->limits[i].hard};

            append(table, &limit, sizeof(limit));
            count++;
        }
    }
    return count;
}

static uint32_t append_strings(jc_table_t *table,
                               const apr_array_header_t *strings)
{
    if (strings == NULL) {
        return 0;
    }
    for (int i = 0; i < strings->nelts; i++) {
        append_string(table, APR_ARRAY_IDX(strings, i, const char *));
    }
    return (uint32_t) strings->nelts;
}

static uint32_t append_mounts(jc_table_t *table,
                              const jc_isolation_t *isolation)
{
    for (int i = 0; i < isolation->rows->nelts; i++) {
        const jc_mount_row_t *row =
            &APR_ARRAY_IDX(isolation->rows, i, jc_mount_row_t);

        append(table, &row->mount, sizeof(row->mount));
    }
    return (uint32_t) isolation->rows->nelts;
}

static void append_mount_strings(jc_table_t *table,
                                 const jc_isolation_t *isolation)
{
    for (int i = 0; i < isolation->rows->nelts; i++) {
        const jc_mount_row_t *row =
            &APR_ARRAY_IDX(isolation->rows, i, jc_mount_row_t);

        append_string(table, row->source);
        append_string(table, row->target);
    }
}

static void write_record(jc_table_t *table, const jc_server_conf_t *conf,
                         const jc_identity_t *id,
                         const jc_isolation_t *isolation)
{
    jc_policy_rec_t rec = {
        .uid = id->uid,
        .gid = id->gid,
        .min_uid = jc_identity_min(conf->min_uid),
        .min_gid = jc_identity_min(conf->min_gid),
        .max_uid = jc_identity_max(conf->max_uid),
        .max_gid = jc_identity_max(conf->max_gid),
        .idle_ms = JC_DEFAULT_IDLE_MS,
        .nice = conf->nice_is_set ? conf->nice : JC_NICE_UNSET,
        .group_count = id->group_count,
        .namespaces = isolation->namespaces,
    };
    size_t strings_at;

    if (conf->background_ms > 0) {
        rec.background_ms = (uint32_t) conf->background_ms;
    }
    if (conf->no_new_privs == 0) {
        rec.flags |= JC_POLICY_PRIVS; /* without it there is no scope */
    } else if (conf->scope != 0) {
        rec.flags |= JC_POLICY_SCOPE;
    }
    if (conf->idle_ms > 0) {
        rec.idle_ms = (uint32_t) conf->idle_ms;
    }
    if (conf->timeout_total_ms > 0) {
        rec.total_ms = (uint32_t) conf->timeout_total_ms;
    }
    if (conf->running_max > 0) {
        rec.running_max = (uint32_t) conf->running_max;
        rec.queue_max = (uint32_t) conf->queue_max;
        rec.queue_ms = (uint32_t) jc_concurrency_wait_ms(conf);
    }
    if (conf->root_kind == JC_ROOT_PATH) {
        rec.flags |= JC_POLICY_CHROOT;
    }
    if (conf->root_kind == JC_ROOT_HOST) {
        rec.flags |= JC_POLICY_HOST;
    }
    if (id->uid == JC_NO_ID) {
        rec.flags |= JC_POLICY_OWNER;
        rec.flags |= conf->owner_is_dirs ? JC_POLICY_DIR_OWNER : 0;
    }
    /* Nobody but mod_include asks for commands: without it not even a child
     * of httpd that was taken over can. */
    if (conf->exec_cmd != 0 && jc_compat_is_loaded("mod_include.c")) {
        rec.flags |= JC_POLICY_SHELL;
    }
    table->scratch_len = 0;
    append(table, &rec, sizeof(rec)); /* room; written again below */
    append(table, id->groups, id->group_count * sizeof(*id->groups));
    pad(table);
    rec.limit_count = append_limits(table, conf);
    rec.mount_count = append_mounts(table, isolation);
    rec.filter_count = isolation->filter->count;
    append(table, isolation->filter->steps,
           (size_t) rec.filter_count * JC_FILTER_STEP);
    strings_at = table->scratch_len;
    append_string(table, conf->root_kind == JC_ROOT_PATH ? conf->root : "");
    rec.env_count = append_strings(table, jc_env_lines(table->p, conf, id));
    rec.trust_count = append_strings(table, conf->trust);
    append_mount_strings(table, isolation);
    rec.cgroup_count = append_strings(table, jc_cgroup_lines(table->p, conf));
    rec.strings_len = (uint32_t) (table->scratch_len - strings_at);
    pad(table);
    rec.len = (uint32_t) table->scratch_len;
    memcpy(table->scratch, &rec, sizeof(rec));
}

const char *jc_table_add(jc_table_t *table, const jc_server_conf_t *conf,
                         const jc_identity_t *id,
                         const jc_isolation_t *isolation, uint32_t *policy)
{
    const uint32_t *known;
    uint32_t *number;
    record_t *record;

    write_record(table, conf, id, isolation);
    if (table->scratch_len > JC_POLICY_LEN_MAX) {
        return apr_psprintf(
            table->p,
            "its JailEnv, JailTrust and JailMount lines make a policy of "
            "%" APR_SIZE_T_FMT " bytes; there is room for %u",
            table->scratch_len, JC_POLICY_LEN_MAX);
    }
    known = apr_hash_get(table->numbers, table->scratch,
                         (apr_ssize_t) table->scratch_len);
    if (known != NULL) {
        *policy = *known;
        return NULL;
    }
    number = apr_palloc(table->p, sizeof(*number));
    *number = (uint32_t) table->records->nelts;
    record = apr_array_push(table->records);
    record->len = (uint32_t) table->scratch_len;
    record->data = apr_pmemdup(table->p, table->scratch, table->scratch_len);
    table->records_len += record->len;
    apr_hash_set(table->numbers, record->data, record->len, number);
    *policy = *number;
    return NULL;
}

/* Linux 6.3 and later warn in the kernel's log of a memfd that does not say
 * whether it may be executed; earlier kernels refuse the flag. */
static int make_memfd(void)
{
    const unsigned flags = MFD_ALLOW_SEALING | MFD_CLOEXEC;
    int fd = memfd_create("jailcgi-policies", flags | MFD_NOEXEC_SEAL);

    if (fd < 0 && errno == EINVAL) {
        fd = memfd_create("jailcgi-policies", flags);
    }
    return fd;
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return -1;
        }
        data += n;
        len -= (size_t) n;
    }
    return 0;
}

/* The whole table in memory of malloc, or NULL. */
static char *assemble(const jc_table_t *table, uint64_t generation, size_t len,
                      size_t records_at)
{
    char *data = calloc(1, len);
    size_t at = records_at;
    uint32_t count = jc_table_count(table);
    const jc_table_head_t head = {.magic = JC_TABLE_MAGIC,
                                  .version = JC_WIRE_VERSION,
                                  .generation = generation,
                                  .len = (uint32_t) len,
                                  .policy_count = count};

    if (data == NULL) {
        return NULL;
    }
    memcpy(data, &head, sizeof(head));
    for (uint32_t i = 0; i < count; i++) {
        const record_t *record = &APR_ARRAY_IDX(table->records, i, record_t);
        uint32_t offset = (uint32_t) at;

        memcpy(data + sizeof(head) + i * sizeof(offset), &offset,
               sizeof(offset));
        memcpy(data + at, record->data, record->len);
        at += record->len;
    }
    return data;
}

const char *jc_table_seal(jc_table_t *table, uint64_t generation, int *table_fd)
{
    size_t records_at =
        sizeof(jc_table_head_t) + jc_table_count(table) * sizeof(uint32_t);
    size_t len;
    char *data;
    int fd, failed;

    records_at = (records_at + 7) & ~(size_t) 7;
    len = records_at + table->records_len;
    if (len > JC_TABLE_LEN_MAX) {
        return apr_psprintf(
            table->p,
            "The policies of all virtual hosts are %" APR_SIZE_T_FMT
            " bytes; there is room for %u. Give fewer of them "
            "JailEnv and JailTrust lines of their own",
            len, JC_TABLE_LEN_MAX);
    }
    data = assemble(table, generation, len, records_at);
    fd = data != NULL ? make_memfd() : -1;
    failed = fd < 0 || write_all(fd, data, len) != 0 ||
             fcntl(fd, F_ADD_SEALS, SEALS) != 0;
    free(data);
    if (failed) {
        const char *reason = strerror(errno);

        if (fd >= 0) {
            close(fd);
        }
        return apr_psprintf(table->p,
                            "The policy table of %" APR_SIZE_T_FMT
                            " bytes could not be written to a memfd: %s",
                            len, reason);
    }
    *table_fd = fd;
    return NULL;
}
