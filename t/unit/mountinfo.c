/*
 * The parser of a line of /proc/self/mountinfo: it finds what the line says,
 * however a tenant has named his mounts, and refuses anything that is not such
 * a line.
 *
 * Runs in:   the tests
 * Privilege: none
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/wire/mountinfo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLAIN "36 35 98:7 / /srv rw,noatime - ext3 /dev/root rw"

/* In memory of its own, so that the sanitizer sees what is read behind it. */
static char *copy;
static jc_mountinfo_t mount;

static int parse(const char *line)
{
    free(copy);
    copy = strdup(line);
    memset(&mount, 0x55, sizeof(mount));
    return jc_mountinfo_parse(copy, &mount);
}

static void must_be(const char *line, jc_fs_t fs, int by_user)
{
    if (parse(line)) {
        fail_msg("not taken: %s", line);
    }
    if (mount.fs != fs || mount.by_user != by_user) {
        fail_msg("%d %d: %s", (int) mount.fs, mount.by_user, line);
    }
}

static void fields(void **state)
{
    must_be(PLAIN, JC_FS_VOUCHED, 0);
    assert_int_equal(mount.id, 36);
    assert_int_equal(mount.dev, (uint64_t) 98 << 32 | 7);
    assert_string_equal(mount.point, "/srv");
    must_be("4294967295 0 0:4294967295 /a /b rw - tmpfs none rw", JC_FS_VOUCHED,
            0);
    assert_int_equal(mount.id, UINT32_MAX);
    assert_int_equal(mount.dev, UINT32_MAX);
    must_be("1 0 0:1 / / rw shared:1 master:2 propagate_from:3 unbindable - "
            "tmpfs none rw",
            JC_FS_VOUCHED, 0);
    assert_string_equal(mount.point, "/");
    /* Mounted from "". */
    must_be("1 0 0:1 / /a rw - tmpfs  rw", JC_FS_VOUCHED, 0);
}

static void kinds(void **state)
{
    static const struct {
        const char *line;
        jc_fs_t fs;
        int by_user;
    } rows[] = {
        {"1 0 0:1 / /a rw,nosuid,nodev - ext4 /dev/sda1 rw", JC_FS_NOSUID, 0},
        {"1 0 0:1 / /a nosuid - nfs4 server:/a rw", JC_FS_NOSUID, 0},
        {"1 0 0:1 / /a rw - nfs4 server:/a rw", JC_FS_VOUCHED, 0},
        /* Only a word of the mount's own options. */
        {"1 0 0:1 / /a rw,nosuidx,xnosuid - ext4 nosuid rw", JC_FS_VOUCHED, 0},
        {"1 0 0:1 / /nosuid rw nosuid - ext4 a rw,nosuid", JC_FS_VOUCHED, 0},
        {"1 0 0:1 / /a rw - fuse x rw,user_id=0,group_id=0", JC_FS_FUSE, 0},
        {"1 0 0:1 / /a rw - fuse.sshfs x rw,user_id=7", JC_FS_FUSE, 1},
        {"1 0 0:1 / /a rw,nosuid - fuseblk x rw,user_id=0", JC_FS_FUSE, 0},
        /* Whose it is cannot be read, or is said in two ways. */
        {"1 0 0:1 / /a rw - fuse x rw", JC_FS_FUSE, 1},
        {"1 0 0:1 / /a rw - fuse x rw,user_id=", JC_FS_FUSE, 1},
        {"1 0 0:1 / /a rw - fuse x rw,user_id=00x", JC_FS_FUSE, 1},
        {"1 0 0:1 / /a rw - fuse x user_id=0,user_id=7", JC_FS_FUSE, 1},
        {"1 0 0:1 / /a rw - fuse x user_id=7,user_id=0", JC_FS_FUSE, 1},
        {"1 0 0:1 / /a rw - fuse x user_id=4294967296", JC_FS_FUSE, 1},
        /* A name that is chosen to look like fields. */
        {"1 0 0:1 / /a rw - fuse x\\040rw,user_id=0 rw,user_id=7", JC_FS_FUSE,
         1},
        {"1 0 0:1 / /a\\040-\\040ext4 rw - fuse x rw,user_id=7", JC_FS_FUSE, 1},
        {"1 0 0:1 / /a rw - virtiofs x rw", JC_FS_VOUCHED, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        must_be(rows[i].line, rows[i].fs, rows[i].by_user);
    }
}

static void escapes(void **state)
{
    must_be("1 0 0:1 / /a\\040b\\011c\\012d\\134e\\043f\\377 rw - tmpfs x rw",
            JC_FS_VOUCHED, 0);
    assert_string_equal(mount.point, "/a b\tc\nd\\e#f\377");
    assert_int_equal(parse("1 0 0:1 / /a\\ rw - tmpfs x rw"), -1);
    assert_int_equal(parse("1 0 0:1 / /a\\0 rw - tmpfs x rw"), -1);
    assert_int_equal(parse("1 0 0:1 / /a\\04 rw - tmpfs x rw"), -1);
    assert_int_equal(parse("1 0 0:1 / /a\\048 rw - tmpfs x rw"), -1);
    assert_int_equal(parse("1 0 0:1 / /a\\400 rw - tmpfs x rw"), -1);
    assert_int_equal(parse("1 0 0:1 / /a\\000 rw - tmpfs x rw"), -1);
}

static void malformed(void **state)
{
    static const char *const lines[] = {
        "",
        " ",
        "-",
        "          ",
        "garbage",
        "- - - - - - - - - - -",
        "x 0 0:1 / /a rw - tmpfs x rw",
        "-1 0 0:1 / /a rw - tmpfs x rw",
        "+1 0 0:1 / /a rw - tmpfs x rw",
        " 1 0 0:1 / /a rw - tmpfs x rw",
        "1x 0 0:1 / /a rw - tmpfs x rw",
        "4294967296 0 0:1 / /a rw - tmpfs x rw",
        "18446744073709551617 0 0:1 / /a rw - tmpfs x rw",
        "1  0:1 / /a rw - tmpfs x rw",
        "1 0 0 / /a rw - tmpfs x rw",
        "1 0 0: / /a rw - tmpfs x rw",
        "1 0 :1 / /a rw - tmpfs x rw",
        "1 0 0:1:2 / /a rw - tmpfs x rw",
        "1 0 0:1 / a rw - tmpfs x rw",
        "1 0 0:1 /  rw - tmpfs x rw",
        "1 0 0:1 / /a rw shared:1 tmpfs x rw",
        "1 0 0:1 / /a rw - tmpfs x",
        "1 0 0:1 / /a rw - tmpfs x rw more",
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        if (parse(lines[i]) == 0) {
            fail_msg("taken: %s", lines[i]);
        }
    }
    /* Cut anywhere before its last field, and never read beyond its end. */
    for (size_t len = 0; len < strlen(PLAIN); len++) {
        char cut[sizeof(PLAIN)];
        memcpy(cut, PLAIN, len);
        cut[len] = 0;
        assert_int_equal(parse(cut), len > strlen(PLAIN) - 3 ? 0 : -1);
    }
}

static void long_lines(void **state)
{
    size_t len = 1 << 20;
    char *line = malloc(len + 128), *end = line;

    end += sprintf(end, "9 0 0:1 / /");
    memset(end, 'a', len);
    sprintf(end + len, " rw,nosuid - overlay x rw");
    must_be(line, JC_FS_NOSUID, 0);
    assert_int_equal(strlen(mount.point), len + 1);
    free(line);
}

static int count(void *data, const jc_mountinfo_t *m)
{
    ++*(int *) data;
    return m->point[0] == '/' ? 0 : 7;
}

static int stop(void *data, const jc_mountinfo_t *m)
{
    ++*(int *) data;
    return 7;
}

static void machine(void **state)
{
    int seen = 0;

    assert_int_equal(jc_mountinfo_each(count, &seen), 0);
    assert_true(seen > 0);
    seen = 0;
    assert_int_equal(jc_mountinfo_each(stop, &seen), 7);
    assert_int_equal(seen, 1);
}

static int tear_down(void **state)
{
    free(copy);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields),     cmocka_unit_test(kinds),
        cmocka_unit_test(escapes),    cmocka_unit_test(malformed),
        cmocka_unit_test(long_lines), cmocka_unit_test(machine),
    };

    return cmocka_run_group_tests(tests, NULL, tear_down);
}
