/*
 * The jails in use: finding, making, passing requests on, ending.
 *
 * Runs in:   helper
 * Privilege: root, least capabilities
 * Trusts:    policies that were checked
 * Never:     waits for a keeper: what a keeper's queue does not take at once
 *            is refused, so that one tenant cannot hold up another
 */
#define _GNU_SOURCE
#include "helper.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/keeper/keeper.h"

#define BUCKETS 4096u

/* Listed in `all` until it is reaped; in a bucket while it takes requests. */
typedef struct jail {
    struct jail *next; /* in its bucket */
    struct jail *next_all;
    jc_policy_t *policy;
    uint32_t uid;
    uint32_t gid;
    pid_t pid;
    int sock_fd;     /* -1: told to finish */
    unsigned cgroup; /* its number; 0: it has none */
} jail_t;

static struct {
    jc_keepers_conf_t conf;
    jail_t *buckets[BUCKETS];
    jail_t *all;
    unsigned count;
} keepers;

void jc_keepers_init(const jc_keepers_conf_t *conf)
{
    keepers.conf = *conf;
}

static jail_t **bucket_of(const jc_policy_t *policy, uint32_t uid, uint32_t gid)
{
    uint64_t hash = policy->hash;

    hash = (hash ^ uid) * 0x100000001b3u;
    hash = (hash ^ gid) * 0x100000001b3u;
    return &keepers.buckets[(hash >> 16) % BUCKETS];
}

static jail_t *find(const jc_policy_t *policy, uint32_t uid, uint32_t gid)
{
    jail_t *jail = *bucket_of(policy, uid, gid);

    while (jail &&
           (jail->policy != policy || jail->uid != uid || jail->gid != gid)) {
        jail = jail->next;
    }
    return jail;
}

/* The keeper sees end of file, ends its requests and goes; it stays listed
 * until it is reaped. */
static void finish(jail_t *jail)
{
    jail_t **link = bucket_of(jail->policy, jail->uid, jail->gid);

    if (jail->sock_fd < 0) {
        return;
    }
    while (*link != jail) {
        link = &(*link)->next;
    }
    *link = jail->next;
    close(jail->sock_fd);
    jail->sock_fd = -1;
}

static int start_keeper(jail_t *jail, int cgroup_fd, jc_failure_t *failure)
{
    int pair[2];
    size_t len = jail->policy->len;
    const jc_common_t *common = &jail->policy->common->part;
    size_t both = len + common->len;
    /* A copy, as the keeper's memory will not have the original. */
    char *rec = malloc(both);

    if (!rec || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
        failure->errnum = errno;
        free(rec);
        return -1;
    }
    memcpy(rec, &jail->policy->rec, len);
    memcpy(rec + len, common, common->len);
    int most = 1 << 20; /* the kernel cuts it to what it allows */
    (void) setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &most, sizeof(most));
    jail->pid = jc_keeper_fork(jail->policy->rec.namespaces, cgroup_fd);
    if (jail->pid == 0) {
        jc_keeper_start_t start = {
            .sock_fd = pair[1],
            .parent_pidfd = keepers.conf.parent_pidfd,
            .cgroup_fd = cgroup_fd,
            .uid = jail->uid,
            .gid = jail->gid,
            .rec = rec,
            .common = rec + len,
            .title = keepers.conf.title,
            .title_size = keepers.conf.title_size,
        };
        jc_keeper_main(&start);
    }
    failure->errnum = errno;
    /* What is freed is the next keeper's to find: it may hold secrets. */
    explicit_bzero(rec, both);
    free(rec);
    close(pair[1]);
    if (jail->pid < 0) {
        close(pair[0]);
        if (failure->errnum != EAGAIN && failure->errnum != ENOMEM) {
            failure->code = JC_CODE_NAMESPACES;
        }
        return -1;
    }
    jail->sock_fd = pair[0];
    return 0;
}

static int exceeds(unsigned found, unsigned most, jc_failure_t *failure)
{
    failure->code = JC_CODE_TOO_MANY_JAILS;
    failure->found = found;
    failure->expected = most;
    return found >= most;
}

/*
 * Nobody may use up what is there for all: not a tenant that stops his ending
 * keepers from outside of the jail, and not a hijacked child of httpd that
 * names one owner after the other.
 */
static int is_too_many(const jc_policy_t *policy, uint32_t uid,
                       jc_failure_t *failure)
{
    unsigned of_uid = 0;

    for (const jail_t *jail = keepers.all; jail; jail = jail->next_all) {
        of_uid += jail->uid == uid;
    }
    return exceeds(keepers.count, keepers.conf.jails_max, failure) ||
           exceeds(of_uid, JC_JAILS_UID_MAX, failure) ||
           ((policy->rec.flags & JC_POLICY_OWNER) &&
            exceeds(policy->jails, JC_JAILS_OWNER_MAX, failure));
}

static jail_t *make(jc_policy_t *policy, uint32_t uid, uint32_t gid,
                    jc_failure_t *failure)
{
    jail_t **bucket = bucket_of(policy, uid, gid);
    jail_t *jail;

    if (is_too_many(policy, uid, failure)) {
        return NULL;
    }
    failure->code = JC_CODE_NO_KEEPER;
    jail = calloc(1, sizeof(*jail));
    if (!jail) {
        failure->errnum = ENOMEM;
        return NULL;
    }
    jail->policy = policy;
    jail->uid = uid;
    jail->gid = gid;
    int is_limited = policy->rec.cgroup_count > 0;
    int cgroup_fd =
        is_limited ? jc_cgroup_make(policy, &jail->cgroup, failure) : -1;
    int failed =
        (is_limited && cgroup_fd < 0) || start_keeper(jail, cgroup_fd, failure);
    if (cgroup_fd >= 0) {
        close(cgroup_fd);
    }
    if (failed) {
        jc_cgroup_remove(jail->cgroup);
        free(jail);
        return NULL;
    }
    policy->jails++;
    jail->next = *bucket;
    *bucket = jail;
    jail->next_all = keepers.all;
    keepers.all = jail;
    keepers.count++;
    return jail;
}

int jc_helper_run(jc_policy_t *policy, uint32_t uid, uint32_t gid,
                  uint64_t request_id, const int *fds, jc_failure_t *failure)
{
    jc_msg_run_t msg = {.request_id = request_id};

    /* Twice: a keeper that has just gone is found out by sending to it. */
    for (int attempt = 0; attempt < 2; attempt++) {
        jail_t *jail = find(policy, uid, gid);
        if (!jail) {
            jail = make(policy, uid, gid, failure);
        }
        if (!jail) {
            return -1;
        }
        switch (jc_wire_send(jail->sock_fd, JC_MSG_RUN, &msg, fds, JC_SPAWN_FDS,
                             MSG_DONTWAIT)) {
        case JC_WIRE_OK:
            return 0;
        case JC_WIRE_EOF:
            finish(jail);
            continue;
        default:
            failure->code = JC_CODE_JAIL_BUSY;
            failure->errnum = errno;
            return -1;
        }
    }
    failure->code = JC_CODE_NO_KEEPER;
    failure->errnum = EPIPE;
    return -1;
}

static void forget(jail_t **link)
{
    jail_t *jail = *link;

    finish(jail);
    jc_cgroup_remove(jail->cgroup);
    *link = jail->next_all;
    keepers.count--;
    jail->policy->jails--;
    jc_policies_release(jail->policy);
    free(jail);
}

void jc_keepers_reap(void)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        jail_t **link = &keepers.all;
        while (*link && (*link)->pid != pid) {
            link = &(*link)->next_all;
        }
        if (!*link) {
            (void) jc_dispose_reaped(pid);
            continue;
        }
        if (WIFSIGNALED(status)) {
            jc_log("keeper %d of uid %u was killed by signal %d; its "
                   "requests are lost, the next one gets a new keeper",
                   (int) pid, (*link)->uid, WTERMSIG(status));
        }
        forget(link);
    }
}

int jc_keepers_any(void)
{
    return keepers.count > 0;
}

void jc_keepers_sweep(void)
{
    for (jail_t *jail = keepers.all; jail; jail = jail->next_all) {
        if (jail->policy->refs == 0) {
            finish(jail);
        }
    }
}

void jc_keepers_kill(void)
{
    for (jail_t *jail = keepers.all; jail; jail = jail->next_all) {
        kill(jail->pid, SIGKILL);
    }
}
