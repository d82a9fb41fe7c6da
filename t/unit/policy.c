/*
 * The shape of the policy table, of its records and of its common parts: valid
 * ones are accepted, and each way to break them is refused, because root reads
 * them.
 *
 * Runs in:   the tests
 * Privilege: none
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/policy/policy.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A record with one of everything, and where its parts are. */
typedef struct {
    _Alignas(8) char bytes[2048];
    jc_policy_rec_t *rec;
    uint32_t *ports;
    jc_mount_t *mounts;
    char *strings;
    char *end; /* of the strings */
} record_t;

/* A common part with one of everything. */
typedef struct {
    _Alignas(8) char bytes[512];
    jc_common_t *common;
    jc_mount_t *mounts;
    char *strings;
    size_t strings_len;
} common_t;

/* Two common parts, then a policy of the second and one of the first. */
typedef struct {
    _Alignas(8) char bytes[8192];
    jc_table_head_t *head;
    jc_table_entry_t *entry; /* of 4 */
} table_t;

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

static void make_with(record_t *r, uint32_t mounts)
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
                                .port_count = 2,
                                .limit_count = 1,
                                .env_count = 1,
                                .trust_count = 1,
                                .namespaces = JC_NS_DEFAULT,
                                .mount_count = mounts,
                                .cgroup_count = 1,
                                .trust_mount_count = 1};
    uint32_t *numbers = (uint32_t *) (r->rec + 1);
    numbers[0] = 1002;
    r->ports = numbers + 1;
    r->ports[1] = 65535;
    char *at = r->bytes + JC_PADDED(sizeof(*r->rec) + 12) + sizeof(jc_limit_t);
    r->mounts = (jc_mount_t *) at;
    if (mounts == 2) {
        r->mounts[0] = (jc_mount_t){.kind = JC_MOUNT_BIND};
        r->mounts[1] = (jc_mount_t){.kind = JC_MOUNT_PROC};
    }
    at += mounts * sizeof(jc_mount_t);
    r->strings = r->end = at;
    put(r, "/srv/jail");
    put(r, "A=b");
    put(r, "/trusted");
    if (mounts == 2) {
        put(r, "/source");
        put(r, "/target");
        put(r, "");
        put(r, "/proc");
    }
    put(r, "pids.max=10");
    put(r, "/mnt");
    finish(r);
}

static void make(record_t *r)
{
    make_with(r, 2);
}

static void make_common(common_t *c, const char *target)
{
    static const char strings[] = "/usr\0/usr\0\0/proc";

    memset(c, 0, sizeof(*c));
    c->common = (jc_common_t *) c->bytes;
    c->mounts = (jc_mount_t *) (c->common + 1);
    c->mounts[0] = (jc_mount_t){.kind = JC_MOUNT_BIND};
    c->mounts[1] = (jc_mount_t){.kind = JC_MOUNT_PROC};
    c->strings = (char *) (c->mounts + 2) + 3 * JC_FILTER_STEP;
    memcpy(c->strings, strings, sizeof(strings));
    memcpy(c->strings + 5, target, 4);
    *c->common =
        (jc_common_t){.namespaces = JC_NS_MOUNT | JC_NS_PID,
                      .mount_count = 2,
                      .filter_count = 3,
                      .strings_len = sizeof(strings),
                      .len = (uint32_t) JC_PADDED(
                          (size_t) (c->strings + sizeof(strings) - c->bytes))};
}

static const jc_common_t nothing = {.len = sizeof(nothing)};

static int is_taken(const record_t *r)
{
    jc_policy_view_t view = {.common = &nothing};

    return jc_policy_view(r->bytes, r->rec->len, &view) == 0;
}

static int common_is_taken(const common_t *c)
{
    jc_policy_view_t view;

    return jc_policy_rows_view(c->bytes, c->common->len, &view) == 0;
}

static void whole(void **state)
{
    record_t r;
    common_t c;
    jc_policy_view_t view;

    make(&r);
    make_common(&c, "/opt");
    assert_int_equal(jc_policy_rows_view(c.bytes, c.common->len, &view), 0);
    assert_int_equal(jc_policy_view(r.bytes, r.rec->len, &view), 0);
    assert_int_equal(view.groups[0], 1002);
    assert_int_equal(view.ports[0], 0);
    assert_int_equal(view.ports[1], 65535);
    assert_int_equal(view.rows.count, 2);
    assert_ptr_equal(view.rows.mounts, r.mounts);
    assert_string_equal(view.root, "/srv/jail");
    assert_string_equal(view.env, "A=b");
    assert_string_equal(view.trust, "/trusted");
    assert_string_equal(view.rows.strings, "/source");
    assert_string_equal(jc_policy_next(view.rows.strings), "/target");
    assert_string_equal(view.cgroup, "pids.max=10");
    assert_string_equal(view.trust_mounts, "/mnt");
    assert_ptr_equal(view.common, c.common);
    assert_int_equal(view.common_rows.count, 2);
    assert_ptr_equal(view.common_rows.mounts, c.mounts);
    assert_string_equal(view.common_rows.strings, "/usr");
    assert_string_equal(jc_policy_next(view.common_rows.strings), "/opt");
    assert_ptr_equal(view.filter, c.strings - 3 * JC_FILTER_STEP);
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
    REFUSED(r.ports[1] = 0);
    REFUSED(r.ports[1] = 65536);
    REFUSED(r.ports[0] = 65535);
    REFUSED(r.rec->flags |= JC_POLICY_LISTEN);
    REFUSED(r.rec->port_count = JC_PORTS_MAX + 1);
    REFUSED(r.rec->umask = 01000);
    REFUSED(r.rec->limit_count = 17);
    REFUSED(r.rec->mount_count = JC_MOUNTS_MAX + 1);
    REFUSED(r.rec->cgroup_count = JC_CGROUP_MAX + 1);
}

/* A count too many or too few moves what is behind it. */
static void counts(void **state)
{
    REFUSED(r.rec->group_count = 900);
    REFUSED(r.rec->port_count = 4);
    REFUSED(r.rec->mount_count = 3);
    REFUSED(r.rec->mount_count = 1);
    REFUSED(r.rec->env_count = 2);
    REFUSED(r.rec->trust_count = 0);
    REFUSED(r.rec->cgroup_count = 0);
    REFUSED(r.rec->cgroup_count = 2);
    REFUSED(r.rec->pass_count = 1);
    REFUSED(r.rec->strings_len--);
    REFUSED(r.rec->strings_len = r.rec->len);
    REFUSED(r.rec->len -= 8);
    REFUSED(r.rec->len += 8); /* more than there is in it */
    REFUSED(r.rec->len--);    /* and then the next is not aligned */
}

static void mounts(void **state)
{
    REFUSED(r.rec->namespaces &= ~JC_NS_MOUNT);
    REFUSED(r.rec->namespaces &= ~JC_NS_PID);
    REFUSED(r.mounts[0].kind = 0);
    REFUSED(r.mounts[0].kind = JC_MOUNT_KINDS + 1);
    REFUSED(r.mounts[0].kind = JC_MOUNT_PTY); /* of which there may be none */
    REFUSED(r.mounts[0].flags = 0x80000000u);
    REFUSED(r.mounts[0].mode = 010000);
    REFUSED(strcpy(strstr(r.strings + 24, "source") - 1, "source/"));
    REFUSED(*(char *) memmem(r.strings, 80, "/target", 7) = 't');
    REFUSED(*((char *) memmem(r.strings, 80, "/target", 7) + 1) = 0);
}

/* Root makes the last component of such a source, so it is a name that the
 * keeper completes. */
static void own_directories(void **state)
{
    static const char *const bad[] = {"/source", "/src/%d", "/src/u%",
                                      "/sr/u%u", "/%u/src", "/%ub.cd"};
    record_t r;

    make(&r);
    r.mounts[0].flags = JC_MOUNT_OWN;
    memcpy(memmem(r.strings, 80, "/source", 7), "/src/%u", 7);
    assert_true(is_taken(&r));
    memcpy(memmem(r.strings, 80, "/src/%u", 7), "/s/%u.b", 7);
    assert_true(is_taken(&r));
    r.mounts[0].kind = JC_MOUNT_TMPFS;
    assert_false(is_taken(&r));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        make(&r);
        memcpy(memmem(r.strings, 80, "/source", 7), bad[i], 7);
        r.mounts[0].flags = JC_MOUNT_OWN;
        assert_false(is_taken(&r));
    }
}

/* A new file system has nothing below it that appears later. */
static void slave_mounts(void **state)
{
    record_t r;

    make(&r);
    r.mounts[0].flags = JC_MOUNT_SLAVE;
    assert_true(is_taken(&r));
    r.mounts[0].kind = JC_MOUNT_TMPFS;
    assert_false(is_taken(&r));
}

static void trusted_mounts(void **state)
{
    REFUSED(r.rec->trust_mount_count = 0);
    REFUSED(r.rec->trust_mount_count = 2);
    REFUSED(r.rec->trust_mount_count = UINT32_MAX);
    REFUSED(*(char *) memmem(r.strings, 100, "/mnt", 4) = 'm');
    REFUSED(*(char *) memmem(r.strings, 100, "/mnt", 4) = 0);
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

/* A policy whose user is the script's own, with one more string. */
static void make_owner(record_t *r, const char *pattern)
{
    make(r);
    r->rec->flags |= JC_POLICY_OWNER;
    r->rec->uid = r->rec->gid = JC_NO_ID;
    r->rec->pass_count = 1;
    put(r, pattern);
    finish(r);
}

static void passes(void **state)
{
    record_t r;

    make_owner(&r, "DATABASE_*");
    assert_true(is_taken(&r));
    r.rec->pass_count = 2;
    assert_false(is_taken(&r));
    r.rec->pass_count = 0;
    assert_false(is_taken(&r));
    make_owner(&r, "*");
    assert_false(is_taken(&r));
    make_owner(&r, "");
    assert_false(is_taken(&r));
    make_owner(&r, "DATABASE_*");
    r.rec->flags &= ~JC_POLICY_OWNER;
    r.rec->uid = r.rec->gid = 1001;
    assert_false(is_taken(&r));
}

#define COMMON_REFUSED(change)                                                 \
    do {                                                                       \
        common_t c;                                                            \
        make_common(&c, "/opt");                                               \
        assert_true(common_is_taken(&c));                                      \
        change;                                                                \
        assert_false(common_is_taken(&c));                                     \
    } while (0)

static void common_parts(void **state)
{
    COMMON_REFUSED(c.common->len -= 8);
    COMMON_REFUSED(c.common->len += 8);
    COMMON_REFUSED(c.common->len--);
    COMMON_REFUSED(c.common->len = sizeof(jc_common_t) - 4);
    COMMON_REFUSED(c.common->len = 0);
    COMMON_REFUSED(c.common->reserved = 1);
    COMMON_REFUSED(c.common->namespaces |= 0x40u);
    COMMON_REFUSED(c.common->mount_count = JC_MOUNTS_MAX + 1);
    COMMON_REFUSED(c.common->mount_count = UINT32_MAX);
    COMMON_REFUSED(c.common->mount_count = 1);
    COMMON_REFUSED(c.common->mount_count = 3);
    COMMON_REFUSED(c.common->mount_count = 0);
    COMMON_REFUSED(c.common->filter_count = JC_FILTER_MAX + 1);
    COMMON_REFUSED(c.common->filter_count = UINT32_MAX);
    COMMON_REFUSED(c.common->filter_count = 2);
    COMMON_REFUSED(c.common->filter_count = 4);
    COMMON_REFUSED(c.common->strings_len--);
    COMMON_REFUSED(c.common->strings_len++);
    COMMON_REFUSED(c.common->strings_len = UINT32_MAX);
    COMMON_REFUSED(c.strings[c.common->strings_len - 1] = 'x');
    COMMON_REFUSED(c.common->namespaces = JC_NS_PID);
    COMMON_REFUSED(c.common->namespaces = JC_NS_MOUNT);
    COMMON_REFUSED(c.mounts[1].kind = 0);
    COMMON_REFUSED(c.mounts[0].kind = JC_MOUNT_KINDS + 1);
    COMMON_REFUSED(c.mounts[0].flags = 0x80000000u);
    COMMON_REFUSED(c.mounts[1].mode = 010000);
    COMMON_REFUSED(c.strings[0] = 'u');
    COMMON_REFUSED(c.strings[5] = 'o');
    COMMON_REFUSED(c.strings[6] = 0);
}

/* Of the right length, and with more in it than there may be. */
static void too_many(void **state)
{
    jc_policy_view_t view;
    size_t rows_len = (JC_MOUNTS_MAX + 1) * (sizeof(jc_mount_t) + 4);
    size_t steps_len = (JC_FILTER_MAX + 1) * (size_t) JC_FILTER_STEP;
    jc_common_t *common = calloc(1, sizeof(*common) + rows_len + steps_len);
    jc_mount_t *mount = (jc_mount_t *) (common + 1);

    for (uint32_t count = JC_MOUNTS_MAX; count <= JC_MOUNTS_MAX + 1; count++) {
        *common = (jc_common_t){.namespaces = JC_NS_MOUNT,
                                .mount_count = count,
                                .strings_len = 4 * count};
        char *strings = (char *) (mount + count);
        for (uint32_t i = 0; i < count; i++) {
            mount[i] = (jc_mount_t){.kind = JC_MOUNT_LINK};
        }
        for (uint32_t i = 0; i < count; i++) {
            memcpy(strings + (size_t) 4 * i, "\0/a", 4);
        }
        common->len = (uint32_t) (strings - (char *) common) +
                      (uint32_t) JC_PADDED(4 * (size_t) count);
        assert_int_equal(jc_policy_rows_view(common, common->len, &view),
                         count > JC_MOUNTS_MAX ? -1 : 0);
        assert_int_equal(jc_policy_rows_view(common, common->len + 8, &view),
                         -1);
        assert_int_equal(jc_policy_rows_view(common, common->len - 8, &view),
                         -1);
        common->len -= 8;
        assert_int_equal(jc_policy_rows_view(common, common->len + 8, &view),
                         -1);
    }
    for (uint32_t count = JC_FILTER_MAX; count <= JC_FILTER_MAX + 1; count++) {
        *common = (jc_common_t){.filter_count = count,
                                .len = (uint32_t) sizeof(*common) +
                                       count * JC_FILTER_STEP};
        assert_int_equal(jc_policy_rows_view(common, common->len, &view),
                         count > JC_FILTER_MAX ? -1 : 0);
    }
    free(common);
}

/* A record that does not give what the rows of its common part need. */
static void unsuited(void **state)
{
    record_t r;
    common_t c;
    jc_policy_view_t view;

    make_with(&r, 0); /* none of its own, which would need the same */
    make_common(&c, "/opt");
    assert_int_equal(jc_policy_rows_view(c.bytes, c.common->len, &view), 0);
    assert_int_equal(jc_policy_view(r.bytes, r.rec->len, &view), 0);
    r.rec->namespaces = JC_NS_MOUNT;
    assert_int_equal(jc_policy_view(r.bytes, r.rec->len, &view), -1);
    r.rec->namespaces = JC_NS_PID;
    assert_int_equal(jc_policy_view(r.bytes, r.rec->len, &view), -1);
    r.rec->namespaces = 0;
    assert_int_equal(jc_policy_view(r.bytes, r.rec->len, &view), -1);
    view.common = &nothing;
    assert_int_equal(jc_policy_view(r.bytes, r.rec->len, &view), 0);
}

static void put_part(table_t *t, size_t number, const void *bytes, uint32_t len,
                     uint32_t common)
{
    t->entry[number] = (jc_table_entry_t){t->head->len, common};
    memcpy(t->bytes + t->head->len, bytes, len);
    t->head->len += len;
}

static void make_table(table_t *t)
{
    record_t r;
    common_t c;

    memset(t, 0, sizeof(*t));
    t->head = (jc_table_head_t *) t->bytes;
    t->entry = t->head->entries;
    *t->head = (jc_table_head_t){.magic = JC_TABLE_MAGIC,
                                 .version = JC_WIRE_VERSION,
                                 .generation = 1,
                                 .policy_count = 2,
                                 .common_count = 2};
    t->head->len = sizeof(*t->head) + 4 * sizeof(*t->entry);
    make_common(&c, "/opt");
    put_part(t, 0, c.bytes, c.common->len, 0);
    make_common(&c, "/srv");
    put_part(t, 1, c.bytes, c.common->len, 0);
    make(&r);
    put_part(t, 2, r.bytes, r.rec->len, 1);
    r.rec->uid++;
    put_part(t, 3, r.bytes, r.rec->len, 0);
}

/* In memory of its own, so that the sanitizer sees what is read behind it. */
static int bytes_are_taken(const table_t *t, size_t len)
{
    void *copy = malloc(len);

    memcpy(copy, t->bytes, len);
    int result = jc_policy_check_table(copy, len) != NULL;
    free(copy);
    return result;
}

static int table_is_taken(const table_t *t)
{
    return bytes_are_taken(t, t->head->len);
}

static void *part(table_t *t, uint32_t number)
{
    return t->bytes + t->entry[number].offset;
}

static void whole_table(void **state)
{
    table_t t;

    make_table(&t);
    const jc_table_head_t *table = jc_policy_check_table(t.bytes, t.head->len);
    assert_non_null(table);
    for (uint32_t i = 0; i < 4; i++) {
        assert_ptr_equal(jc_policy_part(table, i), part(&t, i));
    }
    assert_int_equal(((const jc_policy_rec_t *) part(&t, 3))->uid, 1002);
    /* Nothing but a head is a table without a policy. */
    memset(t.entry, 0, sizeof(*t.entry));
    t.head->policy_count = t.head->common_count = 0;
    t.head->len = sizeof(*t.head);
    assert_true(table_is_taken(&t));
    assert_false(bytes_are_taken(&t, sizeof(*t.head) - 8));
    t.head->policy_count = UINT32_MAX; /* 2^32 in all */
    t.head->common_count = 1;
    assert_false(table_is_taken(&t));
    /* Cut anywhere it is none, whatever its head says. */
    make_table(&t);
    for (uint32_t len = t.head->len; len > sizeof(*t.head);) {
        len -= 4;
        assert_false(bytes_are_taken(&t, len));
        t.head->len = len;
        assert_false(table_is_taken(&t));
    }
}

#define TABLE_REFUSED(change)                                                  \
    do {                                                                       \
        table_t t;                                                             \
        make_table(&t);                                                        \
        assert_true(table_is_taken(&t));                                       \
        change;                                                                \
        assert_false(table_is_taken(&t));                                      \
    } while (0)

static void tables(void **state)
{
    TABLE_REFUSED(t.head->magic++);
    TABLE_REFUSED(t.head->version++);
    TABLE_REFUSED(t.head->account_count = 1);
    TABLE_REFUSED(t.head->account_count = UINT32_MAX);
    TABLE_REFUSED(t.head->policy_count--; t.head->account_count++);
    TABLE_REFUSED(t.head->len += 8);
    TABLE_REFUSED(t.head->len -= 8);
    TABLE_REFUSED(t.head->policy_count = 1);
    TABLE_REFUSED(t.head->policy_count = 3);
    TABLE_REFUSED(t.head->policy_count = UINT32_MAX);
    TABLE_REFUSED(t.head->common_count = UINT32_MAX);
    TABLE_REFUSED(t.head->policy_count = t.head->common_count = 0x80000000u);
    /* A part where a record should be, and the other way round. */
    TABLE_REFUSED(t.head->common_count = 1; t.head->policy_count = 3);
    TABLE_REFUSED(t.head->common_count = 3; t.head->policy_count = 1);
    TABLE_REFUSED(t.head->common_count = 0; t.head->policy_count = 4);
}

static void references(void **state)
{
    TABLE_REFUSED(t.entry[2].common = 2); /* no common part, but a record */
    TABLE_REFUSED(t.entry[2].common = 4);
    TABLE_REFUSED(t.entry[3].common = UINT32_MAX);
    TABLE_REFUSED(t.entry[1].common = 1); /* that is what a record has */
    TABLE_REFUSED(t.entry[0].offset += 8);
    TABLE_REFUSED(t.entry[0].offset = 0);
    TABLE_REFUSED(t.entry[1].offset = t.entry[0].offset); /* on each other */
    TABLE_REFUSED(t.entry[1].offset += 4);                /* not aligned */
    TABLE_REFUSED(t.entry[3].offset = t.entry[2].offset);
    TABLE_REFUSED(t.entry[3].offset = t.head->len);
    TABLE_REFUSED(t.entry[3].offset = UINT32_MAX - 7);
    TABLE_REFUSED(t.entry[2].offset = t.entry[0].offset);
    /* Lengths: to the middle of the next, past the end, round the end. */
    TABLE_REFUSED(*(uint32_t *) part(&t, 0) += 8);
    TABLE_REFUSED(*(uint32_t *) part(&t, 3) += 8);
    TABLE_REFUSED(*(uint32_t *) part(&t, 3) = UINT32_MAX - 7);
    TABLE_REFUSED(*(uint32_t *) part(&t, 1) = 0);
    TABLE_REFUSED(*(uint32_t *) part(&t, 2) = 0);
    /* What is wrong in a part that one record has, or none. */
    TABLE_REFUSED(((jc_common_t *) part(&t, 1))->filter_count++);
    TABLE_REFUSED(((jc_common_t *) part(&t, 0))->namespaces = JC_NS_ALL);
    TABLE_REFUSED(((jc_policy_rec_t *) part(&t, 3))->uid = 0);
    TABLE_REFUSED(t.entry[3].common = 1;
                  ((jc_common_t *) part(&t, 0))->namespaces = 0);
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(whole),          TEST(numbers),         TEST(counts),
        TEST(mounts),         TEST(own_directories), TEST(slave_mounts),
        TEST(trusted_mounts), TEST(roots),           TEST(cgroups),
        TEST(common_parts),   TEST(too_many),        TEST(unsuited),
        TEST(whole_table),    TEST(tables),          TEST(passes),
        TEST(references),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
