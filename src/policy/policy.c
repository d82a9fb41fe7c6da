/*
 * Reads the policy table. Every length and count is checked once, and the
 * pointers that are returned point into the table.
 *
 * Runs in:   helper, keeper
 * Privilege: root in the helper
 * Trusts:    nothing about lengths and counts; the parent for the meaning
 * Never:     copies, allocates, logs
 */
#include "policy.h"

#include <string.h>

const char *jc_policy_next(const char *string)
{
    return string + strlen(string) + 1;
}

int jc_policy_take(const char **at, const char *end, uint32_t count,
                   const char **first)
{
    *first = *at;
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

static int ports_are_sane(const jc_policy_view_t *view)
{
    uint32_t count = view->rec->port_count;

    for (uint32_t i = 0; i < count; i++) {
        if (view->ports[i] > UINT16_MAX ||
            (i > 0 && view->ports[i] <= view->ports[i - 1])) {
            return 0;
        }
    }
    return count == 0 || !(view->rec->flags & JC_POLICY_LISTEN);
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

/* Only with JailUser owner is there a list of names that may pass: otherwise
 * the tenant who sets a name is the one who gets it. */
static int pass_is_sane(const jc_policy_rec_t *rec, const char *pattern)
{
    if (rec->pass_count > 0 && !(rec->flags & JC_POLICY_OWNER)) {
        return 0;
    }
    for (uint32_t i = 0; i < rec->pass_count; i++) {
        if (pattern[0] == 0 || pattern[0] == '*') {
            return 0;
        }
        pattern = jc_policy_next(pattern);
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

/* Sets the pointers of the view into the arrays after the record. Returns -1 if
 * the record is shorter or longer than its counts say. */
static int find_arrays(const char *data, size_t len, jc_policy_view_t *view,
                       size_t *strings_at)
{
    const jc_policy_rec_t *rec = view->rec;
    size_t at = sizeof(*rec) +
                (rec->group_count + rec->port_count) * sizeof(*view->groups);

    view->groups = (const uint32_t *) (rec + 1);
    view->ports = view->groups + rec->group_count;
    at = JC_PADDED(at);
    view->limits = (const jc_limit_t *) (data + at);
    at += rec->limit_count * sizeof(jc_limit_t);
    view->rows.mounts = (const jc_mount_t *) (data + at);
    view->rows.count = rec->mount_count;
    at += rec->mount_count * sizeof(jc_mount_t);
    *strings_at = at;
    return JC_PADDED(at + rec->strings_len) != len ? -1 : 0;
}

static int find_strings(const char *at, jc_policy_view_t *view)
{
    const jc_policy_rec_t *rec = view->rec;
    const char *end = at + rec->strings_len;

    return jc_policy_take(&at, end, 1, &view->root) ||
                   jc_policy_take(&at, end, rec->env_count, &view->env) ||
                   jc_policy_take(&at, end, rec->trust_count, &view->trust) ||
                   jc_policy_take(&at, end, 2 * rec->mount_count,
                                  &view->rows.strings) ||
                   jc_policy_take(&at, end, rec->cgroup_count, &view->cgroup) ||
                   jc_policy_take(&at, end, rec->trust_mount_count,
                                  &view->trust_mounts) ||
                   jc_policy_take(&at, end, rec->pass_count, &view->pass) ||
                   at != end
               ? -1
               : 0;
}

int jc_policy_view(const void *data, size_t len, jc_policy_view_t *view)
{
    const jc_policy_rec_t *rec = data;
    size_t strings_at;

    if (len < sizeof(*rec) || rec->len != len || len > JC_POLICY_LEN_MAX ||
        (rec->flags & ~JC_POLICY_FLAGS) || (rec->namespaces & ~JC_NS_ALL) ||
        rec->group_count > JC_GROUPS_MAX || rec->port_count > JC_PORTS_MAX ||
        rec->limit_count > 16 || rec->mount_count > JC_MOUNTS_MAX ||
        rec->cgroup_count > JC_CGROUP_MAX || rec->pass_count > JC_PASS_MAX ||
        (rec->umask & ~0777u)) {
        return -1;
    }
    view->rec = rec;
    if (find_arrays(data, len, view, &strings_at) ||
        find_strings((const char *) data + strings_at, view)) {
        return -1;
    }
    return ids_are_sane(rec) &&
                   groups_are_sane(view->groups, rec->group_count) &&
                   ports_are_sane(view) && root_is_sane(view) &&
                   env_is_sane(view->env, rec->env_count) &&
                   paths_are_sane(view->trust, rec->trust_count) &&
                   paths_are_sane(view->trust_mounts, rec->trust_mount_count) &&
                   pass_is_sane(rec, view->pass) && jc_policy_rows_suit(view)
               ? 0
               : -1;
}

const void *jc_policy_part(const jc_table_head_t *table, uint32_t number)
{
    return (const char *) table + table->entries[number].offset;
}

/* Checks that each account comes after one with a lower uid: the helper
 * searches by halves. */
static int account_is_sane(const jc_table_head_t *table, uint32_t number)
{
    const uint32_t *len = jc_policy_part(table, number);
    const jc_account_t *before = jc_policy_part(table, number - (number > 0));
    jc_policy_view_t view;

    return table->entries[number].common == 0 &&
           jc_policy_account_view(len, *len, &view) == 0 &&
           (number == table->common_count + table->policy_count ||
            before->uid < view.account->uid);
}

/* Checks a part, record or account, whose first word, its length, is within the
 * table. */
static int part_is_sane(const jc_table_head_t *table, uint32_t number)
{
    uint32_t common = table->entries[number].common;
    const uint32_t *len = jc_policy_part(table, number);
    jc_policy_view_t view;

    if (number < table->common_count) {
        return common == 0 && jc_policy_rows_view(len, *len, &view) == 0;
    }
    if (number - table->common_count >= table->policy_count) {
        return account_is_sane(table, number);
    }
    if (common >= table->common_count) {
        return 0;
    }
    view.common = jc_policy_part(table, common); /* which was checked */
    return jc_policy_view(len, *len, &view) == 0;
}

const jc_table_head_t *jc_policy_check_table(const void *data, size_t len)
{
    const jc_table_head_t *table = data;

    if (len < sizeof(*table) || len > JC_TABLE_LEN_MAX ||
        table->magic != JC_TABLE_MAGIC || table->version != JC_WIRE_VERSION ||
        table->len != len) {
        return NULL;
    }
    size_t count = (size_t) table->common_count + table->policy_count +
                   table->account_count;
    size_t at = sizeof(*table) + count * sizeof(table->entries[0]);
    for (size_t i = 0; at <= len && i < count; i++) {
        const uint32_t *part = (const void *) ((const char *) data + at);
        if (table->entries[i].offset != at || len - at < sizeof(*part) ||
            *part > len - at || !part_is_sane(table, i)) {
            return NULL;
        }
        at += *part;
    }
    return at == len ? table : NULL;
}
