/*
 * Makes the environment of a script of `JailUser owner` from facts of this
 * request. It does not use r->subprocess_env, in which the pages of other
 * tenants may have set what they like. The result has none of their variables,
 * whatever they are called.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    httpd's record of the request, mod_ssl, mod_http2; JailPassEnv
 * Never:     takes a value from r->subprocess_env, unless JailPassEnv has its
 *            name
 */
#include "exchange.h"
#include "variables.h"
#include "src/wire/env_names.h"

#include "http_core.h"
#include "http_protocol.h"
#include "http_request.h"
#include "util_script.h"
#include "apr_optional.h"
#include "apr_strings.h"

#include <string.h>

#define REDIRECTED "REDIRECT_"

/* These are as in mod_ssl.h and mod_http2.h, which not every httpd installs. */
APR_DECLARE_OPTIONAL_FN(char *, ssl_var_lookup,
                        (apr_pool_t *, server_rec *, conn_rec *, request_rec *,
                         char *) );
APR_DECLARE_OPTIONAL_FN(int, ssl_is_https, (conn_rec *) );
APR_DECLARE_OPTIONAL_FN(char *, http2_var_lookup,
                        (apr_pool_t *, server_rec *, conn_rec *, request_rec *,
                         char *) );

int jc_owner_env_passes(const jc_server_conf_t *conf, const char *name)
{
    size_t len = strlen(name);

    for (int i = 0; conf->pass && i < conf->pass->nelts; i++) {
        if (jc_env_names_match(APR_ARRAY_IDX(conf->pass, i, const char *), name,
                               len)) {
            return 1;
        }
    }
    return 0;
}

const char *jc_owner_env_tls_value(request_rec *r, const char *name)
{
    APR_OPTIONAL_FN_TYPE(ssl_var_lookup) *look_up =
        APR_RETRIEVE_OPTIONAL_FN(ssl_var_lookup);
    const char *value = look_up ? look_up(r->pool, r->server, r->connection, r,
                                          apr_pstrdup(r->pool, name))
                                : NULL;

    return value && *value ? value : NULL;
}

static const char *multiplexed_value(request_rec *r, const char *name)
{
    APR_OPTIONAL_FN_TYPE(http2_var_lookup) *look_up =
        APR_RETRIEVE_OPTIONAL_FN(http2_var_lookup);

    return look_up ? look_up(r->pool, r->server, r->connection, r,
                             apr_pstrdup(r->pool, name))
                   : NULL;
}

static void set_or_unset(apr_table_t *env, const char *name, const char *value)
{
    if (value) {
        apr_table_setn(env, name, value);
    } else {
        apr_table_unset(env, name);
    }
}

/* Takes those variables of the connection that are set, which the options of
 * the modules decide, with their true values. */
static void add_connection(request_rec *r, apr_table_t *env,
                           const apr_table_t *saved)
{
    APR_OPTIONAL_FN_TYPE(ssl_is_https) *is_https =
        APR_RETRIEVE_OPTIONAL_FN(ssl_is_https);
    const apr_array_header_t *set = apr_table_elts(saved);
    const apr_table_entry_t *entry = (const apr_table_entry_t *) set->elts;

    for (int i = 0; i < set->nelts; i++) {
        const char *name = entry[i].key;

        if (!name || !jc_env_names_are_allowed(name, strlen(name))) {
            continue;
        }
        if (strncmp(name, "SSL_", 4) == 0) {
            set_or_unset(env, name, jc_owner_env_tls_value(r, name));
        } else if (strncmp(name, "H2", 2) == 0 || strcmp(name, "HTTP2") == 0) {
            set_or_unset(env, name, multiplexed_value(r, name));
        }
    }
    if (is_https && is_https(r->connection)) {
        apr_table_setn(env, "HTTPS", "on");
    }
}

/* mod_actions says for which handler or type it was asked. Returns that if it
 * is true, otherwise NULL. */
static const char *handler_of(request_rec *prev)
{
    const char *said = apr_table_get(prev->subprocess_env, "HANDLER");
    const char *type = prev->content_type;

    if (!said || (prev->handler && strcmp(said, prev->handler) == 0)) {
        return said;
    }
    return type && strcmp(said, ap_field_noparam(prev->pool, type)) == 0 ? said
                                                                         : NULL;
}

/* Adds what httpd itself says about a request that was redirected, or that
 * failed. This is the last one before this request, or before the page that
 * includes it. */
static void add_redirect(request_rec *r, apr_table_t *env)
{
    const request_rec *at = r;
    request_rec *prev;

    while (!at->prev && at->main) {
        at = at->main;
    }
    prev = at->prev;
    if (!prev) {
        return;
    }
    apr_table_setn(env, REDIRECTED "STATUS", apr_itoa(r->pool, prev->status));
    if (at != r) { /* otherwise httpd has done this, by its own directives */
        set_or_unset(env, REDIRECTED "URL", prev->uri);
        set_or_unset(env, REDIRECTED "QUERY_STRING", prev->args);
    }
    set_or_unset(env, REDIRECTED "HANDLER", handler_of(prev));
    set_or_unset(env, REDIRECTED "ERROR_NOTES",
                 apr_table_get(prev->notes, "error-notes"));
    if (r->the_request && ap_is_HTTP_ERROR(prev->status)) {
        const char *line = r->the_request;

        apr_table_setn(env, REDIRECTED "REQUEST_METHOD",
                       ap_getword_white(r->pool, &line));
    }
}

/* Returns CGI's own variables and httpd's additions, made from the request
 * alone. */
static apr_table_t *facts(request_rec *r)
{
    apr_table_t *saved = r->subprocess_env, *headers = r->headers_in;
    const char *type, *user = jc_origin_user(r, &type);
    apr_table_t *env;

    r->subprocess_env = apr_table_make(r->pool, 48);
    if (jc_origin_is_derived(r)) {
        r->headers_in = jc_origin_headers(r);
    }
    ap_add_common_vars(r);
    ap_add_cgi_vars(r);
    env = r->subprocess_env;
    r->subprocess_env = saved;
    r->headers_in = headers;
    set_or_unset(env, "REMOTE_USER", user);
    set_or_unset(env, "AUTH_TYPE", type);
    if (!jc_owner_env_passes(jc_config_of(r->server), "REDIRECT_REMOTE_USER")) {
        apr_table_unset(env, "REDIRECT_REMOTE_USER"); /* admitted elsewhere */
    }
    apr_table_unset(env, "PATH");            /* the policy has one, */
    apr_table_unset(env, "LD_LIBRARY_PATH"); /* and httpd's is for no script */
    return env;
}

/* Returns 1 for variables that httpd's modules set in passing, whatever is
 * configured: it is no news that these are withheld. The last four are orders
 * to httpd. */
static int is_no_news(const char *name)
{
    static const char *const names[] = {
        "DATE_GMT",          "DATE_LOCAL",   "DOCUMENT_ARGS",
        "DOCUMENT_NAME",     "DOCUMENT_URI", "DOCUMENT_PATH_INFO",
        "LAST_MODIFIED",     "USER_NAME",    "QUERY_STRING_UNESCAPED",
        "SCRIPT_URI",        "SCRIPT_URL",   "PATH",
        "HANDLER",           "ERROR_NOTES",  "LD_LIBRARY_PATH",
        "proxy_nokeepalive", "nokeepalive",  "ap_trust_cgilike_cl",
        "proxy_sendchunked",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (strcmp(name, names[i]) == 0) {
            return 1;
        }
    }
    return strchr(name, '-') || /* downgrade-1.0, no-gzip, ... */
           strncmp(name, REDIRECTED, sizeof(REDIRECTED) - 1) == 0;
}

/* Returns whether somebody has set the variable. A name that requests have
 * anyway counts only if this request is as it came, and the value is not the
 * true one. */
static int is_news(const jc_exchange_t *c, const apr_table_t *env,
                   const char *name, const char *value)
{
    const char *own;

    if (!jc_env_names_are_allowed(name, strlen(name))) {
        return !is_no_news(name);
    }
    own = apr_table_get(env, name);
    return *value && !jc_origin_is_derived(c->r) &&
           (!own || strcmp(own, value) != 0);
}

static void add_passed(jc_exchange_t *c, apr_table_t *env,
                       jc_withheld_t *withheld)
{
    const apr_array_header_t *set = apr_table_elts(c->r->subprocess_env);
    const apr_table_entry_t *entry = (const apr_table_entry_t *) set->elts;

    for (int i = 0; i < set->nelts; i++) {
        const char *name;

        if (!entry[i].key || !entry[i].key[0] || !entry[i].val) {
            continue;
        }
        name = jc_variables_name(c->r->pool, entry[i].key);
        if (jc_owner_env_passes(c->conf, name)) {
            if (!apr_table_get(env, name)) {
                apr_table_addn(env, name, entry[i].val);
            }
        } else if (is_news(c, env, entry[i].key, entry[i].val)) {
            jc_withheld_add(withheld, name);
        }
    }
}

apr_table_t *jc_owner_env_make(jc_exchange_t *c, jc_withheld_t *withheld)
{
    request_rec *r = c->r;
    apr_table_t *env = facts(r);

    add_connection(r, env, r->subprocess_env);
    add_redirect(r, env);
    set_or_unset(env, "UNIQUE_ID", jc_origin_unique_id(r));
    if (c->command && r->args) {
        apr_table_setn(env, "QUERY_STRING_UNESCAPED",
                       jc_variables_unescaped(r->pool, r->args));
    }
    jc_owner_add_variables(c, env);
    add_passed(c, env, withheld);
    return env;
}
