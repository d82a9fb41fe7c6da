/*
 * Implements JailSeccomp: turns the list of refused calls into the program that
 * the kernel runs at each call (seccomp(2)). The keeper only installs the
 * program, so neither the helper nor a keeper, which are root while tenants run
 * scripts, has libseccomp in it.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    nothing; a FILE must belong to root and is checked line by line
 * Never:     makes one filter twice: hosts with the same setting share it
 */
#include "directives.h"
#include "seccomp.h"
#include "src/wire/table.h"

#include "apr_hash.h"
#include "apr_strings.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define USERDATA "jailcgi-filters" /* in the pool: setting -> jc_filter_t */

static int add_row(scmp_filter_ctx filter, const jc_seccomp_row_t *row)
{
    int number = seccomp_syscall_resolve_name(row->name);
    int rc;

    if (number == __NR_SCMP_ERROR && row->number > 0) {
        number = row->number;
    }
    if (number < 0) {
        return 0; /* not a call of this machine */
    }
    rc = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO((uint32_t) row->error),
                                number, row->tests, row->test);
    /* A second row may say the same, and then refuses what is refused
     * anyway. */
    return rc == -EEXIST ? 0 : rc;
}

/* Copies the steps of the program to memory of the pool. Returns 0 or
 * -errno. */
static int export_steps(apr_pool_t *p, scmp_filter_ctx filter,
                        jc_filter_t *compiled)
{
    struct stat st;
    int fd = memfd_create("jailcgi-filter", MFD_CLOEXEC);
    int rc = fd < 0 ? -errno : seccomp_export_bpf(filter, fd);
    char *steps;

    if (rc == 0 && fstat(fd, &st) != 0) {
        rc = -errno;
    }
    if (rc == 0) {
        steps = apr_palloc(p, (apr_size_t) st.st_size);
        if (pread(fd, steps, (size_t) st.st_size, 0) != st.st_size) {
            rc = -EIO;
        }
        compiled->steps = steps;
        compiled->count = (uint32_t) (st.st_size / JC_FILTER_STEP);
    }
    if (rc == 0 && compiled->count > JC_FILTER_MAX) {
        rc = -E2BIG;
    }
    if (fd >= 0) {
        close(fd);
    }
    return rc;
}

static const char *compile(apr_pool_t *p, const apr_array_header_t *rows,
                           jc_filter_t *compiled)
{
    scmp_filter_ctx filter;
    const char *wrong = NULL;
    int rc;

    /* The parent only writes the filter down. Without this line libseccomp
     * calls seccomp(2) to find out what the kernel supports, which kills httpd
     * if the SystemCallFilter= of its unit leaves that call out. */
    (void) seccomp_api_set(1);
    filter = seccomp_init(SCMP_ACT_ALLOW);
    rc = !filter ? -ENOMEM : 0;
    /* i386 and x32 have numbers of their own for the same calls, so refuse
     * theirs. */
    rc = rc ? rc
            : seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH,
                               SCMP_ACT_ERRNO(ENOSYS));
    /* Make a binary tree. Since Linux 5.11 a call that is allowed whatever its
     * arguments are costs nothing: the kernel asks the filter once, and
     * remembers. */
    rc = rc ? rc : seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    for (int i = 0; rc == 0 && i < rows->nelts; i++) {
        const jc_seccomp_row_t *row = &APR_ARRAY_IDX(rows, i, jc_seccomp_row_t);

        rc = add_row(filter, row);
        wrong = row->name;
    }
    if (rc == 0) {
        wrong = "its end";
        rc = export_steps(p, filter, compiled);
    }
    if (filter) {
        seccomp_release(filter);
    }
    return rc == 0
               ? NULL
               : apr_psprintf(p,
                              "JailSeccomp: libseccomp could not make the "
                              "filter: %s, at %s",
                              strerror(-rc), wrong ? wrong : "its beginning");
}

static apr_hash_t *filters_of(apr_pool_t *p)
{
    void *filters = NULL;

    apr_pool_userdata_get(&filters, USERDATA, p);
    if (!filters) {
        filters = apr_hash_make(p);
        apr_pool_userdata_setn(filters, USERDATA, NULL, p);
    }
    return filters;
}

const char *jc_seccomp_find(apr_pool_t *p, const char *setting,
                            const jc_filter_t **found)
{
    apr_hash_t *filters = filters_of(p);
    int is_default = strcasecmp(setting, "default") == 0;
    const char *key = is_default ? "default" : setting;
    apr_array_header_t *rows;
    jc_filter_t *made;
    const char *wrong;

    *found = apr_hash_get(filters, key, APR_HASH_KEY_STRING);
    if (*found) {
        return NULL;
    }
    made = apr_pcalloc(p, sizeof(*made));
    if (strcasecmp(setting, "off") != 0) {
        rows = apr_array_make(p, (int) jc_seccomp_rows + 8,
                              sizeof(jc_seccomp_row_t));
        for (unsigned i = 0; i < jc_seccomp_rows; i++) {
            APR_ARRAY_PUSH(rows, jc_seccomp_row_t) = jc_seccomp_table[i];
        }
        wrong = is_default ? NULL : jc_seccomp_file_read(p, setting, rows);
        wrong = wrong ? wrong : compile(p, rows, made);
        if (wrong) {
            return wrong;
        }
    }
    apr_hash_set(filters, apr_pstrdup(p, key), APR_HASH_KEY_STRING, made);
    *found = made;
    return NULL;
}

const char *jc_seccomp_set(cmd_parms *cmd, void *unused, const char *arg)
{
    const char *setting = arg;

    if (strcasecmp(arg, "default") != 0 && strcasecmp(arg, "off") != 0) {
        setting = ap_server_root_relative(cmd->pool, arg);
        if (!setting) {
            return apr_psprintf(cmd->pool,
                                "JailSeccomp: '%s' is not a path; give the "
                                "path of a file, or default or off",
                                arg);
        }
    }
    return jc_seccomp_find(cmd->pool, setting,
                           &jc_config_of(cmd->server)->filter);
}
