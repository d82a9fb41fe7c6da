/*
 * The accounts of the policy table: valid ones are accepted, and each way to
 * break them is refused, because root makes a jail of them.
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

#define STRINGS "root\0/etc/passwd\0\0/home\0/home/a\0/home/a"

enum { FILE_ROW, DIR_ROW, HOME_ROW, ROWS };

/* An account with two groups and three rows. */
typedef struct {
    _Alignas(8) char bytes[512];
    jc_account_t *account;
    uint32_t *groups;
    jc_mount_t *mounts;
    char *strings;
} made_t;

static void make(made_t *m, uint32_t uid)
{
    memset(m, 0, sizeof(*m));
    m->account = (jc_account_t *) m->bytes;
    m->groups = (uint32_t *) (m->account + 1);
    m->groups[0] = 100;
    m->groups[1] = uid;
    m->mounts = (jc_mount_t *) (m->groups + 2);
    m->mounts[FILE_ROW].kind = JC_MOUNT_FILE;
    m->mounts[DIR_ROW].kind = JC_MOUNT_DIR;
    m->mounts[HOME_ROW].kind = JC_MOUNT_BIND;
    m->mounts[HOME_ROW].flags = JC_MOUNT_HOME | JC_MOUNT_MAKE;
    m->strings = (char *) (m->mounts + ROWS);
    memcpy(m->strings, STRINGS, sizeof(STRINGS));
    *m->account =
        (jc_account_t){.len = (uint32_t) JC_PADDED(
                           (size_t) (m->strings + sizeof(STRINGS) - m->bytes)),
                       .uid = uid,
                       .gid = uid,
                       .group_count = 2,
                       .mount_count = ROWS,
                       .strings_len = sizeof(STRINGS)};
}

/* In memory of its own, so that the sanitizer sees what is read behind it. */
static int is_taken(const made_t *m, size_t len)
{
    jc_policy_view_t view;
    char *copy = malloc(len);

    memcpy(copy, m->bytes, len);
    int result = jc_policy_account_view(copy, len, &view) == 0;
    free(copy);
    return result;
}

static void whole(void **state)
{
    jc_policy_view_t view;
    made_t m;

    make(&m, 1001);
    assert_int_equal(jc_policy_account_view(m.bytes, m.account->len, &view), 0);
    assert_ptr_equal(view.account, m.account);
    assert_ptr_equal(view.account_groups, m.groups);
    assert_ptr_equal(view.account_rows.mounts, m.mounts);
    assert_ptr_equal(view.account_rows.strings, m.strings);
    assert_int_equal(view.account_rows.count, ROWS);
    for (size_t len = 0; len < m.account->len; len++) {
        assert_false(is_taken(&m, len));
    }
    m.account->flags = JC_ACCOUNT_ROOT; /* the helper refuses it */
    m.groups[0] = 0;
    assert_true(is_taken(&m, m.account->len));
}

#define REFUSED(change)                                                        \
    do {                                                                       \
        made_t m;                                                              \
        make(&m, 1001);                                                        \
        size_t len = m.account->len;                                           \
        assert_true(is_taken(&m, len));                                        \
        change;                                                                \
        assert_false(is_taken(&m, len));                                       \
    } while (0)

static void numbers(void **state)
{
    REFUSED(m.account->len += 8);
    REFUSED(m.account->flags = 2);
    REFUSED(m.account->reserved = 1);
    REFUSED(m.account->uid = 0);
    REFUSED(m.account->uid = JC_NO_ID);
    REFUSED(m.account->gid = JC_NO_ID);
    REFUSED(m.groups[0] = 0);
    REFUSED(m.groups[1] = JC_NO_ID);
    REFUSED(m.account->group_count = JC_GROUPS_MAX + 1);
    REFUSED(m.account->group_count = UINT32_MAX);
    REFUSED(m.account->mount_count = JC_MOUNTS_MAX + 1);
    REFUSED(m.account->mount_count = UINT32_MAX);
    REFUSED(m.account->mount_count--);
    REFUSED(m.account->group_count += 2);
    REFUSED(m.account->strings_len = UINT32_MAX);
    REFUSED(m.account->strings_len--); /* the last string has no end */
}

/* It brings a home, and no other directory of the machine. */
static void rows(void **state)
{
    REFUSED(m.mounts[HOME_ROW].flags = JC_MOUNT_MAKE);
    REFUSED(m.mounts[HOME_ROW].flags |= 0x80000000u);
    REFUSED(m.mounts[HOME_ROW].kind = JC_MOUNT_PROC);
    REFUSED(m.mounts[HOME_ROW].kind = JC_MOUNT_TMPFS);
    REFUSED(m.mounts[HOME_ROW].kind = JC_MOUNT_LINK);
    REFUSED(m.mounts[HOME_ROW].kind = 0);
    REFUSED(m.strings[sizeof("root")] =
                'e'); /* a target that is not absolute */
}

/* A table of accounts alone. */
static int are_taken(uint32_t first, uint32_t second, uint32_t common)
{
    _Alignas(8) char bytes[2048];
    jc_table_head_t *head = (jc_table_head_t *) bytes;
    made_t a, b;

    memset(bytes, 0, sizeof(bytes));
    make(&a, first);
    make(&b, second);
    uint32_t at = sizeof(*head) + 2 * sizeof(head->entries[0]);
    *head = (jc_table_head_t){.magic = JC_TABLE_MAGIC,
                              .version = JC_WIRE_VERSION,
                              .len = at + a.account->len + b.account->len,
                              .account_count = 2};
    head->entries[0].offset = at;
    head->entries[1].offset = at + a.account->len;
    head->entries[1].common = common;
    memcpy(bytes + at, a.bytes, a.account->len);
    memcpy(bytes + at + a.account->len, b.bytes, b.account->len);
    return jc_policy_check_table(bytes, head->len) != NULL;
}

static void order(void **state)
{
    assert_true(are_taken(1001, 1002, 0));
    assert_false(are_taken(1001, 1001, 0));
    assert_false(are_taken(1002, 1001, 0));
    assert_false(are_taken(1001, 1002, 1));
    assert_false(are_taken(0, 1002, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole),
        cmocka_unit_test(numbers),
        cmocka_unit_test(rows),
        cmocka_unit_test(order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
