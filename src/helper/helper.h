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
#define JC_JAILS_UID_MAX   64   /* of one user, ending ones included */
#define JC_JAILS_OWNER_MAX 5000 /* of one policy with JailUser owner */
#define JC_DESCRIPTORS     512  /* kept for other things than keepers */
#define JC_GENERATIONS_MAX 64

/* A policy of one or more generations, or what some of them have in common,
 * each once. Lives in memory that no keeper gets. */
typedef struct jc_policy {
    struct jc_policy *next;   /* in its hash chain */
    struct jc_policy *common; /* a policy's; NULL: it is a common part itself */
    uint64_t hash;
    uint32_t refs;  /* tables that contain it, or policies */
    uint32_t jails; /* jails that were made from it */
    struct jc_chunk *chunk;
    union { /* the whole of it follows */
        uint32_t len;
        jc_policy_rec_t rec;
        jc_common_t part; /* where `common` is NULL */
    };
} jc_policy_t;

/* What epoll gives back points to one of these. */
enum {
    JC_SOURCE_PARENT = 1,
    JC_SOURCE_PARENT_DIED,
    JC_SOURCE_SIGNAL,
    JC_SOURCE_GENERATION,
    JC_SOURCE_KEEPER
};

/* One configuration's children and what they may ask for. */
typedef struct {
    int source; /* JC_SOURCE_GENERATION */
    int sock_fd;
    uint64_t number;
    uint32_t web_uid; /* whom the children run as */
    uint32_t policy_count;
    jc_policy_t **policies;
    uint32_t part_count; /* the common parts, and behind them these policies */
    jc_policy_t **parts;
} jc_generation_t;

/* generation.c */
jc_generation_t *jc_generation_open(const jc_msg_generation_t *msg, int sock_fd,
                                    int table_fd);
void jc_generation_close(jc_generation_t *generation);

/* harden.c: refuses what root may and nobody here needs. 0, or -1 with errno.
 */
int jc_harden(void);

/* selftest.c: says in the main error log what of this table's policies will
 * not work here, and why; of each thing once. */
void jc_selftest(const jc_generation_t *generation, uint64_t caps);
/* The errno with which this fails in a child, ENOSYS if it kills it, or 0. */
int jc_selftest_attempt(int (*try)(void));

/* writes.c: -1 with EROFS where the machine's mounts forbid it, else 0. */
int jc_writes_at(const char *path);

/* dispatch.c: JC_MSG_SPAWN from the httpd child `sender`, in the kernel's
 * words. Takes fds. */
void jc_dispatch_spawn(const jc_generation_t *generation,
                       const jc_msg_spawn_t *msg, int *fds,
                       const struct ucred *sender);

/* dispose.c: has descriptors of a peer's closed, which may be of any kind. What
 * cannot be passed on stays open, and _has_failed says so once: the peer must
 * be given up. */
typedef enum {
    JC_DISPOSE_UNKNOWN,
    JC_DISPOSE_CHANNEL, /* two sockets of the web user's, which were served */
    JC_DISPOSE_KEEPER,  /* what comes from a keeper, which is a tenant's */
    JC_DISPOSE_CLASSES
} jc_dispose_class_t;
void jc_dispose_as(jc_dispose_class_t which, int *fds, unsigned count);
void jc_dispose(int *fds, unsigned count);
int jc_dispose_has_failed(void);
/* Whether this child that has ended was one of its processes. */
int jc_dispose_reaped(pid_t pid);

/* log.c */
void jc_log(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Our own mistake: logs and aborts; the parent starts a new helper. */
void jc_log_bug(const char *what) __attribute__((noreturn));

#endif
