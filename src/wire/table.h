/*
 * The policy table: all virtual hosts frozen by the httpd parent, in a memfd
 * with all seals. Read by the helper, which checks its shape all the same.
 *
 * Runs in:   httpd parent (writes), helper (reads)
 * Privilege: root in both
 *
 * Layout: jc_table_head_t; uint32_t offset[policy_count]; then the records.
 * A record is jc_policy_rec_t, then group_count uint32_t, then (at the next
 * multiple of 8) limit_count jc_limit_t, then strings_len bytes of
 * NUL-terminated strings:
 *   1. root: the jail's directory, absolute; "" without JC_POLICY_CHROOT
 *   2. env_count strings NAME=VALUE, set over everything the request brings
 *   3. trust_count absolute paths inside the jail
 * Records start at a multiple of 8 and are `len` bytes long, zeroed padding
 * included. Equal bytes are the same policy: the parent gives equal virtual
 * hosts one record, and the helper keeps a jail warm when its record comes
 * again in the next generation. A record therefore holds nothing that names a
 * virtual host.
 */
#ifndef JC_TABLE_H
#define JC_TABLE_H

#include <stdint.h>

#define JC_TABLE_MAGIC 0x4a435442u

#define JC_POLICY_CHROOT 0x1u /* change root to `root` */
#define JC_POLICY_OWNER  0x2u /* uid and gid are the script's own */
#define JC_POLICY_SHELL  0x4u /* pages may run commands (SSI exec cmd) */
/* With JC_POLICY_OWNER: uid and gid are those of the script's directory. */
#define JC_POLICY_DIR_OWNER 0x8u
#define JC_POLICY_FLAGS     0xfu

#define JC_TABLE_LEN_MAX  (256u << 20)
#define JC_POLICY_LEN_MAX (1u << 20)
#define JC_GROUPS_MAX     1024u
#define JC_NICE_UNSET     INT32_MAX

typedef struct {
    uint32_t magic;
    uint32_t version; /* JC_WIRE_VERSION */
    uint64_t generation;
    uint32_t len; /* of the whole table */
    uint32_t policy_count;
} jc_table_head_t;

typedef struct {
    uint32_t len;
    uint32_t flags;
    uint32_t uid; /* JC_NO_ID with JC_POLICY_OWNER */
    uint32_t gid;
    uint32_t min_uid;
    uint32_t min_gid;
    uint32_t max_uid;
    uint32_t max_gid;
    uint32_t idle_ms;
    int32_t nice;         /* JC_NICE_UNSET: inherited */
    uint32_t group_count; /* supplementary groups */
    uint32_t limit_count;
    uint32_t env_count;
    uint32_t trust_count;
    uint32_t strings_len;
    uint32_t total_ms; /* of one request; 0: as long as it likes */
} jc_policy_rec_t;

typedef struct {
    uint32_t resource; /* RLIMIT_* */
    uint32_t reserved; /* 0 */
    uint64_t soft;     /* RLIM_INFINITY as the kernel has it */
    uint64_t hard;
} jc_limit_t;

#endif
