/*
 * Runs in:   helper, keeper
 * Privilege: root in the helper
 * Trusts:    nothing about lengths and counts; the meaning is the parent's
 * Never:     copies, allocates, logs
 */
#define _GNU_SOURCE
#include "policy.h"

#include <string.h>

const char *jc_policy_next(const char *string)
{
    return string + strlen(string) + 1;
}

/* Takes `count` strings from *at, which must not pass `end`. */
static int skip_strings(const char **at, const char *end, uint32_t count)
{
    while (count-- > 0) {
        const char *nul = *at < end ? memchr(*at, 0, end - *at) : NULL;
        if (!nul) {
            return -1;
        }
        *at = nul + 1;
    }
    return 0;
}

static int ids_are_sane(const jc_policy_rec_t *rec)
{
    if (rec->min_uid == 0 || rec->min_gid == 0 || rec->max_uid == JC_NO_ID ||
        rec->max_gid == JC_NO_ID) {
        return 0;
    }
    if (rec->flags & JC_POLICY_OWNER) {
        return rec->uid == JC_NO_ID && rec->gid == JC_NO_ID;
    }
    return !(rec->flags & JC_POLICY_DIR_OWNER) && rec->uid >= rec->min_uid &&
           rec->uid <= rec->max_uid && rec->gid >= rec->min_gid &&
           rec->gid <= rec->max_gid;
}

static int groups_are_sane(const uint32_t *groups, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (groups[i] == 0 || groups[i] == JC_NO_ID) {
            return 0;
        }
    }
    return 1;
}

static int root_is_sane(const jc_policy_view_t *view)
{
    uint32_t flags = view->rec->flags;

    if (flags & JC_POLICY_CHROOT) {
        return !(flags & JC_POLICY_HOST) && view->root[0] == '/' &&
               view->root[1] != 0;
    }
    return view->root[0] == 0;
}

static int env_is_sane(const char *env, uint32_t count)
{
    for (; count > 0; count--, env = jc_policy_next(env)) {
        if (env[0] == '=' || !strchr(env, '=')) {
            return 0;
        }
    }
    return 1;
}

static int paths_are_sane(const char *path, uint32_t count)
{
    for (; count > 0; count--, path = jc_policy_next(path)) {
        if (path[0] != '/') {
            return 0;
        }
    }
    return 1;
}

/* Sets the views' pointers behind the record. -1: it has not that much. */
static int find_arrays(const char *data, size_t len, jc_policy_view_t *view,
                       size_t *strings_at)
{
    const jc_policy_rec_t *rec = view->rec;
    size_t at = sizeof(*rec) + rec->group_count * sizeof(uint32_t);

    view->groups = (const uint32_t *) (rec + 1);
    at = (at + 7) & ~(size_t) 7;
    view->limits = (const jc_limit_t *) (data + at);
    at += rec->limit_count * sizeof(jc_limit_t);
    view->mounts = (const jc_mount_t *) (data + at);
    at += rec->mount_count * sizeof(jc_mount_t);
    view->filter = data + at;
    at += rec->filter_count * (size_t) JC_FILTER_STEP;
    *strings_at = at;
    return at > len || rec->strings_len > len - at ? -1 : 0;
}

static int find_strings(const char *at, jc_policy_view_t *view)
{
    const jc_policy_rec_t *rec = view->rec;
    const char *end = at + rec->strings_len;

    view->root = at;
    if (skip_strings(&at, end, 1)) {
        return -1;
    }
    view->env = at;
    if (skip_strings(&at, end, rec->env_count)) {
        return -1;
    }
    view->trust = at;
    if (skip_strings(&at, end, rec->trust_count)) {
        return -1;
    }
    view->mounted = at;
    if (skip_strings(&at, end, 2 * rec->mount_count)) {
        return -1;
    }
    view->cgroup = at;
    return skip_strings(&at, end, rec->cgroup_count) || at != end ? -1 : 0;
}

int jc_policy_view(const void *data, size_t len, jc_policy_view_t *view)
{
    const jc_policy_rec_t *rec = data;
    size_t strings_at;

    if (len < sizeof(*rec) || rec->len != len || len > JC_POLICY_LEN_MAX ||
        (rec->flags & ~JC_POLICY_FLAGS) || (rec->namespaces & ~JC_NS_ALL) ||
        rec->group_count > JC_GROUPS_MAX || rec->limit_count > 16 ||
        rec->mount_count > JC_MOUNTS_MAX || rec->filter_count > JC_FILTER_MAX ||
        rec->cgroup_count > JC_CGROUP_MAX) {
        return -1;
    }
    view->rec = rec;
    if (find_arrays(data, len, view, &strings_at) ||
        find_strings((const char *) data + strings_at, view)) {
        return -1;
    }
    return ids_are_sane(rec) &&
                   groups_are_sane(view->groups, rec->group_count) &&
                   root_is_sane(view) &&
                   env_is_sane(view->env, rec->env_count) &&
                   paths_are_sane(view->trust, rec->trust_count) &&
                   jc_policy_rows_are_sane(view)
               ? 0
               : -1;
}

static const uint32_t *offsets_of(const jc_table_head_t *table)
{
    return (const uint32_t *) (table + 1);
}

const jc_policy_rec_t *jc_table_record(const jc_table_head_t *table,
                                       uint32_t number)
{
    return (const jc_policy_rec_t *) ((const char *) table +
                                      offsets_of(table)[number]);
}

const jc_table_head_t *jc_table_check(const void *data, size_t len)
{
    const jc_table_head_t *table = data;
    jc_policy_view_t view;

    if (len < sizeof(*table) || len > JC_TABLE_LEN_MAX ||
        table->magic != JC_TABLE_MAGIC || table->version != JC_WIRE_VERSION ||
        table->len != len ||
        table->policy_count > (len - sizeof(*table)) / sizeof(uint32_t)) {
        return NULL;
    }
    for (uint32_t i = 0; i < table->policy_count; i++) {
        size_t at = offsets_of(table)[i];
        if (at % 8 || at > len || len - at < sizeof(jc_policy_rec_t)) {
            return NULL;
        }
        const jc_policy_rec_t *rec = jc_table_record(table, i);
        if (rec->len > len - at || jc_policy_view(rec, rec->len, &view)) {
            return NULL;
        }
    }
    return table;
}
