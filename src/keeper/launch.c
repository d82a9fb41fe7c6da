/*
 * The script's child, from fork to exec.
 *
 * Runs in:   script's child
 * Privilege: none, it is the tenant since before it was forked
 * Trusts:    the policy; of the request nothing
 * Never:     returns; leaves a descriptor but 0, 1 and 2 to the script
 */
#define _GNU_SOURCE
#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/wire/request.h"

typedef struct {
    uint64_t request_id;
    int control_fd;
} launch_t;

#define VECTORS 256

/* Not cleared, and on the stack, whose pages are in use already. */
typedef struct {
    char *vectors[VECTORS];
    _Alignas(8) char small[4096];
} scratch_t;

static void refuse(const launch_t *launch, const jc_failure_t *failure)
    __attribute__((noreturn));
static void refuse(const launch_t *launch, const jc_failure_t *failure)
{
    uint64_t one = 1;

    /* The file that httpd saw is not here: the jail's directory may have been
     * replaced by another of the same name. The keeper then makes way for one
     * that looks again. */
    if ((failure->code == JC_CODE_OTHER_FILE ||
         failure->code == JC_CODE_NOT_IN_JAIL) &&
        write(JC_SCRIPT_STALE_FD, &one, sizeof(one)) < 0) {
        _exit(127);
    }
    jc_wire_send_failed(launch->control_fd, launch->request_id, failure);
    _exit(127);
}

static void refuse_errno(const launch_t *launch, jc_code_t code)
    __attribute__((noreturn));
static void refuse_errno(const launch_t *launch, jc_code_t code)
{
    jc_failure_t failure = {.code = code, .errnum = errno};

    refuse(launch, &failure);
}

/* All that the request brought has numbers above the keeper's own (keeper.h),
 * so no dup overwrites what another still needs. */
static void take_descriptors(launch_t *launch, const int *fds)
{
    launch->control_fd = fds[JC_SPAWN_CONTROL];
    if (dup2(fds[JC_SPAWN_STDIN], STDIN_FILENO) < 0 ||
        dup2(fds[JC_SPAWN_STDOUT], STDOUT_FILENO) < 0 ||
        dup2(fds[JC_SPAWN_STDERR], STDERR_FILENO) < 0 ||
        dup3(JC_KEEPER_STALE_FD, JC_SCRIPT_STALE_FD, O_CLOEXEC) < 0 ||
        dup3(fds[JC_SPAWN_CONTROL], JC_SCRIPT_CONTROL_FD, O_CLOEXEC) < 0 ||
        dup3(fds[JC_SPAWN_REQUEST], JC_SCRIPT_REQUEST_FD, O_CLOEXEC) < 0) {
        refuse_errno(launch, JC_CODE_SCRIPT_SETUP);
    }
    launch->control_fd = JC_SCRIPT_CONTROL_FD;
    /* Other requests' descriptors above all: their ends must not stay open
     * here while this child waits for a slow file system. */
    if (close_range(JC_SCRIPT_STALE_FD + 1, ~0U, 0)) {
        refuse_errno(launch, JC_CODE_SCRIPT_SETUP);
    }
}

static void become_leader(const launch_t *launch)
{
    sigset_t none;

    sigemptyset(&none);
    if (setsid() < 0 || sigprocmask(SIG_SETMASK, &none, NULL)) {
        refuse_errno(launch, JC_CODE_SCRIPT_SETUP);
    }
    umask(022);
}

/* A small request is read and a large one mapped: each page that this process
 * touches for the first time costs more than a system call. */
static const void *get_request(scratch_t *scratch, size_t *len)
{
    struct stat st;

    if (fstat(JC_SCRIPT_REQUEST_FD, &st) || st.st_size <= 0 ||
        st.st_size > (off_t) JC_REQUEST_LEN_MAX) {
        return NULL;
    }
    *len = (size_t) st.st_size;
    if (*len <= sizeof(scratch->small)) {
        return pread(JC_SCRIPT_REQUEST_FD, scratch->small, *len, 0) ==
                       (ssize_t) *len
                   ? scratch->small
                   : NULL;
    }
    void *data =
        mmap(NULL, *len, PROT_READ, MAP_PRIVATE, JC_SCRIPT_REQUEST_FD, 0);
    return data == MAP_FAILED ? NULL : data;
}

static void read_request(const launch_t *launch, const jc_jail_t *jail,
                         scratch_t *scratch, jc_request_t *request)
{
    jc_failure_t failure = {.code = JC_CODE_REQUEST_MALFORMED};
    size_t len;
    const void *data = get_request(scratch, &len);

    if (!data || jc_request_decode(data, len, jail->policy.rec->env_count,
                                   scratch->vectors, VECTORS, request)) {
        refuse(launch, &failure);
    }
}

static void set_limits(const launch_t *launch, const jc_policy_view_t *policy)
{
    for (uint32_t i = 0; i < policy->rec->limit_count; i++) {
        const jc_limit_t *wanted = &policy->limits[i];
        struct rlimit limit = {.rlim_cur = wanted->soft,
                               .rlim_max = wanted->hard};
        if (wanted->resource == RLIMIT_NPROC) {
            continue; /* the keeper's own */
        }
        if (setrlimit((int) wanted->resource, &limit)) {
            jc_failure_t failure = {.code = JC_CODE_SCRIPT_LIMIT,
                                    .errnum = errno,
                                    .found = wanted->resource,
                                    .expected = wanted->hard};
            refuse(launch, &failure);
        }
    }
}

static void find_script(const launch_t *launch, const jc_jail_t *jail,
                        const jc_request_t *request, jc_walk_t *walk)
{
    jc_walk_rule_t rule = {.owner = jail->start.uid};
    jc_failure_t failure = {.code = JC_CODE_NONE};

    if (jc_walk(request->script, &rule, 0, walk)) {
        refuse(launch, &walk->failure);
    }
    if (jc_check_script(jail, request, walk, &failure)) {
        refuse(launch, &failure);
    }
    if (fchdir(walk->dir_fd)) {
        refuse_errno(launch, JC_CODE_PATH_DENIED);
    }
}

void jc_launch(const jc_jail_t *jail, uint64_t request_id, const int *fds)
{
    jc_walk_t walk;
    scratch_t scratch;
    launch_t launch = {.request_id = request_id};
    jc_failure_t failure;
    jc_request_t request;
    jc_msg_started_t started = {.request_id = request_id,
                                .pid = (int32_t) getpid(),
                                .uid = jail->start.uid,
                                .gid = jail->start.gid};

    take_descriptors(&launch, fds);
    become_leader(&launch);
    read_request(&launch, jail, &scratch, &request);
    find_script(&launch, jail, &request, &walk);
    jc_environment_apply(&jail->policy, &request);
    set_limits(&launch, &jail->policy);
    /* Whoever did not hear of the start might ask for it again. */
    if (jc_wire_send(launch.control_fd, JC_MSG_STARTED, &started, NULL, 0,
                     MSG_DONTWAIT) != JC_WIRE_OK) {
        _exit(127);
    }
    /* By its name and not by descriptor: a #! interpreter would get
     * /dev/fd/N, which needs /dev or /proc in the jail. Between check and
     * exec only the tenant and root could change the file, and the tenant
     * gains nothing by it: whatever runs is run as himself. */
    execve(walk.path, request.argv, request.envp);
    jc_diagnose_exec(walk.path, errno, &failure);
    refuse(&launch, &failure);
}
