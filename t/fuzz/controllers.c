/*
 * The kernel's list of cgroup controllers, as the httpd parent reads it, and
 * the words of JailCgroup.
 *
 * Input: the words of the directive, separated by NULs; an empty one; the list.
 *
 * Runs in:   the tests
 * Privilege: none
 */
#include <fcntl.h>
#include <unistd.h>

#include "t/fuzz/fuzz.h"

#define WORDS_MAX 8

static struct {
    const uint8_t *bytes;
    size_t size;
} list;

static ssize_t fake_read(int fd, void *to, size_t n)
{
    size_t len = list.size < n ? list.size : n;

    memcpy(to, list.bytes, len);
    return (ssize_t) len;
}

static int fake_open(const char *path, int flags, ...)
{
    return 3;
}

#define read      fake_read
#define open      fake_open
#define close(fd) 0
#include "src/httpd/config/cgroup.c"

static jc_server_conf_t conf;
module AP_MODULE_DECLARE_DATA jailcgi_module = {.module_index = 0};

/* Of parse.c, for times; there is none in JailCgroup. */
AP_DECLARE(apr_status_t)
ap_timeout_parameter_parse(const char *parameter, apr_interval_time_t *timeout,
                           const char *unit)
{
    return APR_EINVAL;
}

/* What the files of a cgroup get is one short line. */
static void check_lines(apr_pool_t *p)
{
    const apr_array_header_t *lines = jc_cgroup_lines(p, &conf);

    for (int i = 0; i < lines->nelts; i++) {
        const char *line = APR_ARRAY_IDX(lines, i, const char *);
        if (!strchr(line, '=') || strpbrk(line, "\n/") || strlen(line) > 64) {
            abort();
        }
    }
}

static void parse(uint8_t *bytes, size_t size)
{
    static apr_pool_t *top, *p;
    char *words[WORDS_MAX];
    uint8_t *nul;
    int count = 0;

    if (!top) {
        apr_initialize();
        apr_pool_create(&top, NULL);
        apr_pool_create(&p, top);
    }
    memset(&conf, 0, sizeof(conf));
    while (count < WORDS_MAX && size > 0 && (nul = memchr(bytes, 0, size))) {
        size -= (size_t) (nul + 1 - bytes);
        if (nul == bytes) {
            bytes = nul + 1;
            break;
        }
        words[count++] = (char *) bytes;
        bytes = nul + 1;
    }
    void *config[] = {&conf};
    server_rec server = {.module_config = (ap_conf_vector_t *) config};
    cmd_parms cmd = {.pool = p, .server = &server};
    const char *have = NULL;
    list.bytes = bytes;
    list.size = size;
    if (!jc_cgroup_set(&cmd, NULL, count, words)) {
        check_lines(p);
        (void) jc_cgroup_problem(p, &conf, &have);
    }
    apr_pool_clear(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_each(data, size, parse);
}
