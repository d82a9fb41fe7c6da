/*
 * Serves JC_MSG_SPAWN, by which an httpd child asks for a channel to a jail.
 *
 * Runs in:   helper
 * Privilege: root
 * Trusts:    nothing in the message. Its sender runs as the web user, which the
 *            kernel reports for each message, and may be compromised. All that
 *            it can choose is one of the policies of its own configuration, and
 *            the two sockets of the channel
 * Never:     accepts a descriptor of another kind (a directory or a device
 *            would be a way out of the jail), reads from the sockets, blocks
 */
#include "helper.h"
#include "keepers.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Checks that fd is a unix SEQPACKET socket made by an httpd child. Writing to
 * another socket would give root's credentials to the process at its other
 * end. */
static int is_of_channel(int fd, uint32_t web_uid)
{
    int domain = 0, type = 0;
    struct ucred peer = {.uid = 0};
    socklen_t domain_len = sizeof(domain), type_len = sizeof(type);
    socklen_t peer_len = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_len) == 0 &&
           domain == AF_UNIX &&
           getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) == 0 &&
           type == SOCK_SEQPACKET &&
           getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &peer_len) == 0 &&
           peer.uid != 0 && peer.uid == web_uid;
}

/* Refuses JC_NO_ID too, which is above any maximum. */
static int check_owner_id(const char *which, uint32_t id, uint32_t min,
                          uint32_t max, jc_failure_t *failure)
{
    if (id >= min && id <= max) {
        return 0;
    }
    failure->code = JC_CODE_OWNER_REFUSED;
    failure->found = id;
    failure->expected = id < min ? min : max;
    jc_wire_set_text(failure, which);
    return -1;
}

/* The user of a jail. */
typedef struct {
    uint32_t uid;
    uint32_t gid;
    jc_policy_t *account; /* NULL: none, or not known */
} user_t;

/* The account brings its own groups and its home into the jail and nothing of
 * others, so it does not matter that the sender has chosen the uid. */
static int find_account(const jc_generation_t *generation, user_t *user,
                        jc_failure_t *failure)
{
    user->account = jc_generation_account(generation, user->uid);
    if (!user->account) {
        return 0;
    }
    if (user->account->account.flags & JC_ACCOUNT_ROOT) {
        failure->code = JC_CODE_OWNER_ROOT_GROUP;
        failure->found = user->uid;
        return -1;
    }
    user->gid = user->account->account.gid;
    return 0;
}

/* Determines the user for "owner". The sender proposes ids, and the script's
 * child compares these with the file. The group is the account's where there is
 * one: the owner of a file may choose its group among several, and each would
 * have limits of its own. The web user is refused, because its script could
 * compromise httpd children. */
static int choose_owner(const jc_generation_t *generation,
                        const jc_policy_rec_t *rec, user_t *user,
                        jc_failure_t *failure)
{
    if (user->uid == generation->web_uid) {
        failure->code = JC_CODE_OWNER_REFUSED;
        failure->found = user->uid;
        failure->expected = rec->min_uid;
        jc_wire_set_text(failure, "uid");
        return -1;
    }
    return check_owner_id("uid", user->uid, rec->min_uid, rec->max_uid,
                          failure) ||
                   find_account(generation, user, failure) ||
                   check_owner_id(user->account ? "gid of the account" : "gid",
                                  user->gid, rec->min_gid, rec->max_gid,
                                  failure)
               ? -1
               : 0;
}

/* Determines the user of the jail. The policy decides, except for "owner". */
static int choose_user(const jc_generation_t *generation,
                       const jc_policy_rec_t *rec, const jc_msg_spawn_t *msg,
                       user_t *user, jc_failure_t *failure)
{
    if (rec->flags & JC_POLICY_OWNER) {
        *user = (user_t){msg->uid, msg->gid, NULL};
        return choose_owner(generation, rec, user, failure);
    }
    *user = (user_t){rec->uid, rec->gid, NULL};
    if (msg->uid != JC_NO_ID || msg->gid != JC_NO_ID) {
        failure->code = JC_CODE_BAD_POLICY;
        return -1;
    }
    return 0;
}

/*
 * Passes the channel on with a pidfd of its sender, with which it ends. A
 * sender that has ended gets no channel. Its pid could be another process's
 * only if all pids were used once between its message and this call.
 */
static int pass_on(jc_policy_t *policy, const user_t *user, jc_msg_run_t *run,
                   const int *fds, jc_failure_t *failure)
{
    int all[JC_RUN_FDS] = {
        [JC_SPAWN_CONTROL] = fds[JC_SPAWN_CONTROL],
        [JC_SPAWN_ENDED] = fds[JC_SPAWN_ENDED],
        [JC_RUN_CHILD] = (int) syscall(SYS_pidfd_open, run->child, 0),
    };

    if (all[JC_RUN_CHILD] < 0) {
        failure->code = JC_CODE_NO_KEEPER;
        failure->errnum = errno;
        return -1;
    }
    int result = jc_keepers_run(policy, user->account, user->uid, user->gid,
                                run, all, failure);
    close(all[JC_RUN_CHILD]);
    return result;
}

void jc_dispatch_spawn(const jc_generation_t *generation,
                       const jc_msg_spawn_t *msg, int *fds,
                       const struct ucred *sender)
{
    jc_failure_t failure = {.code = JC_CODE_BAD_POLICY};
    jc_msg_run_t run = {.request_id = msg->request_id,
                        .web_uid = generation->web_uid,
                        .child = sender->pid};
    user_t user;

    if (sender->uid != generation->web_uid ||
        !is_of_channel(fds[JC_SPAWN_CONTROL], generation->web_uid) ||
        !is_of_channel(fds[JC_SPAWN_ENDED], generation->web_uid)) {
        /* There is no peer to answer. */
        jc_dispose(fds, JC_SPAWN_FDS);
        return;
    }
    if (msg->generation != generation->number || msg->flags != 0 ||
        msg->policy >= generation->policy_count) {
        failure.found = msg->policy;
        failure.expected = generation->policy_count;
        goto refuse;
    }
    jc_policy_t *policy = generation->policies[msg->policy];
    if (choose_user(generation, &policy->rec, msg, &user, &failure) ||
        pass_on(policy, &user, &run, fds, &failure)) {
        goto refuse;
    }
    /* Not closed here, although the keeper has a copy. If it has refused the
     * request by now, ours is the last copy, and something that blocks may be
     * hidden in the queue of a socket. */
    jc_dispose_as(JC_DISPOSE_CHANNEL, fds, JC_SPAWN_FDS);
    return;

refuse:
    jc_wire_send_failed(fds[JC_SPAWN_CONTROL], msg->request_id, &failure);
    /* The sender sees the hang-up at once, and need not wait for the closer. */
    shutdown(fds[JC_SPAWN_CONTROL], SHUT_RDWR);
    shutdown(fds[JC_SPAWN_ENDED], SHUT_RDWR);
    jc_dispose(fds, JC_SPAWN_FDS);
}
