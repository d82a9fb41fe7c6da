/*
 * Who may send what, with a real helper. A right is proved when it is used: an
 * end of a socket can be passed to another process, and is worth nothing there.
 *
 * Runs in:   the tests
 * Privilege: root; acts as the web user when it asks
 */
#include "driver.h"

#define PATIENCE_MS      5000
#define KEEPER_HELPER_FD 4 /* JC_KEEPER_HELPER_FD of src/keeper/keeper.h */

static const char *const script = "/cgi-bin/hello";
static char root[ROOT_SIZE];
static char program[PROGRAM_SIZE];
static policy_t policy;

static int group_set_up(void **state)
{
    if (make_root(root, "rights")) {
        return -1;
    }
    add_program(root, "hello", program);
    policy = policy_in(root);
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

    start(&h, &policy, 1);
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

    run(h, 0, script, program, &answer);
    assert_string_equal(answer.out, "ran\n");
}

static void must_end_with(const request_t *r, const char *out)
{
    answer_t answer;

    await_end(r, &answer);
    assert_string_equal(answer.out, out);
    assert_int_equal(answer.started, out[0] != 0);
}

/* Whether both sockets of the channel hang up in time. */
static int hangs_up(const request_t *r)
{
    struct pollfd control = {.fd = r->control_fd};
    struct pollfd ended = {.fd = r->ended_fd};

    return poll(&control, 1, PATIENCE_MS) == 1 && (control.revents & POLLHUP) &&
           poll(&ended, 1, PATIENCE_MS) == 1 && (ended.revents & POLLHUP);
}

/* Sends SPAWN in a process of this user, which ends after that or, if it is
 * given a pipe, when that is closed. */
static pid_t ask_as(const helper_t *h, request_t *r, uid_t uid, const int *ends)
{
    pid_t pid = fork();

    assert_return_code(pid, errno);
    if (pid == 0) {
        char byte;
        int failed = (ends && close(ends[1])) || setresuid(uid, uid, uid) ||
                     jc_wire_send(h->child_fd, JC_MSG_SPAWN, &r->msg, r->fds,
                                  JC_SPAWN_FDS, 0) != JC_WIRE_OK;
        jc_wire_close_fds(r->fds, JC_SPAWN_FDS);
        _exit(failed || (ends && read(ends[0], &byte, 1) != 0));
    }
    jc_wire_close_fds(r->fds, JC_SPAWN_FDS);
    return pid;
}

static void must_have_ended(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* The generation's socket was passed to a tenant, or to root by mistake. */
static void spawn_of_another_user(void **state)
{
    static const uid_t others[] = {TENANT, 0};
    helper_t *h = *state;
    request_t r;
    int ends[2];

    for (size_t i = 0; i < 2; i++) {
        assert_return_code(pipe2(ends, O_CLOEXEC), errno);
        prepare(h, &r, script, program);
        pid_t pid = ask_as(h, &r, others[i], ends);
        assert_true(hangs_up(&r));
        must_end_with(&r, "");
        close(ends[1]);
        must_have_ended(pid);
        close(ends[0]);
        hang_up(&r);
    }
    /* The same by the web user runs. */
    assert_return_code(pipe2(ends, O_CLOEXEC), errno);
    prepare(h, &r, script, program);
    pid_t pid = ask_as(h, &r, WEB, ends);
    must_end_with(&r, "ran\n");
    close(ends[1]);
    must_have_ended(pid);
    close(ends[0]);
    hang_up(&r);
    must_run(h);
}

static void send_as(int control_fd, uid_t uid)
{
    char data[8192];
    size_t len = make_request(data, script, program, 0);

    assert_return_code(setresuid(uid, uid, 0), errno);
    assert_int_equal(send(control_fd, data, len, MSG_NOSIGNAL), len);
    become_root();
}

/* A channel's end was passed to a tenant. */
static void request_of_another_user(void **state)
{
    static const uid_t others[] = {TENANT, 0};
    helper_t *h = *state;
    request_t r;
    answer_t answer;

    for (size_t i = 0; i < 2; i++) {
        prepare(h, &r, script, program);
        ask(h, &r);
        must_end_with(&r, "ran\n");
        send_as(r.control_fd, others[i]);
        await_end(&r, &answer);
        assert_true(answer.failed);
        assert_int_equal(answer.failure.code, JC_CODE_FOREIGN_SENDER);
        assert_int_equal(answer.failure.found, others[i]);
        assert_int_equal(answer.failure.expected, WEB);
        assert_string_equal(answer.out, "");
        assert_true(hangs_up(&r));
        hang_up(&r);
    }
    prepare(h, &r, script, program);
    ask(h, &r);
    must_end_with(&r, "ran\n");
    send_as(r.control_fd, WEB);
    must_end_with(&r, "ran\n");
    hang_up(&r);
}

/* The channels of an httpd child end with it, whoever has their ends by then;
 * those of another child do not. */
static void channel_of_a_dead_child(void **state)
{
    helper_t *h = *state;
    request_t r, other;
    int ends[2];

    prepare(h, &other, script, program);
    ask(h, &other);
    must_end_with(&other, "ran\n");
    assert_return_code(pipe2(ends, O_CLOEXEC), errno);
    prepare(h, &r, script, program);
    pid_t pid = ask_as(h, &r, WEB, ends);
    must_end_with(&r, "ran\n");
    send_as(r.control_fd, WEB); /* while it lives */
    must_end_with(&r, "ran\n");
    close(ends[1]);
    must_have_ended(pid);
    assert_true(hangs_up(&r));
    send_as(other.control_fd, WEB);
    must_end_with(&other, "ran\n");
    hang_up(&other);
    hang_up(&r);
    close(ends[0]);
}

/* A child that has ended has no new channel either. */
static void spawn_of_a_dead_child(void **state)
{
    helper_t *h = *state;
    request_t r;

    must_run(h);
    assert_return_code(kill(h->pid, SIGSTOP), errno);
    prepare(h, &r, script, program);
    must_have_ended(ask_as(h, &r, WEB, NULL));
    assert_return_code(kill(h->pid, SIGCONT), errno);
    assert_true(hangs_up(&r));
    must_end_with(&r, "");
    hang_up(&r);
    must_run(h);
}

/* A generation whose children have all ended is over, though a copy of its
 * socket is still somewhere: here. */
static void retired_generation(void **state)
{
    helper_t *h = *state;
    jc_msg_retire_t msg = {.generation = 99};
    request_t r;

    assert_int_equal(jc_wire_send(h->parent_fd, JC_MSG_RETIRE, &msg, NULL, 0,
                                  0),
                     JC_WIRE_OK);
    must_run(h); /* it was another one */
    msg.generation = h->generation;
    assert_int_equal(jc_wire_send(h->parent_fd, JC_MSG_RETIRE, &msg, NULL, 0,
                                  0),
                     JC_WIRE_OK);
    close(h->helper_fd); /* as the parent does */
    h->helper_fd = -1;
    struct pollfd p = {.fd = h->child_fd};
    assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
    assert_true(p.revents & POLLHUP);
    prepare(h, &r, script, program);
    become_web();
    assert_int_equal(jc_wire_send(h->child_fd, JC_MSG_SPAWN, &r.msg, r.fds,
                                  JC_SPAWN_FDS, 0),
                     JC_WIRE_EOF);
    become_root();
    jc_wire_close_fds(r.fds, JC_SPAWN_FDS);
    hang_up(&r);
}

static void send_junk(helper_t *h, int fd)
{
    become_web();
    send_bytes_fd(h, "junk", 4, 1, fd);
    become_root();
}

/* More lingering sockets than there may be closers: the oldest are killed, and
 * the helper serves on. The queue of each must fill up before the next one is
 * made, so there are many messages. */
static void flood_of_lingering_sockets(void **state)
{
    enum { MESSAGES = 9000, EVERY = 200, SOCKETS = MESSAGES / EVERY };
    helper_t *h = *state;
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    int peers[SOCKETS];
    time_t begun = time(NULL);

    for (int i = 0; i < MESSAGES; i++) {
        if (i % EVERY) {
            send_junk(h, null_fd);
            continue;
        }
        /* Stopped, or our close might be the last. */
        int fd = lingering_socket(&peers[i / EVERY]);
        assert_return_code(kill(h->pid, SIGSTOP), errno);
        send_junk(h, fd);
        close(fd);
        assert_return_code(kill(h->pid, SIGCONT), errno);
    }
    must_run(h);
    must_run(h);
    /* A sixth of what the closes take one after the other with 16 closers. */
    assert_true(time(NULL) - begun < 30);
    jc_wire_close_fds(peers, SOCKETS);
    close(null_fd);
}

/* The keeper's end of its socket to the helper, as one who has taken the keeper
 * over has it. */
static int socket_of_keeper(const helper_t *h)
{
    pid_t keeper;

    assert_int_equal(children_of(h->pid, &keeper, 1), 1);
    int pidfd = (int) syscall(SYS_pidfd_open, keeper, 0);
    assert_return_code(pidfd, errno);
    int fd = (int) syscall(SYS_pidfd_getfd, pidfd, KEEPER_HELPER_FD, 0);
    assert_return_code(fd, errno);
    close(pidfd);
    return fd;
}

/* What blocks when it is closed lies in a keeper's socket when the helper lets
 * go of that keeper, because it hears no more. Behind empty records, which read
 * like the end. */
static void lingering_socket_of_a_keeper(void **state)
{
    helper_t *h = *state;
    helper_t keeper = *h;
    answer_t answer;
    request_t r;
    int peer_fd;

    must_run(h);
    keeper.child_fd = socket_of_keeper(h);
    assert_return_code(kill(h->pid, SIGSTOP), errno);
    int fd = lingering_socket(&peer_fd);
    for (int i = 0; i < 3; i++) {
        send_bytes_fd(&keeper, "", 0, 0, -1);
    }
    send_bytes_fd(&keeper, "", 0, 1, fd);
    close(fd);
    assert_return_code(shutdown(keeper.child_fd, SHUT_RD), errno);
    prepare(h, &r, script, program);
    ask(h, &r);
    assert_return_code(kill(h->pid, SIGCONT), errno);
    await(&r, &answer);
    assert_string_equal(answer.out, "ran\n");
    close(peer_fd);
    close(keeper.child_fd);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(spawn_of_another_user),        TEST(request_of_another_user),
        TEST(channel_of_a_dead_child),      TEST(spawn_of_a_dead_child),
        TEST(retired_generation),           TEST(flood_of_lingering_sockets),
        TEST(lingering_socket_of_a_keeper),
    };

    return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
