/*
 * The policy table: a table that passes the check must be readable in every
 * part.
 *
 * Runs in:   the tests
 * Privilege: none
 */
#include "src/policy/policy.h"

#include "t/fuzz/fuzz.h"

static size_t strings_length(const char *at, uint32_t count)
{
    size_t len = 0;

    while (count-- > 0) {
        len += strlen(at) + 1;
        at = jc_policy_next(at);
    }
    return len;
}

static uint64_t read_rows(const jc_rows_t *rows)
{
    uint64_t sum = strings_length(rows->strings, 2 * rows->count);

    for (uint32_t i = 0; i < rows->count; i++) {
        sum += rows->mounts[i].size + rows->mounts[i].ino;
    }
    return sum;
}

/* As a keeper does: both again, from copies of their own. */
static void read_all(const jc_common_t *common, const jc_policy_rec_t *rec)
{
    jc_policy_view_t view;
    uint64_t sum = 0;

    if (jc_policy_rows_view(common, common->len, &view) ||
        jc_policy_view(rec, rec->len, &view)) {
        abort(); /* jc_policy_check_table has passed them */
    }
    for (uint32_t i = 0; i < rec->group_count; i++) {
        if (view.groups[i] == 0) {
            abort();
        }
    }
    for (uint32_t i = 0; i < rec->port_count; i++) {
        if (view.ports[i] > UINT16_MAX) {
            abort();
        }
    }
    for (uint32_t i = 0; i < rec->limit_count; i++) {
        sum += view.limits[i].soft + view.limits[i].hard;
    }
    for (uint32_t i = 0; i < common->filter_count * JC_FILTER_STEP; i++) {
        sum += ((const unsigned char *) view.filter)[i];
    }
    sum += strlen(view.root) + strings_length(view.env, rec->env_count) +
           strings_length(view.trust, rec->trust_count) +
           read_rows(&view.common_rows) + read_rows(&view.rows) +
           strings_length(view.cgroup, rec->cgroup_count) +
           strings_length(view.trust_mounts, rec->trust_mount_count) +
           strings_length(view.pass, rec->pass_count);
    if (!(rec->flags & JC_POLICY_OWNER) && (rec->uid == 0 || rec->gid == 0)) {
        abort();
    }
    if ((view.common_rows.count > 0 || view.rows.count > 0) &&
        !(rec->namespaces & JC_NS_MOUNT)) {
        abort();
    }
    (void) sum;
}

static void read_account(const jc_account_t *account)
{
    jc_policy_view_t view;
    uint64_t sum = 0;

    if (jc_policy_account_view(account, account->len, &view)) {
        abort();
    }
    for (uint32_t i = 0; i < account->group_count; i++) {
        sum += view.account_groups[i];
    }
    sum += read_rows(&view.account_rows);
    if (account->uid == 0) {
        abort();
    }
    (void) sum;
}

static void *copy_of(const void *part)
{
    uint32_t len = *(const uint32_t *) part;
    void *copy = malloc(len);

    return memcpy(copy, part, len);
}

static void parse(uint8_t *bytes, size_t size)
{
    const jc_table_head_t *table = jc_policy_check_table(bytes, size);

    for (uint32_t i = 0; table && i < table->policy_count; i++) {
        uint32_t number = table->common_count + i;
        jc_common_t *common =
            copy_of(jc_policy_part(table, table->entries[number].common));
        jc_policy_rec_t *rec = copy_of(jc_policy_part(table, number));

        read_all(common, rec);
        free(common);
        free(rec);
    }
    for (uint32_t i = 0; table && i < table->account_count; i++) {
        jc_account_t *account =
            copy_of(jc_policy_part(table, table->common_count +
                                              table->policy_count + i));

        read_account(account);
        free(account);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_each(data, size, parse);
}
