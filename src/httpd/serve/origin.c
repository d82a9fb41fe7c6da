/*
 * Keeps what a request itself brought apart from what other pages have made of
 * it on the way to this script.
 *
 * With JailUser owner, a page of one tenant can lead to the script of another
 * (DirectoryIndex, FallbackResource, ErrorDocument, Action, rewriting,
 * server-side includes). httpd then continues with the headers of the first
 * request, which `RequestHeader` in a .htaccess may have changed. After a fast
 * redirect it also continues with the user that the password file of the first
 * directory admitted.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    httpd's record of the request, at the moments at which it is noted
 *            here
 * Never:     attributes to a script a user that its own directory has not
 *            authenticated
 */
#include "exchange.h"
#include "hooks.h"
#include "variables.h"
#include "src/wire/env_names.h"

#include "http_request.h"

#include <string.h>

/* Says who was authenticated for a URI. Pointers are compared, and not strings:
 * after a fast redirect r->uri is the very string of the subrequest that was
 * taken. */
typedef struct {
    const char *uri;
    const char *user;
    const char *type;
} authenticated_t;

typedef struct {
    apr_table_t *headers;  /* as the client sent them; initial request only */
    const char *unique_id; /* initial request only */
    authenticated_t own;
    authenticated_t sub; /* of the last subrequest */
} origin_t;

static origin_t *find(const request_rec *r)
{
    return ap_get_module_config(r->request_config, &jailcgi_module);
}

static origin_t *make(request_rec *r)
{
    origin_t *origin = find(r);

    if (!origin) {
        origin = apr_pcalloc(r->pool, sizeof(*origin));
        ap_set_module_config(r->request_config, &jailcgi_module, origin);
    }
    return origin;
}

static int is_by_owner(const request_rec *r)
{
    const jc_server_conf_t *conf = jc_config_of(r->server);

    return conf->user_kind == JC_USER_OWNER && conf->policy != JC_NO_ID;
}

/* Runs after the other hooks of post_read_request. What the server's own
 * configuration changes early (RequestHeader ... early, mod_remoteip) belongs
 * to the request. */
int jc_origin_read(request_rec *r)
{
    origin_t *origin;

    if (r->main || r->prev || !is_by_owner(r)) {
        return DECLINED;
    }
    origin = make(r);
    origin->headers = apr_table_copy(r->pool, r->headers_in);
    /* By now mod_unique_id has set it, and no .htaccess has set anything. */
    origin->unique_id = apr_table_get(r->subprocess_env, "UNIQUE_ID");
    return DECLINED;
}

static authenticated_t authenticated(const request_rec *r)
{
    static const authenticated_t nobody;
    const origin_t *origin = find(r);

    if (origin && origin->own.uri == r->uri) {
        return origin->own;
    }
    if (origin && origin->sub.uri == r->uri) {
        return origin->sub;
    }
    return nobody;
}

/* Returns the request from which httpd copies the user instead of asking again,
 * because the configuration of the directory is the same one. NULL: none. */
static const request_rec *copied_from(const request_rec *r)
{
    if (r->prev && r->prev->per_dir_config == r->per_dir_config) {
        return r->prev;
    }
    return r->main && r->main->per_dir_config == r->per_dir_config ? r->main
                                                                   : NULL;
}

/* Runs as the first of the fixups. Authentication and authorisation are over,
 * and mod_dir has not yet put another file in the place of a directory. */
int jc_origin_fixup(request_rec *r)
{
    authenticated_t who = {.user = r->user, .type = r->ap_auth_type};
    const request_rec *from = copied_from(r);

    if (!is_by_owner(r)) {
        return DECLINED;
    }
    if (from) {
        who = authenticated(from);
    }
    who.uri = r->uri;
    make(r)->own = who;
    if (r->main) {
        make(r->main)->sub = who;
    }
    return DECLINED;
}

const char *jc_origin_user(const request_rec *r, const char **type)
{
    authenticated_t who = authenticated(r);

    *type = who.type;
    return who.user;
}

int jc_origin_is_derived(const request_rec *r)
{
    const origin_t *origin = find(r);

    return r->main || r->prev || !origin || !origin->headers ||
           origin->own.uri != r->uri;
}

static const origin_t *first(const request_rec *r)
{
    while (r->main || r->prev) {
        r = r->main ? r->main : r->prev;
    }
    return find(r);
}

/* Returns the headers of now, with the values of then. httpd itself takes some
 * away, as those of the body from an included script. */
apr_table_t *jc_origin_headers(const request_rec *r)
{
    const origin_t *origin = first(r);
    apr_table_t *headers = apr_table_make(r->pool, 16);
    const apr_array_header_t *sent;
    const apr_table_entry_t *entry;

    if (!origin || !origin->headers) {
        return headers;
    }
    sent = apr_table_elts(origin->headers);
    entry = (const apr_table_entry_t *) sent->elts;
    for (int i = 0; i < sent->nelts; i++) {
        if (entry[i].key && apr_table_get(r->headers_in, entry[i].key)) {
            apr_table_addn(headers, entry[i].key, entry[i].val);
        }
    }
    return headers;
}

const char *jc_origin_unique_id(const request_rec *r)
{
    const origin_t *origin = first(r);

    return origin ? origin->unique_id : NULL;
}

/*
 * An included script begins with all variables of the page. The user who was
 * authenticated for the page has not asked for this script, and the script's
 * own directory may ask for nobody. JailPassEnv lets those of the configuration
 * pass.
 */
void jc_origin_drop_inherited(const jc_exchange_t *c)
{
    request_rec *r = c->r;
    apr_table_t *env = r->subprocess_env;
    const apr_array_header_t *set = apr_table_elts(env);

    if (!r->main) {
        return;
    }
    if (!r->user && !jc_owner_env_passes(c->conf, "REMOTE_USER")) {
        apr_table_unset(env, "REMOTE_USER");
    }
    if (!r->ap_auth_type && !jc_owner_env_passes(c->conf, "AUTH_TYPE")) {
        apr_table_unset(env, "AUTH_TYPE");
    }
    for (int i = set->nelts - 1; i >= 0; i--) {
        const char *name = APR_ARRAY_IDX(set, i, apr_table_entry_t).key;

        if (name && strncmp(name, "SSL_", 4) == 0 &&
            jc_env_names_are_allowed(name, strlen(name)) &&
            !jc_owner_env_passes(c->conf, name) &&
            !jc_owner_env_tls_value(r, name)) {
            apr_table_unset(env, name);
        }
    }
}
