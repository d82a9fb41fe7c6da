/*
 * The policy table: all virtual hosts as the httpd parent has frozen them, in a
 * memfd with all seals. The helper reads it, and checks its shape all the same.
 *
 * Runs in:   httpd parent (writes), helper (reads)
 * Privilege: root in both
 *
 * Layout: jc_table_head_t; common_count entries jc_table_entry_t, then
 * policy_count more, then account_count; the common parts; the records; the
 * accounts. Each part, record or account begins with its length, a multiple of
 * 8, and starts where the one before it ends.
 *
 * A common part contains what the policies of many hosts have in common, so
 * that 10,000 of them need not repeat it: jc_common_t, mount_count jc_mount_t,
 * filter_count instructions of a seccomp filter (8 bytes each), and strings_len
 * bytes of strings, mount_count times two as in a record. Every policy has
 * exactly one, and its rows are made before the record's own.
 *
 * A record is jc_policy_rec_t, then group_count uint32_t and port_count
 * uint32_t, then (at the next multiple of 8) limit_count jc_limit_t,
 * mount_count jc_mount_t, then strings_len bytes of NUL-terminated strings:
 *   1. root: the jail's directory, absolute; "" without JC_POLICY_CHROOT
 *   2. env_count strings NAME=VALUE, set over everything that the request
 *      brings
 *   3. trust_count absolute paths inside the jail
 *   4. mount_count times two: the source and the target of a mount
 *   5. cgroup_count strings FILE=VALUE, for files of the jail's cgroup
 *   6. trust_mount_count mount points, absolute: file systems whose owners
 *      count although they are FUSE or nosuid
 *   7. pass_count patterns of names (env_names.h) that a request may bring
 * beside the usual ones; only with JC_POLICY_OWNER Both are padded with zeros.
 * Two policies are the same if the bytes of their records and of their common
 * parts are equal. The parent gives equal virtual hosts one record, and the
 * helper keeps a jail warm if both recur in the next generation. A record
 * therefore contains nothing that names a virtual host. Nor does it contain the
 * number of its common part, which is in the table's entry.
 *
 * An account is a user who may own scripts of a host with JC_POLICY_OWNER:
 * jc_account_t, group_count uint32_t, then (at the next multiple of 8)
 * mount_count jc_mount_t, and strings_len bytes of strings, mount_count times
 * two as in a record. A root that is made of mounts has these rows between
 * those of the common part and those of the record. Accounts are in ascending
 * order of their uids, each once. They are no part of a policy, so a new
 * account leaves the jails of the others as they are.
 */
#ifndef JC_TABLE_H
#define JC_TABLE_H

#include <stdint.h>

#define JC_TABLE_MAGIC 0x4a435442u

#define JC_POLICY_CHROOT 0x1u /* change root to `root` */
#define JC_POLICY_OWNER  0x2u /* the script's owner is the user */
#define JC_POLICY_SHELL  0x4u /* pages may run commands (SSI exec cmd) */
/* With JC_POLICY_OWNER: the owner of the script's directory is the user. */
#define JC_POLICY_DIR_OWNER 0x8u
#define JC_POLICY_HOST      0x10u /* the root is made of mounts alone */
#define JC_POLICY_PRIVS     0x20u /* JailNoNewPrivs Off */
#define JC_POLICY_SCOPE     0x40u /* requests are isolated from each other */
#define JC_POLICY_LISTEN    0x80u /* scripts may bind any TCP port */
/* Scripts may make sessions, which the keeper notes: terminals need them. */
#define JC_POLICY_SESSIONS 0x100u
#define JC_POLICY_FLAGS    0x1ffu

/* JailNamespaces: the namespaces that a keeper has of its own. */
#define JC_NS_MOUNT   0x1u
#define JC_NS_PID     0x2u
#define JC_NS_IPC     0x4u
#define JC_NS_UTS     0x8u
#define JC_NS_NET     0x10u
#define JC_NS_CGROUP  0x20u
#define JC_NS_ALL     0x3fu
#define JC_NS_DEFAULT (JC_NS_MOUNT | JC_NS_PID | JC_NS_IPC | JC_NS_UTS)

#define JC_TABLE_LEN_MAX  (256u << 20)
#define JC_POLICY_LEN_MAX (1u << 20)
#define JC_GROUPS_MAX     1024u
#define JC_PORTS_MAX      16u
#define JC_MOUNTS_MAX     512u
#define JC_FILTER_MAX     4096u /* BPF_MAXINSNS */
#define JC_FILTER_STEP    8u    /* sizeof(struct sock_filter) */
#define JC_CGROUP_MAX     64u
#define JC_PASS_MAX       256u
#define JC_NO_MAX         UINT32_MAX
#define JC_PADDED(len)    (((len) + 7) & ~(size_t) 7)
#define JC_NICE_UNSET     INT32_MAX

/* The place of a common part or a record. */
typedef struct {
    uint32_t offset; /* where the one before it ends */
    uint32_t common; /* of a record: number of its common part; otherwise 0 */
} jc_table_entry_t;

typedef struct {
    uint32_t magic;
    uint32_t version; /* JC_WIRE_VERSION */
    uint64_t generation;
    uint32_t len; /* of the whole table */
    uint32_t policy_count;
    uint32_t common_count;
    uint32_t account_count;
    jc_table_entry_t entries[];
} jc_table_head_t;

typedef struct {
    uint32_t len;
    uint32_t namespaces; /* JC_NS_* that its rows need */
    uint32_t mount_count;
    uint32_t filter_count;
    uint32_t strings_len;
    uint32_t reserved; /* 0 */
} jc_common_t;

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
    uint32_t total_ms;    /* for one request; 0: no limit */
    uint32_t namespaces;  /* JC_NS_* */
    uint32_t mount_count; /* beside those of the common part */
    uint32_t cgroup_count;
    uint32_t running_max; /* scripts at once; 0: no limit */
    uint32_t queue_max;   /* requests that may wait for a place */
    uint32_t queue_ms;    /* how long one may wait */
    /* How long the processes that a request leaves behind may live; 0: not at
     * all; JC_NO_MAX: no limit. */
    uint32_t background_ms;
    uint32_t trust_mount_count;
    /* Number of TCP ports that scripts may bind, in ascending order, each once;
     * 0: only those that the kernel chooses. 0 with JC_POLICY_LISTEN. */
    uint32_t port_count;
    uint32_t pass_count; /* JailPassEnv */
    uint32_t umask;      /* of the scripts */
} jc_policy_rec_t;

#define JC_ACCOUNT_ROOT  0x1u /* a member of root's group: runs nothing */
#define JC_ACCOUNT_FLAGS 0x1u

typedef struct {
    uint32_t len;
    uint32_t flags;
    uint32_t uid;
    uint32_t gid;         /* the primary group of the account */
    uint32_t group_count; /* all groups, the primary one among them */
    uint32_t mount_count;
    uint32_t strings_len;
    uint32_t reserved; /* 0 */
} jc_account_t;

typedef struct {
    uint32_t resource; /* RLIMIT_* */
    uint32_t reserved; /* 0 */
    uint64_t soft;     /* RLIM_INFINITY as the kernel defines it */
    uint64_t hard;
} jc_limit_t;

/* The kind of a row: what it puts at its target in the new root. */
typedef enum {
    JC_MOUNT_BIND = 1, /* the source, with everything below it */
    JC_MOUNT_TMPFS,    /* an empty file system in memory */
    JC_MOUNT_PROC,     /* the processes of the keeper's own PID namespace */
    JC_MOUNT_DIR,      /* no mount: a directory */
    JC_MOUNT_FILE,     /* no mount: a file whose content is the source */
    JC_MOUNT_LINK,     /* no mount: a symbolic link to the source */
    JC_MOUNT_LAYER,    /* the names of the source, over those of the target */
    JC_MOUNT_PTY,      /* pseudo-terminals of the jail's own */
    JC_MOUNT_KINDS = JC_MOUNT_PTY
} jc_mount_kind_t;

#define JC_MOUNT_READ_ONLY 0x1u
#define JC_MOUNT_NOEXEC    0x2u
#define JC_MOUNT_DEVICES   0x4u /* without nodev */
/* Skipped if the source does not exist; what is not mounted, if it cannot be
 * made, because something is there. */
#define JC_MOUNT_OPTIONAL 0x8u
#define JC_MOUNT_MAKE     0x10u /* the target is made if it does not exist */
#define JC_MOUNT_HOME     0x20u /* the source must be the tenant's own */
/* The last component of the source is a name that begins with %u: a directory
 * of the tenant's, which the keeper makes if it does not exist. */
#define JC_MOUNT_OWN 0x40u
/* What the machine mounts below the source later appears in the jail. */
#define JC_MOUNT_SLAVE 0x80u
#define JC_MOUNT_FLAGS 0xffu

typedef struct {
    uint32_t kind;
    uint32_t flags;
    uint32_t mode;   /* of the root of a tmpfs */
    uint32_t inodes; /* the maximum of a tmpfs, or of pseudo-terminals */
    uint64_t size;   /* bytes; the maximum of a tmpfs */
    uint64_t ino;    /* of a file: another file is another policy */
} jc_mount_t;

#endif
