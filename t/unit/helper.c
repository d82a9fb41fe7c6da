/*
 * The real helper and its keepers. This test stands in for the httpd parent and
 * for httpd children, well-behaved and not.
 *
 * Runs in:   the tests
 * Privilege: root
 */
#include "t/unit/driver.h"
#include <sys/resource.h>

static char root[ROOT_SIZE];       /* a jail with one static program */
static char program[PROGRAM_SIZE]; /* as the host sees it */
static const char script[] = "/cgi-bin/hello";
static char lingerer[PROGRAM_SIZE]; /* another, seen in the same way */

enum { GOOD, OWNER, DIRECTORY, MISSING, IDLE, POLICIES };
static policy_t policies[POLICIES];

static int group_set_up(void **state)
{
    if (make_root(root, "helper")) {
        return -1;
    }
    add_program(root, "hello", program);
    add_program(root, "linger", lingerer);
    policies[GOOD] = policy_in(root);
    policies[OWNER] = policies[GOOD];
    policies[OWNER].flags |= JC_POLICY_OWNER;
    policies[OWNER].uid = policies[OWNER].gid = JC_NO_ID;
    policies[DIRECTORY] = policies[OWNER];
    policies[DIRECTORY].flags |= JC_POLICY_DIR_OWNER;
    policies[MISSING] = policies[GOOD];
    policies[MISSING].root = "/nonexistent/jail";
    policies[IDLE] = policies[GOOD];
    policies[IDLE].idle_ms = 500;
    return 0;
}

static int group_tear_down(void **state)
{
    remove_root(root);
    return 0;
}

static int set_up(void **state)
{
    static helper_t h;

    start(&h, policies, POLICIES);
    *state = &h;
    return 0;
}

static int tear_down(void **state)
{
    stop(*state);
    return 0;
}

static void must_run(const helper_t *h)
{
    answer_t answer;

    run(h, GOOD, script, program, &answer);
    assert_string_equal(answer.out, "ran\n");
    assert_true(answer.started);
    assert_true(answer.exited);
    assert_false(answer.failed);
    assert_int_equal(answer.exit.status, 0);
    assert_int_equal(answer.exit.request_id, 42);
    assert_int_equal(answer.pipes, JC_STARTED_FDS);
    assert_int_equal(answer.pipe_uid, TENANT);
}

static void must_refuse(request_t *r, unsigned code)
{
    answer_t answer;

    await(r, &answer);
    assert_true(answer.failed);
    assert_int_equal(answer.failure.code, code);
    assert_string_equal(answer.out, "");
}

static void test_runs(void **state)
{
    for (int i = 0; i < 5; i++) {
        must_run(*state);
    }
}

/* Each step of the jail can fail, and then nothing has run. */
static void test_each_step(void **state)
{
    static const struct {
        const char *env;
        unsigned code;
    } steps[] = {
        {"JC_FAIL_STEP=session", JC_CODE_STEP_SESSION},
        {"JC_FAIL_STEP=tally", JC_CODE_STEP_LIMITS},
        {"JC_FAIL_STEP=print", JC_CODE_STEP_MOUNTS},
        {"JC_FAIL_STEP=descriptors", JC_CODE_STEP_DESCRIPTORS},
        {"JC_FAIL_STEP=processes", JC_CODE_STEP_PROCESSES},
        {"JC_FAIL_STEP=limits", JC_CODE_STEP_LIMITS},
        {"JC_FAIL_STEP=nice", JC_CODE_STEP_NICE},
        {"JC_FAIL_STEP=root", JC_CODE_STEP_CHROOT},
        {"JC_FAIL_STEP=umask", JC_CODE_STEP_SESSION},
        {"JC_FAIL_STEP=groups", JC_CODE_STEP_GROUPS},
        {"JC_FAIL_STEP=gid", JC_CODE_STEP_GID},
        {"JC_FAIL_STEP=bounding", JC_CODE_STEP_BOUNDING},
        {"JC_FAIL_STEP=securebits", JC_CODE_STEP_SECUREBITS},
        {"JC_FAIL_STEP=uid", JC_CODE_STEP_UID},
        {"JC_FAIL_STEP=capabilities", JC_CODE_STEP_CAPABILITIES},
        {"JC_FAIL_STEP=no_new_privs", JC_CODE_STEP_NO_NEW_PRIVS},
        {"JC_FAIL_STEP=files", JC_CODE_STEP_FILES},
        {"JC_FAIL_STEP=filter", JC_CODE_STEP_FILTER},
        {"JC_FAIL_STEP=scope", JC_CODE_STEP_SCOPE},
        {"JC_FAIL_STEP=undumpable", JC_CODE_STEP_UNDUMPABLE},
        {"JC_FAIL_STEP=proof", JC_CODE_ROOT_REGAINED},
    };
    helper_t h;

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        policy_t pair[2] = {policies[GOOD], policies[GOOD]};
        answer_t answer;
        pair[1].env[2] = steps[i].env;
        start(&h, pair, 2);
        run(&h, 1, script, program, &answer);
        print_message("%s\n", steps[i].env);
        assert_true(answer.failed);
        assert_int_equal(answer.failure.code, steps[i].code);
        assert_int_equal(answer.failure.errnum, EPERM);
        assert_false(answer.started);
        assert_string_equal(answer.out, "");
        must_run(&h); /* without the fault the same script runs */
        stop(&h);
    }
}

static void test_missing_root_heals(void **state)
{
    char later[300];
    answer_t answer;
    helper_t h;

    snprintf(later, sizeof(later), "%s.later", root);
    policy_t policy = policies[GOOD];
    policy.root = later;
    start(&h, &policy, 1);
    run(&h, 0, script, program, &answer);
    assert_true(answer.failed);
    assert_int_equal(answer.failure.code, JC_CODE_ROOT_MISSING);
    must("cp -a %s %s", root, later);
    char there[600];
    snprintf(there, sizeof(there), "%s%s", later, script);
    run(&h, 0, script, there, &answer);
    assert_string_equal(answer.out, "ran\n");
    /* Replaced by another directory: a process looks, and then the keeper in
     * the old one makes way. */
    must("mv %s %s.old && cp -a %s %s", later, later, root, later);
    run(&h, 0, script, there, &answer);
    assert_true(answer.failed);
    assert_int_equal(answer.failure.code, JC_CODE_OTHER_FILE);
    for (int i = 0; i < 200 && answer.failed; i++) {
        usleep(20000);
        run(&h, 0, script, there, &answer);
    }
    assert_string_equal(answer.out, "ran\n");
    stop(&h);
    must("rm -rf --one-file-system %s %s.old", later, later);
}

/* A root below a directory that a third user may change is no root. */
static void test_unsafe_root(void **state)
{
    char below[300], link[300];
    answer_t answer;
    helper_t h;

    snprintf(below, sizeof(below), "%s/cgi-bin/open/jail", root);
    snprintf(link, sizeof(link), "%s/cgi-bin/link", root);
    must("mkdir -p %s && chmod 777 %s/.. && ln -s / %s", below, below, link);
    policy_t pair[2] = {policies[GOOD], policies[GOOD]};
    pair[0].root = below;
    pair[1].root = link;
    start(&h, pair, 2);
    run(&h, 0, script, program, &answer);
    assert_true(answer.failed);
    assert_int_equal(answer.failure.code, JC_CODE_ROOT_UNSAFE);
    run(&h, 1, script, program, &answer); /* the tenant's own symlink to / */
    assert_true(answer.failed);
    assert_int_equal(answer.failure.code, JC_CODE_ROOT_UNSAFE);
    stop(&h);
    must("rm -rf %s/cgi-bin/open %s", root, link);
}

static void test_bad_numbers(void **state)
{
    helper_t *h = *state;
    static const struct {
        uint64_t generation;
        uint32_t policy, uid, gid, flags;
        unsigned code;
    } bad[] = {
        {2, GOOD, JC_NO_ID, JC_NO_ID, 0, JC_CODE_BAD_POLICY},
        {0, GOOD, JC_NO_ID, JC_NO_ID, 0, JC_CODE_BAD_POLICY},
        {1, POLICIES, JC_NO_ID, JC_NO_ID, 0, JC_CODE_BAD_POLICY},
        {1, UINT32_MAX, JC_NO_ID, JC_NO_ID, 0, JC_CODE_BAD_POLICY},
        {1, GOOD, JC_NO_ID, JC_NO_ID, 1, JC_CODE_BAD_POLICY},
        {1, GOOD, 61902, JC_NO_ID, 0, JC_CODE_BAD_POLICY},
        {1, GOOD, 0, 0, 0, JC_CODE_BAD_POLICY},
        {1, OWNER, 0, TENANT, 0, JC_CODE_OWNER_REFUSED},
        {1, OWNER, 999, TENANT, 0, JC_CODE_OWNER_REFUSED},
        {1, OWNER, TENANT, 0, 0, JC_CODE_OWNER_REFUSED},
        {1, OWNER, TENANT, 999, 0, JC_CODE_OWNER_REFUSED},
        {1, OWNER, JC_NO_ID, JC_NO_ID, 0, JC_CODE_OWNER_REFUSED},
        /* another user than the script's: the file decides */
        {1, OWNER, TENANT + 1, TENANT, 0, JC_CODE_DIR_OWNER},
        {1, OWNER, TENANT, TENANT + 1, 0, JC_CODE_SCRIPT_GROUP},
        {1, DIRECTORY, TENANT + 1, TENANT, 0, JC_CODE_DIR_OWNER},
        {1, DIRECTORY, TENANT, TENANT + 1, 0, JC_CODE_SCRIPT_DIR_GROUP},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        request_t r;
        prepare(h, &r, script, program);
        r.msg.generation = bad[i].generation;
        r.msg.policy = bad[i].policy;
        r.msg.uid = bad[i].uid;
        r.msg.gid = bad[i].gid;
        r.msg.flags = bad[i].flags;
        ask(h, &r);
        must_refuse(&r, bad[i].code);
        must_run(h);
    }
}

static void test_owner(void **state)
{
    helper_t *h = *state;
    request_t r;
    answer_t answer;

    prepare(h, &r, script, program);
    r.msg.policy = OWNER;
    r.msg.uid = r.msg.gid = TENANT;
    ask(h, &r);
    await(&r, &answer);
    assert_string_equal(answer.out, "ran\n");
}

/* Has the helper run raw_env, with these variables beside REQUEST_METHOD, as a
 * compromised httpd child may ask for it. */
static void run_with(const helper_t *h, uint32_t policy,
                     const char *const *variables, answer_t *answer)
{
    char data[8192], path[sizeof(root) + 32];
    jc_request_head_t *head = (jc_request_head_t *) data;
    request_t r;
    size_t len;

    snprintf(path, sizeof(path), "%s/cgi-bin/raw_env", root);
    must("cp build/probe/raw_env %s && chown %u:%u %s && chmod 755 %s", path,
         TENANT, TENANT, path, path);
    prepare_empty(h, &r);
    len = make_request(data, "/cgi-bin/raw_env", path, 0);
    for (int i = 0; variables[i]; i++) {
        head->envc++;
        len += strlen(strcpy(data + len, variables[i])) + 1;
    }
    head->strings_len = len - sizeof(*head);
    hand_over(r.control_fd, data, len);
    r.msg.policy = policy;
    if (policy == OWNER) {
        r.msg.uid = r.msg.gid = TENANT;
    }
    ask(h, &r);
    await(&r, answer);
    assert_true(answer->started);
}

/* The keeper's side does not believe that child: not which names there are. */
static void test_owner_variables(void **state)
{
    static const char *const variables[] = {
        "GIT_CONFIG_COUNT=1", "OPENSSL_CONF=/x",   "FOO=1",
        "GIT_DIR=/x",         "XDG_DATA_HOME=/x",  "HTTP_PROXY=x",
        "SSL_CERT_FILE=/x",   "REDIRECT_FOO=1",    "HTTP_ACCEPT=yes",
        "REMOTE_USER=yes",    "SSL_CLIENT_I_DN=y", NULL};
    answer_t answer;

    run_with(*state, OWNER, variables, &answer);
    assert_string_equal(answer.out, "Content-Type: text/plain\n\n"
                                    "REQUEST_METHOD=GET\nHTTP_ACCEPT=yes\n"
                                    "REMOTE_USER=yes\nSSL_CLIENT_I_DN=y\n"
                                    "PATH=/bin\nLD_BIND_NOW=1\n");
    run_with(*state, GOOD, variables, &answer); /* control */
    assert_non_null(strstr(answer.out, "\nFOO=1\nGIT_DIR=/x\n"));
    assert_null(strstr(answer.out, "OPENSSL_CONF"));
}

/* Nor that a home is the tenant's. */
static void test_owner_home(void **state)
{
    static const struct {
        const char *make; /* run in the root */
        const char *value;
        const char *found;
        uint32_t policy;
    } homes[] = {
        {"mkdir home && chown 61901 home", "HOME=/home", "HOME=/home", OWNER},
        {"mkdir home", "HOME=/home", "HOME=/home", OWNER},
        {"mkdir home && chown 61902 home", "HOME=/home", "HOME=/", OWNER},
        {"mkdir home && chown 61902 home", "HOME=/home", "HOME=/home", GOOD},
        {"mkdir -p home/a && chown 61901 home/a && chown 61902 home",
         "HOME=/home/a", "HOME=/", OWNER},
        {"mkdir -m 777 home", "HOME=/home", "HOME=/", OWNER},
        {"mkdir -m 700 home", "HOME=/home", "HOME=/home", OWNER},
        {"ln -s /cgi-bin home", "HOME=/home", "HOME=/home", OWNER},
        {":", "HOME=/home", "HOME=/", OWNER},
        {":", "HOME=home", "HOME=/", OWNER},
        {":", "HOME=", "HOME=/", OWNER},
        {":", "HOME=/cgi-bin/raw_env", "HOME=/", OWNER},
        {":", "HOME=/cgi-bin", "HOME=/cgi-bin", OWNER},
        {":", "HOME=/", "HOME=/", OWNER},
    };

    for (size_t i = 0; i < sizeof(homes) / sizeof(*homes); i++) {
        const char *const variables[] = {homes[i].value, NULL};
        char expected[64];
        answer_t answer;

        must("cd %s && %s", root, homes[i].make);
        run_with(*state, homes[i].policy, variables, &answer);
        must("rm -rf %s/home", root);
        snprintf(expected, sizeof(expected), "\n%s\n", homes[i].found);
        if (!strstr(answer.out, expected)) {
            fail_msg("%s; %s: %s", homes[i].make, homes[i].value, answer.out);
        }
    }
}

/* Puts descriptors into the queue of a socket. */
static void hide_in(int sock_fd, int fd, int count)
{
    helper_t as_if = {.child_fd = sock_fd};

    become_web();
    send_bytes_fd(&as_if, "x", 1, count, fd);
    become_root();
}

static void send_bytes(helper_t *h, const void *bytes, size_t len, int fd_count)
{
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    send_bytes_fd(h, bytes, len, fd_count, null_fd);
    close(null_fd);
}

/* A descriptor of each wrong kind, for either socket. */
static int wrong_kind(int kind, const char *fifo)
{
    int pair[2];

    switch (kind) {
    case 0:
        return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    case 1:
        return open("/", O_PATH | O_CLOEXEC);
    case 2:
        return open("/dev/null", O_RDWR | O_CLOEXEC);
    case 3:
        return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    case 4:
        return open(fifo, O_RDWR | O_CLOEXEC);
    case 5:
        assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
                                      pair),
                           errno);
        close(pair[1]);
        return pair[0];
    case 6: /* a pipe of root's, as those to piped logs are */
        assert_return_code(pipe2(pair, O_CLOEXEC), errno);
        close(pair[0]);
        return pair[1];
    default:
        return memfd_create("unsealed", MFD_CLOEXEC);
    }
}

/* In the place of the control socket. There is nobody to tell: dropped. */
static void test_wrong_descriptors(void **state)
{
    helper_t *h = *state;
    char fifo[512];
    struct stat st;

    snprintf(fifo, sizeof(fifo), "%s.fifo", root);
    assert_return_code(mkfifo(fifo, 0600), errno);
    send_bytes(h, "junk", 4, 1); /* a closer has a descriptor too */
    must_run(h);
    int before = descriptors_of(h->pid);
    for (int kind = 0; kind < 16; kind++) {
        request_t r;
        answer_t answer;
        prepare(h, &r, script, program);
        replace_fd(&r, kind % 2 ? JC_SPAWN_CONTROL : JC_SPAWN_ENDED,
                   wrong_kind(kind / 2, fifo));
        ask(h, &r);
        /* Both are closed, and not only the one that is in its place. */
        struct pollfd p = {.fd = r.control_fd};
        assert_int_equal(poll(&p, 1, 20000), 1);
        await(&r, &answer);
        assert_false(answer.started);
        assert_false(answer.failed);
    }
    must_run(h);
    assert_return_code(stat(fifo, &st), errno);
    assert_int_equal(st.st_uid, 0); /* it was not given away */
    unlink(fifo);
    assert_int_equal(descriptors_of(h->pid), before);
}

/* A control socket that leads to a process of root's. */
static void test_roots_socket(void **state)
{
    helper_t *h = *state;
    request_t r;
    answer_t answer;
    int pair[2];

    assert_return_code(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
                                  pair),
                       errno);
    prepare(h, &r, script, program);
    replace_fd(&r, JC_SPAWN_CONTROL, pair[1]);
    close(r.control_fd);
    r.control_fd = pair[0];
    ask(h, &r);
    await(&r, &answer);
    assert_false(answer.failed);
    assert_false(answer.started);
    assert_string_equal(answer.out, "");
    must_run(h);
}

static void junk_is_refused(helper_t *h, request_t *r)
{
    ask(h, r);
    must_refuse(r, JC_CODE_REQUEST_MALFORMED);
}

/* As a record, and in a memfd. */
static void junk_request(helper_t *h, const void *data, size_t len)
{
    request_t r;
    int fd = sealed_memfd(data, len);

    prepare_empty(h, &r);
    hand_over(r.control_fd, data, len);
    junk_is_refused(h, &r);
    prepare_empty(h, &r);
    hide_in(r.control_fd, fd, 1);
    junk_is_refused(h, &r);
    close(fd);
}

static void test_junk_requests(void **state)
{
    helper_t *h = *state;
    char data[sizeof(jc_request_head_t) + 64];
    jc_request_head_t *head = (jc_request_head_t *) data;

    junk_request(h, "", 0);
    junk_request(h, "x", 1);
    memset(data, 0xff, sizeof(data));
    junk_request(h, data, sizeof(data));
    memset(data, 0, sizeof(data));
    *head = (jc_request_head_t){.magic = JC_REQUEST_MAGIC,
                                .version = JC_WIRE_VERSION,
                                .argc = UINT32_MAX,
                                .envc = UINT32_MAX,
                                .strings_len = 64};
    junk_request(h, data, sizeof(data));
    head->argc = 0; /* execve with no argv[0] at all */
    head->envc = 0;
    junk_request(h, data, sizeof(data));
    head->argc = 1; /* 62 strings too many */
    junk_request(h, data, sizeof(data));
    head->strings_len = 2; /* says less than there is */
    junk_request(h, data, sizeof(data));
    head->strings_len = 64;
    memset(data + sizeof(*head), 'a', 64); /* no NUL anywhere */
    junk_request(h, data, sizeof(data));
    must_run(h);
}

/* What is in the control socket where the request should be. */
static void test_wrong_handover(void **state)
{
    helper_t *h = *state;
    char data[JC_REQUEST_INLINE_MAX + 1] = {0};
    size_t len = make_request(data, script, program, 0);
    int sealed = sealed_memfd(data, len);
    int unsealed = memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int no_memfd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    jc_request_head_t *head = (jc_request_head_t *) data;
    request_t r;
    answer_t answer;

    assert_int_equal(write(unsealed, data, len), len);
    prepare_empty(h, &r); /* nothing */
    junk_is_refused(h, &r);
    prepare_empty(h, &r); /* more than fits */
    hand_over(r.control_fd, data, sizeof(data));
    junk_is_refused(h, &r);
    prepare_empty(h, &r);
    hide_in(r.control_fd, unsealed, 1);
    junk_is_refused(h, &r);
    prepare_empty(h, &r);
    hide_in(r.control_fd, no_memfd, 1);
    junk_is_refused(h, &r);
    prepare_empty(h, &r);
    hide_in(r.control_fd, sealed, 3);
    junk_is_refused(h, &r);
    head->flags = 0x80;
    junk_request(h, data, len);
    head->flags = 0;
    head->reserved = 1;
    junk_request(h, data, len);
    head->reserved = 0;
    prepare_empty(h, &r); /* and without a fault it runs */
    hide_in(r.control_fd, sealed, 1);
    ask(h, &r);
    await(&r, &answer);
    assert_string_equal(answer.out, "ran\n");
    int fds[] = {sealed, unsealed, no_memfd};
    jc_wire_close_fds(fds, 3);
}

/* A script whose request has a body gets a pipe for it. */
static void test_body_pipe(void **state)
{
    helper_t *h = *state;
    char data[8192];
    size_t len = make_request(data, script, program, JC_REQUEST_BODY);
    request_t r;
    answer_t answer;

    prepare_empty(h, &r);
    hand_over(r.control_fd, data, len);
    ask(h, &r);
    await(&r, &answer);
    assert_string_equal(answer.out, "ran\n");
    assert_int_equal(answer.pipes, JC_STARTED_STDIN_FDS);
    assert_int_equal(answer.pipe_uid, TENANT);
}

/* More strings than the slot has room for, over and over: what is mapped for
 * them goes again. */
static void test_many_strings(void **state)
{
    enum { STRINGS = 40000 };
    helper_t *h = *state;
    static char data[8192 + 2 * STRINGS];
    pid_t pids[8];
    int before = 0;

    for (int round = 0; round < 20; round++) {
        size_t len = make_request(data, script, program, 0);
        jc_request_head_t *head = (jc_request_head_t *) data;
        request_t r;
        answer_t answer;
        for (int i = 0; i < STRINGS; i++) {
            memcpy(data + len, "a=", 3); /* the last two share the NUL */
            len += 3;
            head->envc++;
            if (len > sizeof(data) - 3) {
                break;
            }
        }
        head->strings_len = len - sizeof(*head);
        int fd = sealed_memfd(data, len);
        prepare_empty(h, &r);
        hide_in(r.control_fd, fd, 1);
        close(fd);
        ask(h, &r);
        await(&r, &answer);
        assert_string_equal(answer.out, "ran\n");
        must_run(h);
        assert_int_equal(children_of(h->pid, pids, 8), 1);
        if (round == 0) {
            before = mapped_kb_of(pids[0]);
        }
        assert_int_equal(mapped_kb_of(pids[0]), before);
    }
}

/* A client that goes away at any moment of the start, with a large request: its
 * end may meet the script's child while it maps the request, in the keeper's
 * memory. Nothing of it stays there. */
static void test_killed_while_it_maps(void **state)
{
    enum { PAD = 700000 };
    helper_t *h = *state;
    char *data = calloc(1, PAD + 8192);
    size_t len = make_request(data, script, program, 0);
    jc_request_head_t *head = (jc_request_head_t *) data;
    pid_t pids[8];

    memset(data + len, 'a', PAD);
    data[len] = 'A';
    data[len + 1] = '=';
    len += PAD + 1;
    head->envc++;
    head->strings_len = len - sizeof(*head);
    int fd = sealed_memfd(data, len);
    must_run(h);
    assert_int_equal(children_of(h->pid, pids, 8), 1);
    for (int i = 0; i < 1500; i++) {
        request_t r;
        prepare_empty(h, &r);
        hide_in(r.control_fd, fd, 1);
        ask(h, &r);
        usleep((useconds_t) (i * 7 % 400));
        close(r.control_fd);
    }
    must_run(h);
    usleep(200000);
    assert_int_equal(memfd_kb_of(pids[0]), 0);
    close(fd);
    free(data);
}

static void test_bad_messages(void **state)
{
    helper_t *h = *state;
    char bytes[4096] = {0};
    jc_msg_spawn_t spawn = {.head = {.magic = JC_WIRE_MAGIC,
                                     .version = JC_WIRE_VERSION,
                                     .type = JC_MSG_SPAWN},
                            .generation = 1};

    send_bytes(h, "junk", 4, 1); /* a closer has a descriptor too */
    must_run(h);
    int before = descriptors_of(h->pid);
    send_bytes(h, "", 0, 0); /* reads like end of file */
    send_bytes(h, "", 0, JC_SPAWN_FDS);
    send_bytes(h, bytes, sizeof(bytes), JC_SPAWN_FDS);
    for (size_t len = 1; len <= sizeof(spawn) + 1; len += 3) {
        memcpy(bytes, &spawn, sizeof(spawn));
        send_bytes(h, bytes, len, JC_SPAWN_FDS);
    }
    for (int fds = 0; fds <= 16; fds++) {
        if (fds != JC_SPAWN_FDS) {
            send_bytes(h, &spawn, sizeof(spawn), fds);
        }
    }
    for (int type = 0; type < 10; type++) {
        size_t len = jc_wire_length((uint16_t) type);
        spawn.head.type = (uint16_t) type;
        memcpy(bytes, &spawn, sizeof(spawn));
        send_bytes(h, bytes, len ? len : 8,
                   (int) jc_wire_fd_count((uint16_t) type));
    }
    spawn.head.type = JC_MSG_SPAWN;
    spawn.head.version++;
    send_bytes(h, &spawn, sizeof(spawn), JC_SPAWN_FDS);
    spawn.head.version--;
    spawn.head.magic++;
    send_bytes(h, &spawn, sizeof(spawn), JC_SPAWN_FDS);
    must_run(h);
    assert_int_equal(descriptors_of(h->pid), before);
}

/* Nobody may have to wait until such a descriptor is closed. */
static void test_closes_that_block(void **state)
{
    helper_t *h = *state;
    int peers[3];
    request_t r;
    answer_t answer;
    time_t begun = time(NULL);

    /* The helper is stopped while we have a copy: our close might be the last
     * and would wait in its place. */
    int fd = lingering_socket(&peers[0]);
    assert_return_code(kill(h->pid, SIGSTOP), errno);
    send_bytes_fd(h, "junk", 4, 1, fd);
    close(fd);
    assert_return_code(kill(h->pid, SIGCONT), errno);
    fd = lingering_socket(&peers[1]);
    prepare(h, &r, script, program);
    replace_fd(&r, JC_SPAWN_CONTROL, fd);
    assert_return_code(kill(h->pid, SIGSTOP), errno);
    ask(h, &r);
    assert_return_code(kill(h->pid, SIGCONT), errno);
    await(&r, &answer);
    fd = lingering_socket(&peers[2]);
    prepare(h, &r, script, program);
    hide_in(r.control_fd, fd, 1);
    close(fd);
    r.msg.policy = POLICIES;
    ask(h, &r);
    await(&r, &answer);
    must_run(h);
    assert_true(time(NULL) - begun < 30); /* half of what one close takes */
    jc_wire_close_fds(peers, 3);
}

/* One child shuts the socket down that all of them share: that generation is
 * over, and the others are served. */
static void test_shut_down_socket(void **state)
{
    static const int how[] = {SHUT_WR, SHUT_RD, SHUT_RDWR};

    for (int i = 0; i < 3; i++) {
        helper_t h, next;
        struct pollfd p;
        start(&h, policies, POLICIES);
        next = h;
        open_generation(&next, 2, policies, POLICIES);
        send_generation(&next);
        must_run(&h);
        assert_return_code(shutdown(h.child_fd, how[i]), errno);
        must_run(&next);
        if (how[i] != SHUT_RD) {
            /* closed by the helper; ours is the one copy left */
            close(h.helper_fd);
            h.helper_fd = -1;
            p = (struct pollfd){.fd = h.child_fd};
            assert_int_equal(poll(&p, 1, 10000), 1);
            assert_true(p.revents & POLLHUP);
        }
        close_generation(&h);
        stop(&next);
    }
}

/* With "owner" the file's owner is the only proof of the ids. */
static void test_owner_and_trust(void **state)
{
    policy_t pair[2] = {policies[GOOD], policies[OWNER]};
    char shared[512];
    request_t r;
    answer_t answer;
    helper_t h;

    snprintf(shared, sizeof(shared), "%s/shared/hello", root);
    must("mkdir %s/shared && cp build/probe/hello %s", root, shared);
    pair[0].trust = pair[1].trust = "/shared";
    start(&h, pair, 2);
    run(&h, 0, "/shared/hello", shared, &answer);
    assert_string_equal(answer.out, "ran\n");
    prepare(&h, &r, "/shared/hello", shared);
    r.msg.policy = 1;
    r.msg.uid = r.msg.gid = TENANT;
    ask(&h, &r);
    must_refuse(&r, JC_CODE_SCRIPT_OWNER);
    stop(&h);
    must("rm -rf %s/shared", root);
}

/* One user's jails are bounded, whatever his policies are. */
static void test_jails_of_one_user(void **state)
{
    enum { MANY = 70 };
    static policy_t many[MANY];
    static char names[MANY][24];
    answer_t answer;
    helper_t h;
    int ran = 0, refused = 0;

    for (int i = 0; i < MANY; i++) {
        many[i] = policies[GOOD];
        snprintf(names[i], sizeof(names[i]), "NUMBER=%d", i);
        many[i].env[2] = names[i];
    }
    start(&h, many, MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        run(&h, i, script, program, &answer);
        ran += strcmp(answer.out, "ran\n") == 0;
        refused +=
            answer.failed && answer.failure.code == JC_CODE_TOO_MANY_JAILS;
    }
    assert_int_equal(ran, 64);
    assert_int_equal(refused, MANY - 64);
    stop(&h);
}

/* Whether these bytes are in the writable memory of a process. */
static int memory_contains(pid_t pid, const char *secret)
{
    char path[64], line[512], perms[8];
    unsigned long from, to;
    int found = 0;

    snprintf(path, sizeof(path), "/proc/%d/maps", pid);
    FILE *maps = fopen(path, "re");
    snprintf(path, sizeof(path), "/proc/%d/mem", pid);
    int mem_fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_non_null(maps);
    assert_return_code(mem_fd, errno);
    while (fgets(line, sizeof(line), maps)) {
        assert_int_equal(sscanf(line, "%lx-%lx %7s", &from, &to, perms), 3);
        if (to - from > 1UL << 28) {
            continue; /* a sanitizer's shadow */
        }
        char *copy = malloc(to - from);
        if (perms[1] == 'w' &&
            pread(mem_fd, copy, to - from, (off_t) from) > 0) {
            found |= memmem(copy, to - from, secret, strlen(secret)) != NULL;
        }
        free(copy);
    }
    fclose(maps);
    close(mem_fd);
    return found;
}

/* A keeper's memory holds its own policy and no other's. */
static void test_secrets_of_others(void **state)
{
    policy_t pair[2] = {policies[GOOD], policies[GOOD]};
    pid_t pids[8];
    answer_t answer;
    helper_t h;

    pair[0].env[2] = "PASSWORD=of-the-first-tenant";
    pair[1].env[2] = "PASSWORD=of-the-second-tenant";
    pair[0].mark = "1.Zq";
    pair[1].mark = "2.Zq";
    start(&h, pair, 2);
    run(&h, 0, script, program, &answer);
    assert_int_equal(children_of(h.pid, pids, 8), 1);
    assert_true(memory_contains(pids[0], "of-the-first-tenant"));
    assert_true(memory_contains(pids[0], "1.Zq"));
    assert_false(memory_contains(pids[0], "of-the-second-tenant"));
    assert_false(memory_contains(pids[0], "2.Zq"));
    kill(pids[0], SIGKILL);
    assert_true(wait_gone(pids[0]));
    run(&h, 1, script, program, &answer);
    assert_int_equal(children_of(h.pid, pids, 8), 1);
    assert_true(memory_contains(pids[0], "of-the-second-tenant"));
    assert_false(memory_contains(pids[0], "of-the-first-tenant"));
    assert_false(memory_contains(pids[0], "1.Zq"));
    stop(&h);
}

/* What the helper had not received when it was killed is served by the next. */
static void test_queue_outlives_helper(void **state)
{
    request_t r[8];
    answer_t answer;
    helper_t h;

    start(&h, policies, POLICIES);
    must_run(&h);
    assert_return_code(kill(h.pid, SIGSTOP), errno);
    for (int i = 0; i < 8; i++) {
        prepare(&h, &r[i], script, program);
        ask(&h, &r[i]);
    }
    kill(h.pid, SIGKILL);
    waitpid(h.pid, NULL, 0);
    close(h.parent_fd);
    start_again(&h);
    for (int i = 0; i < 8; i++) {
        await(&r[i], &answer);
        assert_string_equal(answer.out, "ran\n");
    }
    stop(&h);
}

static void test_keeper_killed(void **state)
{
    helper_t *h = *state;
    pid_t first[8], second[8];

    must_run(h);
    assert_int_equal(children_of(h->pid, first, 8), 1);
    kill(first[0], SIGKILL);
    assert_true(wait_gone(first[0]));
    must_run(h);
    assert_int_equal(children_of(h->pid, second, 8), 1);
    assert_int_not_equal(first[0], second[0]);
}

/* As whoever has its uid may, and root only with CAP_SYS_RESOURCE. */
static void limit_descriptors(pid_t pid, rlim_t most)
{
    struct rlimit limit = {most, most};
    int status;
    pid_t child = fork();

    if (child == 0) {
        int failed = setresgid(TENANT, TENANT, TENANT) ||
                     setresuid(TENANT, TENANT, TENANT);
        if (most == 0) { /* the soft limit alone */
            failed = failed || prlimit(pid, RLIMIT_NOFILE, NULL, &limit);
            limit.rlim_cur = 0;
        }
        _exit(failed || prlimit(pid, RLIMIT_NOFILE, &limit, NULL));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* A keeper that has no room for a request's descriptors raises its limit again,
 * or makes place for another where it cannot. */
static void test_keeper_without_descriptors(void **state)
{
    const helper_t *h = *state;
    pid_t before[8], after[8];
    answer_t answer;

    must_run(h);
    assert_int_equal(children_of(h->pid, before, 8), 1);
    limit_descriptors(before[0], 0);
    run(h, GOOD, script, program, &answer);
    assert_false(answer.started);
    must_run(h);
    assert_int_equal(children_of(h->pid, after, 8), 1);
    assert_int_equal(after[0], before[0]);
    limit_descriptors(before[0], 3); /* the hard one as well */
    run(h, GOOD, script, program, &answer);
    assert_false(answer.started);
    assert_true(wait_gone(before[0]));
    must_run(h);
    assert_int_equal(children_of(h->pid, after, 8), 1);
    assert_int_not_equal(after[0], before[0]);
}

/* The next request over a channel that is free. */
static void ask_again(const request_t *r)
{
    char data[8192];
    size_t len = make_request(data, script, program, 0);

    hand_over(r->control_fd, data, len);
}

static void must_answer(const request_t *r, uint64_t request_id)
{
    answer_t answer;

    await_end(r, &answer);
    assert_string_equal(answer.out, "ran\n");
    assert_true(answer.started);
    assert_false(answer.failed);
    assert_true(answer.exited);
    assert_int_equal(answer.exit.request_id, request_id);
    assert_int_equal(answer.exit.is_free, 1);
}

/* Whether both sockets hang up, having brought nothing more. */
static void must_hang_up(request_t *r, int patience_ms)
{
    struct pollfd control = {.fd = r->control_fd};
    struct pollfd ended = {.fd = r->ended_fd};
    jc_wire_any_t any;
    int fds[JC_MAX_FDS];

    assert_int_equal(poll(&control, 1, patience_ms), 1);
    assert_int_equal(poll(&ended, 1, patience_ms), 1);
    assert_int_equal(jc_wire_recv(r->control_fd, &any, fds, MSG_DONTWAIT),
                     JC_WIRE_EOF);
    assert_int_equal(jc_wire_recv(r->ended_fd, &any, fds, MSG_DONTWAIT),
                     JC_WIRE_EOF);
    hang_up(r);
}

/* A channel serves one request after the other, without the helper. */
static void test_channel(void **state)
{
    helper_t *h = *state;
    request_t r, second;
    pid_t pids[8];

    prepare(h, &r, script, program);
    ask(h, &r);
    must_answer(&r, 42);
    assert_int_equal(children_of(h->pid, pids, 8), 1);
    prepare(h, &second, script, program);
    ask(h, &second);
    must_answer(&second, 42);
    int before = descriptors_of(pids[0]);
    assert_return_code(kill(h->pid, SIGSTOP), errno);
    for (uint64_t i = 1; i <= 20; i++) {
        ask_again(&r);
        must_answer(&r, 42 + i);
    }
    ask_again(&second);
    must_answer(&second, 43);
    assert_int_equal(descriptors_of(pids[0]), before);
    assert_return_code(kill(h->pid, SIGCONT), errno);
    hang_up(&r);
    for (int i = 0; i < 250 && descriptors_of(pids[0]) > before - 2; i++) {
        usleep(20000);
    }
    assert_int_equal(descriptors_of(pids[0]), before - 2);
    hang_up(&second);
}

/* What comes over it while a request runs is not started beside that one. */
static void test_channel_early(void **state)
{
    helper_t *h = *state;
    request_t r;
    pid_t pids[8];

    must_run(h);
    assert_int_equal(children_of(h->pid, pids, 8), 1);
    assert_return_code(kill(pids[0], SIGSTOP), errno);
    prepare(h, &r, script, program);
    ask(h, &r);
    ask_again(&r);
    ask_again(&r);
    assert_return_code(kill(pids[0], SIGCONT), errno);
    must_answer(&r, 42);
    must_run(h);
    struct pollfd p = {.fd = r.ended_fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 300), 0); /* nothing was run for them */
    hang_up(&r);
    must_run(h);
}

/* A request for a file that the jail does not have costs the jail nothing: the
 * same channel and the same keeper serve the next one. */
static void test_channel_after_failure(void **state)
{
    helper_t *h = *state;
    request_t r;
    answer_t answer;
    pid_t before[8], after[8];
    char data[8192];
    size_t len = make_request(data, "/cgi-bin/none", "/cgi-bin/none", 0);

    must_run(h);
    assert_int_equal(children_of(h->pid, before, 8), 1);
    prepare_empty(h, &r);
    hand_over(r.control_fd, data, len);
    ask(h, &r);
    await_end(&r, &answer);
    assert_true(answer.failed);
    assert_int_equal(answer.failure.request_id, 42);
    assert_true(answer.exited);
    assert_int_equal(WEXITSTATUS(answer.exit.status), JC_FAILED_STATUS);
    assert_int_equal(answer.exit.is_free, 1);
    ask_again(&r);
    must_answer(&r, 43);
    hang_up(&r);
    usleep(300000); /* for the process that looks at the root */
    must_run(h);
    assert_int_equal(children_of(h->pid, after, 8), 1);
    assert_int_equal(before[0], after[0]);
}

/* The script's child of this request, stopped before its first instruction: it
 * still holds all that the keeper has open. */
static pid_t hold_child(const helper_t *h, pid_t keeper, request_t *r)
{
    unsigned long pid;

    assert_return_code(ptrace(PTRACE_SEIZE, keeper, 0, PTRACE_O_TRACEFORK),
                       errno);
    ask(h, r);
    assert_int_equal(waitpid(keeper, NULL, __WALL), keeper);
    assert_return_code(ptrace(PTRACE_GETEVENTMSG, keeper, 0, &pid), errno);
    assert_int_equal(waitpid((pid_t) pid, NULL, __WALL), pid);
    assert_return_code(ptrace(PTRACE_DETACH, keeper, 0, 0), errno);
    return (pid_t) pid;
}

/* A keeper whose root was replaced makes way, and takes no request with it,
 * also while a child that it has just made holds the helper's socket. */
static void test_makes_way(void **state)
{
    char later[300], there[600];
    policy_t policy = policies[GOOD];
    helper_t h;
    request_t r, held;
    answer_t answer;
    pid_t pids[8];

    snprintf(later, sizeof(later), "%s.later", root);
    snprintf(there, sizeof(there), "%s%s", later, script);
    must("cp -a %s %s", root, later);
    policy.root = later;
    start(&h, &policy, 1);
    run(&h, 0, script, there, &answer);
    assert_string_equal(answer.out, "ran\n");
    assert_int_equal(children_of(h.pid, pids, 8), 1);
    prepare(&h, &held, script, there);
    pid_t child = hold_child(&h, pids[0], &held);
    must("mv %s %s.old && cp -a %s %s", later, later, root, later);
    prepare(&h, &r, script, there);
    ask(&h, &r);
    await_end(&r, &answer);
    assert_true(answer.failed);
    assert_int_equal(answer.failure.code, JC_CODE_OTHER_FILE);
    must_hang_up(&r, 5000);
    run(&h, 0, script, there, &answer);
    assert_string_equal(answer.out, "ran\n");
    assert_return_code(ptrace(PTRACE_DETACH, child, 0, 0), errno);
    await(&held, &answer);
    assert_string_equal(answer.out, "ran\n");
    assert_true(wait_gone(pids[0]));
    stop(&h);
    must("rm -rf --one-file-system %s %s.old", later, later);
}

/* A request for t/probe/linger.c. Answers with the script's pid, the new child
 * of the keeper. */
static pid_t linger(const helper_t *h, request_t *r, const char *query)
{
    char data[8192];
    size_t len = make_request(data, "/cgi-bin/linger", lingerer, 0);
    jc_request_head_t *head = (jc_request_head_t *) data;
    jc_wire_any_t any = {.head = {.type = 0}};
    struct pollfd p = {.events = POLLIN};
    int fds[JC_MAX_FDS];
    char text[128] = "";
    ssize_t got = 1;

    len += (size_t) sprintf(data + len, "QUERY_STRING=%s", query) + 1;
    head->envc++;
    head->strings_len = len - sizeof(*head);
    prepare_empty(h, r);
    hand_over(r->control_fd, data, len);
    ask(h, r);
    p.fd = r->control_fd;
    assert_int_equal(poll(&p, 1, 20000), 1);
    assert_int_equal(jc_wire_recv(r->control_fd, &any, fds, 0), JC_WIRE_OK);
    assert_int_equal(any.head.type, JC_MSG_STARTED);
    for (size_t at = 0; got > 0 && !strstr(text, "left\n");
         at += (size_t) got) {
        got = read(fds[JC_STARTED_STDOUT], text + at, sizeof(text) - 1 - at);
        text[at + (got > 0 ? (size_t) got : 0)] = 0;
    }
    assert_true(got > 0);
    jc_wire_close_fds(fds, JC_MAX_FDS);
    return any.started.pid;
}

/* Holds a process at the end of its life, as a busy machine does for longer. */
static void hold_at_exit(pid_t pid)
{
    assert_return_code(ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEEXIT), errno);
}

/* What else stops it, as a signal that it ignores, is passed over. */
static void let_go(pid_t pid)
{
    int status;

    for (;;) {
        assert_int_equal(waitpid(pid, &status, __WALL), pid);
        assert_true(WIFSTOPPED(status));
        if (status >> 16 == PTRACE_EVENT_EXIT) {
            break;
        }
        (void) ptrace(PTRACE_CONT, pid, 0, 0);
    }
    assert_return_code(ptrace(PTRACE_DETACH, pid, 0, 0), errno);
}

/* What is given up takes long to die of SIGKILL, one after the other: another
 * request of the jail goes on. */
static void test_slow_deaths(void **state)
{
    helper_t *h = *state;
    request_t r, beside;
    pid_t keeper, pids[16];

    linger(h, &beside, "nothing+stay");
    linger(h, &r, "brothers+stay");
    assert_int_equal(children_of(h->pid, &keeper, 1), 1);
    int count = children_of(keeper, pids, 16);
    assert_int_equal(count, 1 + 5);
    for (int i = 1; i < count; i++) {
        hold_at_exit(pids[i]);
    }
    hang_up(&r);
    for (int i = 1; i < count; i++) {
        let_go(pids[i]);
        usleep(1000000);
    }
    assert_int_equal(children_of(keeper, pids, 16), 1);
    hang_up(&beside);
    assert_true(wait_gone(pids[0]));
    must_run(h);
}

/* Whoever keeps a channel to a keeper that is told to finish, or killed, sees
 * it hang up. */
static void test_channel_ends(void **state)
{
    helper_t *h = *state, next;
    request_t r, idle;
    pid_t pids[8];
    policy_t other = policies[GOOD];

    prepare(h, &r, script, program);
    ask(h, &r);
    must_answer(&r, 42);
    assert_int_equal(children_of(h->pid, pids, 8), 1);
    kill(pids[0], SIGKILL);
    must_hang_up(&r, 5000);
    assert_true(wait_gone(pids[0])); /* its other sockets have closed */

    prepare(h, &r, script, program);
    ask(h, &r);
    must_answer(&r, 42);
    next = *h; /* a configuration without that policy */
    other.env[2] = "OTHER=1";
    open_generation(&next, 2, &other, 1);
    send_generation(&next);
    must_run(&next);
    ask_again(&r); /* its old child is still there, and so is the keeper */
    must_answer(&r, 43);
    close_generation(h);
    must_hang_up(&r, 10000);
    *h = next;

    prepare(h, &idle, script, program);
    ask(h, &idle);
    must_answer(&idle, 42);
    assert_return_code(kill(h->pid, SIGKILL), errno);
    must_hang_up(&idle, 5000);
    assert_int_equal(waitpid(h->pid, NULL, 0), h->pid);
    close(h->parent_fd);
    start_again(h);
    must_run(h);
}

/* Requests that do not pass the helper keep their jail warm. */
static void test_channel_keeps_warm(void **state)
{
    helper_t *h = *state;
    request_t r;
    pid_t before[8], after[8];

    prepare(h, &r, script, program);
    r.msg.policy = IDLE;
    ask(h, &r);
    must_answer(&r, 42);
    assert_int_equal(children_of(h->pid, before, 8), 1);
    for (uint64_t i = 1; i <= 20; i++) { /* four times its JailIdle */
        usleep(100000);
        ask_again(&r);
        must_answer(&r, 42 + i);
    }
    assert_int_equal(children_of(h->pid, after, 8), 1);
    assert_int_equal(before[0], after[0]);
    must_hang_up(&r, 10000);
    assert_true(wait_gone(before[0]));
}

static void test_idle_keeper_goes(void **state)
{
    helper_t *h = *state;
    answer_t answer;
    pid_t pids[8];

    run(h, IDLE, script, program, &answer);
    assert_string_equal(answer.out, "ran\n");
    assert_int_equal(children_of(h->pid, pids, 8), 1);
    assert_true(wait_gone(pids[0]));
    run(h, IDLE, script, program, &answer);
    assert_string_equal(answer.out, "ran\n");
}

/* A new configuration keeps a jail whose policy is the same, and ends one
 * whose policy has gone once the old children have gone. */
static void test_generations(void **state)
{
    policy_t first[2] = {policies[GOOD], policies[GOOD]};
    pid_t pids[8], kept[8];
    answer_t answer;
    helper_t h, next;

    first[1].env[2] = "ONLY=old";
    start(&h, first, 2);
    must_run(&h);
    assert_int_equal(children_of(h.pid, kept, 8), 1);
    run(&h, 1, script, program, &answer);
    assert_string_equal(answer.out, "ran\n");
    assert_int_equal(children_of(h.pid, pids, 8), 2);
    next = h;
    open_generation(&next, 2, first, 1);
    send_generation(&next);
    must_run(&next);
    must_run(&h); /* its old children are still served */
    assert_int_equal(children_of(h.pid, pids, 8), 2);
    close_generation(&h);
    for (int i = 0; i < 250 && children_of(next.pid, pids, 8) > 1; i++) {
        usleep(20000);
    }
    assert_int_equal(children_of(next.pid, pids, 8), 1);
    assert_int_equal(pids[0], kept[0]);
    must_run(&next);
    stop(&next);
}

/* Records that are equal byte by byte are two policies if their common parts
 * differ; and what a part says counts, not which number it has in the table. */
static void test_common_parts(void **state)
{
    policy_t first[2] = {policies[GOOD], policies[GOOD]};
    policy_t second[3] = {policies[GOOD], policies[GOOD], policies[GOOD]};
    pid_t a[1], both[8], pids[8];
    answer_t answer;
    helper_t h, next;

    first[0].mark = "A-is";
    first[1].mark = "B-is";
    start(&h, first, 2);
    run(&h, 0, script, program, &answer);
    assert_string_equal(answer.out, "ran\n");
    assert_int_equal(children_of(h.pid, a, 1), 1);
    run(&h, 1, script, program, &answer);
    assert_string_equal(answer.out, "ran\n");
    assert_int_equal(children_of(h.pid, both, 8), 2);
    /* Each number is another part's now. */
    second[0].mark = "C-is";
    second[1].mark = first[0].mark;
    second[2].mark = first[1].mark;
    next = h;
    open_generation(&next, 2, second, 3);
    send_generation(&next);
    run(&next, 1, script, program, &answer);
    run(&next, 2, script, program, &answer);
    assert_int_equal(children_of(h.pid, pids, 8), 2);
    assert_memory_equal(pids, both, 2 * sizeof(*pids));
    run(&next, 0, script, program, &answer);
    assert_string_equal(answer.out, "ran\n");
    assert_int_equal(children_of(h.pid, pids, 8), 3);
    /* What the new table has as well is in use without the old one. */
    close_generation(&h);
    usleep(1500000); /* a sweep */
    run(&next, 1, script, program, &answer);
    run(&next, 2, script, program, &answer);
    assert_int_equal(children_of(next.pid, pids, 8), 3);
    assert_memory_equal(pids, both, 2 * sizeof(*pids));
    /* Another part with the first one's number, and the last of the others. */
    h = next;
    first[0].mark = "D-is";
    open_generation(&next, 3, first, 1);
    send_generation(&next);
    close_generation(&h);
    run(&next, 0, script, program, &answer);
    assert_string_equal(answer.out, "ran\n");
    for (int i = 0; i < 250 && children_of(next.pid, pids, 8) > 1; i++) {
        usleep(20000);
    }
    assert_int_equal(children_of(next.pid, pids, 8), 1);
    assert_int_not_equal(pids[0], both[0]);
    assert_int_not_equal(pids[0], both[1]);
    stop(&next);
}

static void must_have_logged(int log_fd, const char *words)
{
    char text[2048];
    ssize_t len = read(log_fd, text, sizeof(text) - 1);

    assert_true(len > 0);
    text[len] = 0;
    assert_non_null(strstr(text, words));
}

/* A new configuration brings the log to write to from now on. */
static void test_new_log(void **state)
{
    helper_t h, next;
    pid_t pids[8];
    answer_t answer;
    int log[2];

    assert_return_code(pipe2(log, O_CLOEXEC | O_NONBLOCK), errno);
    start(&h, policies, POLICIES);
    next = h;
    next.log_fd = log[1];
    open_generation(&next, 2, policies, POLICIES);
    send_generation(&next);
    must_run(&next);
    assert_int_equal(children_of(next.pid, pids, 8), 1);
    kill(pids[0], SIGKILL);
    assert_true(wait_gone(pids[0]));
    must_run(&next); /* so the helper has seen its keeper's death */
    must_have_logged(log[0], "was killed by signal 9");

    /* A keeper that gives up says nothing itself: the helper does. */
    assert_int_equal(children_of(next.pid, pids, 8), 1);
    limit_descriptors(pids[0], 3);
    run(&next, GOOD, script, program, &answer);
    assert_false(answer.started);
    assert_true(wait_gone(pids[0]));
    must_run(&next);
    must_have_logged(log[0], "has given its jail up");
    close_generation(&h);
    stop(&next);
    jc_wire_close_fds(log, 2);
}

static void test_malformed_table(void **state)
{
    helper_t *h = *state;
    jc_msg_generation_t msg = {.generation = 7, .web_uid = WEB};
    int pair[2];
    static const char junk[64] = "not a table";

    assert_return_code(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
                                  pair),
                       errno);
    int fds[JC_GENERATION_FDS] = {pair[1], sealed_memfd(junk, sizeof(junk)),
                                  STDERR_FILENO};
    assert_int_equal(jc_wire_send(h->parent_fd, JC_MSG_GENERATION, &msg, fds,
                                  JC_GENERATION_FDS, 0),
                     JC_WIRE_OK);
    must_run(h);
    jc_wire_close_fds(fds, 2);
    close(pair[0]);
}

/* SIGKILL to the parent takes the helper and the keeper. */
static void test_goes_with_parent(void **state)
{
    int report[2];
    pid_t pids[2] = {0, 0};

    assert_return_code(pipe2(report, O_CLOEXEC), errno);
    pid_t parent = fork();
    if (parent == 0) {
        helper_t h;
        start(&h, policies, POLICIES);
        must_run(&h);
        pids[0] = h.pid;
        children_of(h.pid, &pids[1], 1);
        if (write(report[1], pids, sizeof(pids)) != sizeof(pids)) {
            _exit(1);
        }
        pause();
    }
    close(report[1]);
    assert_int_equal(read(report[0], pids, sizeof(pids)), sizeof(pids));
    assert_true(pids[1] > 1);
    assert_false(is_gone(pids[0]));
    assert_false(is_gone(pids[1]));
    kill(parent, SIGKILL);
    waitpid(parent, NULL, 0);
    assert_true(wait_gone(pids[0]));
    assert_true(wait_gone(pids[1]));
    close(report[0]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_runs),
        cmocka_unit_test(test_each_step),
        cmocka_unit_test(test_missing_root_heals),
        cmocka_unit_test(test_unsafe_root),
        TEST(test_bad_numbers),
        TEST(test_owner),
        TEST(test_owner_variables),
        TEST(test_owner_home),
        TEST(test_wrong_descriptors),
        TEST(test_roots_socket),
        TEST(test_junk_requests),
        TEST(test_wrong_handover),
        TEST(test_body_pipe),
        TEST(test_many_strings),
        TEST(test_killed_while_it_maps),
        TEST(test_bad_messages),
        TEST(test_closes_that_block),
        cmocka_unit_test(test_shut_down_socket),
        cmocka_unit_test(test_owner_and_trust),
        cmocka_unit_test(test_jails_of_one_user),
        cmocka_unit_test(test_secrets_of_others),
        cmocka_unit_test(test_queue_outlives_helper),
        TEST(test_keeper_killed),
        TEST(test_keeper_without_descriptors),
        TEST(test_channel),
        TEST(test_channel_early),
        TEST(test_channel_after_failure),
        cmocka_unit_test(test_makes_way),
        TEST(test_slow_deaths),
        TEST(test_channel_ends),
        TEST(test_channel_keeps_warm),
        TEST(test_idle_keeper_goes),
        cmocka_unit_test(test_generations),
        cmocka_unit_test(test_common_parts),
        cmocka_unit_test(test_new_log),
        TEST(test_malformed_table),
        cmocka_unit_test(test_goes_with_parent),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
