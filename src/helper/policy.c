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

static int strings_are_sane(const jc_policy_view_t *view)
{
    const char *env = view->env;
    const char *trust = view->trust;

    if (view->rec->flags & JC_POLICY_CHROOT) {
        if (view->root[0] != '/' || view->root[1] == 0) {
            return 0;
        }
    } else if (view->root[0]) {
        return 0;
    }
    for (uint32_t i = 0; i < view->rec->env_count; i++) {
        if (env[0] == '=' || !strchr(env, '=')) {
            return 0;
        }
        env = jc_policy_next(env);
    }
    for (uint32_t i = 0; i < view->rec->trust_count; i++) {
        if (trust[0] != '/') {
            return 0;
        }
        trust = jc_policy_next(trust);
    }
    return 1;
}

int jc_policy_view(const void *data, size_t len, jc_policy_view_t *view)
{
    const jc_policy_rec_t *rec = data;
    size_t limits_at, strings_at;

    if (len < sizeof(*rec) || rec->len != len || len > JC_POLICY_LEN_MAX ||
        (rec->flags & ~JC_POLICY_FLAGS) || rec->group_count > JC_GROUPS_MAX ||
        rec->limit_count > 16) {
        return -1;
    }
    limits_at = sizeof(*rec) + rec->group_count * sizeof(uint32_t);
    limits_at = (limits_at + 7) & ~(size_t) 7;
    strings_at = limits_at + rec->limit_count * sizeof(jc_limit_t);
    if (strings_at > len || rec->strings_len > len - strings_at) {
        return -1;
    }
    const char *at = (const char *) data + strings_at;
    const char *end = at + rec->strings_len;
    view->rec = rec;
    view->groups = (const uint32_t *) (rec + 1);
    view->limits = (const jc_limit_t *) ((const char *) data + limits_at);
    view->root = at;
    if (skip_strings(&at, end, 1)) {
        return -1;
    }
    view->env = at;
    if (skip_strings(&at, end, rec->env_count)) {
        return -1;
    }
    view->trust = at;
    if (skip_strings(&at, end, rec->trust_count) || at != end) {
        return -1;
    }
    return ids_are_sane(rec) &&
                   groups_are_sane(view->groups, rec->group_count) &&
                   strings_are_sane(view)
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
