/*
 * Gives a virtual host what its own directives do not set: the defaults, and
 * what it inherits from the server around it.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    config.c, which has checked every value
 */
#include "inherit.h"
#include "src/wire/wire.h"

#include "apr_strings.h"

static void set_nothing(jc_server_conf_t *conf)
{
    memset(conf, 0, sizeof(*conf));
    jc_simple_unset(conf);
    conf->running_max = -1;
    conf->script_log_len = JC_DEFAULT_LOG_LEN;
    conf->script_log_buffer = JC_DEFAULT_LOG_BUF;
    conf->strict = -1;
    conf->policy = JC_NO_ID;
}

void *jc_inherit_create_server(apr_pool_t *p, server_rec *s)
{
    jc_server_conf_t *conf = apr_palloc(p, sizeof(*conf));

    set_nothing(conf);
    return conf;
}

/* The nearer identity wins, whichever directive names it: a JailUser of the
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

/* Merges the lines of a directive that may occur several times. They add to
 * what is inherited, unless one of them is `none`. */
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

/* Takes all three from the server that names the file, as mod_cgi does. */
static void merge_script_log(jc_server_conf_t *merged,
                             const jc_server_conf_t *base,
                             const jc_server_conf_t *over)
{
    const jc_server_conf_t *from = over->script_log ? over : base;

    merged->script_log = from->script_log;
    merged->script_log_len = from->script_log_len;
    merged->script_log_buffer = from->script_log_buffer;
}

/* Writes the result in the place of the host's own record, which nobody asks
 * for after that. This saves a third of what a host costs in the server's
 * memory. */
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

    jc_simple_merge(merged, base, over);
    jc_concurrency_merge(merged, base, over);
    merge_script_log(merged, base, over);
    merged->env = jc_env_merge(p, base->env, over->env);
    merge_all_lines(p, merged, base, over);
    jc_cgroup_merge(merged, base, over);
    merged->site = over->site ? over->site : base->site;
    merged->mail = over->mail ? over->mail : base->mail;
    merged->tmp = over->tmp ? over->tmp : base->tmp;
    merged->filter = over->filter ? over->filter : base->filter;
    merged->listen = over->listen ? over->listen : base->listen;
    merged->limits = jc_limits_merge(p, base->limits, over->limits);
    from = over->nice_is_set ? over : base;
    merged->nice_is_set = from->nice_is_set;
    merged->nice = from->nice;
    merged->strict = base->strict;
    merged->helper = base->helper;
    return merged;
}

void *jc_inherit_create_dir(apr_pool_t *p, char *dir)
{
    jc_dir_conf_t *conf = apr_pcalloc(p, sizeof(*conf));

    conf->timeout = -1;
    conf->finish_ms = -1;
    return conf;
}

void *jc_inherit_merge_dir(apr_pool_t *p, void *base_ptr, void *over_ptr)
{
    const jc_dir_conf_t *base = base_ptr, *over = over_ptr;
    jc_dir_conf_t *merged = apr_pmemdup(p, base, sizeof(*base));

    if (over->timeout >= 0) {
        merged->timeout = over->timeout;
    }
    if (over->finish_ms >= 0) {
        merged->finish_ms = over->finish_ms;
    }
    return merged;
}

static int has_cgroup(const jc_server_conf_t *conf)
{
    for (int i = 0; i < JC_CGROUPS; i++) {
        if (conf->cgroup[i]) {
            return 1;
        }
    }
    return 0;
}

int jc_inherit_is_configured(const jc_server_conf_t *conf)
{
    return jc_simple_is_any_set(conf) || conf->limits || conf->nice_is_set ||
           conf->root_kind != JC_ROOT_UNSET ||
           conf->user_kind != JC_USER_UNSET || conf->suexec_user ||
           conf->running_max >= 0 || conf->env || conf->trust ||
           conf->trust_is_reset || conf->trust_mounts ||
           conf->trust_mounts_are_reset || conf->pass || conf->pass_is_reset ||
           conf->mounts || conf->mounts_are_reset || conf->tmp || conf->mail ||
           conf->site || conf->filter || conf->listen ||
           conf->cgroup_is_reset || has_cgroup(conf);
}
