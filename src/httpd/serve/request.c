/*
 * Builds one request as the script will see it: arguments and environment.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    what httpd has made of the request
 * Never:     decides about identity; leaves a path of the host in a variable
 *            whose file is inside the jail
 *
 * The names that no request may bring are left out here, so that the site's log
 * says so. The script's child leaves them out again, because it does not have
 * to believe this process.
 */
#include "exchange.h"
#include "notes.h"
#include "variables.h"
#include "src/wire/env_names.h"

#include "http_core.h"
#include "http_protocol.h"
#include "util_script.h"
#include "apr_lib.h"
#include "apr_strings.h"

#include <string.h>

/* httpd's prefix for the variables of a request that was redirected. */
#define REDIRECTED "REDIRECT_"

static int has_jail_path(const char *name)
{
    static const char *const names[] = {
        "SCRIPT_FILENAME",
        "DOCUMENT_ROOT",
        "CONTEXT_DOCUMENT_ROOT",
        "PATH_TRANSLATED",
    };

    /* An ErrorDocument also sees those of the script that failed. */
    while (strncmp(name, REDIRECTED, sizeof(REDIRECTED) - 1) == 0) {
        name += sizeof(REDIRECTED) - 1;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (strcmp(name, names[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

/* A body reaches the script decoded, so its transfer coding is no longer
 * true. */
static int is_untrue(const char *name)
{
    return strcmp(name, "HTTP_TRANSFER_ENCODING") == 0;
}

/* Nobody has set these: the client itself sent a header Proxy ("httpoxy"), or
 * httpd passes on its own LD_LIBRARY_PATH. */
static int is_no_news(const request_rec *r, const char *name, const char *value)
{
    const char *own;

    if (strcmp(name, "HTTP_PROXY") == 0) {
        return apr_table_get(r->headers_in, "Proxy") != NULL;
    }
    own = strcmp(name, "LD_LIBRARY_PATH") == 0 ? getenv(name) : NULL;
    return own && strcmp(own, value) == 0;
}

/*
 * Decodes one word of the query in place. Returns 0 if it holds a NUL, which no
 * argument can hold. A broken escape stays as it is, as in mod_cgi.
 */
static int decode(char *word)
{
    char *to = word;

    for (const char *from = word; *from; from++) {
        if (*from == '%' && apr_isxdigit(from[1]) && apr_isxdigit(from[2])) {
            char hex[3] = {from[1], from[2], '\0'};

            *to = (char) strtol(hex, NULL, 16);
            if (*to == '\0') {
                return 0;
            }
            from += 2;
        } else {
            *to = *from;
        }
        to++;
    }
    *to = '\0';
    return 1;
}

/*
 * RFC 3875 4.4: a query without "=" is a list of search words, for GET and HEAD
 * only. If one of them cannot be represented, there are none at all.
 */
static void add_arguments(request_rec *r, apr_array_header_t *strings)
{
    const char *rest = r->args;
    int first = strings->nelts;
    int more;

    if (r->method_number != M_GET || !rest || !*rest || strchr(rest, '=')) {
        return;
    }
    do {
        char *word;

        more = strchr(rest, '+') != NULL;
        word = ap_getword_nulls(r->pool, &rest, '+');
        if (!decode(word)) {
            strings->nelts = first;
            return;
        }
        APR_ARRAY_PUSH(strings, const char *) =
            ap_escape_shell_cmd(r->pool, word);
    } while (more); /* an empty word after the last "+" is one too */
}

static void push_variable(jc_exchange_t *c, apr_array_header_t *names,
                          jc_withheld_t *withheld, const char *key,
                          const char *value)
{
    key = jc_variables_name(c->r->pool, key);
    if (is_untrue(key)) {
        return;
    }
    if (jc_env_names_are_denied(key, strlen(key))) {
        if (!is_no_news(c->r, key, value)) {
            jc_withheld_add(withheld, key);
        }
        return;
    }
    if (has_jail_path(key)) {
        value = jc_jail_path(c->r->pool, c->conf, value);
    }
    APR_ARRAY_PUSH(names, const char *) = key;
    APR_ARRAY_PUSH(names, const char *) = value;
}

/*
 * RFC 3875 4.1.2: the length is that of the body as the script reads it, and
 * without a body there is none. SetEnv, the page that includes the script, or
 * the request that failed before an ErrorDocument could have left one. A script
 * that trusts it waits, or reads too little.
 */
static void correct_length(jc_exchange_t *c, apr_table_t *env)
{
    const char *length = apr_table_get(c->r->headers_in, "Content-Length");

    if (jc_body_is_inflated(c->r)) {
        apr_table_unset(env, "CONTENT_LENGTH");
        apr_table_unset(env, "HTTP_CONTENT_ENCODING");
    } else if (!length || (!c->body.expected && strcmp(length, "0") != 0)) {
        apr_table_unset(env, "CONTENT_LENGTH");
    }
}

static apr_table_t *variables(jc_exchange_t *c, jc_withheld_t *withheld)
{
    request_rec *r = c->r;

    if (c->conf->user_kind == JC_USER_OWNER) {
        return jc_owner_env_make(c, withheld);
    }
    ap_add_common_vars(r);
    ap_add_cgi_vars(r);
    jc_origin_drop_inherited(c);
    return r->subprocess_env;
}

/* Returns names and values in turn. */
static apr_array_header_t *environment(jc_exchange_t *c)
{
    request_rec *r = c->r;
    jc_withheld_t withheld = {.pool = r->pool};
    apr_table_t *env = variables(c, &withheld);
    const apr_array_header_t *table;
    const apr_table_entry_t *entries;
    apr_array_header_t *names;
    const char *tz;

    correct_length(c, env);
    table = apr_table_elts(env);
    entries = (const apr_table_entry_t *) table->elts;
    names = apr_array_make(r->pool, 2 * table->nelts + 2, sizeof(char *));
    for (int i = 0; i < table->nelts; i++) {
        if (entries[i].key && entries[i].key[0] && entries[i].val) {
            push_variable(c, names, &withheld, entries[i].key, entries[i].val);
        }
    }
    tz = getenv("TZ");
    if (tz && !apr_table_get(env, "TZ")) {
        push_variable(c, names, &withheld, "TZ", tz);
    }
    /* With JailUser owner the policy has it, which then wins. */
    if (c->conf->user_kind != JC_USER_OWNER && !apr_table_get(env, "TMPDIR")) {
        push_variable(c, names, &withheld, "TMPDIR", "/tmp");
    }
    jc_withheld_report(c, &withheld);
    return names;
}

static char *append(char *to, const char *s, char end)
{
    size_t len = strlen(s);

    memcpy(to, s, len);
    to[len] = end;
    return to + len + 1;
}

static size_t total_len(const apr_array_header_t *strings)
{
    size_t total = 0;

    for (int i = 0; i < strings->nelts; i++) {
        total += strlen(APR_ARRAY_IDX(strings, i, const char *)) + 1;
    }
    return total;
}

static jc_request_limit_t limit_of(const struct rlimit *limit)
{
    jc_request_limit_t none = {.soft = RLIM_INFINITY, .hard = RLIM_INFINITY};

    if (limit) {
        none.soft = limit->rlim_cur;
        none.hard = limit->rlim_max;
    }
    return none;
}

/* Sets RLimitCPU, RLimitMEM and RLimitNPROC, which httpd's core has read. */
static void set_limits(const request_rec *r, jc_request_limit_t *limits)
{
    const core_dir_config *core = ap_get_core_module_config(r->per_dir_config);

    limits[JC_REQUEST_CPU] = limit_of(core->limit_cpu);
    limits[JC_REQUEST_AS] = limit_of(core->limit_mem);
    limits[JC_REQUEST_NPROC] = limit_of(core->limit_nproc);
}

/* Writes all of the request into one block, and its size to *len. `strings` has
 * the path, then the arguments; `names` has names and values in turn. Returns
 * NULL if it is too long. */
static char *serialise(jc_exchange_t *c, const apr_array_header_t *strings,
                       const apr_array_header_t *names, size_t *len)
{
    jc_request_head_t head = {
        .magic = JC_REQUEST_MAGIC,
        .version = JC_WIRE_VERSION,
        .argc = (uint32_t) (strings->nelts - 1),
        .envc = (uint32_t) (names->nelts / 2),
        .flags = (c->body.expected ? JC_REQUEST_BODY : 0) |
                 (c->command ? JC_REQUEST_SHELL : 0),
        .strings_len = total_len(strings) + total_len(names),
        .script_dev = c->r->finfo.device,
        .script_ino = c->r->finfo.inode,
    };
    char *buf, *to;

    set_limits(c->r, head.limits);
    *len = sizeof(head) + head.strings_len;
    if (*len > JC_REQUEST_LEN_MAX) {
        return NULL;
    }
    buf = apr_palloc(c->r->pool, *len);
    memcpy(buf, &head, sizeof(head));
    to = buf + sizeof(head);
    for (int i = 0; i < strings->nelts; i++) {
        to = append(to, APR_ARRAY_IDX(strings, i, const char *), '\0');
    }
    for (int i = 0; i < names->nelts; i++) {
        to = append(to, APR_ARRAY_IDX(names, i, const char *),
                    i % 2 == 0 ? '=' : '\0');
    }
    return buf;
}

static apr_array_header_t *arguments(jc_exchange_t *c)
{
    request_rec *r = c->r;
    const char *slash = strrchr(r->filename, '/');
    apr_array_header_t *strings = apr_array_make(r->pool, 8, sizeof(char *));

    APR_ARRAY_PUSH(strings, const char *) = c->jail_path;
    if (c->command) {
        APR_ARRAY_PUSH(strings, const char *) = "sh";
        APR_ARRAY_PUSH(strings, const char *) = "-c";
        APR_ARRAY_PUSH(strings, const char *) = c->command;
        return strings;
    }
    APR_ARRAY_PUSH(strings, const char *) = slash ? slash + 1 : r->filename;
    add_arguments(r, strings);
    return strings;
}

int jc_request_build(jc_exchange_t *c)
{
    apr_array_header_t *strings, *names;
    apr_status_t rv = jc_owner_find(c);

    if (rv != APR_SUCCESS) {
        jc_exchange_fail(c, JC_CODE_NOT_FOUND, rv);
        return -1;
    }
    c->jail_path = jc_jail_path(c->r->pool, c->conf, c->r->filename);
    apr_table_setn(c->r->notes, JC_NOTE_SCRIPT, c->jail_path);
    strings = arguments(c);
    names = environment(c);
    c->request = serialise(c, strings, names, &c->request_len);
    if (!c->request) {
        jc_exchange_fail(c, JC_CODE_REQUEST_TOO_BIG, 0);
        c->why.found = c->request_len;
        c->why.expected = JC_REQUEST_LEN_MAX;
        return -1;
    }
    return 0;
}

int jc_request_is_head(const request_rec *r)
{
    while (r->main) {
        r = r->main;
    }
    return r->header_only;
}
