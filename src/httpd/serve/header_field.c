/*
 * Parses one field of a header block that a script has written.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    nothing that the script says
 */
#include "answer.h"

#include "http_protocol.h"
#include "apr_lib.h"

#include <string.h>

int jc_header_field_is_of_connection(const char *name)
{
    static const char *const names[] = {
        "Connection", "Keep-Alive", "Proxy-Connection",
        "Upgrade",    "TE",         "Trailer"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (ap_cstr_casecmp(name, names[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Allows only what httpd would send. httpd answers anything else with a 500 of
 * its own that does not show the line. */
int jc_header_field_is_printable(const char *value)
{
    for (; *value; value++) {
        if (apr_iscntrl(*value) && *value != '\t') {
            return 0;
        }
    }
    return 1;
}

static void trim_end(char *s)
{
    size_t len = strlen(s);

    while (len > 0 && apr_isspace(s[len - 1])) {
        s[--len] = '\0';
    }
}

char *jc_header_field_split(char *line)
{
    char *value = strchr(line, ':');

    if (!value) {
        return NULL;
    }
    *value++ = '\0';
    while (apr_isspace(*value)) {
        value++;
    }
    trim_end(value);
    if (!*line || *ap_scan_http_token(line) != '\0' ||
        !jc_header_field_is_printable(value)) {
        return NULL;
    }
    return value;
}
