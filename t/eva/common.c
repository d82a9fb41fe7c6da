/*
 * Eva's driver: a common part and a record as a keeper gets them: any content,
 * with up to two rows of a common part and one of each kind of a record, and
 * each place of the NULs in up to STRINGS bytes of strings.
 *
 * Runs in:   nowhere; Eva reads it
 * Privilege: none
 */
#include "src/policy/policy.h"

#include "t/eva/stubs.h"

#ifndef STRINGS
#define STRINGS 4
#endif

/* A string's byte: its end, or any other. */
static void put_bytes(char *at, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        at[i] = 0;
        if (one_of(0, 1)) {
            at[i] = (char) (one_of(0, 1) ? Frama_C_interval(1, 127)
                                         : Frama_C_interval(-128, -1));
        }
    }
}

static union {
    jc_common_t part;
    char bytes[sizeof(jc_common_t) + sizeof(jc_mount_t) + 2 * JC_FILTER_STEP +
               8];
} common;

static union {
    jc_policy_rec_t rec;
    char bytes[sizeof(jc_policy_rec_t) + 8 + sizeof(jc_limit_t) + 16];
} record;

static void check_common(jc_policy_view_t *view)
{
    size_t mounts = (size_t) one_of(0, 2), filters = (size_t) one_of(0, 2);
    size_t strings = (size_t) one_of(0, STRINGS);
    size_t at = sizeof(jc_common_t) + mounts * sizeof(jc_mount_t) +
                filters * JC_FILTER_STEP;
    size_t len = JC_PADDED(at + strings);

    Frama_C_make_unknown(common.bytes, sizeof(common));
    common.part.mount_count = (uint32_t) mounts;
    common.part.filter_count = (uint32_t) filters;
    common.part.strings_len = (uint32_t) strings;
    if (len > sizeof(common)) {
        return;
    }
    put_bytes(common.bytes + at, strings);
    /* One more byte than the object has is an alarm. */
    (void) jc_policy_rows_view(common.bytes, len, view);
}

static void check_record(jc_policy_view_t *view)
{
    size_t groups = (size_t) one_of(0, 1), ports = (size_t) one_of(0, 1);
    size_t limits = (size_t) one_of(0, 1);
    size_t strings = (size_t) one_of(0, STRINGS);
    size_t at = JC_PADDED(sizeof(jc_policy_rec_t) + (groups + ports) * 4) +
                limits * sizeof(jc_limit_t);

    Frama_C_make_unknown(record.bytes, sizeof(record));
    record.rec.group_count = (uint32_t) groups;
    record.rec.port_count = (uint32_t) ports;
    record.rec.limit_count = (uint32_t) limits;
    record.rec.mount_count = 0; /* as of a common part */
    record.rec.env_count = (uint32_t) one_of(0, 1);
    record.rec.trust_count = (uint32_t) one_of(0, 1);
    record.rec.cgroup_count = (uint32_t) one_of(0, 1);
    record.rec.trust_mount_count = (uint32_t) one_of(0, 1);
    record.rec.pass_count = (uint32_t) one_of(0, 1);
    record.rec.strings_len = (uint32_t) strings;
    put_bytes(record.bytes + at, strings);
    (void) jc_policy_view(record.bytes, JC_PADDED(at + strings), view);
}

int main(void)
{
    jc_policy_view_t view;
    static jc_common_t none;

    if (one_of(0, 1)) {
        check_common(&view);
    } else {
        view.common = &none;
        check_record(&view);
    }
    return 0;
}
