/*
 * Makes the names and values of CGI variables, as httpd and mod_cgi do.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    nothing
 */
#include "variables.h"

#include "http_protocol.h"
#include "util_script.h"
#include "apr_lib.h"
#include "apr_strings.h"

static int name_is_clean(const char *key)
{
    if (apr_isdigit(key[0])) {
        return 0;
    }
    for (; *key; key++) {
        if (!apr_isalnum(*key) && *key != '_') {
            return 0;
        }
    }
    return 1;
}

const char *jc_variables_name(apr_pool_t *p, const char *key)
{
    char *name;

    if (name_is_clean(key)) {
        return key;
    }
    name = apr_pstrdup(p, key);
    if (apr_isdigit(name[0])) {
        name[0] = '_';
    }
    for (char *s = name; *s; s++) {
        if (!apr_isalnum(*s) && *s != '_') {
            *s = '_';
        }
    }
    return name;
}

const char *jc_variables_unescaped(apr_pool_t *p, const char *query)
{
    char *args = apr_pstrdup(p, query);

    ap_unescape_url(args);
    return ap_escape_shell_cmd(p, args);
}
