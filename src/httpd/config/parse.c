/*
 * Parses numbers, sizes, times and paths in directives.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    nothing
 */
#include "parse.h"
#include "src/wire/table.h"

#include "httpd.h"
#include "http_core.h"
#include "util_time.h"
#include "apr_lib.h"
#include "apr_strings.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

int jc_parse_number(const char *text, int64_t least, int64_t most,
                    int64_t *number)
{
    const char *digits = text + (least < 0 && (*text == '-' || *text == '+'));
    char *end;
    long long value;

    errno = 0;
    value = strtoll(text, &end, 10);
    if (!apr_isdigit(*digits) || *end != '\0' || errno != 0 || value < least ||
        value > most) {
        return 0;
    }
    *number = value;
    return 1;
}

int jc_parse_mode(const char *text, uint32_t most, uint32_t *mode)
{
    char *end;
    unsigned long value;

    errno = 0;
    value = strtoul(text, &end, 8);
    if (!apr_isdigit(*text) || *end != '\0' || errno != 0 || value > most) {
        return 0;
    }
    *mode = (uint32_t) value;
    return 1;
}

/* Returns the bytes per unit of the suffix, or 0 if there is no such suffix. */
static uint64_t unit_of(const char *suffix)
{
    if (suffix[0] == '\0') {
        return 1;
    }
    if (suffix[1] != '\0') {
        return 0;
    }
    switch (apr_toupper(suffix[0])) {
    case 'K':
        return 1024;
    case 'M':
        return 1024 * 1024;
    case 'G':
        return 1024 * 1024 * 1024;
    default:
        return 0;
    }
}

const char *jc_parse_amount(const char *text, int is_bytes, uint64_t *amount)
{
    unsigned long long number;
    uint64_t unit;
    char *end;

    if (!apr_isdigit(text[0])) {
        return "is neither a number nor unlimited";
    }
    errno = 0;
    number = strtoull(text, &end, 10);
    unit = unit_of(end);
    if (unit == 0) {
        return is_bytes ? "does not end in K, M, G or a digit"
                        : "is not a number";
    }
    if (unit != 1 && !is_bytes) {
        return "has the suffix of a size, but this limit is not a size";
    }
    if (errno != 0 || number >= UINT64_MAX / unit) {
        return "is too large; write unlimited if that is meant";
    }
    *amount = number * unit;
    return NULL;
}

uint64_t jc_parse_size(const char *text)
{
    uint64_t bytes;

    return !jc_parse_amount(text, 1, &bytes) && bytes <= INT64_MAX ? bytes
                                                                   : UINT64_MAX;
}

int64_t jc_parse_ms(const char *arg)
{
    apr_interval_time_t time;

    if (!apr_isdigit(arg[0]) ||
        ap_timeout_parameter_parse(arg, &time, "s") != APR_SUCCESS ||
        time < apr_time_from_msec(1) || apr_time_as_msec(time) >= INT32_MAX) {
        return -1;
    }
    return apr_time_as_msec(time);
}

const char *jc_parse_word_max(cmd_parms *cmd, const char *never,
                              const char *word, const char *arg,
                              const char *max, int64_t *ms)
{
    int64_t most = JC_NO_MAX;

    if (!max && strcasecmp(arg, never) == 0) {
        *ms = 0;
        return NULL;
    }
    if (max) {
        most = strncasecmp(max, "max=", 4) == 0 ? jc_parse_ms(max + 4) : -1;
    }
    if (strcasecmp(arg, word) != 0 || most < 0) {
        return apr_psprintf(cmd->pool,
                            "%s: '%s%s%s' is not understood; write %s, %s, or "
                            "%s max=TIME with a time from 1ms to 24 days "
                            "(" JC_PARSE_TIMES ")",
                            cmd->cmd->name, arg, max ? " " : "", max ? max : "",
                            never, word, word);
    }
    *ms = most;
    return NULL;
}

const char *jc_parse_path(apr_pool_t *p, const char *path, const char **clean)
{
    char *out = apr_palloc(p, strlen(path) + 1);
    char *end = out;

    if (path[0] != '/') {
        return "is not absolute";
    }
    while (*path != '\0') {
        size_t len;

        while (*path == '/') {
            path++;
        }
        len = strcspn(path, "/");
        if ((len == 1 && path[0] == '.') ||
            (len == 2 && path[0] == '.' && path[1] == '.')) {
            return "has a component . or ..";
        }
        if (len > 0) {
            *end++ = '/';
            memcpy(end, path, len);
            end += len;
            path += len;
        }
    }
    if (end == out) {
        *end++ = '/';
    }
    *end = '\0';
    *clean = out;
    return end - out >= PATH_MAX ? "is longer than a path may be" : NULL;
}

void jc_parse_add_string(apr_pool_t *p, apr_array_header_t **strings,
                         const char *string)
{
    if (!*strings) {
        *strings = apr_array_make(p, 2, sizeof(string));
    }
    APR_ARRAY_PUSH(*strings, const char *) = string;
}

int jc_parse_none(const char *arg, apr_array_header_t **list, int *is_reset)
{
    if (strcasecmp(arg, "none") != 0) {
        return 0;
    }
    *list = NULL;
    *is_reset = 1;
    return 1;
}
