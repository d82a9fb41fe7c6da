/*
 * Writes the configuration of a virtual host as a record of the policy table.
 * Settings that several records share become a part that they refer to.
 * src/wire/table.h has the format.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    the configuration, after the checks of config.c and identity.c
 * Never:     writes into a record what names a virtual host: policies are one
 *            if their bytes are equal
 */
#include "mount_rows.h"
#include "pty_rows.h"
#include "table_writer.h"

#include "apr_strings.h"

#include <sys/param.h>

static uint32_t append_limits(jc_table_t *table, const jc_server_conf_t *conf)
{
    uint32_t count = 0;

    for (uint32_t i = 0; conf->limits && i < JC_RLIMITS; i++) {
        if (conf->limits[i].is_set) {
            const jc_limit_t limit = {.resource = i,
                                      .soft = conf->limits[i].soft,
                                      .hard = conf->limits[i].hard};

            jc_table_append(table, &limit, sizeof(limit));
            count++;
        }
    }
    return count;
}

static uint32_t append_strings(jc_table_t *table,
                               const apr_array_header_t *strings)
{
    if (!strings) {
        return 0;
    }
    for (int i = 0; i < strings->nelts; i++) {
        jc_table_append_string(table, APR_ARRAY_IDX(strings, i, const char *));
    }
    return (uint32_t) strings->nelts;
}

static uint32_t append_mounts(jc_table_t *table, const apr_array_header_t *rows)
{
    for (int i = 0; i < rows->nelts; i++) {
        const jc_mount_row_t *row = &APR_ARRAY_IDX(rows, i, jc_mount_row_t);

        jc_table_append(table, &row->mount, sizeof(row->mount));
    }
    return (uint32_t) rows->nelts;
}

static void append_mount_strings(jc_table_t *table,
                                 const apr_array_header_t *rows)
{
    for (int i = 0; i < rows->nelts; i++) {
        const jc_mount_row_t *row = &APR_ARRAY_IDX(rows, i, jc_mount_row_t);

        jc_table_append_string(table, row->source);
        jc_table_append_string(table, row->target);
    }
}

/* Says what a common part is made of: the same addresses make the same part. */
typedef struct {
    const apr_array_header_t *rows;
    const jc_filter_t *filter;
} source_t;

typedef struct {
    source_t source;
    uint32_t number;
} made_t;

/* Returns the namespaces that a keeper must have of its own to make these
 * rows. */
static uint32_t namespaces_for(const apr_array_header_t *rows)
{
    uint32_t namespaces = rows->nelts > 0 ? JC_NS_MOUNT : 0;

    for (int i = 0; i < rows->nelts; i++) {
        if (APR_ARRAY_IDX(rows, i, jc_mount_row_t).mount.kind ==
            JC_MOUNT_PROC) {
            namespaces |= JC_NS_PID;
        }
    }
    return namespaces;
}

/* Sets *number. Returns 0, or -1 if the part is too long. */
static int add_common(jc_table_t *table, const jc_isolation_t *isolation,
                      uint32_t *number)
{
    const source_t source = {isolation->common, isolation->filter};
    const made_t *known = apr_hash_get(table->made, &source, sizeof(source));
    jc_common_t common = {.namespaces = namespaces_for(source.rows),
                          .filter_count = source.filter->count};
    made_t *made;
    size_t strings_at;

    if (known) {
        *number = known->number;
        return 0;
    }
    jc_table_begin(table, &table->common, 0);
    jc_table_append(table, &common, sizeof(common)); /* room for the head */
    common.mount_count = append_mounts(table, source.rows);
    jc_table_append(table, source.filter->steps,
                    (size_t) common.filter_count * JC_FILTER_STEP);
    strings_at = jc_table_len(table);
    append_mount_strings(table, source.rows);
    common.strings_len = (uint32_t) (jc_table_len(table) - strings_at);
    jc_table_pad(table);
    if (jc_table_end(table, &common, sizeof(common), number) != 0) {
        return -1;
    }
    made = apr_palloc(table->p, sizeof(*made));
    *made = (made_t){source, *number};
    apr_hash_set(table->made, &made->source, sizeof(made->source), made);
    return 0;
}

/* Returns the JC_POLICY_* of a record. */
static uint32_t flags_of(const jc_table_t *table, const jc_server_conf_t *conf,
                         const jc_identity_t *id,
                         const jc_isolation_t *isolation)
{
    uint32_t flags = 0;

    if (conf->no_new_privs == 0) {
        flags |= JC_POLICY_PRIVS; /* without no_new_privs there is no scope */
    } else if (conf->scope != 0) {
        flags |= JC_POLICY_SCOPE;
    }
    if (conf->listen && conf->listen->is_any) {
        flags |= JC_POLICY_LISTEN;
    }
    /* Without a PID namespace the keeper could not find all sessions. */
    if ((isolation->namespaces & JC_NS_PID) && jc_pty_rows_exist(isolation)) {
        flags |= JC_POLICY_SESSIONS;
    }
    if (conf->root_kind == JC_ROOT_PATH) {
        flags |= JC_POLICY_CHROOT;
    }
    if (conf->root_kind == JC_ROOT_HOST) {
        flags |= JC_POLICY_HOST;
    }
    if (id->uid == JC_NO_ID) {
        flags |= JC_POLICY_OWNER;
        flags |= conf->owner_is_dirs ? JC_POLICY_DIR_OWNER : 0;
    }
    /* Only mod_include asks for commands: without it, not even a compromised
     * httpd child can. */
    if (conf->exec_cmd != 0 && table->has_include) {
        flags |= JC_POLICY_SHELL;
    }
    return flags;
}

/* Returns everything in a record that is not a list. */
static jc_policy_rec_t settings_of(const jc_table_t *table,
                                   const jc_server_conf_t *conf,
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
        .flags = flags_of(table, conf, id, isolation),
        .port_count = conf->listen ? conf->listen->count : 0,
        .umask = conf->umask_mode >= 0 && conf->umask_mode != JC_UMASK_INHERIT
                     ? (uint32_t) conf->umask_mode
                     : table->umask,
    };

    if (conf->background_ms > 0) {
        rec.background_ms = (uint32_t) conf->background_ms;
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
    return rec;
}

/* Sets *number. Returns 0, or -1 if the record is too long. */
static int add_record(jc_table_t *table, apr_pool_t *p,
                      const jc_server_conf_t *conf, const jc_identity_t *id,
                      const jc_isolation_t *isolation, uint32_t common,
                      uint32_t *number)
{
    jc_policy_rec_t rec = settings_of(table, conf, id, isolation);
    size_t strings_at;

    jc_table_begin(table, &table->records, common);
    jc_table_append(table, &rec, sizeof(rec)); /* room for the head */
    jc_table_append(table, id->groups, id->group_count * sizeof(*id->groups));
    if (rec.port_count > 0) {
        jc_table_append(table, conf->listen->ports,
                        rec.port_count * sizeof(conf->listen->ports[0]));
    }
    jc_table_pad(table);
    rec.limit_count = append_limits(table, conf);
    rec.mount_count = append_mounts(table, isolation->rows);
    strings_at = jc_table_len(table);
    jc_table_append_string(table,
                           conf->root_kind == JC_ROOT_PATH ? conf->root : "");
    rec.env_count = jc_policy_env_append(table, conf, id, isolation);
    rec.trust_count = append_strings(table, conf->trust);
    append_mount_strings(table, isolation->rows);
    rec.cgroup_count = append_strings(table, jc_cgroup_lines(p, conf));
    rec.trust_mount_count = append_strings(table, conf->trust_mounts);
    if (rec.flags & JC_POLICY_OWNER) {
        rec.pass_count = append_strings(table, conf->pass);
    }
    rec.strings_len = (uint32_t) (jc_table_len(table) - strings_at);
    jc_table_pad(table);
    if (rec.flags & JC_POLICY_OWNER) {
        table->owner_min = MIN(table->owner_min, rec.min_uid);
        table->owner_max = MAX(table->owner_max, rec.max_uid);
    }
    return jc_table_end(table, &rec, sizeof(rec), number);
}

const char *jc_record_add(jc_table_t *table, apr_pool_t *p,
                          const jc_server_conf_t *conf, const jc_identity_t *id,
                          const jc_isolation_t *isolation, uint32_t *policy)
{
    uint32_t common;

    if (conf->pass && conf->pass->nelts > (int) JC_PASS_MAX) {
        return apr_psprintf(p,
                            "its JailPassEnv lines have %d names, and there is "
                            "room for %u; write PREFIX_* for some of them",
                            conf->pass->nelts, JC_PASS_MAX);
    }
    if (add_common(table, isolation, &common) == 0 &&
        add_record(table, p, conf, id, isolation, common, policy) == 0) {
        return NULL;
    }
    return apr_psprintf(
        p,
        "its JailEnv, JailPassEnv, JailTrust and JailMount "
        "lines make a policy of "
        "%" APR_SIZE_T_FMT
        " bytes, and there is room for %u; write fewer or shorter ones",
        jc_table_len(table), JC_POLICY_LEN_MAX);
}

int jc_record_add_account(jc_table_t *table, const jc_identity_t *id,
                          uint32_t flags, const apr_array_header_t *rows)
{
    jc_account_t account = {.flags = flags,
                            .uid = id->uid,
                            .gid = id->gid,
                            .group_count = id->group_count};
    size_t strings_at;
    uint32_t number;

    jc_table_begin(table, &table->accounts, 0);
    jc_table_append(table, &account, sizeof(account)); /* room for the head */
    jc_table_append(table, id->groups, id->group_count * sizeof(*id->groups));
    jc_table_pad(table);
    account.mount_count = append_mounts(table, rows);
    strings_at = jc_table_len(table);
    append_mount_strings(table, rows);
    account.strings_len = (uint32_t) (jc_table_len(table) - strings_at);
    jc_table_pad(table);
    return jc_table_end(table, &account, sizeof(account), &number);
}
