/*
 * What the files of the keeper share.
 *
 * Runs in:   keeper; script's child up to exec
 * Privilege: root until jc_jail_build() returns, then the tenant for good
 * Trusts:    the policy record; of a request nothing
 * Never:     regains a privilege
 */
#ifndef JC_KEEPER_H
#define JC_KEEPER_H

#include "src/policy/policy.h"
#include "src/wire/codes.h"
#include "src/wire/mountinfo.h"
#include "src/wire/request.h"
#include "src/wire/wire.h"

#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Where the keeper's descriptors lie; a request's control socket gets a higher
 * number. 0 to 2 are /dev/null, and 0 is the jail's own: it is the stdin of
 * scripts whose request has no body. */
#define JC_KEEPER_STALE_FD    3 /* eventfd: a script is not in the root */
#define JC_KEEPER_HELPER_FD   4
#define JC_KEEPER_PARENT_FD   5 /* pidfd of the httpd parent */
#define JC_KEEPER_CHILDREN_FD 6
#define JC_KEEPER_PROC_FD     7 /* with a PID namespace: its processes */
#define JC_KEEPER_SIGNAL_FD   8
#define JC_KEEPER_EPOLL_FD    9
/* Where there is a cgroup: its memory.events, pids.events and cpu.stat. */
#define JC_KEEPER_EVENTS_FD 10
#define JC_KEEPER_EVENTS    3
#define JC_KEEPER_SCOPE_FD  13 /* where requests are apart */

/* In the script's child, beside the first four. */
#define JC_SCRIPT_CONTROL_FD 4

/* A page of so many numbers is what the keepers of one jail share: how many
 * scripts each of them runs (tally.c). The helper says which slot is whose. */
#define JC_TALLY_SLOTS 64

typedef struct {
    int sock_fd;
    int parent_pidfd;
    int cgroup_fd; /* -1: no JailCgroup */
    int tally_fd;  /* -1: no JailConcurrency */
    unsigned tally_slot;
    uint32_t uid;
    uint32_t gid;
    const void *rec; /* of the policy: each begins with its length */
    const void *common;
    char *title; /* the memory of argv, which ps shows */
    size_t title_size;
} jc_keeper_start_t;

/* Mounts by their numbers, in that order. */
typedef struct {
    uint32_t id;
    jc_fs_t fs;
} jc_mounted_t;

typedef struct {
    jc_mounted_t *list;
    uint32_t count;
} jc_mounted_table_t;

typedef struct {
    jc_keeper_start_t start;
    jc_policy_view_t policy;
    const jc_mounted_table_t *mounted;
    int root_fd;     /* the new root between two steps, else -1 */
    uint64_t secret; /* with which the script's child may call setsid */
    uint64_t print;  /* jc_print_of() of what its root was made of */
    int has_scope;   /* requests are apart from each other */
} jc_jail_t;

/* Whether the keeper has these namespaces (JC_NS_*) of its own. */
static inline int jc_jail_has(const jc_jail_t *jail, uint32_t namespaces)
{
    return (jail->policy.rec->namespaces & namespaces) == namespaces;
}

/* keeper.c */
void jc_keeper_main(const jc_keeper_start_t *start) __attribute__((noreturn));

/* jail.c: does all steps. Returns 0, or -1 with *failure filled in. */
int jc_jail_build(jc_jail_t *jail, jc_failure_t *failure);
/* The RLIMIT_NPROC in force, for the sentence when fork fails. */
uint64_t jc_jail_nproc(void);

/* cgroup_enter.c: the step. `fd` is placed as in jail.c. */
int jc_cgroup_enter(jc_jail_t *jail, jc_failure_t *failure);

/* cgroup_events.c: what the kernel has counted in the jail's cgroup. */
typedef struct {
    uint64_t oom_kills;
    uint64_t pids_refused;
    uint64_t throttled_us;
} jc_cgroup_events_t;
void jc_cgroup_events_read(const jc_jail_t *jail, jc_cgroup_events_t *events);
/* JC_ENDED_*: what of it explains how a script ended that was started when
 * there was *before. */
uint32_t jc_cgroup_events_verdict(const jc_jail_t *jail,
                                  const jc_cgroup_events_t *before, int status);

/* Moves fd to `number`, close-on-exec. 0 or -1. */
int jc_jail_place(int fd, int number);

/* filter.c: a step. */
int jc_filter_install(jc_jail_t *jail, jc_failure_t *failure);

/* landlock.c: two steps. */
int jc_landlock_enter(jc_jail_t *jail, jc_failure_t *failure);
int jc_landlock_scope(jc_jail_t *jail, jc_failure_t *failure);

/* Tells every request that is queued at the socket what failed. */
void jc_keeper_refuse_all(int sock_fd, const jc_failure_t *failure);

/* loop.c: serves until the helper closes and the last request has ended. */
void jc_loop_serve(const jc_jail_t *jail) __attribute__((noreturn));

/* children.c: pids of the keeper's children, at most `max`; how many, or -1.
 * *proc_fd: the root of a procfs of the PID namespace, if there is one. */
int jc_children_open(int has_pid_ns, int *proc_fd);
int jc_children_list(pid_t *pids, int max);

/* walk.c */
#define JC_WALK_DEPTH 128
#define JC_WALK_REST  8192 /* a symbolic link's target and what follows it */
typedef enum { JC_WALK_FILE, JC_WALK_DIR, JC_WALK_ANY } jc_walk_want_t;

typedef struct {
    uint32_t owner;      /* beside root, whose directories may be */
    int any_directory;   /* whosesoever they are */
    int links_need_root; /* symlinks count only where none but root could
                            make them */
    /* Says of an open file whether its owner counts. With links_need_root it is
     * asked where there is a link, else of all that is walked through.
     * NULL: owners say nothing that matters. */
    jc_fs_t (*file_system)(const jc_jail_t *jail, int fd);
    const jc_jail_t *jail; /* for file_system */
} jc_walk_rule_t;

typedef struct {
    int dir_fd;  /* of the last directory; the caller's */
    int file_fd; /* O_PATH of the last component; -1 if it is the directory */
    struct stat dir;
    struct stat file;
    jc_failure_t failure;
    char path[4096];            /* canonical, or as far as the walk came */
    char rest[2][JC_WALK_REST]; /* what is still to be walked, in turn */
} jc_walk_t;

/*
 * Walks `path` (absolute) from the process's root one component at a time,
 * following symbolic links itself, and checks every directory by descriptor:
 * owned by root or rule->owner, writable by nobody else. Where a directory is
 * wanted, and found, it is checked like the others, and dir_fd is it.
 * Returns 0, or -1 with walk->failure and nothing open.
 */
int jc_walk(const char *path, const jc_walk_rule_t *rule, jc_walk_want_t want,
            jc_walk_t *walk);

/*
 * mounts.c, two steps: the root and what is in it, in the keeper's own mount
 * namespace if it has one; and to go there. 0 or -1.
 */
int jc_mounts_make(jc_jail_t *jail, jc_failure_t *failure);
int jc_mounts_enter(jc_jail_t *jail, jc_failure_t *failure);

/*
 * print.c: a number made of device and inode of JailRoot and of each source of
 * a mount, as they are found from the host's root now. A step, which keeps it
 * in the jail; and the same for whoever compares. A source that cannot be
 * reached counts as none. 0 or -1.
 */
int jc_print_take(jc_jail_t *jail, jc_failure_t *failure);
uint64_t jc_print_of(const jc_policy_view_t *policy, uint32_t uid);

/*
 * tally.c: the places of JailConcurrency, which all keepers of one jail share.
 * jc_tally_take: 1 if a script more may run, and then it is counted until
 * jc_tally_give.
 */
int jc_tally_open(jc_jail_t *jail, jc_failure_t *failure);
int jc_tally_take(uint32_t most);
void jc_tally_give(uint32_t places);
/* Whether scripts of another keeper hold places. */
int jc_tally_has_others(void);

/*
 * mounted.c: reads the table of what is mounted, of which begin() finds what
 * JailTrustMount names and has to come before the first mount; note() takes all
 * that there is by then, where the policy needs it; nosuid() notes, and then
 * makes this tree nosuid, which nobody could see any more afterwards; end() is
 * for a keeper that sees the machine's own mounts: it keeps what JailTrustMount
 * names and no more. 0, or -1 with errno.
 */
int jc_mounted_begin(jc_jail_t *jail);
int jc_mounted_note(const jc_jail_t *jail);
int jc_mounted_nosuid(int tree_fd);
int jc_mounted_end(jc_jail_t *jail);
/* Of what the keeper has open as root; notes what it does not know yet. */
jc_fs_t jc_mounted_file_system(const jc_jail_t *jail, int fd);

/* vouch.c: the same from the finished table, for the script's child. */
jc_fs_t jc_vouch_file_system(const jc_jail_t *jail, int fd);
/* Where in the table a mount is, or would be. */
uint32_t jc_vouch_position(const jc_mounted_table_t *table, uint32_t id);
/* NULL: it is not there. */
const jc_mounted_t *jc_vouch_find(const jc_mounted_table_t *table, uint32_t id);

/*
 * tree.c: a new file system with up to three options; a copy of what is mounted
 * at and below a directory; MOUNT_ATTR_*, with AT_RECURSIVE for all of it.
 * Each -1 with errno, or the tree's descriptor, or 0.
 */
int jc_tree_new(const char *type, const char *const options[][2],
                unsigned attributes);
int jc_tree_clone(int fd);
int jc_tree_set(int tree_fd, unsigned attributes, unsigned flags);

/*
 * place.c: what lies at `path` beneath the root, as O_PATH and with no symbolic
 * link on the way; and making it: a directory, a file with that content or a
 * link to it, where none but root may. -1 with errno.
 */
int jc_place_open(int root_fd, const char *path, int flags);
int jc_place_make(const jc_jail_t *jail, const char *path, jc_mount_kind_t kind,
                  const char *content);

/* decode.c */
typedef struct {
    const char *script;
    char **argv; /* NULL-terminated */
    char **envp; /* NULL-terminated, with room for the policy's strings */
    uint32_t envc;
    uint32_t flags; /* JC_REQUEST_* */
    uint64_t script_dev;
    uint64_t script_ino;
    const jc_request_limit_t *limits; /* JC_REQUEST_LIMITS of them */
} jc_request_t;

/* How many pointers argv and envp of this request take, with `env_room` more
 * in envp; 0: its head is malformed. */
size_t jc_decode_vectors(const void *data, size_t len, uint32_t env_room);
/* Decodes `len` bytes, whose head was found good; the strings stay where they
 * are, the pointers go to `vectors`. 0 or -1. */
int jc_decode_request(const void *data, size_t len, char **vectors,
                      jc_request_t *request);

/* environment.c: drops the names that a request may not bring into this jail,
 * and sets the policy's strings. */
void jc_environment_apply(const jc_policy_view_t *policy,
                          jc_request_t *request);

/* With JC_POLICY_OWNER: a HOME that another tenant could fill becomes "/". */
void jc_environment_check_home(const jc_jail_t *jail, jc_request_t *request,
                               jc_walk_t *walk);

/* check.c: whether this script may run in this jail. 0, or -1 with *failure. */
int jc_check_script(const jc_jail_t *jail, const jc_request_t *request,
                    const jc_walk_t *walk, jc_failure_t *failure);

/* diagnose.c: why execve of `path` failed with errnum. */
#define JC_HEAD_LEN 4096
typedef struct {
    char bytes[JC_HEAD_LEN + 1];
    size_t len;
} jc_head_t;

typedef struct {
    jc_failure_t failure;
    char named[JC_TEXT_MAX];
    jc_head_t script;
    jc_head_t interpreter;
} jc_diagnosis_t;

void jc_diagnose_exec(const char *path, int errnum, jc_diagnosis_t *d);

/*
 * spawn.c: a slot is what one script's child needs of memory until it executes
 * the script: it runs in the keeper's own.
 */
#define JC_SLOT_VECTORS 512
typedef struct jc_slot {
    struct jc_slot *next;
    int busy; /* the kernel sets it to 0 when the child has left this memory */
    const jc_jail_t *jail;
    uint64_t request_id;
    int control_fd;
    uint32_t web_uid; /* whose requests it takes */
    /* Address space for what does not fit below: JC_REQUEST_LEN_MAX bytes, and
     * the pointers behind it. The child says so before it maps anything. */
    char *reserve;
    int is_mapped;
    char *vectors[JC_SLOT_VECTORS];
    _Alignas(8) char request[JC_REQUEST_INLINE_MAX];
} jc_slot_t;

/* Makes the script's child. Returns its pid, or -1 with errno set. */
pid_t jc_spawn(const jc_jail_t *jail, uint64_t request_id, int control_fd,
               uint32_t web_uid);
/* Gives back what children that have left had mapped. */
void jc_spawn_tidy(void);

/* launch.c: the script's child from its first instruction to exec. */
void jc_launch(jc_slot_t *slot) __attribute__((noreturn));

#endif
