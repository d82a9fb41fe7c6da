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
#include <linux/magic.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "src/wire/request.h"

static int is_anonymous_pipe(int fd)
{
    struct statfs fs;

    return fstatfs(fd, &fs) == 0 && fs.f_type == PIPEFS_MAGIC;
}

/* A unix SEQPACKET socket whose other end is not root's: what is written to
 * it carries root's credentials, should the peer ask for them. *maker is who
 * made it: the user that httpd's children run as. */
static int is_control_socket(int fd, uint32_t *maker)
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
           (*maker = peer.uid) != 0;
}

static int is_sealed_memfd(int fd)
{
    int seals = fcntl(fd, F_GET_SEALS);

    return seals >= 0 && (seals & JC_REQUEST_SEALS) == JC_REQUEST_SEALS;
}

static int check_descriptors(const int *fds, jc_failure_t *failure)
{
    for (unsigned i = JC_SPAWN_STDIN; i <= JC_SPAWN_STDERR; i++) {
        if (!is_anonymous_pipe(fds[i])) {
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
 * Its own id is refused: a script with it could take httpd's children over. */
static int choose_ids(const jc_policy_t *policy, const jc_msg_spawn_t *msg,
                      uint32_t sender, uint32_t *uid, uint32_t *gid,
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
    if (msg->uid == JC_NO_ID || msg->uid < rec->min_uid || msg->uid == sender) {
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
                        const jc_msg_spawn_t *msg, const int *fds)
{
    jc_failure_t failure = {.code = JC_CODE_BAD_POLICY};
    uint32_t sender = 0, uid, gid;

    if (!is_control_socket(fds[JC_SPAWN_CONTROL], &sender)) {
        return; /* there is nobody to tell */
    }
    if (msg->generation != generation->number || msg->flags != 0 ||
        msg->policy >= generation->policy_count) {
        failure.found = msg->policy;
        failure.expected = generation->policy_count;
        goto refuse;
    }
    jc_policy_t *policy = generation->policies[msg->policy];
    if (check_descriptors(fds, &failure) ||
        choose_ids(policy, msg, sender, &uid, &gid, &failure) ||
        give_pipes(fds, uid, gid, &failure) ||
        jc_helper_run(policy, uid, gid, msg->request_id, fds, &failure)) {
        goto refuse;
    }
    return;

refuse:
    jc_wire_send_failed(fds[JC_SPAWN_CONTROL], msg->request_id, &failure);
}
