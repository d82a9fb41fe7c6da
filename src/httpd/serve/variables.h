/*
 * Declares what a script is given: its arguments and its environment.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    what httpd has made of the request
 */
#ifndef JC_VARIABLES_H
#define JC_VARIABLES_H

#include "src/httpd/config/config.h"

typedef struct jc_exchange jc_exchange_t; /* exchange.h */

/* withheld.c: the variables that a script does not get. */
typedef struct {
    apr_pool_t *pool;
    apr_array_header_t *names; /* const char *; NULL: none */
    uint64_t bits;             /* each name sets one of 64 */
    int denied;                /* 1: some are denied to all scripts */
    int unlisted;              /* 1: some are denied to those of this host */
} jc_withheld_t;

/* Adds a name, which must live as long as the request. */
void jc_withheld_add(jc_withheld_t *withheld, const char *name);
/* Logs the names, unless the site's log has them already. */
void jc_withheld_report(jc_exchange_t *c, const jc_withheld_t *withheld);

/* origin.c: returns the user who was authenticated for this request, or NULL,
 * and sets *type to the kind of authentication. */
const char *jc_origin_user(const request_rec *r, const char **type);
/* Returns 1 if the request is not as it came from the client, because it is
 * included, redirected, or the index of a directory. */
int jc_origin_is_derived(const request_rec *r);
/* Returns the request's headers with the values that the client has sent, in a
 * table allocated from r->pool. */
apr_table_t *jc_origin_headers(const request_rec *r);
/* Returns what mod_unique_id has made, or NULL. */
const char *jc_origin_unique_id(const request_rec *r);

/* For a host whose user is fixed: removes the page's user and TLS from the
 * variables of an included script, if its own request has none. */
void jc_origin_drop_inherited(const jc_exchange_t *c);

/* owner_env.c: returns the environment of a script that runs as its owner,
 * allocated from the request's pool. Adds to *withheld what it leaves out. */
apr_table_t *jc_owner_env_make(jc_exchange_t *c, jc_withheld_t *withheld);
/* Returns 1 if JailPassEnv has the name. */
int jc_owner_env_passes(const jc_server_conf_t *conf, const char *name);
/* Returns what mod_ssl says about a variable for this connection, or NULL. */
const char *jc_owner_env_tls_value(request_rec *r, const char *name);

/* variables.c: returns a query as QUERY_STRING_UNESCAPED has it, allocated from
 * p. */
const char *jc_variables_unescaped(apr_pool_t *p, const char *args);
/* Returns a name as ap_create_environment makes it: `key` itself if it is one
 * already, otherwise a copy from p. */
const char *jc_variables_name(apr_pool_t *p, const char *key);

/* owner.c: sets c->owner_uid and c->owner_gid from the script's file, or from
 * its directory. Returns APR_SUCCESS, or why it could not look there. */
apr_status_t jc_owner_find(jc_exchange_t *c);
/* Sets HOME, USER and LOGNAME of that user. If the policy has a user of its
 * own, they come from the policy table. */
void jc_owner_add_variables(const jc_exchange_t *c, apr_table_t *env);

/*
 * request.c: writes the arguments and the environment of the request to
 * c->request, allocated from its pool. Sets c->jail_path. Returns 0, or -1 with
 * c->why filled in.
 */
int jc_request_build(jc_exchange_t *c);
/* Returns whether this is HEAD, or is run for a page that the client asks for
 * with HEAD. */
int jc_request_is_head(const request_rec *r);

#endif
