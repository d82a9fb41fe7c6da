/*
 * The script's child, from its first instruction to exec.
 *
 * Runs in:   script's child, in the keeper's memory (src/keeper/serve/spawn.c).
 *            It writes to its slot and its stack, and nowhere else
 * Privilege: none; it has been the tenant since before it was made
 * Trusts:    the policy; nothing in the request
 * Never:     returns; calls a function of the C library that has a state;
 *            leaves the script a descriptor other than 0, 1 and 2
 */
#include "launch.h"
#include "diagnose.h"
#include "sys_process.h"
#include "sys.h"

#include <string.h>

static void send_failed(const jc_slot_t *slot, const jc_failure_t *failure)
{
    jc_msg_failed_t msg;
    jc_wire_packed_t packed;

    jc_wire_failed(&msg, slot->request_id, failure);
    jc_wire_pack(&packed, JC_MSG_FAILED, &msg, NULL, 0);
    (void) jc_sys_sendmsg(slot->control_fd, &packed.mh,
                          MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void refuse(const jc_slot_t *slot, const jc_failure_t *failure)
    __attribute__((noreturn));
static void refuse(const jc_slot_t *slot, const jc_failure_t *failure)
{
    uint64_t one = 1;

    /* The file that httpd saw is not here: another directory of the same name
     * may have replaced the root of the jail. The keeper then asks the helper
     * to have that looked at. */
    if (failure->code == JC_CODE_OTHER_FILE ||
        failure->code == JC_CODE_NOT_IN_JAIL) {
        (void) jc_sys_write(JC_KEEPER_STALE_FD, &one, sizeof(one));
    }
    send_failed(slot, failure);
    jc_sys_exit(JC_FAILED_STATUS);
}

static void refuse_errno(const jc_slot_t *slot, jc_code_t code, long result)
    __attribute__((noreturn));
static void refuse_errno(const jc_slot_t *slot, jc_code_t code, long result)
{
    jc_failure_t failure = {.code = code, .errnum = (int) -result};

    refuse(slot, &failure);
}

/* Makes a session, by which the request will be ended, and closes the
 * descriptors of other requests: their ends must not stay open here while this
 * child waits for a slow file system. */
static void become_leader(jc_slot_t *slot)
{
    int result = jc_sys_dup3(slot->control_fd, JC_SCRIPT_CONTROL_FD, O_CLOEXEC);

    if (result < 0) {
        refuse_errno(slot, JC_CODE_SCRIPT_SETUP, result);
    }
    slot->control_fd = JC_SCRIPT_CONTROL_FD;
    if ((slot->jail->has_scope &&
         (result = jc_sys_restrict_self(JC_KEEPER_SCOPE_FD)) < 0) ||
        (result = jc_sys_close_range(JC_SCRIPT_CONTROL_FD + 1, ~0U)) < 0 ||
        (result = jc_sys_setsid(slot->jail->secret)) < 0 ||
        (result = jc_sys_unblock_signals()) < 0) {
        refuse_errno(slot, JC_CODE_SCRIPT_SETUP, result);
    }
}

/*
 * Maps memory that does not fit into the slot. is_mapped is set first: if this
 * child is killed in between, the keeper unmaps what is not there, and never
 * leaves a mapping behind. Returns NULL on failure.
 */
static void *map(jc_slot_t *slot, size_t offset, int fd, size_t len)
{
    slot->is_mapped = 1;
    return jc_sys_map(slot->reserve + offset, fd, len) == 0
               ? slot->reserve + offset
               : NULL;
}

/* Maps a large request. It must be sealed, so that nobody changes it while it
 * is read. */
static const void *map_memfd(jc_slot_t *slot, int fd, size_t *len)
{
    struct stat st;
    int seals = jc_sys_get_seals(fd);

    if (seals < 0 || (seals & JC_SEALS) != JC_SEALS || jc_sys_fstat(fd, &st) ||
        st.st_size <= 0 || st.st_size > (off_t) JC_REQUEST_LEN_MAX) {
        return NULL;
    }
    *len = (size_t) st.st_size;
    return map(slot, 0, fd, *len);
}

/* Refuses a record from another user. An end of the channel is in the wrong
 * hands, so the channel must not be used any more; the keeper sees the
 * hang-up. */
static void refuse_sender(const jc_slot_t *slot, uint32_t uid)
    __attribute__((noreturn));
static void refuse_sender(const jc_slot_t *slot, uint32_t uid)
{
    jc_failure_t failure = {.code = JC_CODE_FOREIGN_SENDER,
                            .found = uid,
                            .expected = slot->web_uid};

    send_failed(slot, &failure);
    (void) jc_sys_shutdown(slot->control_fd, SHUT_RDWR);
    jc_sys_exit(JC_FAILED_STATUS);
}

/* Reads what the kernel adds to a record: first always the sender, then at most
 * one descriptor; *fd is -1 without one. Returns -1 for anything else. */
static int read_ancillary(const struct msghdr *mh, struct ucred *sender,
                          int *fd)
{
    const char *at = mh->msg_control;
    const struct cmsghdr *c = mh->msg_control;
    size_t first = CMSG_SPACE(sizeof(*sender));

    *fd = -1;
    if (mh->msg_controllen < CMSG_LEN(sizeof(*sender)) ||
        c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS ||
        c->cmsg_len != CMSG_LEN(sizeof(*sender))) {
        return -1;
    }
    memcpy(sender, CMSG_DATA(c), sizeof(*sender));
    if (mh->msg_controllen <= first) {
        return 0;
    }
    c = (const struct cmsghdr *) (at + first);
    if (mh->msg_controllen < first + CMSG_LEN(sizeof(*fd)) ||
        c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
        c->cmsg_len != CMSG_LEN(sizeof(*fd))) {
        return -1;
    }
    memcpy(fd, CMSG_DATA(c), sizeof(*fd));
    return 0;
}

/* Receives the request, as a record or in a memfd (src/wire/request.h), from a
 * process of the web user. Returns NULL for anything else. exec or exit closes
 * what stays open. */
static const void *receive_request(jc_slot_t *slot, size_t *len)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int))];
    } ancillary;
    struct iovec iov = {.iov_base = slot->request,
                        .iov_len = sizeof(slot->request)};
    struct msghdr mh = {.msg_iov = &iov,
                        .msg_iovlen = 1,
                        .msg_control = &ancillary,
                        .msg_controllen = sizeof(ancillary)};
    long got =
        jc_sys_recvmsg(slot->control_fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    struct ucred sender;
    int fd;

    if (got <= 0 || (mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) ||
        read_ancillary(&mh, &sender, &fd)) {
        return NULL;
    }
    if (sender.uid != slot->web_uid) {
        refuse_sender(slot, sender.uid);
    }
    if (fd < 0) {
        *len = (size_t) got;
        return slot->request;
    }
    return map_memfd(slot, fd, len);
}

static void read_request(jc_slot_t *slot, jc_request_t *request)
{
    jc_failure_t failure = {.code = JC_CODE_REQUEST_MALFORMED};
    size_t len = 0;
    const void *data = receive_request(slot, &len);
    size_t need =
        data ? jc_decode_vectors(data, len, slot->jail->policy.rec->env_count)
             : 0;
    char **vectors = slot->vectors;

    if (need > JC_SLOT_VECTORS) {
        vectors = map(slot, JC_REQUEST_LEN_MAX, -1, need * sizeof(*vectors));
    }
    if (need == 0 || !vectors ||
        jc_decode_request(data, len, vectors, request)) {
        refuse(slot, &failure);
    }
    if ((request->flags & JC_REQUEST_SHELL) &&
        !(slot->jail->policy.rec->flags & JC_POLICY_SHELL)) {
        failure.code = JC_CODE_COMMAND_OFF;
        refuse(slot, &failure);
    }
}

static void find_script(const jc_slot_t *slot, const jc_request_t *request,
                        jc_walk_t *walk)
{
    jc_walk_rule_t rule = {.owner = slot->jail->start.uid, .jail = slot->jail};
    jc_failure_t failure = {.code = JC_CODE_NONE};

    /* If no owner chooses the user, a tenant may serve his files himself. */
    if (slot->jail->policy.rec->flags & JC_POLICY_OWNER) {
        rule.file_system = jc_vouch_file_system;
    }
    if (jc_walk(request->script, &rule, JC_WALK_FILE, walk)) {
        refuse(slot, &walk->failure);
    }
    if (jc_check_script(slot->jail, request, walk, &failure)) {
        refuse(slot, &failure);
    }
    /* As with mod_cgi, the script starts in the directory in which it is named,
     * also if a link there is its name: programs look there for their settings.
     * The walk has checked that directory too. */
    int result = jc_sys_fchdir(walk->named_dir_fd >= 0 ? walk->named_dir_fd
                                                       : walk->dir_fd);
    if (result < 0) {
        refuse_errno(slot, JC_CODE_PATH_DENIED, result);
    }
}

/* Makes a pipe. The script's end becomes `number`, and httpd's end is returned.
 * The pipe belongs to the tenant, who makes it, so a script may open
 * /dev/stdout by name. */
static int make_pipe(const jc_slot_t *slot, int number)
{
    int ends[2];
    int mine = number == STDIN_FILENO ? 0 : 1;
    int result = jc_sys_pipe2(ends, O_CLOEXEC);

    if (result < 0 || (result = jc_sys_dup3(ends[mine], number, 0)) < 0) {
        refuse_errno(slot, JC_CODE_SCRIPT_SETUP, result);
    }
    return ends[1 - mine];
}

/* Reports the start to httpd, with its ends of the pipes. If that fails there
 * is no start: httpd, which has not heard of it, might send the request
 * again. */
static void start(const jc_slot_t *slot, const jc_request_t *request)
{
    int has_body = (request->flags & JC_REQUEST_BODY) != 0;
    int fds[JC_STARTED_STDIN_FDS] = {
        [JC_STARTED_STDOUT] = make_pipe(slot, STDOUT_FILENO),
        [JC_STARTED_STDERR] = make_pipe(slot, STDERR_FILENO),
        [JC_STARTED_STDIN] = has_body ? make_pipe(slot, STDIN_FILENO) : -1,
    };
    jc_msg_started_t msg = {.request_id = slot->request_id,
                            .pid = jc_sys_getpid(),
                            .uid = slot->jail->start.uid,
                            .gid = slot->jail->start.gid};
    jc_wire_packed_t packed;

    jc_wire_pack(&packed, has_body ? JC_MSG_STARTED_STDIN : JC_MSG_STARTED,
                 &msg, fds, has_body ? JC_STARTED_STDIN_FDS : JC_STARTED_FDS);
    long result = jc_sys_sendmsg(slot->control_fd, &packed.mh,
                                 MSG_DONTWAIT | MSG_NOSIGNAL);
    if (result < 0) {
        refuse_errno(slot, JC_CODE_SCRIPT_SETUP, result);
    }
}

static void set_limit(const jc_slot_t *slot, unsigned resource,
                      const uint64_t limit[2])
{
    int result = jc_sys_setrlimit(resource, limit);

    if (result < 0) {
        jc_failure_t failure = {.code = JC_CODE_SCRIPT_LIMIT,
                                .errnum = -result,
                                .found = resource,
                                .expected = limit[1]};
        refuse(slot, &failure);
    }
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Lowers a limit to the RLimit* of the directory, where that is lower. */
static void lower_limit(const jc_slot_t *slot, unsigned resource,
                        const jc_request_limit_t *wanted)
{
    uint64_t limit[2];

    if (wanted->soft == RLIM_INFINITY && wanted->hard == RLIM_INFINITY) {
        return;
    }
    int result = jc_sys_getrlimit(resource, limit);
    if (result < 0) {
        refuse_errno(slot, JC_CODE_SCRIPT_SETUP, result);
    }
    limit[1] = lesser(limit[1], wanted->hard);
    limit[0] = lesser(lesser(limit[0], wanted->soft), limit[1]);
    set_limit(slot, resource, limit);
}

/* Comes after the start: a low limit of descriptors is meant for the script,
 * and not for the pipes on their way to httpd (ETOOMANYREFS in unix(7)). */
static void set_limits(const jc_slot_t *slot, const jc_request_t *request)
{
    const jc_policy_view_t *policy = &slot->jail->policy;

    for (uint32_t i = 0; i < policy->rec->limit_count; i++) {
        const uint64_t limit[2] = {policy->limits[i].soft,
                                   policy->limits[i].hard};

        if (policy->limits[i].resource != RLIMIT_NPROC) {
            set_limit(slot, policy->limits[i].resource, limit);
        } /* NPROC is set in the keeper */
    }
    lower_limit(slot, RLIMIT_CPU, &request->limits[JC_REQUEST_CPU]);
    lower_limit(slot, RLIMIT_AS, &request->limits[JC_REQUEST_AS]);
    lower_limit(slot, RLIMIT_NPROC, &request->limits[JC_REQUEST_NPROC]);
}

/* `found` is where the links of `path` lead. */
static void execute(const jc_slot_t *slot, const char *path, const char *found,
                    const jc_request_t *request) __attribute__((noreturn));
static void execute(const jc_slot_t *slot, const char *path, const char *found,
                    const jc_request_t *request)
{
    jc_diagnosis_t diagnosis;
    /* By name and not by descriptor: a #! interpreter would get /dev/fd/N,
     * which needs /dev or /proc in the jail. By the name that the request has,
     * links and all, because that becomes $0. Only root and the tenant can
     * change what the name leads to between check and exec: the walk has
     * checked the directory of each link, as it has checked that of the file.
     * The tenant gains nothing by that, because whatever is executed runs as
     * the tenant, and JailTrust only admits a file of root's, without giving it
     * anything. */
    int result = jc_sys_execve(path, request->argv, request->envp);

    jc_diagnose_exec(found, -result, &diagnosis);
    refuse(slot, &diagnosis.failure);
}

/* The checks of a script are behind it, so this reads what could be run. */
static void look(const jc_slot_t *slot, const char *path)
    __attribute__((noreturn));
static void look(const jc_slot_t *slot, const char *path)
{
    jc_diagnosis_t diagnosis;

    jc_diagnose_end(path, &diagnosis);
    refuse(slot, &diagnosis.failure);
}

void jc_launch(jc_slot_t *slot)
{
    jc_walk_t walk;
    jc_request_t request;

    become_leader(slot);
    read_request(slot, &request);
    jc_environment_check_home(slot->jail, &request, &walk);
    find_script(slot, &request, &walk);
    if (request.flags & JC_REQUEST_LOOK) {
        look(slot, walk.path);
    }
    jc_environment_apply(&slot->jail->policy, &request);
    start(slot, &request);
    set_limits(slot, &request);
    /* The page was checked as a script is; its command runs in the jail. */
    if (request.flags & JC_REQUEST_SHELL) {
        execute(slot, "/bin/sh", "/bin/sh", &request);
    }
    execute(slot, request.script, walk.path, &request);
}
