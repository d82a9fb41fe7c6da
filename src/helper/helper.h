/*
 * What the files of the helper share.
 *
 * Runs in:   helper
 * Privilege: root, least capabilities
 * Trusts:    its parent's messages and tables, once their shape is checked
 * Never:     reads a request's environment, resolves a path named by a
 *            tenant, loads a library
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

/* policies.c: the one with these bytes, whose length is the first word, and
 * with this common part; which is NULL for such a part itself. */
jc_policy_t *jc_policies_intern(const void *bytes, jc_policy_t *common);
void jc_policies_unref(jc_policy_t *policy);
/* Frees it if no table and no jail needs it any more. */
void jc_policies_release(jc_policy_t *policy);
/* The record and behind it its common part, for a process that is about to be
 * made and will not have the original. The caller's, until it gives it back to
 * _wipe: what is freed is the next process's to find, and may hold secrets.
 * NULL with errno: memory is short. */
char *jc_policies_copy(const jc_policy_t *policy);
void jc_policies_wipe(const jc_policy_t *policy, char *copy);

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

/* keeper_fork.c: fork in these namespaces (JC_NS_*) and in this cgroup; -1:
 * where the caller is. */
pid_t jc_keeper_fork(uint32_t namespaces, int cgroup_fd);

/* cgroup_tree.c. jc_cgroup_tree_make returns the directory of a new cgroup with
 * the policy's limits, and its number; -1 with *failure where it cannot be. */
int jc_cgroup_tree_make(const jc_policy_t *policy, unsigned *number,
                        jc_failure_t *failure);
/* The same directory again; -1 with *failure. */
int jc_cgroup_tree_open(unsigned number, jc_failure_t *failure);
/* 0 is none. */
void jc_cgroup_tree_remove(unsigned number);
/* Removes what was busy or left behind; to be called while it owes that. */
void jc_cgroup_tree_sweep(void);
int jc_cgroup_tree_owes(void);

/* keepers.c */
typedef struct {
    int epoll_fd;
    int parent_pidfd;
    unsigned jails_max;
    char *title; /* the memory of argv, which ps shows */
    size_t title_size;
} jc_keepers_conf_t;

void jc_keepers_init(const jc_keepers_conf_t *conf);
/*
 * Passes a request on to the keeper of (policy, uid, gid), which is made if
 * there is none. The JC_RUN_FDS descriptors remain the caller's. On failure
 * *failure says why. Returns 0 or -1.
 */
int jc_keepers_run(jc_policy_t *policy, uint32_t uid, uint32_t gid,
                   jc_msg_run_t *msg, const int *fds, jc_failure_t *failure);
/* What a keeper says. */
void jc_keepers_on_message(void *jail);
/* Reaps keepers that have ended. Not while events are looked at, which may name
 * their jails. */
void jc_keepers_reap(void);
/* Whether there is a jail. */
int jc_keepers_any(void);
/* Tells those keepers to finish whose policy is in no table any more. That no
 * request has come for JailIdle a keeper sees itself: most do not pass here. */
void jc_keepers_sweep(void);
/* SIGKILL to all of them: the parent has gone. */
void jc_keepers_kill(void);

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

uint64_t jc_now_ms(void);

#endif
