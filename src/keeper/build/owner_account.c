/*
 * Decides which account a jail of JailUser owner has: the one that the httpd
 * parent has found for the uid, or, if it has found none, two files that say
 * the numbers.
 *
 * Runs in:   keeper; the helper's process that looks
 * Privilege: root
 * Trusts:    the account record, after its check; no name comes from a tenant
 *            or from an httpd child
 */
#include "build.h"

#include <stdio.h>

/* The strings of two rows: the content of a file, then its path. %c is NUL. */
#define NUMBERS                                                                \
    "root:x:0:0:root:/:/usr/sbin/nologin\n%u:x:%u:%u::/:/bin/sh\n%c"           \
    "/etc/passwd%croot:x:0:\n%u:x:%u:\n%c/etc/group"

static void take_numbers(jc_policy_view_t *policy, uint32_t uid, uint32_t gid)
{
    static const jc_mount_t mounts[2] = {{.kind = JC_MOUNT_FILE},
                                         {.kind = JC_MOUNT_FILE}};
    static char strings[sizeof(NUMBERS) + 5 * sizeof("4294967295")];

    snprintf(strings, sizeof(strings), NUMBERS, uid, uid, gid, 0, 0, gid, gid,
             0);
    policy->account_rows = (jc_rows_t){mounts, strings, 2};
}

int jc_owner_account_take(const void *account, jc_policy_view_t *policy,
                          uint32_t uid, uint32_t gid)
{
    const uint32_t *len = account;

    if (account) {
        if (jc_policy_account_view(account, *len, policy) ||
            policy->account->uid != uid) {
            return -1;
        }
    } else if (policy->rec->flags & JC_POLICY_OWNER) {
        take_numbers(policy, uid, gid);
    }
    /* Another root has an /etc and homes of its own. */
    if (!(policy->rec->flags & JC_POLICY_HOST)) {
        policy->account_rows.count = 0;
    }
    return 0;
}
