/*
 * Turns JailRoot, JailNamespaces and JailMount of one virtual host into rows,
 * in the order in which its keeper makes its root of them.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    the configuration, after mount.c and namespaces.c; the user
 *            database
 * Never:     opens what a row names: the keeper does that, each time
 */
#include "accounts.h"
#include "mount_rows.h"
#include "pty_rows.h"
#include "site_rows.h"
#include "homes.h"

#include "apr_strings.h"

#include <string.h>

#define DEV_SIZE   65536
#define DEV_INODES 64

/* Adds devices that reveal and change nothing, by the nodes of the host. */
static void add_dev(apr_array_header_t *rows, uint32_t flags)
{
    static const char *const nodes[] = {"/dev/null", "/dev/zero", "/dev/full",
                                        "/dev/random", "/dev/urandom"};
    static const char *const links[][2] = {{"/proc/self/fd", "/dev/fd"},
                                           {"/proc/self/fd/0", "/dev/stdin"},
                                           {"/proc/self/fd/1", "/dev/stdout"},
                                           {"/proc/self/fd/2", "/dev/stderr"}};

    jc_mount_row_tmpfs(rows, "/dev",
                       flags | JC_MOUNT_READ_ONLY | JC_MOUNT_NOEXEC, 0755,
                       DEV_SIZE, DEV_INODES);
    for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
        jc_mount_row_bind(rows, nodes[i], nodes[i],
                          JC_MOUNT_DEVICES | JC_MOUNT_MAKE | JC_MOUNT_NOEXEC,
                          0);
    }
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        jc_mount_row_link(rows, links[i][0], links[i][1]);
    }
    jc_mount_row_tmpfs(rows, "/dev/shm", JC_MOUNT_MAKE | JC_MOUNT_NOEXEC, 01777,
                       JC_DEFAULT_TMP_SIZE, JC_DEFAULT_TMP_SIZE / 4096);
}

static void add_home(apr_array_header_t *rows, const jc_identity_t *id,
                     uint32_t flags)
{
    jc_mount_row_bind(rows, id->home, id->home, flags | JC_MOUNT_HOME, 0);
}

static void add_configured(apr_pool_t *p, apr_array_header_t *rows,
                           const jc_server_conf_t *conf,
                           const jc_identity_t *id, uint32_t make)
{
    for (int i = 0; conf->mounts && i < conf->mounts->nelts; i++) {
        const jc_mount_conf_t *mount =
            &APR_ARRAY_IDX(conf->mounts, i, jc_mount_conf_t);
        const char *target =
            mount->kind == JC_CONF_HOME ? id->home : mount->target;

        if (!target) {
            continue; /* an owner brings the home with the account */
        }
        if (make) {
            jc_mount_row_parents(p, rows, target);
        }
        switch (mount->kind) {
        case JC_CONF_BIND:
            jc_mount_row_bind(rows, mount->source, target, mount->flags | make,
                              0);
            break;
        case JC_CONF_TMPFS:
            jc_mount_row_tmpfs(rows, target, mount->flags | make, mount->mode,
                               mount->size, mount->inodes);
            break;
        case JC_CONF_PROC:
            jc_mount_row_proc(rows, make);
            break;
        case JC_CONF_DEV:
            add_dev(rows, make);
            break;
        case JC_CONF_HOME:
            add_home(rows, id, mount->flags | make);
            break;
        case JC_CONF_PTY:
            break; /* comes last, in whatever /dev the other lines make */
        }
    }
}

/* A root of its own needs a /dev in which terminals can be made. Under JailRoot
 * none, the machine's ptmx finds what is mounted beside it. */
static void add_terminals(apr_array_header_t *rows,
                          const jc_server_conf_t *conf)
{
    if (!jc_mount_lines_have_kind(conf, JC_CONF_PTY)) {
        return;
    }
    if (conf->root_kind == JC_ROOT_PATH &&
        !jc_mount_lines_have_target(conf, "/dev")) {
        add_dev(rows, 0);
    }
    jc_pty_rows_add(rows, conf,
                    conf->root_kind != JC_ROOT_NONE ||
                        jc_mount_lines_have_kind(conf, JC_CONF_DEV));
}

/* Returns those rows of JailRoot host that do not depend on the identity. A
 * JailMount replaces the default row of the same target. */
static const apr_array_header_t *common_of(jc_mount_rows_t *mounts,
                                           const jc_server_conf_t *conf,
                                           uint32_t namespaces)
{
    const jc_mount_row_t *host;
    char *which = mounts->which;
    apr_array_header_t *rows;
    int n, has_dev, has_proc, has_pty, has_tmp = jc_mount_lines_have_tmp(conf);
    int has_sessions = jc_mount_lines_have_sessions(conf);

    if (!mounts->host) {
        mounts->host = jc_host_root(mounts->p);
        which = mounts->which = apr_palloc(mounts->p, mounts->host->nelts + 3);
    }
    host = (const jc_mount_row_t *) mounts->host->elts;
    n = mounts->host->nelts;
    for (int i = 0; i < n; i++) {
        which[i] = (char) !(
            jc_mount_lines_have_target(conf, host[i].target) ||
            (has_tmp && strcmp(host[i].target, "/tmp") == 0) ||
            (has_sessions && strcmp(host[i].target, JC_PHP_SESSIONS) == 0));
    }
    has_dev = !jc_mount_lines_have_kind(conf, JC_CONF_DEV);
    /* A line replaces all of /dev, so that `dev` alone has no terminals. */
    has_pty = !jc_mount_lines_have_target(conf, "/dev") &&
              !jc_mount_lines_have_target(conf, JC_PTY_DIRECTORY);
    has_proc = !jc_mount_lines_have_kind(conf, JC_CONF_PROC) &&
               (namespaces & JC_NS_PID) != 0;
    which[n] = (char) has_dev;
    which[n + 1] = (char) has_proc;
    which[n + 2] = (char) has_pty;
    rows = apr_hash_get(mounts->common, which, n + 3);
    if (rows) {
        return rows;
    }
    rows = apr_array_make(mounts->p, n + 16, sizeof(jc_mount_row_t));
    for (int i = 0; i < n; i++) {
        if (which[i]) {
            APR_ARRAY_PUSH(rows, jc_mount_row_t) = host[i];
        }
    }
    if (has_dev) {
        add_dev(rows, JC_MOUNT_MAKE);
    }
    if (has_pty) {
        jc_pty_rows_add(rows, conf, 1);
    }
    if (has_proc) {
        jc_mount_row_proc(rows, JC_MOUNT_MAKE);
    }
    apr_hash_set(mounts->common, apr_pmemdup(mounts->p, which, n + 3), n + 3,
                 rows);
    return rows;
}

apr_array_header_t *jc_mount_rows_of_user(apr_pool_t *p,
                                          const jc_identity_t *id, int has_home)
{
    apr_array_header_t *rows = apr_array_make(p, 8, sizeof(jc_mount_row_t));
    int is_own = jc_homes_is_own(id->home);

    jc_mount_row_file(rows, jc_accounts_passwd(p, id, is_own ? id->home : NULL),
                      "/etc/passwd");
    jc_mount_row_file(rows, jc_accounts_group(p, id), "/etc/group");
    if (has_home && is_own) {
        jc_mount_row_parents(p, rows, id->home);
        add_home(rows, id, JC_MOUNT_MAKE | JC_MOUNT_OPTIONAL);
    }
    return rows;
}

/* Lines that a host only inherits make the same rows for all hosts, if nothing
 * in them depends on the identity or on JailRoot. (The lines of a host itself
 * are not considered: each common part has a filter too, and one for each host
 * would be more than the rows.) */
static const apr_array_header_t *inherited(jc_mount_rows_t *mounts,
                                           const jc_server_conf_t *conf)
{
    apr_array_header_t *rows;

    if (!conf->mounts || conf->mounts != mounts->lines ||
        jc_mount_lines_have_kind(conf, JC_CONF_HOME) ||
        jc_mount_lines_have_kind(conf, JC_CONF_PTY)) {
        return NULL;
    }
    if (!mounts->of_lines) {
        rows = apr_array_make(mounts->p, 16, sizeof(jc_mount_row_t));
        add_configured(mounts->p, rows, conf, NULL, 0);
        mounts->of_lines = rows;
    }
    return mounts->of_lines;
}

jc_mount_rows_t *jc_mount_rows_create(apr_pool_t *p,
                                      const jc_server_conf_t *main_conf)
{
    jc_mount_rows_t *mounts = apr_pcalloc(p, sizeof(*mounts));

    mounts->p = p;
    mounts->none = apr_array_make(p, 0, sizeof(jc_mount_row_t));
    mounts->common = apr_hash_make(p);
    mounts->lines = main_conf->mounts;
    mounts->helper = main_conf->helper ? main_conf->helper : JC_HELPER_PATH;
    return mounts;
}

/* The rows give way to what is there already: a mount may bring the place, with
 * everything below it, or have another directory at it. */
static void add_links(apr_pool_t *p, apr_array_header_t *rows,
                      const apr_array_header_t *links)
{
    int first = rows->nelts;

    for (int i = 0; i < links->nelts; i++) {
        const jc_link_t *link = &APR_ARRAY_IDX(links, i, jc_link_t);

        jc_mount_row_parents(p, rows, link->path);
        jc_mount_row_link(rows, link->content, link->path);
    }
    for (int i = first; i < rows->nelts; i++) {
        APR_ARRAY_IDX(rows, i, jc_mount_row_t).mount.flags |= JC_MOUNT_OPTIONAL;
    }
}

static void add_rows(jc_mount_rows_t *mounts, apr_pool_t *p,
                     const jc_server_conf_t *conf, const jc_identity_t *id,
                     const server_rec *s, jc_isolation_t *isolation)
{
    int is_host = conf->root_kind == JC_ROOT_HOST;
    const apr_array_header_t *common =
        is_host ? common_of(mounts, conf, isolation->namespaces)
                : inherited(mounts, conf);
    apr_array_header_t *rows;

    isolation->common = common ? common : mounts->none;
    isolation->rows = mounts->none;
    /* An owner brings these rows with the account. */
    rows =
        is_host && id->uid != JC_NO_ID
            ? jc_mount_rows_of_user(p, id,
                                    !isolation->site &&
                                        !jc_mount_lines_have_kind(conf,
                                                                  JC_CONF_HOME))
            : apr_array_make(p, 8, sizeof(jc_mount_row_t));
    if (isolation->site) {
        jc_site_rows_add(p, rows, conf, id, isolation);
    }
    jc_tmp_rows_add(p, rows, conf, isolation->site,
                    is_host ? JC_MOUNT_MAKE : 0);
    if (is_host || !common) { /* otherwise they are in the common part */
        add_configured(p, rows, conf, id, is_host ? JC_MOUNT_MAKE : 0);
        add_terminals(rows, conf);
    }
    if (is_host) {
        add_links(p, rows, jc_link_rows_find(p, s));
    }
    jc_mail_rows_add(mounts, rows, conf);
    isolation->mail = jc_mail_rows_server(mounts, conf);
    isolation->rows = rows;
}

void jc_mount_rows_compile(jc_mount_rows_t *mounts, apr_pool_t *p,
                           server_rec *s, const jc_identity_t *id,
                           jc_isolation_t *isolation)
{
    const jc_server_conf_t *conf = jc_config_of(s);
    int count;

    isolation->namespaces =
        conf->namespaces >= 0 ? (uint32_t) conf->namespaces : JC_NS_DEFAULT;
    isolation->refusal = (jc_refusal_t){.code = JC_CODE_NONE};
    if (jc_site_rows_find(p, s, id, isolation) ||
        jc_mount_check(p, conf, id, isolation)) {
        return;
    }
    add_rows(mounts, p, conf, id, s, isolation);
    count = isolation->common->nelts + isolation->rows->nelts;
    if (count > (int) JC_MOUNTS_MAX) {
        isolation->refusal =
            (jc_refusal_t){JC_CODE_TOO_MANY_MOUNTS,
                           apr_psprintf(p, "JailMount lines that make %d rows",
                                        count),
                           apr_psprintf(p, "at most %u", JC_MOUNTS_MAX)};
    }
}
