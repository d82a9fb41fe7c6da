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

#include "src/helper/policy.h"
#include "src/wire/codes.h"
#include "src/wire/wire.h"

#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Where the keeper's descriptors lie. Those that a request brings get higher
 * numbers, so that moving them to 0..4 in the child overwrites none of them. */
#define JC_KEEPER_HELPER_FD   3
#define JC_KEEPER_PARENT_FD   4 /* pidfd of the httpd parent */
#define JC_KEEPER_CHILDREN_FD 5
#define JC_KEEPER_STALE_FD    6 /* eventfd: the root is not the one expected */
#define JC_KEEPER_SIGNAL_FD   7
#define JC_KEEPER_EPOLL_FD    8

/* And in the script's child. */
#define JC_SCRIPT_CONTROL_FD 3
#define JC_SCRIPT_REQUEST_FD 4
#define JC_SCRIPT_STALE_FD   5

typedef struct {
    int sock_fd;
    int parent_pidfd;
    int has_namespaces; /* it is PID 1 of a PID namespace */
    uint32_t uid;
    uint32_t gid;
    const void *rec;
    size_t rec_len;
    char *title; /* the memory of argv, which ps shows */
    size_t title_size;
} jc_keeper_start_t;

typedef struct {
    jc_keeper_start_t start;
    jc_policy_view_t policy;
} jc_jail_t;

/* main.c */
void jc_keeper_main(const jc_keeper_start_t *start) __attribute__((noreturn));

/* jail.c: does all steps. Returns 0, or -1 with *failure filled in. */
int jc_jail_build(jc_jail_t *jail, jc_failure_t *failure);
/* The RLIMIT_NPROC in force, for the sentence when fork fails. */
uint64_t jc_jail_nproc(void);

/* Tells every request that is queued at the socket what failed. */
void jc_keeper_refuse_all(int sock_fd, const jc_failure_t *failure);

/* loop.c: serves until the helper closes and the last request has ended. */
void jc_keeper_serve(const jc_jail_t *jail) __attribute__((noreturn));

/* children.c: pids of the keeper's children, at most `max`; how many, or -1. */
int jc_children_open(int has_namespaces);
int jc_children_list(pid_t *pids, int max);

/* walk.c */
#define JC_WALK_DEPTH 128
typedef struct {
    uint32_t owner;      /* beside root, whose directories may be */
    int links_need_root; /* symlinks count only in root's own directories */
} jc_walk_rule_t;

typedef struct {
    int dir_fd;  /* of the last directory; the caller's */
    int file_fd; /* O_PATH of the last component; -1 if `want_dir` */
    struct stat dir;
    struct stat file;
    jc_failure_t failure; /* text points to `path` */
    char path[4096];      /* canonical, or as far as the walk came */
} jc_walk_t;

/*
 * Walks `path` (absolute) from the process's root one component at a time,
 * following symbolic links itself, and checks every directory by descriptor:
 * owned by root or rule->owner, writable by nobody else. With want_dir the
 * last component must be a directory too, is checked like the others, and
 * dir_fd is it. Returns 0, or -1 with walk->failure and nothing open.
 */
int jc_walk(const char *path, const jc_walk_rule_t *rule, int want_dir,
            jc_walk_t *walk);

/* request.c */
typedef struct {
    const char *script;
    char **argv; /* NULL-terminated */
    char **envp; /* NULL-terminated, with room for envp_room more */
    uint32_t envc;
    uint64_t script_dev;
    uint64_t script_ino;
} jc_request_t;

/*
 * Decodes `len` bytes; the strings stay where they are. argv and envp, which
 * has room for `env_room` further strings, are put into the room_len pointers
 * at `room` (may be NULL) if they fit, and are allocated otherwise. 0 or -1.
 */
int jc_request_decode(const void *data, size_t len, uint32_t env_room,
                      char **room, size_t room_len, jc_request_t *request);

/* environment.c: drops the dangerous names and sets the policy's strings. */
void jc_environment_apply(const jc_policy_view_t *policy,
                          jc_request_t *request);

/* check.c: whether this script may run in this jail. 0, or -1 with *failure. */
int jc_check_script(const jc_jail_t *jail, const jc_request_t *request,
                    const jc_walk_t *walk, jc_failure_t *failure);

/* diagnose.c: why execve of `path` failed with errnum. */
void jc_diagnose_exec(const char *path, int errnum, jc_failure_t *failure);

/* launch.c: the script's child from fork to exec. */
void jc_launch(const jc_jail_t *jail, uint64_t request_id, const int *fds)
    __attribute__((noreturn));

#endif
