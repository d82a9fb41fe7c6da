/*
 * The policy table: what passes the check must be readable in every part.
 *
 * Runs in:   the tests
 * Privilege: none
 */
#define _GNU_SOURCE
#include "src/helper/policy.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t strings_length(const char *at, uint32_t count)
{
    size_t len = 0;

    while (count-- > 0) {
        len += strlen(at) + 1;
        at = jc_policy_next(at);
    }
    return len;
}

static void read_all(const jc_policy_rec_t *rec)
{
    jc_policy_view_t view;
    uint64_t sum = 0;

    if (jc_policy_view(rec, rec->len, &view)) {
        abort(); /* jc_table_check has passed it */
    }
    for (uint32_t i = 0; i < rec->group_count; i++) {
        if (view.groups[i] == 0) {
            abort();
        }
    }
    for (uint32_t i = 0; i < rec->limit_count; i++) {
        sum += view.limits[i].soft + view.limits[i].hard;
    }
    for (uint32_t i = 0; i < rec->mount_count; i++) {
        sum += view.mounts[i].size + view.mounts[i].ino;
    }
    for (uint32_t i = 0; i < rec->filter_count * JC_FILTER_STEP; i++) {
        sum += ((const unsigned char *) view.filter)[i];
    }
    sum += strlen(view.root) + strings_length(view.env, rec->env_count) +
           strings_length(view.trust, rec->trust_count) +
           strings_length(view.mounted, 2 * rec->mount_count) +
           strings_length(view.cgroup, rec->cgroup_count);
    if (!(rec->flags & JC_POLICY_OWNER) && (rec->uid == 0 || rec->gid == 0)) {
        abort();
    }
    (void) sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    void *copy = malloc(size ? size : 1);

    memcpy(copy, data, size);
    const jc_table_head_t *table = jc_table_check(copy, size);
    for (uint32_t i = 0; table && i < table->policy_count; i++) {
        read_all(jc_table_record(table, i));
    }
    free(copy);
    return 0;
}
