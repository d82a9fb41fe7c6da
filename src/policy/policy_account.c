/*
 * Checks the shape of an account of the policy table: a user who may own
 * scripts of a host with JailUser owner.
 *
 * Runs in:   helper, keeper
 * Privilege: root in the helper
 * Trusts:    nothing about lengths and counts; the parent for the meaning
 * Never:     copies, allocates, logs
 */
#include "policy.h"

/* An account brings files, directories and its home into a jail. */
static int rows_are_sane(const jc_rows_t *rows)
{
    for (uint32_t i = 0; i < rows->count; i++) {
        const jc_mount_t *mount = &rows->mounts[i];

        if (mount->kind != JC_MOUNT_DIR && mount->kind != JC_MOUNT_FILE &&
            (mount->kind != JC_MOUNT_BIND || !(mount->flags & JC_MOUNT_HOME))) {
            return 0;
        }
    }
    return jc_policy_rows_are_sane(rows, JC_NS_MOUNT);
}

static int ids_are_sane(const jc_account_t *account, const uint32_t *groups)
{
    /* A group of root's is only in an account that runs nothing. */
    for (uint32_t i = 0; i < account->group_count; i++) {
        if (groups[i] == JC_NO_ID ||
            (groups[i] == 0 && !(account->flags & JC_ACCOUNT_ROOT))) {
            return 0;
        }
    }
    return account->uid != 0 && account->uid != JC_NO_ID &&
           account->gid != JC_NO_ID;
}

int jc_policy_account_view(const void *data, size_t len, jc_policy_view_t *view)
{
    const jc_account_t *account = data;
    jc_rows_t *rows = &view->account_rows;
    size_t at = sizeof(*account);

    if (len < sizeof(*account) || account->len != len ||
        len > JC_POLICY_LEN_MAX || account->reserved ||
        (account->flags & ~JC_ACCOUNT_FLAGS) ||
        account->group_count > JC_GROUPS_MAX ||
        account->mount_count > JC_MOUNTS_MAX) {
        return -1;
    }
    view->account = account;
    view->account_groups = (const uint32_t *) (account + 1);
    at = JC_PADDED(at + account->group_count * sizeof(uint32_t));
    rows->mounts = (const jc_mount_t *) ((const char *) data + at);
    rows->count = account->mount_count;
    at += account->mount_count * sizeof(jc_mount_t);
    if (JC_PADDED(at + account->strings_len) != len) {
        return -1;
    }
    const char *next = (const char *) data + at;
    const char *end = next + account->strings_len;
    return jc_policy_take(&next, end, 2 * account->mount_count,
                          &rows->strings) ||
                   next != end || !rows_are_sane(rows) ||
                   !ids_are_sane(account, view->account_groups)
               ? -1
               : 0;
}
