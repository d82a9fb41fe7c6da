/*
 * Reports the variables that a site's scripts do not get although its
 * configuration sets them, in the site's log, and not at each request.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    the names of the configuration
 */
#include "exchange.h"
#include "once.h"
#include "variables.h"
#include "src/wire/env_names.h"

#include "apr_strings.h"

#include <string.h>

#define NAMES_MAX 24 /* in one line */

void jc_withheld_add(jc_withheld_t *withheld, const char *name)
{
    uint64_t hash = 0;
    int is_denied = jc_env_names_are_denied(name, strlen(name));

    for (const char *s = name; *s; s++) {
        hash = (hash ^ (unsigned char) *s) * UINT64_C(0x9e3779b97f4a7c15);
    }
    withheld->bits |= UINT64_C(1) << (hash >> 58);
    withheld->denied |= is_denied;
    withheld->unlisted |= !is_denied;
    if (!withheld->names) {
        withheld->names = apr_array_make(withheld->pool, 8, sizeof(char *));
    }
    APR_ARRAY_PUSH(withheld->names, const char *) = name;
}

static const char *list(const jc_withheld_t *withheld)
{
    int count = withheld->names->nelts;
    const char *text = APR_ARRAY_IDX(withheld->names, 0, const char *);

    for (int i = 1; i < count && i < NAMES_MAX; i++) {
        text =
            apr_pstrcat(withheld->pool, text, ", ",
                        APR_ARRAY_IDX(withheld->names, i, const char *), NULL);
    }
    return count <= NAMES_MAX ? text
                              : apr_psprintf(withheld->pool, "%s and %d more",
                                             text, count - NAMES_MAX);
}

static const char *remedy(const jc_withheld_t *withheld)
{
    static const char set[] = "set it by JailEnv NAME VALUE if every script of "
                              "this host should have it";
    static const char pass[] =
        "with JailUser owner only JailPassEnv NAME lets a variable pass from "
        "one user's page to another user's script";

    if (!withheld->unlisted) {
        return set;
    }
    return withheld->denied
               ? apr_pstrcat(withheld->pool, pass, "; or ", set, NULL)
               : pass;
}

/* Each name sets one bit of 64. A site therefore has at most 64 such lines
 * until the next restart, however its scripts and pages differ. */
void jc_withheld_report(jc_exchange_t *c, const jc_withheld_t *withheld)
{
    jc_reason_t why = {.code = JC_CODE_WITHHELD};
    jc_refusal_t refusal = {.code = JC_CODE_WITHHELD};

    if (!withheld->names || !jc_once_names(c->conf, withheld->bits)) {
        return;
    }
    refusal.expected = remedy(withheld);
    why.text = list(withheld);
    why.refusal = &refusal;
    jc_reason_note(c->r, c->conf, &why);
}
