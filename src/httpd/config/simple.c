/*
 * Implements the simple directives: each has a field that is -1 where it is
 * unset, and that is inherited from the server around it. A directive that is
 * On or Off needs a row here, a field in config.h and a row in config.c.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    config.c, which has checked every value
 */
#include "inherit.h"

#include <stddef.h>

typedef enum { INT, INT64 } kind_t;

/* t/lint/documented.t compares these rows with the other places. */
static const struct {
    size_t offset;
    kind_t kind;
} fields[] = {
    {offsetof(jc_server_conf_t, min_uid), INT64},
    {offsetof(jc_server_conf_t, min_gid), INT64},
    {offsetof(jc_server_conf_t, max_uid), INT64},
    {offsetof(jc_server_conf_t, max_gid), INT64},
    {offsetof(jc_server_conf_t, eager_binding), INT},
    {offsetof(jc_server_conf_t, exec_cmd), INT},
    {offsetof(jc_server_conf_t, error_detail), INT},
    {offsetof(jc_server_conf_t, spool_body), INT},
    {offsetof(jc_server_conf_t, scope), INT},
    {offsetof(jc_server_conf_t, no_new_privs), INT},
    {offsetof(jc_server_conf_t, umask_mode), INT},
    {offsetof(jc_server_conf_t, header_max), INT64},
    {offsetof(jc_server_conf_t, idle_ms), INT64},
    {offsetof(jc_server_conf_t, timeout_total_ms), INT64},
    {offsetof(jc_server_conf_t, timeout_idle_ms), INT64},
    {offsetof(jc_server_conf_t, namespaces), INT64},
    {offsetof(jc_server_conf_t, background_ms), INT64},
};
#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static int64_t get(const jc_server_conf_t *conf, size_t i)
{
    const void *field = (const char *) conf + fields[i].offset;

    return fields[i].kind == INT ? *(const int *) field
                                 : *(const int64_t *) field;
}

static void put(jc_server_conf_t *conf, size_t i, int64_t value)
{
    void *field = (char *) conf + fields[i].offset;

    if (fields[i].kind == INT) {
        *(int *) field = (int) value;
    } else {
        *(int64_t *) field = value;
    }
}

void jc_simple_unset(jc_server_conf_t *conf)
{
    for (size_t i = 0; i < FIELDS; i++) {
        put(conf, i, -1);
    }
}

void jc_simple_merge(jc_server_conf_t *merged, const jc_server_conf_t *base,
                     const jc_server_conf_t *over)
{
    for (size_t i = 0; i < FIELDS; i++) {
        int64_t nearer = get(over, i);

        put(merged, i, nearer >= 0 ? nearer : get(base, i));
    }
}

int jc_simple_is_any_set(const jc_server_conf_t *conf)
{
    for (size_t i = 0; i < FIELDS; i++) {
        if (get(conf, i) >= 0) {
            return 1;
        }
    }
    return 0;
}
