/*
 * What a virtual host has without directives of its own: the defaults, and
 * what it inherits from the server around it.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: the parent's
 * Trusts:    config.c, which has checked every value
 */
#include "config.h"
#include "src/wire/wire.h"

#include "apr_strings.h"

static void set_nothing(jc_server_conf_t *conf)
{
    memset(conf, 0, sizeof(*conf));
    conf->min_uid = conf->min_gid = -1;
    conf->max_uid = conf->max_gid = -1;
    conf->eager_binding = conf->exec_cmd = -1;
    conf->error_detail = conf->spool_body = -1;
    conf->header_max = conf->idle_ms = -1;
    conf->timeout_total_ms = conf->timeout_idle_ms = -1;
    conf->running_max = -1;
    conf->script_log_len = JC_DEFAULT_LOG_LEN;
    conf->script_log_buffer = JC_DEFAULT_LOG_BUF;
    conf->namespaces = conf->background_ms = -1;
    conf->scope = conf->no_new_privs = -1;
    conf->strict = -1;
    conf->policy = JC_NO_ID;
}

void *jc_inherit_create_server(apr_pool_t *p, server_rec *s)
{
    jc_server_conf_t *conf = apr_palloc(p, sizeof(*conf));

    set_nothing(conf);
    return conf;
}

/* Not an overlay of apr_tables: they ignore case, and environments do not. */
void jc_env_set(apr_table_t *env, const char *name, const char *value)
{
    const apr_array_header_t *lines = apr_table_elts(env);
    apr_table_entry_t *line = (apr_table_entry_t *) lines->elts;

    for (int i = 0; i < lines->nelts; i++) {
        if (strcmp(line[i].key, name) == 0) {
            line[i].val = (char *) value;
            return;
        }
    }
    apr_table_addn(env, name, value);
}

static apr_table_t *env_merge(apr_pool_t *p, apr_table_t *base,
                              apr_table_t *over)
{
    const apr_array_header_t *lines;
    const apr_table_entry_t *line;
    apr_table_t *merged;

    if (!base || !over) {
        return base ? base : over;
    }
    merged = apr_table_copy(p, base);
    lines = apr_table_elts(over);
    line = (const apr_table_entry_t *) lines->elts;
    for (int i = 0; i < lines->nelts; i++) {
        jc_env_set(merged, line[i].key, line[i].val);
    }
    return merged;
}

/* The nearer identity wins, whichever directive named it: JailUser of the
 * server must not shadow the SuexecUserGroup of one customer. */
static void merge_identity(jc_server_conf_t *merged,
                           const jc_server_conf_t *base,
                           const jc_server_conf_t *over)
{
    const jc_server_conf_t *from = base;

    if (over->user_kind != JC_USER_UNSET || over->suexec_user) {
        from = over;
    }
    merged->user_kind = from->user_kind;
    merged->owner_is_dirs = from->owner_is_dirs;
    merged->user = from->user;
    merged->group = from->group;
    merged->suexec_user = from->suexec_user;
    merged->suexec_group = from->suexec_group;
}

/* The lines of a directive that may stand several times: they add to what is
 * inherited, unless one of them is `none`. */
static apr_array_header_t *merge_lines(apr_pool_t *p, apr_array_header_t *base,
                                       apr_array_header_t *over,
                                       int over_is_reset)
{
    if (over_is_reset || !base) {
        return over;
    }
    return over ? apr_array_append(p, base, over) : base;
}

static void merge_all_lines(apr_pool_t *p, jc_server_conf_t *merged,
                            const jc_server_conf_t *base,
                            const jc_server_conf_t *over)
{
    merged->trust =
        merge_lines(p, base->trust, over->trust, over->trust_is_reset);
    merged->trust_is_reset = base->trust_is_reset | over->trust_is_reset;
    merged->trust_mounts =
        merge_lines(p, base->trust_mounts, over->trust_mounts,
                    over->trust_mounts_are_reset);
    merged->trust_mounts_are_reset =
        base->trust_mounts_are_reset | over->trust_mounts_are_reset;
    merged->pass = merge_lines(p, base->pass, over->pass, over->pass_is_reset);
    merged->pass_is_reset = base->pass_is_reset | over->pass_is_reset;
    merged->mounts =
        merge_lines(p, base->mounts, over->mounts, over->mounts_are_reset);
    merged->mounts_are_reset = base->mounts_are_reset | over->mounts_are_reset;
}

static jc_rlimit_t *limits_merge(apr_pool_t *p, jc_rlimit_t *base,
                                 jc_rlimit_t *over)
{
    jc_rlimit_t *merged;

    if (!base || !over) {
        return base ? base : over;
    }
    merged = apr_pmemdup(p, base, JC_RLIMITS * sizeof(*base));
    for (int i = 0; i < JC_RLIMITS; i++) {
        if (over[i].is_set) {
            merged[i] = over[i];
        }
    }
    return merged;
}

/* -1: not set. */
static int64_t nearer(int64_t base, int64_t over)
{
    return over >= 0 ? over : base;
}

/* All three from where the file is named, as in mod_cgi. */
static void merge_script_log(jc_server_conf_t *merged,
                             const jc_server_conf_t *base,
                             const jc_server_conf_t *over)
{
    const jc_server_conf_t *from = over->script_log ? over : base;

    merged->script_log = from->script_log;
    merged->script_log_len = from->script_log_len;
    merged->script_log_buffer = from->script_log_buffer;
}

/* In the place of the host's own, which nobody asks for after that: a third
 * of what a host costs in the server's memory. */
void *jc_inherit_merge_server(apr_pool_t *p, void *base_ptr, void *over_ptr)
{
    jc_server_conf_t *merged = over_ptr;
    const jc_server_conf_t own = *merged, *base = base_ptr, *over = &own;
    const jc_server_conf_t *from;

    set_nothing(merged);
    from = over->root_kind != JC_ROOT_UNSET ? over : base;
    merged->root_kind = from->root_kind;
    merged->root = from->root;
    merge_identity(merged, base, over);

    merged->min_uid = nearer(base->min_uid, over->min_uid);
    merged->min_gid = nearer(base->min_gid, over->min_gid);
    merged->max_uid = nearer(base->max_uid, over->max_uid);
    merged->max_gid = nearer(base->max_gid, over->max_gid);
    merged->idle_ms = nearer(base->idle_ms, over->idle_ms);
    merged->timeout_total_ms =
        nearer(base->timeout_total_ms, over->timeout_total_ms);
    merged->timeout_idle_ms =
        nearer(base->timeout_idle_ms, over->timeout_idle_ms);
    jc_concurrency_merge(merged, base, over);
    merged->header_max = nearer(base->header_max, over->header_max);
    merged->eager_binding =
        (int) nearer(base->eager_binding, over->eager_binding);
    merged->exec_cmd = (int) nearer(base->exec_cmd, over->exec_cmd);
    merged->error_detail = (int) nearer(base->error_detail, over->error_detail);
    merged->spool_body = (int) nearer(base->spool_body, over->spool_body);
    merge_script_log(merged, base, over);
    merged->env = env_merge(p, base->env, over->env);
    merge_all_lines(p, merged, base, over);
    merged->namespaces = nearer(base->namespaces, over->namespaces);
    jc_cgroup_merge(merged, base, over);
    merged->filter = over->filter ? over->filter : base->filter;
    merged->scope = (int) nearer(base->scope, over->scope);
    merged->no_new_privs = (int) nearer(base->no_new_privs, over->no_new_privs);
    merged->background_ms = nearer(base->background_ms, over->background_ms);
    merged->listen = over->listen ? over->listen : base->listen;
    merged->limits = limits_merge(p, base->limits, over->limits);
    from = over->nice_is_set ? over : base;
    merged->nice_is_set = from->nice_is_set;
    merged->nice = from->nice;
    merged->strict = base->strict;
    merged->helper = base->helper;
    return merged;
}
