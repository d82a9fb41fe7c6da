/*
 * Makes the rows of JailRoot host: what of the machine itself is in such a
 * jail, read-only, and why. Nothing is copied, so nothing can drift from the
 * libraries of the machine.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    the directories that it names, which belong to root
 */
#include "mount_rows.h"
#include "src/httpd/shown.h"

#include "apr_strings.h"

#include <glob.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Scripts write to these. The modes of the files there close each user's files
 * to the others, as they do without a jail. */
static const char *const shared[] = {
    JC_PHP_SESSIONS, /* otherwise lost */
};

static void add_all_directories(apr_array_header_t *rows)
{
    static const char *const directories[] = {"/etc", "/home", "/run",
                                              "/srv", "/var",  "/var/lib"};

    for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
        jc_mount_row_directory(rows, directories[i]);
    }
    jc_mount_row_link(rows, "/run", "/var/run");
    jc_mount_row_link(rows, "/tmp", "/var/tmp");
}

/* A symbolic link into what is shown becomes a link in the jail too. */
static int is_inner_link(apr_pool_t *p, const char *path, const char **content)
{
    char buffer[PATH_MAX];
    ssize_t len = readlink(path, buffer, sizeof(buffer) - 1);

    if (len <= 0) {
        return 0;
    }
    buffer[len] = '\0';
    *content = apr_pstrdup(p, buffer);
    return strncmp(buffer, "/usr/", 5) == 0 ||
           strncmp(buffer, "usr/", 4) == 0 ||
           strncmp(buffer, "../usr/", 7) == 0;
}

/* What is data must be open to every user of the machine, and only root's. */
static int is_open_to_all(const struct stat *st)
{
    unsigned all = S_ISDIR(st->st_mode) ? S_IROTH | S_IXOTH : S_IROTH;

    return st->st_uid == 0 && (st->st_mode & all) == all &&
           !(st->st_mode & (S_IWGRP | S_IWOTH));
}

static void show(apr_pool_t *p, apr_array_header_t *rows, const char *path,
                 int is_data)
{
    const char *content;
    struct stat st;

    if (is_inner_link(p, path, &content)) {
        jc_mount_row_link(rows, content, apr_pstrdup(p, path));
    } else if (stat(path, &st) == 0 && (!is_data || is_open_to_all(&st))) {
        path = apr_pstrdup(p, path);
        if (is_data) {
            jc_mount_row_parents(p, rows, path);
        }
        /* A file that was replaced has another inode, and that makes another
         * policy: a reload brings the new file into jails that are warm. */
        jc_mount_row_bind(rows, path, path,
                          JC_MOUNT_READ_ONLY | JC_MOUNT_MAKE |
                              JC_MOUNT_OPTIONAL,
                          S_ISREG(st.st_mode) ? st.st_ino : 0);
    }
}

static void show_all(apr_pool_t *p, apr_array_header_t *rows,
                     const char *const *patterns, int is_data)
{
    for (; *patterns; patterns++) {
        glob_t found;

        if (glob(*patterns, 0, NULL, &found) == 0) {
            for (size_t i = 0; i < found.gl_pathc; i++) {
                show(p, rows, found.gl_pathv[i], is_data);
            }
            globfree(&found);
        }
    }
}

apr_array_header_t *jc_host_root(apr_pool_t *p)
{
    apr_array_header_t *rows = apr_array_make(p, 96, sizeof(jc_mount_row_t));

    add_all_directories(rows);
    show_all(p, rows, jc_shown, 0);
    show_all(p, rows, jc_shown_data, 1);
    jc_mount_row_tmpfs(rows, "/tmp", JC_MOUNT_MAKE, 01777, JC_DEFAULT_TMP_SIZE,
                       JC_DEFAULT_TMP_SIZE / 4096);
    for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
        if (access(shared[i], F_OK) == 0) {
            jc_mount_row_directory(rows, "/var/lib/php");
            jc_mount_row_bind(rows, shared[i], shared[i],
                              JC_MOUNT_MAKE | JC_MOUNT_NOEXEC, 0);
        }
    }
    return rows;
}
