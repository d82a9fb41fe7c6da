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

#include "apr_strings.h"

#include <glob.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* These are patterns of glob(7). What does not exist is left out. */
static const char *const shown[] = {
    /* Programs, their libraries and data. */
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/opt",
    /* The loader's cache, and the names by which packages choose programs. */
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/alternatives",
    /* Names of hosts, services and protocols. */
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/networks",
    /* Time zone and language. */
    "/etc/localtime",
    "/etc/timezone",
    "/etc/locale.alias",
    "/etc/locale.conf",
    /* Certificates. The modes of the private keys among them keep these
     * closed. */
    "/etc/ssl",
    "/etc/pki",
    "/etc/ca-certificates",
    "/etc/ca-certificates.conf",
    "/etc/crypto-policies",
    /* Configuration of interpreters and of programs that scripts call. */
    "/etc/perl",
    "/etc/php*",
    "/etc/python*",
    "/etc/mercurial",
    "/etc/gitconfig",
    "/etc/java-*",
    "/etc/ImageMagick-*",
    "/etc/fonts",
    "/etc/mime.types",
    "/etc/magic*",
    "/etc/terminfo",
    "/etc/odbc*.ini",
    "/etc/mysql",
    "/etc/my.cnf*",
    "/etc/debian_version",
    "/etc/redhat-release",
    "/etc/os-release",
};

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

static void show(apr_pool_t *p, apr_array_header_t *rows, const char *path)
{
    const char *content;
    struct stat st;

    if (is_inner_link(p, path, &content)) {
        jc_mount_row_link(rows, content, apr_pstrdup(p, path));
    } else if (stat(path, &st) == 0) {
        path = apr_pstrdup(p, path);
        /* A file that was replaced has another inode, and that makes another
         * policy: a reload brings the new file into jails that are warm. */
        jc_mount_row_bind(rows, path, path,
                          JC_MOUNT_READ_ONLY | JC_MOUNT_MAKE |
                              JC_MOUNT_OPTIONAL,
                          S_ISREG(st.st_mode) ? st.st_ino : 0);
    }
}

apr_array_header_t *jc_host_root(apr_pool_t *p)
{
    apr_array_header_t *rows = apr_array_make(p, 96, sizeof(jc_mount_row_t));

    add_all_directories(rows);
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        glob_t found;

        if (glob(shown[i], 0, NULL, &found) == 0) {
            for (size_t j = 0; j < found.gl_pathc; j++) {
                show(p, rows, found.gl_pathv[j]);
            }
            globfree(&found);
        }
    }
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
