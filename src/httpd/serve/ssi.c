/*
 * Runs `exec cgi` and `exec cmd` of mod_include (server-side includes) in the
 * jail.
 *
 * mod_include has one function for `exec`, the one that was registered last.
 * mod_cgi and mod_cgid, if one is loaded for the hosts with JailRoot off,
 * register theirs in post_config or right after it. To hand such a host back to
 * them, this module must know their function. Therefore, while the
 * configuration is read, it replaces the optional function that registers by
 * one of its own, which remembers theirs and passes it on.
 *
 * Runs in:   httpd parent (hooks), httpd child (the function)
 * Privilege: that of the process
 * Trusts:    the configuration. The owner of a page may write anything in it,
 *            because it is run as that owner, in the owner's jail
 * Never:     runs a command of a jailed host outside of its jail
 */
#include "answer.h"
#include "exchange.h"
#include "handler.h"
#include "hooks.h"
#include "pump.h"
#include "variables.h"

#include "http_core.h"
#include "http_protocol.h"
#include "http_request.h"
#include "mod_include.h"
#include "util_filter.h"
#include "util_script.h"
#include "apr_optional.h"
#include "apr_strings.h"

#include <string.h>

static struct {
    APR_OPTIONAL_FN_TYPE(ap_register_include_handler) * register_handler;
    APR_OPTIONAL_FN_TYPE(ap_ssi_get_tag_and_value) * next_argument;
    APR_OPTIONAL_FN_TYPE(ap_ssi_parse_string) * expand;
    include_handler_fn_t *others; /* `exec` of mod_cgi or mod_cgid */
} ssi;

static void remember_and_register(char *tag, include_handler_fn_t *handler)
{
    if (strcmp(tag, "exec") == 0) {
        ssi.others = handler;
    }
    ssi.register_handler(tag, handler);
}

int jc_ssi_watch(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp)
{
    memset(&ssi, 0, sizeof(ssi));
    ssi.register_handler =
        APR_RETRIEVE_OPTIONAL_FN(ap_register_include_handler);
    if (ssi.register_handler) {
        apr_dynamic_fn_register("ap_register_include_handler",
                                (apr_opt_fn_t *) remember_and_register);
    }
    return OK;
}

static void fail(include_ctx_t *ctx, ap_filter_t *f, apr_bucket_brigade *bb)
{
    SSI_CREATE_ERROR_BUCKET(ctx, f, bb);
}

/* Adds a link for a script that only redirects, because there is no redirecting
 * from within a page. */
static void add_link(request_rec *r, apr_bucket_brigade *bb,
                     const char *location)
{
    const char *shown = ap_escape_html(r->pool, location);
    char *link =
        apr_pstrcat(r->pool, "<a href=\"", shown, "\">", shown, "</a>", NULL);

    APR_BRIGADE_INSERT_TAIL(
        bb, apr_bucket_pool_create(link, strlen(link), r->pool,
                                   r->connection->bucket_alloc));
}

/* A script that names no type has this one, as with mod_cgi. */
static void set_cgi_type(request_rec *r)
{
#if AP_MODULE_MAGIC_AT_LEAST(20120211, 132)
    ap_set_content_type_ex(r, JC_MAGIC_TYPE, 1);
#else
    ap_set_content_type(r, JC_MAGIC_TYPE);
#endif
}

/*
 * `exec cgi` is a subrequest whose file is a script, whatever its name says. It
 * gets the page's own path info and query, as it always has.
 *
 * The handler is named, and not left to the content type. Since httpd 2.4.60 a
 * type counts only if it was set as a trusted one, and the SetHandler of a
 * directory comes before it. Without a handler httpd sends the file, which is
 * the source of the script.
 */
static int include_script(ap_filter_t *f, apr_bucket_brigade *bb,
                          const char *url)
{
    request_rec *r = f->r;
    request_rec *sub = ap_sub_req_lookup_uri(url, r, f->next);
    const char *location = NULL;
    int result = -1;

    if (sub->status == HTTP_OK && !(sub->path_info && *sub->path_info) &&
        !sub->args && sub->finfo.filetype == APR_REG) {
        sub->path_info = r->path_info;
        sub->args = r->args;
        sub->handler = JC_HANDLER_NAME;
        set_cgi_type(sub);
        if (ap_is_HTTP_REDIRECT(ap_run_sub_req(sub))) {
            location = apr_table_get(sub->headers_out, "Location");
        }
        if (location) {
            add_link(r, bb, location);
        }
        result = 0;
    }
    ap_destroy_sub_req(sub);
    return result;
}

/* Adds the variables that mod_cgi gives to a command besides those of the
 * page. */
static void add_variables(request_rec *r)
{
    apr_table_t *env = r->subprocess_env;

    if (r->path_info && *r->path_info) {
        request_rec *sub =
            ap_sub_req_lookup_uri(ap_escape_uri(r->pool, r->path_info), r,
                                  NULL);

        apr_table_setn(env, "PATH_INFO",
                       ap_escape_shell_cmd(r->pool, r->path_info));
        if (sub->filename) {
            apr_table_setn(env, "PATH_TRANSLATED",
                           apr_pstrcat(r->pool, sub->filename, sub->path_info,
                                       NULL));
        }
        ap_destroy_sub_req(sub);
    }
    if (r->args) {
        apr_table_setn(env, "QUERY_STRING", r->args);
        apr_table_setn(env, "QUERY_STRING_UNESCAPED",
                       jc_variables_unescaped(r->pool, r->args));
    }
}

/* `exec cmd`: the bucket reads what the command prints. The rest of the page
 * waits for that, because the next command may need what this one does. */
static int include_command(include_ctx_t *ctx, ap_filter_t *f,
                           apr_bucket_brigade *bb, const char *command)
{
    request_rec *r = f->r;
    const jc_server_conf_t *conf = jc_config_of(r->server);
    jc_exchange_t *c;

    if (jc_handler_check_host(r, conf) != OK) {
        return -1;
    }
    add_variables(r);
    c = jc_exchange_create(r, conf);
    jc_body_none(c); /* the body is for the page, not for the command */
    c->command = command;
    c->finish_ms = 0; /* it ends with its page */
    c->log = NULL;    /* nothing of a command is written there */
    if (jc_request_build(c) < 0 || jc_control_spawn(c) < 0) {
        jc_exchange_end(c, &c->why);
        return -1;
    }
    APR_BRIGADE_INSERT_TAIL(bb,
                            jc_bucket_create(c, r->connection->bucket_alloc));
    ctx->flush_now = 1;
    return 0;
}

static int include(include_ctx_t *ctx, ap_filter_t *f, apr_bucket_brigade *bb,
                   const char *name, char *value)
{
    char expanded[MAX_STRING_LEN];

    if (strcmp(name, "cmd") == 0) {
        ssi.expand(ctx, value, expanded, sizeof(expanded),
                   SSI_EXPAND_LEAVE_NAME);
        return include_command(ctx, f, bb, apr_pstrdup(f->r->pool, expanded));
    }
    if (strcmp(name, "cgi") == 0) {
        ssi.expand(ctx, value, expanded, sizeof(expanded),
                   SSI_EXPAND_DROP_NAME);
        return include_script(f, bb, expanded);
    }
    return -1;
}

static apr_status_t on_exec(include_ctx_t *ctx, ap_filter_t *f,
                            apr_bucket_brigade *bb)
{
    request_rec *r = f->r;
    int arguments = 0;

    if (jc_config_is_left(jc_config_of(r->server)) && ssi.others) {
        return ssi.others(ctx, f, bb);
    }
    if (!(ctx->flags & SSI_FLAG_PRINTING)) {
        return APR_SUCCESS;
    }
    if (ctx->flags & SSI_FLAG_NO_EXEC) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "exec used but not allowed in %s; remedy: set Options "
                      "+Includes instead of IncludesNOEXEC",
                      r->filename);
        fail(ctx, f, bb);
        return APR_SUCCESS;
    }
    for (;; arguments++) {
        char *name = NULL, *value = NULL;

        ssi.next_argument(ctx, &name, &value, SSI_VALUE_DECODED);
        if (!name || !value) {
            break;
        }
        /* Pass on what comes before it, so that a page has one command at a
         * time. */
        if (arguments > 0) {
            apr_status_t rv = ap_pass_brigade(f->next, bb);

            apr_brigade_cleanup(bb);
            if (rv != APR_SUCCESS) {
                return rv;
            }
        }
        if (include(ctx, f, bb, name, value) < 0) {
            ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                          "exec %s=\"%s\" in %s failed", name, value,
                          r->filename);
            fail(ctx, f, bb);
            return APR_SUCCESS;
        }
    }
    if (arguments == 0) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "exec without cmd or cgi in %s", r->filename);
        fail(ctx, f, bb);
    }
    return APR_SUCCESS;
}

void jc_ssi_register(void)
{
    if (!ssi.register_handler) {
        return;
    }
    apr_dynamic_fn_register("ap_register_include_handler",
                            (apr_opt_fn_t *) ssi.register_handler);
    ssi.next_argument = APR_RETRIEVE_OPTIONAL_FN(ap_ssi_get_tag_and_value);
    ssi.expand = APR_RETRIEVE_OPTIONAL_FN(ap_ssi_parse_string);
    if (ssi.next_argument && ssi.expand) {
        static char tag[] = "exec"; /* mod_include takes no constant */

        ssi.register_handler(tag, on_exec);
    }
}
