/*
 * Makes and removes the cgroups of jails with JailCgroup, one for each jail,
 * below the cgroup that was delegated to httpd's unit (Delegate=yes). A cgroup
 * with controllers enabled for cgroups below it may contain no processes, so
 * all of httpd moves into a leaf first (cgroups(7)).
 *
 * Runs in:   helper; only where a policy has JailCgroup
 * Privilege: root, which owns the files
 * Trusts:    the kernel's name of its cgroup, the policies
 * Never:     touches a cgroup that was not delegated; follows a name that a
 *            tenant could have made, because no tenant may make one there
 */
#include "jails.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ROOT   "/sys/fs/cgroup"
#define LEAF   "/jailcgi-httpd"
#define SWEEPS 30
#define ROUNDS 100 /* httpd may fork while its children are moved */

static struct {
    int is_tried;
    int base_fd; /* -1: none; `errnum` says why */
    int errnum;
    unsigned last; /* number of the newest cgroup */
    int sweeps;    /* remaining looks for cgroups to remove */
} cgroup = {.base_fd = -1};

static int put(int dir_fd, const char *file, const char *value)
{
    int fd = openat(dir_fd, file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    size_t len = strlen(value);
    int result = fd >= 0 && write(fd, value, len) == (ssize_t) len ? 0 : -1;
    int errnum = errno;

    if (fd >= 0) {
        close(fd);
    }
    errno = errnum;
    return result;
}

static int get(int dir_fd, const char *file, char *text, size_t size)
{
    int fd = openat(dir_fd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t len = fd >= 0 ? read(fd, text, size - 1) : -1;
    int errnum = errno;

    if (fd >= 0) {
        close(fd);
    }
    text[len > 0 ? len : 0] = 0;
    errno = errnum;
    return len < 0 ? -1 : 0;
}

/* Returns whether systemd has marked the cgroup as delegated. */
static int is_delegated(int fd)
{
    char value = 0;

    return fgetxattr(fd, "trusted.delegate", &value, 1) == 1 && value == '1';
}

/* Opens httpd's own cgroup, without the leaf that an earlier helper may have
 * made. */
static int open_base(void)
{
    char text[4096], *path;
    struct statfs fs;
    int fd;

    if (statfs(ROOT, &fs) || fs.f_type != CGROUP2_SUPER_MAGIC) {
        errno = ENOTSUP;
        return -1;
    }
    if (get(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text)) ||
        strncmp(text, "0::/", 4) != 0) {
        errno = ENOTSUP;
        return -1;
    }
    path = text + 3;
    path[strcspn(path, "\n")] = 0;
    size_t len = strlen(path), leaf = strlen(LEAF);
    if (len >= leaf && strcmp(path + len - leaf, LEAF) == 0) {
        path[len - leaf] = 0;
    }
    int root_fd = open(ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
    fd = openat(root_fd, path[0] && path[1] ? path + 1 : ".",
                O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    close(root_fd);
    /* Without systemd, root's own cgroup belongs to root. */
    if (fd >= 0 && !is_delegated(fd) &&
        access("/run/systemd/system", F_OK) == 0) {
        close(fd);
        errno = EPERM;
        return -1;
    }
    return fd;
}

/* Moves all of httpd into the leaf, including this process. */
static int move_all(int base_fd)
{
    char text[4096];
    int result = 0;

    if (mkdirat(base_fd, &LEAF[1], 0755) && errno != EEXIST) {
        return -1;
    }
    int leaf_fd = openat(base_fd, &LEAF[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (int round = 0; result == 0 && round < ROUNDS; round++) {
        char *rest = text;
        result = get(base_fd, "cgroup.procs", text, sizeof(text));
        if (result || !*text) {
            break;
        }
        for (char *end; (end = strchr(rest, '\n')); rest = end + 1) {
            *end = 0;
            if (put(leaf_fd, "cgroup.procs", rest) && errno != ESRCH) {
                result = -1;
            }
        }
    }
    close(leaf_fd);
    return result;
}

static void set_up(void)
{
    static const char *const controllers[] = {"+memory", "+cpu", "+pids",
                                              "+io"};
    int fd = open_base();

    cgroup.is_tried = 1;
    /* A cgroup without the mark may contain processes that are not httpd's.
     * They stay, and the kernel decides whether there can be cgroups beside
     * them. */
    if (fd < 0 || (is_delegated(fd) && move_all(fd))) {
        cgroup.errnum = errno;
        close(fd);
        return;
    }
    for (int i = 0; i < 4; i++) {
        /* A missing controller shows where it is used. */
        (void) put(fd, "cgroup.subtree_control", controllers[i]);
    }
    cgroup.base_fd = fd;
    cgroup.sweeps = SWEEPS;
}

static void name_of(unsigned number, char *name, size_t size)
{
    snprintf(name, size, "jail-%d-%u", (int) getpid(), number);
}

/* Removes every empty cgroup, including those of a helper that was killed. The
 * kernel refuses to remove others, so those of living keepers stay. */
static void remove_empty(void)
{
    int fd = openat(cgroup.base_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fdopendir(fd);
    struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        if (strncmp(entry->d_name, "jail-", 5) == 0) {
            (void) unlinkat(cgroup.base_fd, entry->d_name, AT_REMOVEDIR);
        }
    }
    if (dir) {
        closedir(dir);
    }
}

static int fail(jc_failure_t *failure, jc_code_t code, const char *text)
{
    failure->code = code;
    failure->errnum = errno;
    jc_wire_set_text(failure, text);
    return -1;
}

int jc_cgroup_tree_make(const jc_policy_t *policy, unsigned *number,
                        jc_failure_t *failure)
{
    const jc_policy_rec_t *rec = &policy->rec;
    char file[64], name[48];
    jc_policy_view_t view = {.common = &policy->common->part};

    if (!cgroup.is_tried) {
        set_up();
    }
    errno = cgroup.errnum;
    if (cgroup.base_fd < 0 || jc_policy_view(rec, rec->len, &view)) {
        return fail(failure, JC_CODE_CGROUP_NONE, "");
    }
    *number = ++cgroup.last;
    name_of(*number, name, sizeof(name));
    int fd =
        mkdirat(cgroup.base_fd, name, 0755)
            ? -1
            : openat(cgroup.base_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return fail(failure, JC_CODE_CGROUP_NONE, "");
    }
    const char *line = view.cgroup;
    for (uint32_t i = 0; i < rec->cgroup_count; i++) {
        const char *value = strchr(line, '=') + 1;
        snprintf(file, sizeof(file), "%.*s", (int) (value - line - 1), line);
        if (put(fd, file, value)) {
            fail(failure, JC_CODE_CGROUP_LIMIT, file);
            close(fd);
            jc_cgroup_tree_remove(*number);
            return -1;
        }
        line = jc_policy_next(line);
    }
    return fd;
}

int jc_cgroup_tree_open(unsigned number, jc_failure_t *failure)
{
    char name[48];

    name_of(number, name, sizeof(name));
    int fd = openat(cgroup.base_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? fail(failure, JC_CODE_CGROUP_NONE, "") : fd;
}

void jc_cgroup_tree_remove(unsigned number)
{
    char name[48];

    if (number == 0) {
        return;
    }
    name_of(number, name, sizeof(name));
    int fd = openat(cgroup.base_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    (void) put(fd, "cgroup.kill", "1"); /* Linux 5.14 */
    close(fd);
    if (unlinkat(cgroup.base_fd, name, AT_REMOVEDIR)) {
        cgroup.sweeps = SWEEPS; /* a process in it is still dying */
    }
}

void jc_cgroup_tree_sweep(void)
{
    if (cgroup.sweeps > 0) {
        cgroup.sweeps--;
        remove_empty();
    }
}

int jc_cgroup_tree_owes(void)
{
    return cgroup.sweeps > 0;
}
