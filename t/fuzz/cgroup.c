/*
 * The two texts from the kernel in which the helper finds its own cgroup:
 * /proc/self/cgroup and cgroup.procs. The target itself imitates cgroupfs.
 *
 * Input: what is delegated; the text.
 *
 * Runs in:   the tests
 * Privilege: none
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "t/fuzz/fuzz.h"

static struct {
    const uint8_t *bytes;
    size_t size;
    int is_delegated;
    int reads; /* so many, then the cgroup is empty */
} made;

static ssize_t fake_read(int fd, void *to, size_t n)
{
    size_t len = made.size < n ? made.size : n;

    if (made.reads-- <= 0) {
        return 0;
    }
    memcpy(to, made.bytes, len);
    return (ssize_t) len;
}

/* Every name is looked at to its end, and none is above the cgroups. */
static int fake_openat(int dir_fd, const char *path, int flags, ...)
{
    if (path[0] == 0 || (dir_fd != AT_FDCWD && strlen(path) > 4096)) {
        abort();
    }
    return 5;
}

static int fake_open(const char *path, int flags, ...)
{
    return 4;
}

/* What is put into cgroup.procs is one line. */
static ssize_t fake_write(int fd, const void *from, size_t n)
{
    if (memchr(from, '\n', n)) {
        abort();
    }
    return (ssize_t) n;
}

static int fake_statfs(const char *path, struct statfs *st)
{
    st->f_type = CGROUP2_SUPER_MAGIC;
    return 0;
}

static ssize_t fake_xattr(int fd, const char *name, void *value, size_t size)
{
    *(char *) value = '1';
    return made.is_delegated;
}

#define read               fake_read
#define write              fake_write
#define open               fake_open
#define openat             fake_openat
#define close(fd)          0
#define access(path, mode) (made.size & 1 ? -1 : 0)
#define mkdirat(fd, p, m)  0
#define fgetxattr          fake_xattr
/* the function alone, not the struct */
#define statfs(path, st) fake_statfs(path, st)
#include "src/helper/cgroup_tree.c"

static void parse(uint8_t *bytes, size_t size)
{
    if (size == 0) {
        return;
    }
    made.bytes = bytes + 1;
    made.size = size - 1;
    made.is_delegated = bytes[0] & 1;
    made.reads = 1 + (bytes[0] >> 1 & 3);
    int fd = open_base();
    if (fd != -1 && fd != 5) {
        abort();
    }
    made.reads = 1 + (bytes[0] >> 1 & 3);
    (void) move_all(3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_each(data, size, parse);
}
