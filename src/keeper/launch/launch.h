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
 * A slot is what one script's child needs of memory until it executes
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

/* launch.c: the script's child from its first instruction to exec. */
void jc_launch(jc_slot_t *slot) __attribute__((noreturn));

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

/* vouch.c: whether root vouches for the owners that a file system has, from
 * the finished table. */
jc_fs_t jc_vouch_file_system(const jc_jail_t *jail, int fd);
/* Where in the table a mount is, or would be. */
uint32_t jc_vouch_position(const jc_mounted_table_t *table, uint32_t id);
/* NULL: it is not there. */
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

#endif
