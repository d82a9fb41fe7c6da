/*
 * JC_MSG_SPAWN: a child of httpd asks for a script.
 *
 * Runs in:   helper
 * Privilege: root
 * Trusts:    nothing in the message: its sender runs as the web user and may
 *            be hijacked. All that it can choose is one of the policies of its
 *            own configuration, and anonymous pipes, a socket and a sealed
 *            memfd to go with it.
 * Never:     maps the memfd, takes a descriptor of another kind (a directory
 *            or a device would be a way out of the jail, a named FIFO would be
 *            a file given away by fchown), blocks
 */
#define _GNU_SOURCE
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/wire/request.h"

/* The pipe file system's device number, of which there is one. */
static int is_on_pipefs(const struct statx *st)
{
    static struct statx own;
    int pair[2];

    if (own.stx_dev_minor == 0 && own.stx_dev_major == 0) {
        if (pipe2(pair, O_CLOEXEC)) {
            return 0;
        }
        if (statx(pair[0], "", AT_EMPTY_PATH, STATX_TYPE, &own)) {
            memset(&own, 0, sizeof(own));
        }
        close(pair[0]);
        close(pair[1]);
    }
    return st->stx_dev_minor == own.stx_dev_minor &&
           st->stx_dev_major == own.stx_dev_major;
}

/*
 * An anonymous pipe that a child of httpd has made itself: of those that it
 * inherited (piped logs) none may be given away. Not by fstat or fstatfs: on a
 * FUSE file these wait for whoever serves it.
 */
static int is_childs_pipe(int fd, uint32_t web_uid)
{
    struct statx st;

    return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC,
                 STATX_TYPE | STATX_UID, &st) == 0 &&
           S_ISFIFO(st.stx_mode) && is_on_pipefs(&st) && st.stx_uid == web_uid;
}

/* A unix SEQPACKET socket that a child of httpd has made. What is written to
 * another one would carry root's credentials to whoever is at its end. */
static int is_control_socket(int fd, uint32_t web_uid)
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

static int is_sealed_memfd(int fd)
{
    int seals = fcntl(fd, F_GET_SEALS);

    return seals >= 0 && (seals & JC_REQUEST_SEALS) == JC_REQUEST_SEALS;
}

static int check_descriptors(const int *fds, uint32_t web_uid,
                             jc_failure_t *failure)
{
    for (unsigned i = JC_SPAWN_STDIN; i <= JC_SPAWN_STDERR; i++) {
        if (!is_childs_pipe(fds[i], web_uid)) {
            failure->code = JC_CODE_BAD_DESCRIPTOR;
            failure->found = i;
            return -1;
        }
    }
    if (!is_sealed_memfd(fds[JC_SPAWN_REQUEST])) {
        failure->code = JC_CODE_BAD_DESCRIPTOR;
        failure->found = JC_SPAWN_REQUEST;
        return -1;
    }
    return 0;
}

/* Who the jail belongs to: the policy decides; only for "owner" does the
 * sender propose ids, which the script's child then compares with the file.
 * The web user is refused: such a script could take httpd's children over. */
static int choose_ids(const jc_policy_t *policy, const jc_msg_spawn_t *msg,
                      uint32_t web_uid, uint32_t *uid, uint32_t *gid,
                      jc_failure_t *failure)
{
    const jc_policy_rec_t *rec = &policy->rec;

    if (!(rec->flags & JC_POLICY_OWNER)) {
        if (msg->uid != JC_NO_ID || msg->gid != JC_NO_ID) {
            failure->code = JC_CODE_BAD_POLICY;
            return -1;
        }
        *uid = rec->uid;
        *gid = rec->gid;
        return 0;
    }
    *uid = msg->uid;
    *gid = msg->gid;
    failure->code = JC_CODE_OWNER_REFUSED;
    if (msg->uid == JC_NO_ID || msg->uid < rec->min_uid ||
        msg->uid == web_uid) {
        failure->found = msg->uid;
        failure->expected = rec->min_uid;
        failure->text = "uid";
        return -1;
    }
    if (msg->gid == JC_NO_ID || msg->gid < rec->min_gid) {
        failure->found = msg->gid;
        failure->expected = rec->min_gid;
        failure->text = "gid";
        return -1;
    }
    return 0;
}

/* A script may open /dev/stdout by name: the kernel then asks whose the pipe
 * is, and it was the web user's. */
static int give_pipes(const int *fds, uint32_t uid, uint32_t gid,
                      jc_failure_t *failure)
{
    for (unsigned i = JC_SPAWN_STDIN; i <= JC_SPAWN_STDERR; i++) {
        if (fchown(fds[i], uid, gid)) {
            failure->code = JC_CODE_PIPE_OWNER;
            failure->errnum = errno;
            return -1;
        }
    }
    return 0;
}

void jc_helper_on_spawn(const jc_generation_t *generation,
                        const jc_msg_spawn_t *msg, int *fds)
{
    jc_failure_t failure = {.code = JC_CODE_BAD_POLICY};
    uint32_t uid, gid;

    if (!is_control_socket(fds[JC_SPAWN_CONTROL], generation->web_uid)) {
        jc_dispose(fds, JC_SPAWN_FDS); /* there is nobody to tell */
        return;
    }
    if (msg->generation != generation->number || msg->flags != 0 ||
        msg->policy >= generation->policy_count) {
        failure.found = msg->policy;
        failure.expected = generation->policy_count;
        goto refuse;
    }
    jc_policy_t *policy = generation->policies[msg->policy];
    if (check_descriptors(fds, generation->web_uid, &failure) ||
        choose_ids(policy, msg, generation->web_uid, &uid, &gid, &failure) ||
        give_pipes(fds, uid, gid, &failure) ||
        jc_helper_run(policy, uid, gid, msg->request_id, fds, &failure)) {
        goto refuse;
    }
    /* None of these closes can block: the pipes and the memfd have no file
     * system that could, and the keeper has a copy of the socket. */
    jc_wire_close_fds(fds, JC_SPAWN_FDS);
    return;

refuse:
    jc_wire_send_failed(fds[JC_SPAWN_CONTROL], msg->request_id, &failure);
    /* The sender need not wait for the one who closes it. */
    shutdown(fds[JC_SPAWN_CONTROL], SHUT_RDWR);
    jc_dispose(fds, JC_SPAWN_FDS);
}
