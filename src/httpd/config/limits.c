/*
 * JailLimit: names and numbers of resource limits.
 *
 * Runs in:   httpd parent (root), while it reads its configuration; names for
 *            reasons in the child
 * Privilege: the parent's; sets no limit itself
 * Trusts:    nothing; every value is checked
 */
#include "config.h"

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

/* Bytes per unit of the suffix, or 0 if there is no such suffix. */
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

uint64_t jc_limits_parse_size(const char *text)
{
    unsigned long long number;
    uint64_t unit;
    char *end;

    errno = 0;
    number = strtoull(text, &end, 10);
    unit = unit_of(end);
    if (!apr_isdigit(text[0]) || errno != 0 || unit == 0 ||
        number > (uint64_t) INT64_MAX / unit) {
        return UINT64_MAX;
    }
    return number * unit;
}

/* Returns NULL or what is wrong with `text`, to follow it in a sentence. */
static const char *parse_amount(const limit_name_t *limit, const char *text,
                                uint64_t *amount)
{
    unsigned long long number;
    uint64_t unit;
    char *end;

    if (strcasecmp(text, "unlimited") == 0) {
        if (limit->resource == RLIMIT_NOFILE) {
            /* setrlimit(2): EPERM above fs.nr_open, even for root */
            return "is more than the kernel allows; write a number, at most "
                   "that of sysctl fs.nr_open";
        }
        *amount = RLIM_INFINITY;
        return NULL;
    }
    if (!apr_isdigit(text[0])) {
        return "is neither a number nor unlimited";
    }
    errno = 0;
    number = strtoull(text, &end, 10);
    unit = unit_of(end);
    if (unit == 0) {
        return limit->is_bytes ? "does not end in K, M, G or a digit"
                               : "is not a number";
    }
    if (unit != 1 && !limit->is_bytes) {
        return "has a size's suffix, but this limit is not a size";
    }
    if (errno != 0 || number >= RLIM_INFINITY / unit) {
        return "is too large; write unlimited if that is meant";
    }
    *amount = number * unit;
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
    char *end;
    long nice;

    errno = 0;
    nice = strtol(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0' || nice < NICE_MIN ||
        nice > NICE_MAX) {
        return apr_psprintf(p,
                            "JailLimit nice: '%s' is not a number from %d "
                            "(first served) to %d (last served)",
                            value, NICE_MIN, NICE_MAX);
    }
    conf->nice_is_set = 1;
    conf->nice = (int) nice;
    return NULL;
}

const char *jc_limits_parse(apr_pool_t *p, jc_server_conf_t *conf, int argc,
                            char *const argv[])
{
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
            error = apr_psprintf(p,
                                 "JailLimit: '%s' is not the name of a limit; "
                                 "there are %s",
                                 argv[i], known_names(p));
        }
        if (error) {
            return error;
        }
    }
    return NULL;
}
