/*
 * Makes and opens the directories that each tenant has of his own below a
 * directory of root's: the lasting /tmp (JailTmp). Their rows have
 * JC_MOUNT_OWN, and the last component of the source is a name that begins with
 * %u, in place of the uid.
 *
 * Only root can change names in the directory above, which is checked each
 * time, so nobody can put a link or a directory of another's there. Root makes
 * nothing below the tenant's directory, and opens nothing there.
 *
 * Runs in:   keeper
 * Privilege: root, with CAP_CHOWN where a policy has such a row
 * Trusts:    the policy record; no owner and no mode that it has not looked at
 * Never:     gives a directory away that it did not find empty of an owner:
 *            only root's own, which the keeper of this tenant has just made or
 *            was killed while making
 */
#include "build.h"
#include "trees.h"
#include "src/keeper/launch/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OWN_MODE 0700

/* Writes the name of the directory, with the uid in it. */
static int complete(const char *source, uint32_t uid, char *path, size_t size)
{
    const char *slash = strrchr(source, '/');
    int len = snprintf(path, size, "%.*s/%u%s", (int) (slash - source), source,
                       uid, slash + strlen("/%u"));

    if (len < 0 || (size_t) len >= size) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return 0;
}

static int fail(jc_failure_t *failure, jc_code_t code, const char *path)
{
    failure->code = code;
    failure->errnum = code == JC_CODE_TMP_DIR ? errno : 0;
    jc_wire_set_text(failure, path);
    return -1;
}

/* Opens the directory above. Every directory on the way must be root's and
 * writable by nobody else. */
static int open_base(const char *base, jc_walk_t *walk, jc_failure_t *failure)
{
    jc_walk_rule_t rule = {.owner = 0, .links_need_root = 1};

    if (!jc_walk(base, &rule, JC_WALK_DIR, walk)) {
        return 0;
    }
    *failure = walk->failure;
    failure->code = JC_CODE_TMP_DIR;
    return -1;
}

/* Sees that the directory is the tenant's. One of root's was made by a keeper
 * just now, or by one that was killed before it came to this. */
static int settle(const jc_jail_t *jail, int fd, const char *path,
                  jc_failure_t *failure)
{
    uint32_t uid = jail->start.uid;
    struct stat st;

    if (fstat(fd, &st)) {
        return fail(failure, JC_CODE_TMP_DIR, path);
    }
    if (st.st_uid == uid) {
        return 0;
    }
    if (st.st_uid != 0) {
        failure->found = st.st_uid;
        failure->expected = uid;
        return fail(failure, JC_CODE_TMP_OWNER, path);
    }
    return fchownat(fd, "", uid, jail->start.gid, AT_EMPTY_PATH)
               ? fail(failure, JC_CODE_TMP_DIR, path)
               : 0;
}

int jc_own_dir_open(const jc_jail_t *jail, const char *source, jc_walk_t *walk,
                    jc_failure_t *failure)
{
    char path[PATH_MAX];

    if (complete(source, jail->start.uid, path, sizeof(path))) {
        return fail(failure, JC_CODE_TMP_DIR, source);
    }
    char *name = strrchr(path, '/');
    *name++ = 0;
    if (open_base(path, walk, failure)) {
        return -1;
    }
    int base_fd = walk->dir_fd;
    int fd = jc_place_open(base_fd, name, O_DIRECTORY);
    if (fd < 0 && errno == ENOENT &&
        (mkdirat(base_fd, name, OWN_MODE) == 0 || errno == EEXIST)) {
        fd = jc_place_open(base_fd, name, O_DIRECTORY);
    }
    name[-1] = '/';
    int result = fd < 0 ? fail(failure, JC_CODE_TMP_DIR, path)
                        : settle(jail, fd, path, failure);
    close(base_fd);
    if (result) {
        close(fd);
    }
    walk->dir_fd = fd;
    return result;
}
