/*
 * Implements JailLimit: the names and numbers of resource limits.
 *
 * Runs in:   httpd parent (root), while it reads its configuration; httpd
 *            child, for the names in reasons
 * Privilege: that of the parent; sets no limit itself
 * Trusts:    nothing; every value is checked
 */
#include "directives.h"
#include "inherit.h"
#include "parse.h"

#include "apr_lib.h"
#include "apr_strings.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/resource.h>

#define NICE_MIN (-20)
#define NICE_MAX 19

typedef struct {
    const char *name;
    int resource;
    int is_bytes; /* may end in K, M or G */
} limit_name_t;

static const limit_name_t limit_names[] = {
    {"cpu", RLIMIT_CPU, 0},           {"fsize", RLIMIT_FSIZE, 1},
    {"data", RLIMIT_DATA, 1},         {"stack", RLIMIT_STACK, 1},
    {"core", RLIMIT_CORE, 1},         {"rss", RLIMIT_RSS, 1},
    {"nproc", RLIMIT_NPROC, 0},       {"nofile", RLIMIT_NOFILE, 0},
    {"memlock", RLIMIT_MEMLOCK, 1},   {"as", RLIMIT_AS, 1},
    {"locks", RLIMIT_LOCKS, 0},       {"sigpending", RLIMIT_SIGPENDING, 0},
    {"msgqueue", RLIMIT_MSGQUEUE, 1}, {"rtprio", RLIMIT_RTPRIO, 0},
};
#define LIMIT_COUNT (sizeof(limit_names) / sizeof(limit_names[0]))

static const limit_name_t *find_limit(const char *name)
{
    for (size_t i = 0; i < LIMIT_COUNT; i++) {
        if (strcasecmp(name, limit_names[i].name) == 0) {
            return &limit_names[i];
        }
    }
    return NULL;
}

const char *jc_limits_name(uint64_t resource)
{
    for (size_t i = 0; i < LIMIT_COUNT; i++) {
        if ((uint64_t) limit_names[i].resource == resource) {
            return limit_names[i].name;
        }
    }
    return "?";
}

static const char *known_names(apr_pool_t *p)
{
    const char *all = "";

    for (size_t i = 0; i < LIMIT_COUNT; i++) {
        all = apr_pstrcat(p, all, limit_names[i].name, ", ", NULL);
    }
    return apr_pstrcat(p, all, "nice", NULL);
}

/* Returns NULL, or what is wrong with `text`, to follow it in a sentence. */
static const char *parse_amount(const limit_name_t *limit, const char *text,
                                uint64_t *amount)
{
    if (strcasecmp(text, "unlimited") != 0) {
        return jc_parse_amount(text, limit->is_bytes, amount);
    }
    if (limit->resource == RLIMIT_NOFILE) {
        /* setrlimit(2) fails with EPERM above fs.nr_open, even for root. */
        return "is more than the kernel allows; write a number that is at most "
               "sysctl fs.nr_open";
    }
    *amount = RLIM_INFINITY;
    return NULL;
}

static const char *parse_limit(apr_pool_t *p, jc_server_conf_t *conf,
                               const limit_name_t *limit, const char *value)
{
    char *soft = apr_pstrdup(p, value);
    char *hard = strchr(soft, ':');
    uint64_t soft_amount, hard_amount;
    const char *wrong;

    if (hard) {
        *hard++ = '\0';
    }
    if ((wrong = parse_amount(limit, soft, &soft_amount))) {
        return apr_psprintf(p, "JailLimit %s: '%s' %s", limit->name, soft,
                            wrong);
    }
    hard_amount = soft_amount;
    if (hard && (wrong = parse_amount(limit, hard, &hard_amount))) {
        return apr_psprintf(p, "JailLimit %s: '%s' %s", limit->name, hard,
                            wrong);
    }
    if (soft_amount > hard_amount) {
        return apr_psprintf(p,
                            "JailLimit %s: the soft limit %s is above the hard "
                            "limit %s; write the smaller one first",
                            limit->name, soft, hard);
    }
    if (!conf->limits) {
        conf->limits = apr_pcalloc(p, JC_RLIMITS * sizeof(*conf->limits));
    }
    conf->limits[limit->resource] = (jc_rlimit_t){1, soft_amount, hard_amount};
    return NULL;
}

static const char *parse_nice(apr_pool_t *p, jc_server_conf_t *conf,
                              const char *value)
{
    int64_t nice;

    if (!jc_parse_number(value, NICE_MIN, NICE_MAX, &nice)) {
        return apr_psprintf(p,
                            "JailLimit nice: '%s' is not a number from %d "
                            "(first served) to %d (last served)",
                            value, NICE_MIN, NICE_MAX);
    }
    conf->nice_is_set = 1;
    conf->nice = (int) nice;
    return NULL;
}

const char *jc_limits_set(cmd_parms *cmd, void *unused, int argc,
                          char *const argv[])
{
    apr_pool_t *p = cmd->pool;
    jc_server_conf_t *conf = jc_config_of(cmd->server);

    if (argc == 0 || argc % 2 != 0) {
        return "JailLimit takes pairs of a name and a value, as in "
               "JailLimit cpu 30 as 512M:1G";
    }
    for (int i = 0; i < argc; i += 2) {
        const limit_name_t *limit = find_limit(argv[i]);
        const char *error;

        if (strcasecmp(argv[i], "nice") == 0 ||
            strcasecmp(argv[i], "priority") == 0) {
            error = parse_nice(p, conf, argv[i + 1]);
        } else if (limit) {
            error = parse_limit(p, conf, limit, argv[i + 1]);
        } else {
            error = apr_psprintf(
                p,
                "JailLimit: '%s' is not the name of a limit; the names are %s",
                argv[i], known_names(p));
        }
        if (error) {
            return error;
        }
    }
    return NULL;
}

jc_rlimit_t *jc_limits_merge(apr_pool_t *p, jc_rlimit_t *base,
                             jc_rlimit_t *over)
{
    jc_rlimit_t *merged;

    if (!base || !over) {
        return base ? base : over;
    }
    merged = apr_pmemdup(p, base, JC_RLIMITS * sizeof(*base));
    for (int i = 0; i < JC_RLIMITS; i++) {
        if (over[i].is_set) {
            merged[i] = over[i];
        }
    }
    return merged;
}
