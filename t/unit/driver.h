/*
 * Plays the httpd parent and an httpd child for a real helper.
 *
 * Runs in:   the tests
 * Privilege: root; asks as the web user does, with another effective uid
 */
#ifndef JC_TEST_DRIVER_H
#define JC_TEST_DRIVER_H

#include "src/wire/codes.h"
#include "src/wire/request.h"
#include "src/wire/table.h"
#include "src/wire/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* No test uses all of what follows. */
#pragma GCC diagnostic ignored "-Wunused-function"

#define TENANT   61901u
#define WEB      65534u
#define ALL_CAPS "1ffffffffff"

#define POLICIES_MAX 256 /* of one table */
#define ROOT_SIZE    256
#define PROGRAM_SIZE 512

/* A policy as a test describes it. */
typedef struct {
    uint32_t flags;
    uint32_t uid;
    uint32_t gid;
    uint32_t idle_ms;
    const char *root;
    const char *env[8]; /* NULL-terminated */
    const char *trust;  /* or NULL */
    const char *mark;   /* four bytes that its common part has, or NULL */
} policy_t;

typedef struct {
    pid_t pid;
    int parent_fd; /* to the helper, as its parent */
    int child_fd;  /* the children's end of the generation's socket */
    int helper_fd; /* the helper's end, kept as the parent keeps it */
    int table_fd;
    int log_fd; /* where the helper writes */
    uint64_t generation;
} helper_t;

/* What became of one request. */
typedef struct {
    char out[4096];
    int started, exited, failed;
    int pipes;
    uid_t pipe_uid;
    jc_msg_failed_t failure;
    jc_msg_exit_t exit;
} answer_t;

static const char *helper_path(void)
{
    const char *path = getenv("JAILCGI_HELPER");

    return path ? path : "build/testing/jailcgi-helper";
}

static void must(const char *format, ...)
{
    char command[2048];
    va_list args;

    va_start(args, format);
    vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    assert_int_equal(system(command), 0);
}

/* A directory to be the root of jails, where /cgi-bin is the tenant's. The path
 * is of ROOT_SIZE bytes. -1 if it cannot be made. */
static int make_root(char *root, const char *name)
{
    const char *run_dir = getenv("JAILCGI_RUN_DIR");

    snprintf(root, ROOT_SIZE, "%s/%s.XXXXXX", run_dir ? run_dir : "/var/lib",
             name);
    if (geteuid() != 0 || !mkdtemp(root)) {
        return -1;
    }
    must("chmod 755 %s && mkdir %s/cgi-bin && chown %u:%u %s/cgi-bin", root,
         root, TENANT, TENANT, root);
    return 0;
}

static void remove_root(const char *root)
{
    must("rm -rf --one-file-system %s", root);
}

/* Puts a static program of t/probe there; `path` of PROGRAM_SIZE bytes is where
 * the host sees it. */
static void add_program(const char *root, const char *name, char *path)
{
    snprintf(path, PROGRAM_SIZE, "%s/cgi-bin/%s", root, name);
    must("cp build/probe/%s %s && chown %u:%u %s && chmod 755 %s", name, path,
         TENANT, TENANT, path, path);
}

static policy_t policy_in(const char *root)
{
    return (policy_t){.flags = JC_POLICY_CHROOT,
                      .uid = TENANT,
                      .gid = TENANT,
                      .idle_ms = 60000,
                      .root = root,
                      .env = {"PATH=/bin", "LD_BIND_NOW=1"}};
}

static int sealed_memfd(const void *data, size_t len)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    assert_return_code(fd, errno);
    assert_int_equal(write(fd, data, len), len);
    assert_return_code(fcntl(fd, F_ADD_SEALS, JC_SEALS), errno);
    return fd;
}

static size_t put_policy(char *at, const policy_t *policy)
{
    jc_policy_rec_t rec = {.flags = policy->flags,
                           .uid = policy->uid,
                           .gid = policy->gid,
                           .min_uid = 1000,
                           .min_gid = 1000,
                           .max_uid = JC_NO_ID - 1,
                           .max_gid = JC_NO_ID - 1,
                           .idle_ms = policy->idle_ms,
                           .nice = JC_NICE_UNSET,
                           .namespaces = JC_NS_PID | JC_NS_IPC};
    char *strings = at + JC_PADDED(sizeof(rec));
    char *end = stpcpy(strings, policy->root) + 1;

    for (int i = 0; policy->env[i]; i++) {
        end = stpcpy(end, policy->env[i]) + 1;
        rec.env_count++;
    }
    if (policy->trust) {
        end = stpcpy(end, policy->trust) + 1;
        rec.trust_count = 1;
    }
    rec.strings_len = (uint32_t) (end - strings);
    rec.len = (uint32_t) (end - at + 7) & ~7u;
    memcpy(at, &rec, sizeof(rec));
    return rec.len;
}

/* A filter that allows all, and has the mark in an instruction before that. */
static size_t put_common(char *at, const char *mark)
{
    struct sock_filter filter[] = {BPF_STMT(BPF_LD | BPF_IMM, 0),
                                   BPF_STMT(BPF_RET | BPF_K,
                                            SECCOMP_RET_ALLOW)};
    jc_common_t common = {.len = sizeof(common)};

    if (mark) {
        memcpy(&filter[0].k, mark, 4);
        common.filter_count = 2;
        common.len += sizeof(filter);
        memcpy(at + sizeof(common), filter, sizeof(filter));
    }
    memcpy(at, &common, sizeof(common));
    return common.len;
}

/* As many common parts as there are marks, in the order in which they come. */
static int make_table(uint64_t generation, const policy_t *policies,
                      uint32_t count)
{
    const char *marks[POLICIES_MAX];
    uint32_t common[POLICIES_MAX];
    static _Alignas(8) char table[65536];
    jc_table_head_t head = {.magic = JC_TABLE_MAGIC,
                            .version = JC_WIRE_VERSION,
                            .generation = generation,
                            .policy_count = count};
    jc_table_entry_t *entry = ((jc_table_head_t *) table)->entries;

    assert_true(count <= POLICIES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        common[i] = 0;
        while (common[i] < head.common_count &&
               marks[common[i]] != policies[i].mark) {
            common[i]++;
        }
        if (common[i] == head.common_count) {
            marks[head.common_count++] = policies[i].mark;
        }
    }
    memset(table, 0, sizeof(table));
    size_t at = sizeof(head) + (head.common_count + count) * sizeof(*entry);
    for (uint32_t i = 0; i < head.common_count; i++) {
        *entry++ = (jc_table_entry_t){.offset = (uint32_t) at};
        at += put_common(table + at, marks[i]);
    }
    for (uint32_t i = 0; i < count; i++) {
        *entry++ = (jc_table_entry_t){(uint32_t) at, common[i]};
        at += put_policy(table + at, &policies[i]);
    }
    head.len = (uint32_t) at;
    memcpy(table, &head, sizeof(head));
    return sealed_memfd(table, at);
}

/* With SO_PASSCRED, as the kernel adds the sender only for who asks. */
static void ask_who_sends(int fd)
{
    int on = 1;

    assert_return_code(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)),
                       errno);
}

static void exec_helper(int parent_fd, int pidfd)
{
    int null_fd = open("/dev/null", O_RDWR);
    int a = fcntl(parent_fd, F_DUPFD, 50);
    int b = fcntl(pidfd, F_DUPFD, 50);

    dup2(null_fd, 0);
    dup2(null_fd, 1);
    if (!getenv("JAILCGI_TEST_VERBOSE")) {
        dup2(null_fd, 2);
    }
    dup2(a, JC_FD_PARENT);
    dup2(b, JC_FD_PARENT_PIDFD);
    close_range(5, ~0U, 0);
    execl(helper_path(), "jailcgi-helper", "--caps=" ALL_CAPS, "--delay-ms=0",
          NULL);
    _exit(99);
}

static void send_generation(helper_t *h)
{
    jc_msg_generation_t msg = {.generation = h->generation, .web_uid = WEB};
    int fds[JC_GENERATION_FDS] = {[JC_GENERATION_SOCKET] = h->helper_fd,
                                  [JC_GENERATION_TABLE] = h->table_fd,
                                  [JC_GENERATION_LOG] = h->log_fd};

    assert_int_equal(jc_wire_send(h->parent_fd, JC_MSG_GENERATION, &msg, fds,
                                  JC_GENERATION_FDS, 0),
                     JC_WIRE_OK);
}

/* Starts a helper for the generation that *h has. */
static void start_again(helper_t *h)
{
    int pair[2];
    int pidfd = (int) syscall(SYS_pidfd_open, getpid(), 0);

    assert_return_code(pidfd, errno);
    assert_return_code(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
                                  pair),
                       errno);
    ask_who_sends(pair[1]);
    h->pid = fork();
    if (h->pid == 0) {
        exec_helper(pair[1], pidfd);
    }
    assert_return_code(h->pid, errno);
    close(pair[1]);
    close(pidfd);
    h->parent_fd = pair[0];
    send_generation(h);
}

static void open_generation(helper_t *h, uint64_t generation,
                            const policy_t *policies, uint32_t count)
{
    int pair[2];

    assert_return_code(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
                                  pair),
                       errno);
    h->generation = generation;
    h->child_fd = pair[0];
    h->helper_fd = pair[1];
    ask_who_sends(h->helper_fd);
    h->table_fd = make_table(generation, policies, count);
}

static void start(helper_t *h, const policy_t *policies, uint32_t count)
{
    h->log_fd = getenv("JAILCGI_TEST_VERBOSE") ? STDERR_FILENO : STDIN_FILENO;
    open_generation(h, 1, policies, count);
    start_again(h);
}

static void close_generation(helper_t *h)
{
    int fds[] = {h->child_fd, h->helper_fd, h->table_fd};

    jc_wire_close_fds(fds, 3);
}

static void stop(helper_t *h)
{
    int status;

    kill(h->pid, SIGTERM);
    assert_int_equal(waitpid(h->pid, &status, 0), h->pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), JC_EXIT_OK);
    close(h->parent_fd);
    close_generation(h);
}

/* A request for a script that takes no arguments. Returns its length. */
static size_t make_request(char *data, const char *script,
                           const char *host_path, uint32_t flags)
{
    struct stat st = {0};
    jc_request_head_t head = {.magic = JC_REQUEST_MAGIC,
                              .version = JC_WIRE_VERSION,
                              .argc = 1,
                              .envc = 1,
                              .flags = flags};
    char *strings = data + sizeof(head);
    char *end = stpcpy(strings, script) + 1;

    for (int i = 0; i < JC_REQUEST_LIMITS; i++) {
        head.limits[i] = (jc_request_limit_t){UINT64_MAX, UINT64_MAX};
    }
    (void) stat(host_path, &st);
    end = stpcpy(end, "argv0") + 1;
    end = stpcpy(end, "REQUEST_METHOD=GET") + 1;
    head.strings_len = (uint64_t) (end - strings);
    head.script_dev = st.st_dev;
    head.script_ino = st.st_ino;
    memcpy(data, &head, sizeof(head));
    return (size_t) (end - data);
}

/* What a child of httpd has for one request. */
typedef struct {
    int fds[JC_SPAWN_FDS]; /* to be sent */
    int control_fd;
    int ended_fd;
    jc_msg_spawn_t msg;
} request_t;

/* The kernel says of a message the real uid of its sender, of a socket the
 * effective one of its maker. */
static void become_web(void)
{
    assert_return_code(setresuid(WEB, WEB, 0), errno);
}

static void become_root(void)
{
    assert_return_code(setresuid(0, 0, 0), errno);
}

/* Sends a request as a child of httpd does. */
static void hand_over(int control_fd, const void *data, size_t len)
{
    become_web();
    assert_int_equal(send(control_fd, data, len, 0), len);
    become_root();
}

/* All but the request itself. */
static void prepare_empty(const helper_t *h, request_t *r)
{
    int control[2], ended[2];

    become_web();
    assert_return_code(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
                                  control),
                       errno);
    assert_return_code(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
                                  ended),
                       errno);
    ask_who_sends(control[1]);
    become_root();
    *r = (request_t){.fds = {control[1], ended[1]},
                     .control_fd = control[0],
                     .ended_fd = ended[0],
                     .msg = {.generation = h->generation,
                             .request_id = 42,
                             .uid = JC_NO_ID,
                             .gid = JC_NO_ID}};
}

static void prepare(const helper_t *h, request_t *r, const char *script,
                    const char *host_path)
{
    char data[8192];
    size_t len = make_request(data, script, host_path, 0);

    prepare_empty(h, r);
    hand_over(r->control_fd, data, len);
}

static void replace_fd(request_t *r, unsigned which, int fd)
{
    close(r->fds[which]);
    r->fds[which] = fd;
}

static void ask(const helper_t *h, request_t *r)
{
    become_web();
    assert_int_equal(jc_wire_send(h->child_fd, JC_MSG_SPAWN, &r->msg, r->fds,
                                  JC_SPAWN_FDS, 0),
                     JC_WIRE_OK);
    become_root();
    jc_wire_close_fds(r->fds, JC_SPAWN_FDS);
}

/* The pipes that STARTED brings; the tenant has made them. */
static void take_pipes(int *fds, answer_t *answer)
{
    struct stat st;
    ssize_t len;

    for (int i = 0; i < JC_MAX_FDS && fds[i] >= 0; i++) {
        assert_return_code(fstat(fds[i], &st), errno);
        assert_true(S_ISFIFO(st.st_mode));
        answer->pipe_uid = st.st_uid;
        answer->pipes++;
    }
    /* A process that the script left behind may hold it open. */
    assert_return_code(fcntl(fds[JC_STARTED_STDOUT], F_SETFL, O_NONBLOCK),
                       errno);
    len = read(fds[JC_STARTED_STDOUT], answer->out, sizeof(answer->out) - 1);
    answer->out[len > 0 ? len : 0] = 0;
}

static void take_message(const jc_wire_any_t *any, int *fds, answer_t *answer)
{
    switch (any->head.type) {
    case JC_MSG_STARTED:
    case JC_MSG_STARTED_STDIN:
        answer->started = 1;
        take_pipes(fds, answer);
        break;
    case JC_MSG_FAILED:
        answer->failed = 1;
        answer->failure = any->failed;
        break;
    case JC_MSG_EXIT:
        answer->exited = 1;
        answer->exit = any->exit;
        break;
    }
    jc_wire_close_fds(fds, JC_MAX_FDS);
}

static void take_messages(int fd, answer_t *answer)
{
    jc_wire_any_t any;
    int fds[JC_MAX_FDS];

    while (jc_wire_recv(fd, &any, fds, MSG_DONTWAIT) == JC_WIRE_OK) {
        take_message(&any, fds, answer);
    }
}

/* Waits for the end, or until the channel hangs up, and reads what was printed.
 * The channel stays open. */
static void await_end(const request_t *r, answer_t *answer)
{
    struct pollfd p[] = {{.fd = r->control_fd},
                         {.fd = r->ended_fd, .events = POLLIN}};

    memset(answer, 0, sizeof(*answer));
    assert_true(poll(p, 2, 20000) > 0);
    take_messages(r->ended_fd, answer);
    take_messages(r->control_fd, answer);
}

static void hang_up(request_t *r)
{
    close(r->control_fd);
    close(r->ended_fd);
}

static void await(request_t *r, answer_t *answer)
{
    await_end(r, answer);
    hang_up(r);
}

/* Runs script by policy number. */
static void run(const helper_t *h, uint32_t policy, const char *script,
                const char *host_path, answer_t *answer)
{
    request_t r;

    prepare(h, &r, script, host_path);
    r.msg.policy = policy;
    ask(h, &r);
    await(&r, answer);
}

/* A TCP socket whose last close waits a minute: its peer takes nothing, its
 * window is full, and it lingers. The peer is *peer_fd. */
static int lingering_socket(int *peer_fd)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(at);
    struct linger linger = {.l_onoff = 1, .l_linger = 60};
    static char block[65536];
    int listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_return_code(bind(listen_fd, (struct sockaddr *) &at, len), errno);
    assert_return_code(listen(listen_fd, 1), errno);
    assert_return_code(getsockname(listen_fd, (struct sockaddr *) &at, &len),
                       errno);
    assert_return_code(connect(fd, (struct sockaddr *) &at, len), errno);
    *peer_fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
    assert_return_code(*peer_fd, errno);
    while (send(fd, block, sizeof(block), MSG_DONTWAIT) > 0) {
    }
    assert_return_code(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger,
                                  sizeof(linger)),
                       errno);
    close(listen_fd);
    return fd;
}

static void send_bytes_fd(helper_t *h, const void *bytes, size_t len,
                          int fd_count, int fd)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * 16)];
    } ancillary = {0};
    struct iovec iov = {.iov_base = (void *) bytes, .iov_len = len};
    struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};

    if (fd_count > 0) {
        mh.msg_control = &ancillary;
        mh.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t) fd_count);
        struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * (size_t) fd_count);
        for (int i = 0; i < fd_count; i++) {
            memcpy(CMSG_DATA(c) + i * (int) sizeof(int), &fd, sizeof(int));
        }
    }
    assert_true(sendmsg(h->child_fd, &mh, MSG_NOSIGNAL) >= 0);
}

/* True for the helper's other children, and for a child that has ended since
 * the list was read. */
static int is_no_keeper(pid_t pid)
{
    char path[64], name[32] = "";

    snprintf(path, sizeof(path), "/proc/%d/comm", pid);
    FILE *file = fopen(path, "re");
    if (file) {
        (void) !fgets(name, sizeof(name), file);
        fclose(file);
    }
    return !*name || strcmp(name, "jailcgi-closer\n") == 0 ||
           strcmp(name, "jailcgi-tester\n") == 0 ||
           strcmp(name, "jailcgi-helper\n") == 0;
}

/* The pids of a process's children, from the host's /proc; of the helper its
 * keepers. */
static int children_of(pid_t pid, pid_t *pids, int max)
{
    char path[64];
    int count = 0;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (count < max && fscanf(file, "%d", &pids[count]) == 1) {
        count += !is_no_keeper(pids[count]);
    }
    fclose(file);
    return count;
}

/* Its virtual memory, from the host's /proc. */
static int mapped_kb_of(pid_t pid)
{
    char path[64], line[128];
    int kb = -1;

    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) &&
           sscanf(line, "VmSize: %d", &kb) != 1) {
    }
    fclose(file);
    assert_true(kb > 0);
    return kb;
}

/* Memory that its mappings of memfds take: those of requests in its slots. */
static int memfd_kb_of(pid_t pid)
{
    char path[64], line[512];
    int kb = 0;

    snprintf(path, sizeof(path), "/proc/%d/maps", pid);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        unsigned long from, to;
        if (strstr(line, "memfd:") &&
            sscanf(line, "%lx-%lx", &from, &to) == 2) {
            kb += (int) ((to - from) / 1024);
        }
    }
    fclose(file);
    return kb;
}

static int count_descriptors(pid_t pid)
{
    char path[64];
    int count = 0;

    snprintf(path, sizeof(path), "/proc/%d/fd", pid);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    while (readdir(dir)) {
        count++;
    }
    closedir(dir);
    return count;
}

/* An answer may come before the helper has closed its copies: counts until
 * the number stays. */
static int descriptors_of(pid_t pid)
{
    int count, last = -1;

    while ((count = count_descriptors(pid)) != last) {
        last = count;
        usleep(100000);
    }
    return count;
}

/* Gone, or a zombie that its new parent has not looked at yet. */
static int is_gone(pid_t pid)
{
    char path[64], state = 'Z';

    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file) {
        return 1;
    }
    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1) {
        state = 'Z';
    }
    fclose(file);
    return state == 'Z';
}

/* Prints where a process that should have gone is, for the test's log. */
static void explain_process(pid_t pid)
{
    char command[128];

    snprintf(command, sizeof(command),
             "cd /proc/%d && grep -hE '^(Name|State|PPid|Threads)' status >&2; "
             "cat wchan stack >&2",
             pid);
    if (system(command) != 0) {
        print_message("process %d went while it was looked at\n", pid);
    }
}

/* Less than the jails' JailIdle, so that no keeper goes for that reason. */
static int wait_gone(pid_t pid)
{
    for (int ms = 0; ms < 30000 && !is_gone(pid); ms += 20) {
        usleep(20000);
    }
    if (is_gone(pid)) {
        return 1;
    }
    explain_process(pid);
    return 0;
}

#endif
