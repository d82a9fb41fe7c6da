/*
 * The jails in use: finds them, makes them, passes requests to them, ends them.
 *
 * Runs in:   helper
 * Privilege: root, least capabilities
 * Trusts:    policies that were checked
 * Never:     waits for a keeper: a request that a keeper's queue does not take
 *            at once is refused, so that one tenant cannot hold up another
 */
#include "helper.h"
#include "jails.h"
#include "keepers.h"
#include "policies.h"
#include "src/wire/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define BUCKETS 4096u

/* Minimum between two rebuilds of a jail whose root is another. */
#define ANEW_EVERY_MS 10000

typedef jc_jail_entry_t jail_t;

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

static jail_t *find(const jc_policy_t *policy, const jc_policy_t *account,
                    uint32_t uid, uint32_t gid)
{
    jail_t *jail = *bucket_of(policy, uid, gid);

    while (jail &&
           (!jc_jail_is(jail, policy, uid, gid) || jail->account != account)) {
        jail = jail->next;
    }
    return jail;
}

/* Descriptors from keepers have closers of their own, so that no tenant with a
 * compromised keeper can use up those for httpd children. */
static void dispose(int *fds, unsigned count)
{
    jc_dispose_as(JC_DISPOSE_KEEPER, fds, count);
}

/* Orders the keeper to finish: it sees end of file, finishes its requests and
 * exits. It stays listed until it is reaped. The socket leaves epoll first,
 * because a keeper that was just forked has a copy of it (epoll(7)). */
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
    epoll_ctl(keepers.conf.epoll_fd, EPOLL_CTL_DEL, jail->sock_fd, NULL);
    (void) shutdown(jail->sock_fd, SHUT_RDWR); /* nothing arrives after this */
    if (jc_wire_has_unread(jail->sock_fd)) {
        dispose(&jail->sock_fd, 1); /* closing its queue may block */
    }
    jc_wire_close_fds(&jail->sock_fd, 1);
}

static int watch(jail_t *jail)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = jail};

    return epoll_ctl(keepers.conf.epoll_fd, EPOLL_CTL_ADD, jail->sock_fd,
                     &event);
}

static int exceeds(unsigned found, unsigned most, jc_failure_t *failure)
{
    failure->code = JC_CODE_TOO_MANY_JAILS;
    failure->found = found;
    failure->expected = most;
    return found >= most;
}

/*
 * Nobody may use up the jails of all: neither a tenant that stops his ending
 * keepers from outside of the jail, nor a compromised httpd child that names
 * one owner after the other.
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

static jail_t *make(jc_policy_t *policy, jc_policy_t *account, uint32_t uid,
                    uint32_t gid, jc_failure_t *failure)
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
    jail->source = JC_SOURCE_KEEPER;
    jail->policy = policy;
    jail->account = account;
    jail->uid = uid;
    jail->gid = gid;
    if (jc_births_make(jail, keepers.all, &keepers.conf, failure)) {
        free(jail);
        return NULL;
    }
    if (watch(jail)) {
        jc_log_bug("epoll_ctl");
    }
    policy->jails++;
    if (account) {
        account->jails++;
    }
    jail->next = *bucket;
    *bucket = jail;
    jail->next_all = keepers.all;
    keepers.all = jail;
    keepers.count++;
    return jail;
}

/* Requests to a keeper that still builds its jail wait in its socket, where
 * only the helper can count them. */
static int is_full(const jail_t *jail, jc_failure_t *failure)
{
    const jc_policy_rec_t *rec = &jail->policy->rec;

    if (jail->is_ready || !rec->running_max ||
        jail->sent < (uint64_t) rec->running_max + rec->queue_max) {
        return 0;
    }
    failure->code = JC_CODE_JAIL_FULL;
    failure->found = jail->sent;
    failure->expected = rec->running_max;
    jc_wire_set_text(failure, "the jail not built yet, and its queue full");
    return 1;
}

int jc_keepers_run(jc_policy_t *policy, jc_policy_t *account, uint32_t uid,
                   uint32_t gid, jc_msg_run_t *msg, const int *fds,
                   jc_failure_t *failure)
{
    /* Twice, because only sending shows that a keeper has just gone. */
    for (int attempt = 0; attempt < 2; attempt++) {
        jail_t *jail = find(policy, account, uid, gid);
        if (!jail) {
            jail = make(policy, account, uid, gid, failure);
        }
        if (!jail || is_full(jail, failure)) {
            return -1;
        }
        switch (jc_wire_send(jail->sock_fd, JC_MSG_RUN, msg, fds, JC_RUN_FDS,
                             MSG_DONTWAIT)) {
        case JC_WIRE_OK:
            jail->sent += !jail->is_ready;
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

/* A keeper is a tenant's, so its messages only concern its own jail. */
void jc_keepers_on_message(void *at)
{
    jail_t *jail = at;
    jc_wire_any_t any;
    int fds[JC_MAX_FDS];

    if (jail->sock_fd < 0) {
        return; /* ordered to finish in this round of events */
    }
    (void) jc_dispose_has_failed(); /* clears failures of other peers */
    switch (jc_wire_recv_from(jail->sock_fd, &any, fds, MSG_DONTWAIT, dispose,
                              NULL)) {
    case JC_WIRE_OK:
        if (any.head.type == JC_MSG_READY && !jail->is_ready) {
            jail->is_ready = 1;
            jail->print = any.ready.print;
        } else if (any.head.type == JC_MSG_STALE) {
            jc_looks_start(jail);
        }
        dispose(fds, jc_wire_fd_count(any.head.type));
        break;
    case JC_WIRE_AGAIN:
    case JC_WIRE_MALFORMED:
        break;
    default:
        finish(jail); /* it has given way, or died */
        return;
    }
    if (jc_dispose_has_failed()) {
        jc_log("gives up keeper %d of uid %u because of these descriptors",
               (int) jail->pid, jail->uid);
        finish(jail);
    }
}

/* Returns whether a new keeper may replace this one: never while a third still
 * runs scripts, however often the root is exchanged, because each has a /tmp of
 * its own. */
static int may_be_made_anew(const jail_t *jail)
{
    for (const jail_t *other = keepers.all; other; other = other->next_all) {
        if (other != jail && other->sock_fd < 0 &&
            jc_jail_is(other, jail->policy, jail->uid, jail->gid)) {
            return 0;
        }
    }
    return jail->sock_fd >= 0 &&
           (!jail->made_anew_ms ||
            jc_clock_ms() - jail->made_anew_ms >= ANEW_EVERY_MS);
}

/* The next request is served on the new root, and scripts in the old one
 * finish. */
static void on_look(jail_t *jail, int status)
{
    jail->look_pid = 0;
    if (jc_looks_say_other(status) && may_be_made_anew(jail)) {
        jc_policy_t *policy = jail->policy;
        jc_failure_t failure;

        finish(jail);
        jail_t *next =
            make(policy, jail->account, jail->uid, jail->gid, &failure);
        if (next) {
            next->made_anew_ms = jc_clock_ms();
        }
    }
}

static void forget(jail_t **link)
{
    jail_t *jail = *link;

    finish(jail);
    jc_births_undo(jail, keepers.all);
    *link = jail->next_all;
    keepers.count--;
    jail->policy->jails--;
    jc_policies_release(jail->policy);
    if (jail->account) {
        jail->account->jails--;
        jc_policies_release(jail->account);
    }
    free(jail);
}

static void on_ended(jail_t **link, int status)
{
    if (WIFSIGNALED(status)) {
        jc_log("keeper %d of uid %u was killed by signal %d; its requests are "
               "lost, and the next request gets a new keeper",
               (int) (*link)->pid, (*link)->uid, WTERMSIG(status));
    } else if (WEXITSTATUS(status) == JC_KEEPER_GAVE_UP) {
        jc_log("keeper %d of uid %u has given its jail up, because processes "
               "did not end within seconds of SIGKILL, or it could not list "
               "them, or its descriptor limit was lowered; its requests are "
               "lost, and the next request gets a new keeper",
               (int) (*link)->pid, (*link)->uid);
    }
    forget(link);
}

void jc_keepers_reap(void)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        jail_t **link = &keepers.all;
        while (*link && (*link)->pid != pid && (*link)->look_pid != pid) {
            link = &(*link)->next_all;
        }
        if (!*link) {
            (void) jc_dispose_reaped(pid);
        } else if ((*link)->pid == pid) {
            on_ended(link, status);
        } else {
            on_look(*link, status);
        }
    }
}

int jc_keepers_any(void)
{
    return keepers.count > 0;
}

void jc_keepers_sweep(void)
{
    for (jail_t *jail = keepers.all; jail; jail = jail->next_all) {
        if (jail->policy->refs == 0 ||
            (jail->account && jail->account->refs == 0)) {
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
