/*
 * Reads the FILE of JailSeccomp, which adds calls to the default list and
 * removes others from it.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    nothing: the file must belong to root and is checked line by line
 */
#include "seccomp.h"

#include "apr_lib.h"
#include "apr_strings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ERRNO_MAX 133

/* Without these calls no script would start. The keeper makes them, or the
 * script's child before the script, or every program when it begins and
 * ends. */
static const char *const needed[] = {
    "brk",
    "capget",
    "capset",
    "clock_gettime",
    "clone",
    "close",
    "close_range",
    "dup3",
    "epoll_create1",
    "epoll_ctl",
    "epoll_wait",
    "eventfd2",
    "execve",
    "exit",
    "exit_group",
    "faccessat",
    "fchdir",
    "fcntl",
    "fstat",
    "getdents64",
    "getpid",
    "getsid",
    "kill",
    "lseek",
    "mmap",
    "mprotect",
    "munmap",
    "newfstatat",
    "openat",
    "openat2",
    "pipe2",
    "prctl",
    "pread64",
    "prlimit64",
    "read",
    "readlinkat",
    "recvmsg",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sendmsg",
    "setsid",
    "shutdown",
    "signalfd4",
    "wait4",
    "write",
    "landlock_create_ruleset",
    "landlock_restrict_self",
};

static int find_error(const char *name)
{
    for (int number = 1; number <= ERRNO_MAX; number++) {
        const char *known = strerrorname_np(number);

        if (known && strcmp(known, name) == 0) {
            return number;
        }
    }
    return 0;
}

static void take_off(apr_array_header_t *rows, const char *name)
{
    int kept = 0;

    for (int i = 0; i < rows->nelts; i++) {
        const jc_seccomp_row_t row = APR_ARRAY_IDX(rows, i, jc_seccomp_row_t);

        if (strcmp(row.name, name) != 0) {
            APR_ARRAY_IDX(rows, kept++, jc_seccomp_row_t) = row;
        }
    }
    rows->nelts = kept;
}

/* Returns the number that the list has for a call that libseccomp may not know
 * yet, or 0. */
static int number_of(const apr_array_header_t *rows, const char *name)
{
    for (int i = 0; i < rows->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(rows, i, jc_seccomp_row_t).name, name) == 0) {
            return APR_ARRAY_IDX(rows, i, jc_seccomp_row_t).number;
        }
    }
    return 0;
}

static const char *check_call(apr_pool_t *p, const char *name, int number,
                              int is_denied)
{
    for (size_t i = 0; is_denied && i < sizeof(needed) / sizeof(needed[0]);
         i++) {
        if (strcmp(needed[i], name) == 0) {
            return apr_psprintf(p,
                                "'%s' cannot be denied, because no script "
                                "would start without it; remove the line",
                                name);
        }
    }
    if (number == 0 && seccomp_syscall_resolve_name(name) == __NR_SCMP_ERROR) {
        return apr_psprintf(p,
                            "'%s' is not a system call that libseccomp knows; "
                            "write its name as in syscalls(2)",
                            name);
    }
    return NULL;
}

/* Returns NULL, or what is wrong with a line. */
static const char *apply_line(apr_pool_t *p, const char *line,
                              apr_array_header_t *rows)
{
    char *words[4] = {NULL};
    char *rest = apr_pstrdup(p, line), *last;
    jc_seccomp_row_t row = {.error = EPERM};
    const char *wrong;
    int is_denied;

    rest[strcspn(rest, "#")] = '\0';
    for (int i = 0; i < 4; i++, rest = NULL) {
        words[i] = apr_strtok(rest, " \t\r\n", &last);
        if (!words[i]) {
            break;
        }
    }
    if (!words[0]) {
        return NULL;
    }
    is_denied = strcmp(words[0], "deny") == 0;
    if ((!is_denied && strcmp(words[0], "allow") != 0) || !words[1] ||
        words[is_denied ? 3 : 2]) {
        return apr_psprintf(p,
                            "'%s' is not understood; write deny NAME, deny "
                            "NAME ERRNO or allow NAME, and comments after #",
                            apr_pstrmemdup(p, line, strcspn(line, "\r\n")));
    }
    row.number = number_of(rows, words[1]);
    wrong = check_call(p, words[1], row.number, is_denied);
    if (wrong) {
        return wrong;
    }
    if (words[2] && (row.error = find_error(words[2])) == 0) {
        return apr_psprintf(p,
                            "'%s' is not the name of an error; write one of "
                            "errno(3), such as EPERM or ENOSYS",
                            words[2]);
    }
    take_off(rows, words[1]);
    if (is_denied) {
        row.name = words[1];
        APR_ARRAY_PUSH(rows, jc_seccomp_row_t) = row;
    }
    return NULL;
}

/* The file decides what scripts may do, so nobody but root may have a say in
 * it. */
static const char *check_file(apr_pool_t *p, const char *path, FILE *file)
{
    struct stat st;

    if (!file || fstat(fileno(file), &st) != 0) {
        return apr_psprintf(p,
                            "JailSeccomp: '%s' cannot be read: %s; give the "
                            "path of a file, or default or off",
                            path, strerror(errno));
    }
    if (!S_ISREG(st.st_mode) || st.st_uid != 0 || (st.st_mode & 022) != 0) {
        return apr_psprintf(
            p,
            "JailSeccomp: '%s' belongs to uid %u and has mode %o; it must be a "
            "regular file that belongs to root and that nobody else can write: "
            "chown it to root and chmod go-w it",
            path, st.st_uid, st.st_mode & 07777);
    }
    return NULL;
}

const char *jc_seccomp_file_read(apr_pool_t *p, const char *path,
                                 apr_array_header_t *rows)
{
    char line[512];
    FILE *file = fopen(path, "re");
    const char *wrong = check_file(p, path, file);

    for (int number = 1; !wrong && fgets(line, sizeof(line), file); number++) {
        wrong = !strchr(line, '\n') && !feof(file)
                    ? "it is too long; write one call in each line"
                    : apply_line(p, line, rows);
        if (wrong) {
            wrong = apr_psprintf(p, "JailSeccomp: %s line %d: %s", path, number,
                                 wrong);
        }
    }
    if (file) {
        fclose(file);
    }
    return wrong;
}
