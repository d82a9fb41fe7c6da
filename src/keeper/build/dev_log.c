/*
 * Puts a socket at /dev/log where the jail has a /dev of its own and no line
 * brings another socket there. What a script sends to syslog(3) would be lost
 * in silence otherwise. The keeper hears of the first message, and the site's
 * log says so (src/keeper/serve/own_log.c).
 *
 * Runs in:   keeper
 * Privilege: root
 * Trusts:    the policy record: only a /dev that this keeper has mounted itself
 *            is used
 * Never:     replaces what is there. No protection depends on the socket, so a
 *            jail without it is built all the same
 */
#include "build.h"
#include "trees.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int is_made_here(const jc_rows_t *rows)
{
    const char *at = rows->strings;

    for (uint32_t i = 0; i < rows->count; i++) {
        const char *target = jc_policy_next(at);

        if (rows->mounts[i].kind == JC_MOUNT_TMPFS &&
            strcmp(target, "/dev") == 0) {
            return 1;
        }
        at = jc_policy_next(target);
    }
    return 0;
}

/* A line of JailMount may have put another directory over it. */
static int is_roots(int dir_fd)
{
    struct stat st;

    return fstat(dir_fd, &st) == 0 && st.st_uid == 0 &&
           !(st.st_mode & (S_IWGRP | S_IWOTH));
}

/* Binds by a name without a slash, in the working directory: a path could lead
 * elsewhere. */
static int bind_in(int dir_fd, int sock_fd)
{
    static const struct sockaddr_un log = {.sun_family = AF_UNIX,
                                           .sun_path = "log"};
    mode_t mask = umask(0111); /* anybody may write to it */
    int result = fchdir(dir_fd) || bind(sock_fd, (const struct sockaddr *) &log,
                                        sizeof(log))
                     ? -1
                     : 0;

    (void) umask(mask);
    return chdir("/") ? -1 : result;
}

void jc_dev_log_make(jc_jail_t *jail)
{
    static const int on = 1;

    if (!is_made_here(&jail->policy.common_rows) &&
        !is_made_here(&jail->policy.rows)) {
        return;
    }
    int dir_fd = jc_place_open(jail->root_fd, "/dev", O_DIRECTORY);
    int sock_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (dir_fd >= 0 && sock_fd >= 0 && is_roots(dir_fd) &&
        setsockopt(sock_fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0 &&
        bind_in(dir_fd, sock_fd) == 0) {
        jail->has_log = jc_jail_place(sock_fd, JC_KEEPER_LOG_FD) == 0;
    } else if (sock_fd >= 0) {
        close(sock_fd);
    }
    if (dir_fd >= 0) {
        close(dir_fd);
    }
}
