/*
 * The declarations that the files of the helper share.
 *
 * Runs in:   helper
 * Privilege: root, least capabilities
 * Trusts:    its parent's messages and tables, once their shape is checked
 * Never:     reads the environment of a request, resolves a path that a tenant
 *            names, loads a library
 */
#ifndef JC_HELPER_H
#define JC_HELPER_H

#include "src/policy/policy.h"
#include "src/wire/codes.h"

#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#define JC_JAILS_MAX       10000
#define JC_JAILS_UID_MAX   64 /* of one user, including those that are ending */
#define JC_JAILS_OWNER_MAX 5000 /* of one policy with JailUser owner */
#define JC_DESCRIPTORS     512  /* reserved for uses other than keepers */
#define JC_GENERATIONS_MAX 64

/* A policy of one or more generations, a common part of policies, or an
 * account, each stored once. It is in memory that keepers do not inherit. */
typedef struct jc_policy {
    struct jc_policy *next;   /* in its hash chain */
    struct jc_policy *common; /* NULL: this is a common part itself */
    uint64_t hash;
    uint32_t refs;  /* tables or policies that refer to it */
    uint32_t jails; /* jails that were made from it */
    struct jc_chunk *chunk;
    union { /* the rest of it follows */
        uint32_t len;
        jc_policy_rec_t rec;
        jc_common_t part;     /* where `common` is NULL */
        jc_account_t account; /* the same */
    };
} jc_policy_t;

/* epoll returns a pointer to a struct that begins with one of these. */
enum {
    JC_SOURCE_PARENT = 1,
    JC_SOURCE_PARENT_DIED,
    JC_SOURCE_SIGNAL,
    JC_SOURCE_GENERATION,
    JC_SOURCE_KEEPER
};

/* One generation: the httpd children of one configuration, and the policies
 * that they may ask for. */
typedef struct {
    int source; /* JC_SOURCE_GENERATION */
    int sock_fd;
    uint64_t number;
    uint32_t web_uid; /* the user of these children */
    uint32_t policy_count;
    jc_policy_t **policies;
    uint32_t account_count;
    jc_policy_t **accounts; /* in ascending order of their uids */
    uint32_t part_count;    /* common parts, these policies, these accounts */
    jc_policy_t **parts;
} jc_generation_t;

/* generation.c: maps, checks and takes the policies of the table in table_fd.
 * Takes ownership of sock_fd, not of table_fd. Returns NULL if the table is
 * malformed or memory is short. */
jc_generation_t *jc_generation_open(const jc_msg_generation_t *msg, int sock_fd,
                                    int table_fd);
/* Returns the account of this user, or NULL if the parent has found none. */
jc_policy_t *jc_generation_account(const jc_generation_t *generation,
                                   uint32_t uid);
/* Drops its policies, gives its socket to a closer, and frees it. */
void jc_generation_close(jc_generation_t *generation);

/* harden.c: installs a filter against system calls that root may make and
 * nobody here needs. Returns 0, or -1 with errno. */
int jc_harden(void);

/* selftest.c: logs what the policies of this table need and will not get here,
 * and why; each thing once in the helper's life. */
void jc_selftest(const jc_generation_t *generation, uint64_t caps);
/* Runs try() in a child. Returns 0, the errno of its failure, ENOSYS if the
 * child was killed, or ETIME if it did not end in time. */
int jc_selftest_attempt(int (*try)(void));

/* writes.c: returns -1 with EROFS if the machine's mounts make `path`
 * read-only, otherwise 0. */
int jc_writes_at(const char *path);

/* dispatch.c: serves a JC_MSG_SPAWN from an httpd child. The kernel has
 * reported `sender` (SO_PASSCRED in unix(7)). Takes ownership of fds. */
void jc_dispatch_spawn(const jc_generation_t *generation,
                       const jc_msg_spawn_t *msg, int *fds,
                       const struct ucred *sender);

/* dispose.c: closes descriptors from a peer, which may be of any kind, without
 * blocking. If no process takes a descriptor to close it, it stays open. Then
 * jc_dispose_has_failed() returns 1, once, and the caller must give up the
 * peer. */
typedef enum {
    JC_DISPOSE_UNKNOWN,
    JC_DISPOSE_CHANNEL, /* two sockets of the web user, which were served */
    JC_DISPOSE_KEEPER,  /* from a keeper, which is a tenant's */
    JC_DISPOSE_CLASSES
} jc_dispose_class_t;
void jc_dispose_as(jc_dispose_class_t which, int *fds, unsigned count);
void jc_dispose(int *fds, unsigned count);
int jc_dispose_has_failed(void);
/* Returns whether this child, which has ended, was a closer. */
int jc_dispose_reaped(pid_t pid);

/* log.c: writes one line to httpd's main error log, and never waits. */
void jc_log(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Logs a mistake of the helper itself, and aborts; the parent starts a new
 * helper. */
void jc_log_bug(const char *what) __attribute__((noreturn));

#endif
