/*
 * Collects what is wrong with virtual hosts, and logs it in few lines. One
 * mistake of a control panel is in all of its hosts, and 500 equal lines would
 * hide the one that is different.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    the configuration
 */
#include "warnings.h"

#include "apr_hash.h"
#include "apr_strings.h"
#include "http_log.h"

#define EACH_MAX  10 /* hosts with one code that have a line each */
#define NAMES_MAX 3  /* other hosts that a summing line names */

/* The hosts with one code. httpd has its list of virtual hosts backwards, so
 * the last that are added come first in the configuration. They are kept in a
 * ring, and logged from the last to the first. */
typedef struct {
    jc_code_t code;
    unsigned count;
    const char *sentences[EACH_MAX];
    const char *hosts[EACH_MAX];
} group_t;

/* Returns the place of the host that is the n-th from the end. */
static unsigned place_of(const group_t *group, unsigned n)
{
    return (group->count - 1 - n) % EACH_MAX;
}

struct jc_warnings_t {
    apr_pool_t *p;
    apr_hash_t *by_code;        /* jc_code_t -> group_t */
    apr_array_header_t *groups; /* the same, in the order of their first */
};

jc_warnings_t *jc_warnings_create(apr_pool_t *p)
{
    jc_warnings_t *warnings = apr_palloc(p, sizeof(*warnings));

    warnings->p = p;
    warnings->by_code = apr_hash_make(p);
    warnings->groups = apr_array_make(p, 4, sizeof(group_t *));
    return warnings;
}

static group_t *group_of(jc_warnings_t *warnings, jc_code_t code)
{
    group_t *group = apr_hash_get(warnings->by_code, &code, sizeof(code));

    if (!group) {
        group = apr_pcalloc(warnings->p, sizeof(*group));
        group->code = code;
        apr_hash_set(warnings->by_code, &group->code, sizeof(code), group);
        APR_ARRAY_PUSH(warnings->groups, group_t *) = group;
    }
    return group;
}

void jc_warnings_add(jc_warnings_t *warnings, jc_code_t code, const char *host,
                     const char *sentence)
{
    group_t *group = group_of(warnings, code);

    group->count++;
    group->sentences[place_of(group, 0)] = sentence;
    group->hosts[place_of(group, 0)] = host;
}

static const char *sum_of(apr_pool_t *p, const group_t *group)
{
    const char *names = group->hosts[place_of(group, 1)];

    for (unsigned n = 2; n <= NAMES_MAX; n++) {
        names =
            apr_pstrcat(p, names, ", ", group->hosts[place_of(group, n)], NULL);
    }
    return apr_psprintf(p,
                        "%s (and %u more hosts have JCGI%d, such as %s; each "
                        "reports its own in its error log when a script is "
                        "requested)",
                        group->sentences[place_of(group, 0)], group->count - 1,
                        group->code, names);
}

void jc_warnings_log(const jc_warnings_t *warnings, int level, server_rec *s)
{
    for (int i = warnings->groups->nelts - 1; i >= 0; i--) {
        const group_t *group = APR_ARRAY_IDX(warnings->groups, i, group_t *);

        if (group->count > EACH_MAX) {
            ap_log_error(APLOG_MARK, level, 0, s, "%s",
                         sum_of(warnings->p, group));
            continue;
        }
        for (unsigned n = 0; n < group->count; n++) {
            ap_log_error(APLOG_MARK, level, 0, s, "%s",
                         group->sentences[place_of(group, n)]);
        }
    }
}
