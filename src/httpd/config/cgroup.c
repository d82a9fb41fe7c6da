/*
 * Implements JailCgroup: reads its limits, and makes the lines for the files of
 * a jail's cgroup.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent; makes no cgroup itself
 * Trusts:    nothing; every value is checked
 */
#include "directives.h"
#include "inherit.h"
#include "parse.h"

#include "apr_lib.h"
#include "apr_strings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#define CPU_PERIOD_US  100000u
#define CPU_LEAST      1u /* per cent; the kernel takes no quota below 1 ms */
#define CPU_MOST       100000u
#define PIDS_MOST      4194303u /* PID_MAX_LIMIT less the keeper */
#define IO_WEIGHT_MOST 10000u
#define SIZE_LEAST     (1024u * 1024u) /* a keeper needs that much itself */

static const char *set_size(apr_pool_t *p, const char *value, uint64_t least,
                            const char **line)
{
    uint64_t bytes = jc_parse_size(value);

    if (strcasecmp(value, "max") == 0) {
        *line = "max";
        return NULL;
    }
    if (bytes == UINT64_MAX) {
        return "is neither a size (a number, with or without K, M or G) nor "
               "max";
    }
    if (bytes < least) {
        return "is less than a jail itself needs; write 1M or more";
    }
    *line = apr_psprintf(p, "%" APR_UINT64_T_FMT, (apr_uint64_t) bytes);
    return NULL;
}

static const char *set_memory(apr_pool_t *p, const char *value,
                              const char **line)
{
    return set_size(p, value, SIZE_LEAST, line);
}

static const char *set_swap(apr_pool_t *p, const char *value, const char **line)
{
    return set_size(p, value, 0, line);
}

static const char *set_cpu(apr_pool_t *p, const char *value, const char **line)
{
    size_t len = strlen(value);
    int64_t percent;

    if (strcasecmp(value, "max") == 0) {
        *line = apr_psprintf(p, "max %u", CPU_PERIOD_US);
        return NULL;
    }
    if (len == 0 || value[len - 1] != '%' ||
        !jc_parse_number(apr_pstrmemdup(p, value, len - 1), CPU_LEAST, CPU_MOST,
                         &percent)) {
        return "is neither a share of one processor core from 1% to 100000% "
               "(150% is one and a half) nor max";
    }
    *line = apr_psprintf(p, "%u %u", (unsigned) percent * (CPU_PERIOD_US / 100),
                         CPU_PERIOD_US);
    return NULL;
}

/* The keeper counts as one of them, and is not one of the site's: adds one for
 * it. */
static const char *set_pids(apr_pool_t *p, const char *value, const char **line)
{
    int64_t number;

    if (strcasecmp(value, "max") == 0) {
        *line = "max";
        return NULL;
    }
    if (!jc_parse_number(value, 1, PIDS_MOST, &number)) {
        return "is neither a number of processes and threads from 1 to 4194303 "
               "nor max";
    }
    *line = apr_psprintf(p, "%u", (unsigned) number + 1);
    return NULL;
}

static const char *set_io(apr_pool_t *p, const char *value, const char **line)
{
    int64_t weight;

    if (!jc_parse_number(value, 1, IO_WEIGHT_MOST, &weight)) {
        return "is not a weight from 1 to 10000 (other jails have 100)";
    }
    *line = apr_psprintf(p, "default %u", (unsigned) weight);
    return NULL;
}

static const struct {
    const char *name;
    const char *controller;
    const char *file;
    /* Sets *line to what is written. Returns NULL, or what is wrong with
     * `value`. */
    const char *(*set)(apr_pool_t *p, const char *value, const char **line);
} names[JC_CGROUPS] = {
    {"memory", "memory", "memory.max", set_memory},
    {"swap", "memory", "memory.swap.max", set_swap},
    {"cpu", "cpu", "cpu.max", set_cpu},
    {"pids", "pids", "pids.max", set_pids},
    {"io", "io", "io.weight", set_io},
};

static const char *set_one(cmd_parms *cmd, jc_server_conf_t *conf,
                           const char *word)
{
    const char *equals = strchr(word, '=');
    const char *wrong;

    for (int i = 0; equals && i < JC_CGROUPS; i++) {
        if (strlen(names[i].name) == (size_t) (equals - word) &&
            strncasecmp(names[i].name, word, equals - word) == 0) {
            wrong = names[i].set(cmd->pool, equals + 1, &conf->cgroup[i]);
            return !wrong ? NULL
                          : apr_psprintf(cmd->pool, "JailCgroup %s: '%s' %s",
                                         names[i].name, equals + 1, wrong);
        }
    }
    return apr_psprintf(cmd->pool,
                        "JailCgroup: '%s' is not understood; write NAME=VALUE "
                        "with memory, swap, cpu, pids or io, or none",
                        word);
}

const char *jc_cgroup_set(cmd_parms *cmd, void *unused, int argc,
                          char *const argv[])
{
    jc_server_conf_t *conf = jc_config_of(cmd->server);
    const char *error = NULL;

    if (argc == 0) {
        return "JailCgroup takes limits, as in JailCgroup memory=512M "
               "cpu=150% pids=100, or none";
    }
    if (argc == 1 && strcasecmp(argv[0], "none") == 0) {
        memset(conf->cgroup, 0, sizeof(conf->cgroup));
        conf->cgroup_is_reset = 1;
        return NULL;
    }
    for (int i = 0; i < argc && !error; i++) {
        error = set_one(cmd, conf, argv[i]);
    }
    return error;
}

void jc_cgroup_merge(jc_server_conf_t *merged, const jc_server_conf_t *base,
                     const jc_server_conf_t *over)
{
    merged->cgroup_is_reset = base->cgroup_is_reset | over->cgroup_is_reset;
    for (int i = 0; i < JC_CGROUPS; i++) {
        merged->cgroup[i] = over->cgroup[i] || over->cgroup_is_reset
                                ? over->cgroup[i]
                                : base->cgroup[i];
    }
}

apr_array_header_t *jc_cgroup_lines(apr_pool_t *p, const jc_server_conf_t *conf)
{
    apr_array_header_t *lines = apr_array_make(p, JC_CGROUPS, sizeof(char *));

    for (int i = 0; i < JC_CGROUPS; i++) {
        if (conf->cgroup[i]) {
            APR_ARRAY_PUSH(lines, const char *) =
                apr_pstrcat(p, names[i].file, "=", conf->cgroup[i], NULL);
        }
    }
    return lines;
}

/* Returns the names in the kernel's list, each between blanks, or "" if there
 * is no cgroup v2. */
static const char *controllers(apr_pool_t *p)
{
    char text[512];
    int fd = open("/sys/fs/cgroup/cgroup.controllers", O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

    if (fd >= 0) {
        close(fd);
    }
    while (len > 0 && apr_isspace(text[len - 1])) {
        len--;
    }
    return len > 0 ? apr_psprintf(p, " %.*s ", (int) len, text) : "";
}

const char *jc_cgroup_problem(apr_pool_t *p, const jc_server_conf_t *conf,
                              const char **have)
{
    for (int i = 0; i < JC_CGROUPS; i++) {
        if (!conf->cgroup[i]) {
            continue;
        }
        *have = *have ? *have : controllers(p);
        if (**have == '\0') {
            return "this machine has no cgroup v2 at /sys/fs/cgroup";
        }
        if (!strstr(*have,
                    apr_pstrcat(p, " ", names[i].controller, " ", NULL))) {
            return apr_psprintf(p,
                                "cgroup v2 on this machine has no controller "
                                "%s, which JailCgroup %s= needs",
                                names[i].controller, names[i].name);
        }
    }
    return NULL;
}
