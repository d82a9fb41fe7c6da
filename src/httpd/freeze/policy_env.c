/*
 * Writes the variables that every script of a virtual host has in its
 * environment, over everything that a request brings.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    the configuration, the user database
 */
#include "table_writer.h"
#include "src/wire/env_names.h"
#include "src/wire/wire.h"

#include "apr_lib.h"
#include "apr_strings.h"

#include <string.h>

/* Looks up a name with its case, unlike apr_table_get. */
static const char *configured_value(const jc_server_conf_t *conf,
                                    const char *name)
{
    const apr_array_header_t *lines;
    const apr_table_entry_t *line;

    if (!conf->env) {
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

/* Returns the home by the name that it has inside the jail. */
static const char *home_inside(const jc_server_conf_t *conf,
                               const jc_identity_t *id)
{
    size_t len = conf->root_kind == JC_ROOT_PATH ? strlen(conf->root) : 0;

    if (!id->home || id->home[0] != '/') {
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

/* Each returns how many lines of NAME=VALUE it has written. */
static uint32_t add(jc_table_t *table, const char *name, const char *value)
{
    jc_table_append(table, name, strlen(name));
    jc_table_append(table, "=", 1);
    jc_table_append_string(table, value);
    return 1;
}

static uint32_t add_default(jc_table_t *table, const jc_server_conf_t *conf,
                            const char *name, const char *value)
{
    /* A JailEnv of that name comes later. */
    return !configured_value(conf, name) ? add(table, name, value) : 0;
}

static uint32_t add_configured(jc_table_t *table, const jc_server_conf_t *conf)
{
    const apr_array_header_t *set = apr_table_elts(conf->env);
    const apr_table_entry_t *line = (const apr_table_entry_t *) set->elts;
    uint32_t count = 0;

    for (int i = 0; i < set->nelts; i++) {
        count += add(table, line[i].key, line[i].val);
    }
    return count;
}

uint32_t jc_policy_env_append(jc_table_t *table, const jc_server_conf_t *conf,
                              const jc_identity_t *id,
                              const jc_isolation_t *isolation)
{
    uint32_t count =
        add_default(table, conf, "PATH", "/usr/local/bin:/usr/bin:/bin");

    if (id->uid != JC_NO_ID) {
        char number[sizeof("4294967295")];
        const char *name = id->name;

        if (!name) {
            apr_snprintf(number, sizeof(number), "%u", id->uid);
            name = number;
        }
        count += add_default(table, conf, "HOME",
                             isolation->site ? isolation->site
                                             : home_inside(conf, id));
        count += add_default(table, conf, "USER", name);
        count += add_default(table, conf, "LOGNAME", name);
    } else {
        /* A request may choose it only where the user who sets it is the one
         * whose script gets it. There the httpd child has the default. */
        count += add_default(table, conf, "TMPDIR", "/tmp");
    }
    count += add_default(table, conf, "SHELL", "/bin/sh");
    if (isolation->mail) {
        count += add_default(table, conf, "JAILCGI_MAIL", isolation->mail);
    }
    if (conf->env) {
        count += add_configured(table, conf);
    }
    if (conf->eager_binding != 0) {
        /* The loader then binds everything before main. A library that does not
         * fit makes the script fail at once, and not halfway through a page. */
        count += add(table, "LD_BIND_NOW", "1");
    }
    return count;
}
