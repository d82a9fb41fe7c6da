/*
 * The FILE of JailSeccomp: no call that every script needs is denied, and every
 * error is reported. The file is the input. The target imitates the look-up of
 * libseccomp, which would take most of the time.
 *
 * Runs in:   the tests
 * Privilege: none
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "t/fuzz/fuzz.h"

static struct {
    const uint8_t *at;
    const uint8_t *end;
} text;

static FILE *fake_open(const char *path, const char *mode)
{
    return (FILE *) &text;
}

static int fake_stat(int fd, struct stat *st)
{
    memset(st, 0, sizeof(*st));
    st->st_mode = S_IFREG | 0644;
    return 0;
}

static char *fake_gets(char *line, int size, FILE *f)
{
    size_t most = (size_t) size - 1, left = (size_t) (text.end - text.at);
    const uint8_t *nl = memchr(text.at, '\n', left);
    size_t len = nl ? (size_t) (nl - text.at) + 1 : left;

    len = len < most ? len : most;
    memcpy(line, text.at, len);
    line[len] = 0;
    text.at += len;
    return len > 0 ? line : NULL;
}

static int fake_resolve(const char *name)
{
    static const char *const known[] = {"mount", "read", "bpf", "keyctl"};

    for (int i = 0; i < 4; i++) {
        if (strcmp(name, known[i]) == 0) {
            return i;
        }
    }
    return -1; /* __NR_SCMP_ERROR */
}

#define fopen                        fake_open
#define fstat                        fake_stat
#define fgets                        fake_gets
#define fclose(f)                    0
#define feof(f)                      (text.at == text.end)
#define fileno(f)                    0
#define seccomp_syscall_resolve_name fake_resolve
#include "src/httpd/config/seccomp_file.c"

static void parse(uint8_t *bytes, size_t size)
{
    static const jc_seccomp_row_t first[] = {{.name = "mount", .error = 1},
                                             {.name = "open_tree_attr",
                                              .error = 1,
                                              .number = 467}};
    static apr_pool_t *top, *p;

    if (!top) {
        apr_initialize();
        apr_pool_create(&top, NULL);
        apr_pool_create(&p, top);
    }
    text.at = bytes;
    text.end = bytes + size;
    apr_array_header_t *rows = apr_array_make(p, 4, sizeof(first[0]));
    APR_ARRAY_PUSH(rows, jc_seccomp_row_t) = first[0];
    APR_ARRAY_PUSH(rows, jc_seccomp_row_t) = first[1];
    const char *wrong = jc_seccomp_file_read(p, "/x", rows);
    if (wrong && strlen(wrong) == 0) {
        abort();
    }
    for (int i = 0; i < rows->nelts; i++) {
        const jc_seccomp_row_t *row = &APR_ARRAY_IDX(rows, i, jc_seccomp_row_t);
        if (!row->name || row->error <= 0 || row->error > ERRNO_MAX) {
            abort();
        }
        for (size_t k = 0; k < sizeof(needed) / sizeof(needed[0]); k++) {
            if (strcmp(needed[k], row->name) == 0) {
                abort();
            }
        }
    }
    apr_pool_clear(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_each(data, size, parse);
}
