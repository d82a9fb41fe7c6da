/*
 * The shape of a policy record: a whole one is taken, and each way to break it
 * is refused, because root reads it.
 *
 * Runs in:   the tests
 * Privilege: none
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/helper/policy.h"

#include <stdint.h>
#include <string.h>

/* A record with one of everything, and where its parts are. */
typedef struct {
    _Alignas(8) char bytes[2048];
    jc_policy_rec_t *rec;
    jc_mount_t *mounts;
    char *strings;
    char *end; /* of the strings */
} record_t;

static void put(record_t *r, const char *string)
{
    size_t len = strlen(string) + 1;

    memcpy(r->end, string, len);
    r->end += len;
}

static void finish(record_t *r)
{
    r->rec->strings_len = (uint32_t) (r->end - r->strings);
    r->rec->len = (uint32_t) ((r->end - r->bytes + 7) & ~7);
}

static void make(record_t *r)
{
    memset(r, 0, sizeof(*r));
    r->rec = (jc_policy_rec_t *) r->bytes;
    *r->rec = (jc_policy_rec_t){.flags = JC_POLICY_CHROOT,
                                .uid = 1001,
                                .gid = 1001,
                                .min_uid = 1000,
                                .min_gid = 1000,
                                .max_uid = 60000,
                                .max_gid = 60000,
                                .nice = JC_NICE_UNSET,
                                .group_count = 1,
                                .limit_count = 1,
                                .env_count = 1,
                                .trust_count = 1,
                                .namespaces = JC_NS_DEFAULT,
                                .mount_count = 2,
                                .filter_count = 1,
                                .cgroup_count = 1};
    char *at = r->bytes + sizeof(*r->rec);
    *(uint32_t *) at = 1002;
    at += 8 + sizeof(jc_limit_t);
    r->mounts = (jc_mount_t *) at;
    r->mounts[0] = (jc_mount_t){.kind = JC_MOUNT_BIND};
    r->mounts[1] = (jc_mount_t){.kind = JC_MOUNT_PROC};
    at += 2 * sizeof(jc_mount_t) + JC_FILTER_STEP;
    r->strings = r->end = at;
    put(r, "/srv/jail");
    put(r, "A=b");
    put(r, "/trusted");
    put(r, "/source");
    put(r, "/target");
    put(r, "");
    put(r, "/proc");
    put(r, "pids.max=10");
    finish(r);
}

static int is_taken(const record_t *r)
{
    jc_policy_view_t view;

    return jc_policy_view(r->bytes, r->rec->len, &view) == 0;
}

static void whole(void **state)
{
    record_t r;
    jc_policy_view_t view;

    make(&r);
    assert_int_equal(jc_policy_view(r.bytes, r.rec->len, &view), 0);
    assert_int_equal(view.groups[0], 1002);
    assert_ptr_equal(view.mounts, r.mounts);
    assert_string_equal(view.root, "/srv/jail");
    assert_string_equal(view.env, "A=b");
    assert_string_equal(view.trust, "/trusted");
    assert_string_equal(view.mounted, "/source");
    assert_string_equal(jc_policy_next(view.mounted), "/target");
    assert_string_equal(view.cgroup, "pids.max=10");
}

#define REFUSED(change)                                                        \
    do {                                                                       \
        record_t r;                                                            \
        make(&r);                                                              \
        assert_true(is_taken(&r));                                             \
        change;                                                                \
        assert_false(is_taken(&r));                                            \
    } while (0)

static void numbers(void **state)
{
    REFUSED(r.rec->flags |= 0x80000000u);
    REFUSED(r.rec->namespaces |= 0x40u);
    REFUSED(r.rec->uid = 0);
    REFUSED(r.rec->uid = 999);
    REFUSED(r.rec->gid = 60001);
    REFUSED(r.rec->min_uid = 0);
    REFUSED(r.rec->max_gid = JC_NO_ID);
    REFUSED(*(uint32_t *) (r.rec + 1) = 0);
    REFUSED(r.rec->group_count = JC_GROUPS_MAX + 1);
    REFUSED(r.rec->limit_count = 17);
    REFUSED(r.rec->mount_count = JC_MOUNTS_MAX + 1);
    REFUSED(r.rec->filter_count = JC_FILTER_MAX + 1);
    REFUSED(r.rec->cgroup_count = JC_CGROUP_MAX + 1);
}

/* A count too many or too few moves what is behind it. */
static void counts(void **state)
{
    REFUSED(r.rec->group_count = 900);
    REFUSED(r.rec->mount_count = 3);
    REFUSED(r.rec->mount_count = 1);
    REFUSED(r.rec->filter_count = 1000);
    REFUSED(r.rec->env_count = 2);
    REFUSED(r.rec->trust_count = 0);
    REFUSED(r.rec->cgroup_count = 0);
    REFUSED(r.rec->cgroup_count = 2);
    REFUSED(r.rec->strings_len--);
    REFUSED(r.rec->strings_len = r.rec->len);
    REFUSED(r.rec->len -= 8);
}

static void mounts(void **state)
{
    REFUSED(r.rec->namespaces &= ~JC_NS_MOUNT);
    REFUSED(r.rec->namespaces &= ~JC_NS_PID);
    REFUSED(r.mounts[0].kind = 0);
    REFUSED(r.mounts[0].kind = JC_MOUNT_KINDS + 1);
    REFUSED(r.mounts[0].flags = 0x80000000u);
    REFUSED(r.mounts[0].mode = 010000);
    REFUSED(strcpy(strstr(r.strings + 24, "source") - 1, "source/"));
    REFUSED(*(char *) memmem(r.strings, 80, "/target", 7) = 't');
    REFUSED(*((char *) memmem(r.strings, 80, "/target", 7) + 1) = 0);
}

static void roots(void **state)
{
    REFUSED(r.rec->flags |= JC_POLICY_HOST);
    REFUSED(r.rec->flags = 0);
    REFUSED(r.strings[0] = 's');
    REFUSED(r.strings[1] = 0);
}

/* Files of cgroupfs are named, and nothing above them. */
static void cgroups(void **state)
{
    REFUSED(memcpy(memmem(r.strings, 100, "pids.max=", 9), "/ids.max=", 9));
    REFUSED(memcpy(memmem(r.strings, 100, "pids.max=", 9), "a/b.max==", 9));
    REFUSED(memcpy(memmem(r.strings, 100, "pids.max=", 9), ".ids.max=", 9));
    REFUSED(memcpy(memmem(r.strings, 100, "pids.max=", 9), "pids.maxx", 9));
    REFUSED(memcpy(memmem(r.strings, 100, "pids.max=", 9), "=ids.maxx", 9));
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(whole),  TEST(numbers), TEST(counts),
        TEST(mounts), TEST(roots),   TEST(cgroups),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
