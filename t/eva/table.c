/*
 * Eva's driver: the check of the whole table: up to one common part, one
 * record and one account, right and wrong lengths of each and of the table, and
 * any entries. The content of a part is in common.c.
 *
 * Runs in:   nowhere; Eva reads it
 * Privilege: none
 */
#include "src/policy/policy.h"

#include "t/eva/stubs.h"

#define RECORD_LEN JC_PADDED(sizeof(jc_policy_rec_t) + 1)
#define LEN_MAX                                                                \
    (sizeof(jc_table_head_t) + 3 * sizeof(jc_table_entry_t) +                  \
     sizeof(jc_common_t) + RECORD_LEN + sizeof(jc_account_t) + 8)

static union {
    jc_table_head_t head;
    char bytes[LEN_MAX];
} made;

/* What a part says of its own length. */
static uint32_t said_length(size_t right)
{
    switch (one_of(0, 2)) {
    case 0:
        return 0;
    case 1:
        return UINT32_MAX;
    }
    return (uint32_t) right;
}

int main(void)
{
    uint32_t commons = (uint32_t) one_of(0, 1);
    uint32_t policies = (uint32_t) one_of(0, 1);
    uint32_t accounts = (uint32_t) one_of(0, 1);
    size_t at = sizeof(made.head) +
                (commons + policies + accounts) * sizeof(jc_table_entry_t);
    size_t len = at + (commons ? sizeof(jc_common_t) : 0) +
                 (policies ? RECORD_LEN : 0) +
                 (accounts ? sizeof(jc_account_t) : 0);
    /* Cut, right and too long; one byte behind it is an alarm. */
    size_t said = len + 8 * (size_t) one_of(0, 1);
    said -= said > sizeof(made.head) ? 8 * (size_t) one_of(0, 1) : 0;
    char *table = made.bytes + LEN_MAX - said;

    Frama_C_make_unknown(made.bytes, LEN_MAX);
    ((jc_table_head_t *) table)->common_count = commons;
    ((jc_table_head_t *) table)->policy_count = policies;
    ((jc_table_head_t *) table)->account_count = accounts;
    if (commons && at + sizeof(jc_common_t) <= said) {
        jc_common_t *part = (void *) (table + at);
        part->len = said_length(sizeof(*part));
        part->mount_count = (uint32_t) one_of(0, 1);
        part->filter_count = (uint32_t) one_of(0, 1);
        part->strings_len = (uint32_t) one_of(0, 1);
        at += sizeof(*part);
    }
    if (policies && at + RECORD_LEN <= said) {
        jc_policy_rec_t *rec = (void *) (table + at);
        rec->len = said_length(RECORD_LEN);
        rec->group_count = rec->limit_count = rec->mount_count = 0;
        rec->env_count = rec->trust_count = rec->cgroup_count = 0;
        rec->strings_len = (uint32_t) one_of(0, 1);
        rec->flags = rec->namespaces = 0;
        rec->min_uid = rec->min_gid = rec->uid = rec->gid = 1;
        rec->max_uid = rec->max_gid = 2;
        ((char *) (rec + 1))[0] = 0;
        at += RECORD_LEN;
    }
    if (accounts && at + sizeof(jc_account_t) <= said) {
        jc_account_t *account = (void *) (table + at);
        account->len = said_length(sizeof(*account));
        account->group_count = account->mount_count = 0;
        account->strings_len = (uint32_t) one_of(0, 1);
    }
    (void) jc_policy_check_table(table, (size_t) Frama_C_interval(0, 31));
    (void) jc_policy_check_table(table, said);
    return 0;
}
