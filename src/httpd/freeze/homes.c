/*
 * Decides which directory is the home of one user, by whatever spelling the
 * user database has it, and says so where a jail has none.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    the user database
 * Never:     asks a file system: the home may be on a server that does not
 *            answer
 */
#include "homes.h"
#include "mount_rows.h"
#include "src/wire/wire.h"

#include "apr_strings.h"

#include <string.h>

int jc_homes_is_own(const char *home)
{
    static const char *const shared[] = {
        "/bin",     "/boot",    "/dev",        "/etc",  "/home", "/lib",
        "/media",   "/mnt",     "/opt",        "/proc", "/root", "/run",
        "/sbin",    "/srv",     "/sys",        "/tmp",  "/usr",  "/var",
        "/var/lib", "/var/www", "/nonexistent"};
    size_t len = home ? strlen(home) : 0;

    /* Only a file system can say where a ".." leads. */
    if (len < 2 || home[0] != '/' || strstr(home, "/../") ||
        (len >= 3 && strcmp(home + len - 3, "/..") == 0)) {
        return 0;
    }
    for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
        if (strcmp(home, shared[i]) == 0) {
            return 0;
        }
    }
    return 1;
}

static int has_lines(const jc_server_conf_t *conf)
{
    return jc_mount_lines_have_kind(conf, JC_CONF_BIND) ||
           jc_mount_lines_have_kind(conf, JC_CONF_HOME);
}

const char *jc_homes_problem(apr_pool_t *p, const jc_server_conf_t *conf,
                             const jc_identity_t *id)
{
    /* With JailUser owner there is no one user, and where lines say what the
     * jail has, the administrator knows. */
    if (conf->root_kind != JC_ROOT_HOST || id->uid == JC_NO_ID ||
        jc_homes_is_own(id->home) || has_lines(conf)) {
        return NULL;
    }
    return apr_psprintf(p,
                        "JailRoot host without a home: found %s%s, expected a "
                        "directory of that user alone; show the directory of "
                        "the site by JailMount bind DIRECTORY, or correct the "
                        "user database",
                        id->home ? "the home " : "no account of the user",
                        id->home ? id->home : "");
}
