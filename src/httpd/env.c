/*
 * What every script of a virtual host has in its environment, over everything
 * that a request brings.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: the parent's
 * Trusts:    the configuration, the user database
 */
#include "src/httpd/freeze.h"
#include "src/wire/wire.h"

#include "apr_strings.h"

#include <string.h>

/* A table lookup that minds case, unlike apr_table_get. */
static const char *configured_value(const jc_server_conf_t *conf,
                                    const char *name)
{
    const apr_array_header_t *lines;
    const apr_table_entry_t *line;

    if (conf->env == NULL) {
        return NULL;
    }
    lines = apr_table_elts(conf->env);
    line = (const apr_table_entry_t *) lines->elts;
    for (int i = 0; i < lines->nelts; i++) {
        if (strcmp(line[i].key, name) == 0) {
            return line[i].val;
        }
    }
    return NULL;
}

/* The home as it is called inside the jail. */
static const char *home_inside(const jc_server_conf_t *conf,
                               const jc_identity_t *id)
{
    size_t len = conf->root_kind == JC_ROOT_PATH ? strlen(conf->root) : 0;

    if (id->home == NULL || id->home[0] != '/') {
        return "/";
    }
    if (len == 0 || strncmp(id->home, conf->root, len) != 0) {
        return id->home;
    }
    if (id->home[len] == '\0') {
        return "/";
    }
    return id->home[len] == '/' ? id->home + len : id->home;
}

static void add(apr_array_header_t *lines, const char *name, const char *value)
{
    APR_ARRAY_PUSH(lines, const char *) =
        apr_pstrcat(lines->pool, name, "=", value, NULL);
}

static void add_default(apr_array_header_t *lines, const jc_server_conf_t *conf,
                        const char *name, const char *value)
{
    /* A JailEnv of that name comes later. */
    if (value != NULL && configured_value(conf, name) == NULL) {
        add(lines, name, value);
    }
}

apr_array_header_t *jc_env_lines(apr_pool_t *p, const jc_server_conf_t *conf,
                                 const jc_identity_t *id)
{
    apr_array_header_t *lines = apr_array_make(p, 8, sizeof(const char *));
    int is_owner = id->uid == JC_NO_ID;
    const char *name = id->name;

    if (!is_owner && name == NULL) {
        name = apr_psprintf(p, "%u", id->uid);
    }
    add_default(lines, conf, "PATH", "/usr/local/bin:/usr/bin:/bin");
    add_default(lines, conf, "HOME", is_owner ? NULL : home_inside(conf, id));
    add_default(lines, conf, "USER", name);
    add_default(lines, conf, "LOGNAME", name);
    add_default(lines, conf, "SHELL", "/bin/sh");
    add_default(lines, conf, "TMPDIR", "/tmp");
    if (conf->env != NULL) {
        const apr_array_header_t *set = apr_table_elts(conf->env);
        const apr_table_entry_t *line = (const apr_table_entry_t *) set->elts;

        for (int i = 0; i < set->nelts; i++) {
            add(lines, line[i].key, line[i].val);
        }
    }
    if (conf->eager_binding != 0) {
        /* The loader then binds everything before main: a library that does
         * not fit fails the script at once and not halfway through a page. */
        add(lines, "LD_BIND_NOW", "1");
    }
    return lines;
}
