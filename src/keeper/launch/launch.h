/*
 * The script's child between clone and exec. It shares the keeper's memory
 * until exec, and therefore calls no function that has a state (sys.h).
 *
 * Runs in:   script's child; keeper, for the walk and the table of mounts
 * Privilege: the tenant's; root's in the keeper while it builds the jail
 * Trusts:    nothing in the request before it is checked
 */
#ifndef JC_LAUNCH_H
#define JC_LAUNCH_H

#include "src/keeper/keeper.h"

#include <sys/stat.h>

/*
 * The memory that one script's child needs until it executes the script,
 * because it runs in the memory of the keeper.
 */
#define JC_SLOT_VECTORS 512
typedef struct jc_slot {
    struct jc_slot *next;
    int busy; /* the kernel clears it when the child leaves this memory */
    const jc_jail_t *jail;
    uint64_t request_id;
    int control_fd;
    uint32_t web_uid; /* the only uid whose requests it takes */
    /* Address space for a request that does not fit below: JC_REQUEST_LEN_MAX
     * bytes, then the pointers. The child sets is_mapped before it maps
     * anything into it. */
    char *reserve;
    int is_mapped;
    char *vectors[JC_SLOT_VECTORS];
    _Alignas(8) char request[JC_REQUEST_INLINE_MAX];
} jc_slot_t;

/* launch.c: the script's child from its first instruction to exec. Sends
 * STARTED or FAILED over the channel. */
void jc_launch(jc_slot_t *slot) __attribute__((noreturn));

/* walk.c */
#define JC_WALK_DEPTH 128
#define JC_WALK_REST  8192 /* target of a symbolic link, and what follows it */
typedef enum { JC_WALK_FILE, JC_WALK_DIR, JC_WALK_ANY } jc_walk_want_t;

typedef struct {
    uint32_t owner;      /* may own directories, as root may */
    int any_directory;   /* owner and mode do not matter */
    int links_need_root; /* symlinks count only where nobody but root could make
                            them */
    /* Says of an open file whether its owner counts. With links_need_root it is
     * called only for the directory of a link, otherwise for every component.
     * NULL: owners always count. */
    jc_fs_t (*file_system)(const jc_jail_t *jail, int fd);
    const jc_jail_t *jail; /* for file_system */
    const int *root_fd;    /* where "/" is; NULL: the process's root */
} jc_walk_rule_t;

typedef struct {
    int dir_fd;  /* the last directory; the caller closes it */
    int file_fd; /* O_PATH of the file; -1: dir_fd is it */
    /* With JC_WALK_FILE, if the path names a symbolic link: the directory that
     * has the link. The caller closes it. -1: it is dir_fd. */
    int named_dir_fd;
    struct stat dir;
    struct stat file;
    jc_failure_t failure;
    char path[4096]; /* canonical; on failure, as far as the walk got */
    char rest[2][JC_WALK_REST]; /* used in turn: what remains to be walked */
} jc_walk_t;

/*
 * Walks `path` (absolute) from the process's root, one component at a time. It
 * follows symbolic links itself, and checks every directory by descriptor: root
 * or rule->owner must own it, and nobody else may write it. With JC_WALK_DIR
 * and JC_WALK_ANY a directory at the end is checked in the same way and becomes
 * dir_fd.
 * Returns 0, and the caller closes the descriptors; or -1 with walk->failure
 * and nothing open.
 */
int jc_walk(const char *path, const jc_walk_rule_t *rule, jc_walk_want_t want,
            jc_walk_t *walk);

/* vouch.c: returns from the finished table whether root vouches for the owners
 * on the file system of `fd`. */
jc_fs_t jc_vouch_file_system(const jc_jail_t *jail, int fd);
/* Returns the index of the mount in the table, or where it would be. */
uint32_t jc_vouch_position(const jc_mounted_table_t *table, uint32_t id);
/* Returns the mount, or NULL if it is not in the table. */
const jc_mounted_t *jc_vouch_find(const jc_mounted_table_t *table, uint32_t id);

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

/* Checks the head of the request. Returns how many pointers argv and envp need,
 * with `env_room` more in envp, or 0 if the head is malformed. */
size_t jc_decode_vectors(const void *data, size_t len, uint32_t env_room);
/* Decodes `len` bytes whose head jc_decode_vectors() has accepted. The strings
 * stay where they are, and `vectors` gets the pointers. Returns 0, or -1 if the
 * strings are malformed. */
int jc_decode_request(const void *data, size_t len, char **vectors,
                      jc_request_t *request);

/* environment.c: drops the variables that a request may not bring into this
 * jail, and sets the policy's. request->envp must have room for them. */
void jc_environment_apply(const jc_policy_view_t *policy,
                          jc_request_t *request);

/* With JC_POLICY_OWNER: replaces a HOME that another tenant could fill by "/".
 * Uses `walk` as scratch memory. */
void jc_environment_check_home(const jc_jail_t *jail, jc_request_t *request,
                               jc_walk_t *walk);

/* check.c: checks whether this script may run in this jail. Returns 0, or -1
 * with *failure. */
int jc_check_script(const jc_jail_t *jail, const jc_request_t *request,
                    const jc_walk_t *walk, jc_failure_t *failure);

#endif
