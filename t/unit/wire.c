/*
 * src/wire/wire.c: every type passes unchanged, everything that is not exactly
 * a message is refused, and no refusal leaves a descriptor open.
 *
 * Runs in:   the tests
 * Privilege: none
 */
#include "src/wire/table.h"
#include "src/wire/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const uint16_t all_types[] = {
    JC_MSG_GENERATION,    JC_MSG_SPAWN,  JC_MSG_RUN,  JC_MSG_STARTED,
    JC_MSG_STARTED_STDIN, JC_MSG_FAILED, JC_MSG_EXIT, JC_MSG_RETIRE,
    JC_MSG_READY,         JC_MSG_STALE,  JC_MSG_PING,
};
#define TYPE_COUNT (sizeof(all_types) / sizeof(all_types[0]))

typedef struct {
    int pair[2];
    int null_fd;
    int open_before; /* descriptors of this process, the three included */
} fixture_t;

static int open_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;

    assert_non_null(dir);
    while (readdir(dir)) {
        count++;
    }
    closedir(dir);
    return count;
}

static int set_up(void **state)
{
    static fixture_t f;

    assert_return_code(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
                                  f.pair),
                       errno);
    f.null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    assert_return_code(f.null_fd, errno);
    f.open_before = open_descriptors();
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *f = *state;

    jc_wire_close_fds(f->pair, 2);
    close(f->null_fd);
    return 0;
}

/* Sends bytes with descriptors as a peer may that does not use jc_wire_send. */
static void send_raw(fixture_t *f, const void *bytes, size_t len,
                     unsigned fd_count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * 64)];
    } ancillary = {0};
    struct iovec iov = {.iov_base = (void *) bytes, .iov_len = len};
    struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};

    assert_true(fd_count <= 64);
    if (fd_count > 0) {
        mh.msg_control = &ancillary;
        mh.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
        struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
        for (unsigned i = 0; i < fd_count; i++) {
            memcpy(CMSG_DATA(c) + i * sizeof(int), &f->null_fd, sizeof(int));
        }
    }
    assert_int_equal(sendmsg(f->pair[0], &mh, MSG_NOSIGNAL), (int) len);
}

static jc_wire_result_t receive(fixture_t *f, jc_wire_any_t *any, int *fds)
{
    return jc_wire_recv(f->pair[1], any, fds, MSG_DONTWAIT);
}

/* What has arrived is refused with `expected`, and nothing is left open. */
static void refused_as(fixture_t *f, jc_wire_result_t expected)
{
    jc_wire_any_t any;
    int fds[JC_MAX_FDS] = {7, 7, 7};

    assert_int_equal(receive(f, &any, fds), expected);
    for (int i = 0; i < JC_MAX_FDS; i++) {
        assert_int_equal(fds[i], -1);
    }
    assert_int_equal(open_descriptors(), f->open_before);
}

/* The connection goes on after what was refused. */
static void still_serves(fixture_t *f)
{
    jc_wire_any_t any;
    jc_msg_exit_t msg = {.request_id = 99};
    int fds[JC_MAX_FDS];

    assert_int_equal(jc_wire_send(f->pair[0], JC_MSG_EXIT, &msg, NULL, 0, 0),
                     JC_WIRE_OK);
    assert_int_equal(receive(f, &any, fds), JC_WIRE_OK);
    assert_int_equal(any.exit.request_id, 99);
}

/* A right message of this type, as bytes. Returns its length. */
static size_t right_message(uint16_t type, jc_wire_any_t *any)
{
    memset(any, 0x5a, sizeof(*any));
    any->head.magic = JC_WIRE_MAGIC;
    any->head.version = JC_WIRE_VERSION;
    any->head.type = type;
    return jc_wire_length(type);
}

static void every_type_goes_through(void **state)
{
    fixture_t *f = *state;

    for (size_t i = 0; i < TYPE_COUNT; i++) {
        jc_wire_any_t sent, got;
        int to_send[JC_MAX_FDS], fds[JC_MAX_FDS];
        unsigned count = jc_wire_fd_count(all_types[i]);
        size_t len = right_message(all_types[i], &sent);

        memset(&sent.head, 0, sizeof(sent.head)); /* jc_wire_send fills it in */
        for (unsigned n = 0; n < JC_MAX_FDS; n++) {
            to_send[n] = f->null_fd;
        }
        assert_int_equal(jc_wire_send(f->pair[0], all_types[i], &sent, to_send,
                                      count, 0),
                         JC_WIRE_OK);
        assert_int_equal(receive(f, &got, fds), JC_WIRE_OK);
        right_message(all_types[i], &sent);
        assert_memory_equal(&got, &sent, len);
        assert_int_equal(open_descriptors(), f->open_before + (int) count);
        for (unsigned n = 0; n < JC_MAX_FDS; n++) {
            if (n >= count) {
                assert_int_equal(fds[n], -1);
                continue;
            }
            assert_int_equal(fcntl(fds[n], F_GETFD), FD_CLOEXEC);
        }
        jc_wire_close_fds(fds, count);
        assert_int_equal(open_descriptors(), f->open_before);
    }
}

static void descriptors_keep_their_order(void **state)
{
    fixture_t *f = *state;
    int pipes[4], fds[JC_MAX_FDS];
    jc_wire_any_t any;
    jc_msg_started_t msg = {.pid = 3};

    assert_return_code(pipe2(pipes, O_CLOEXEC), errno);
    assert_return_code(pipe2(pipes + 2, O_CLOEXEC), errno);
    int sent[JC_STARTED_STDIN_FDS] = {[JC_STARTED_STDOUT] = pipes[0],
                                      [JC_STARTED_STDERR] = pipes[2],
                                      [JC_STARTED_STDIN] = pipes[3]};
    assert_int_equal(jc_wire_send(f->pair[0], JC_MSG_STARTED_STDIN, &msg, sent,
                                  JC_STARTED_STDIN_FDS, 0),
                     JC_WIRE_OK);
    assert_int_equal(receive(f, &any, fds), JC_WIRE_OK);
    assert_int_equal(write(pipes[1], "o", 1), 1);
    assert_int_equal(write(fds[JC_STARTED_STDIN], "i", 1), 1);
    char c[2];
    assert_int_equal(read(fds[JC_STARTED_STDOUT], c, 2), 1);
    assert_int_equal(c[0], 'o');
    assert_int_equal(read(fds[JC_STARTED_STDERR], c, 2), 1);
    assert_int_equal(c[0], 'i');
    jc_wire_close_fds(fds, JC_MAX_FDS);
    jc_wire_close_fds(pipes, 4);
}

static void wrong_length(void **state)
{
    fixture_t *f = *state;
    char bytes[sizeof(jc_wire_any_t) + 1];

    for (size_t i = 0; i < TYPE_COUNT; i++) {
        jc_wire_any_t any;
        size_t len = right_message(all_types[i], &any);
        unsigned count = jc_wire_fd_count(all_types[i]);

        memset(bytes, 0, sizeof(bytes));
        memcpy(bytes, &any, len);
        for (size_t wrong = 1; wrong <= sizeof(bytes); wrong++) {
            if (wrong != len) {
                send_raw(f, bytes, wrong, count);
                refused_as(f, JC_WIRE_MALFORMED);
            }
        }
    }
    still_serves(f);
}

static void wrong_head(void **state)
{
    fixture_t *f = *state;

    for (size_t i = 0; i < TYPE_COUNT; i++) {
        jc_wire_any_t any;
        size_t len = right_message(all_types[i], &any);
        unsigned count = jc_wire_fd_count(all_types[i]);

        any.head.magic ^= 1;
        send_raw(f, &any, len, count);
        refused_as(f, JC_WIRE_MALFORMED);
        right_message(all_types[i], &any);
        any.head.version++;
        send_raw(f, &any, len, count);
        refused_as(f, JC_WIRE_MALFORMED);
    }
    still_serves(f);
}

static void unknown_type(void **state)
{
    fixture_t *f = *state;
    const uint16_t types[] = {0, JC_MSG_TYPES, 255, UINT16_MAX};

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        jc_wire_any_t any;

        for (size_t n = 0; n < TYPE_COUNT; n++) {
            size_t len = right_message(all_types[n], &any);
            any.head.type = types[i];
            send_raw(f, &any, len, jc_wire_fd_count(all_types[n]));
            refused_as(f, JC_WIRE_MALFORMED);
        }
        assert_int_equal(jc_wire_length(types[i]), 0);
        assert_int_equal(jc_wire_fd_count(types[i]), 0);
        errno = 0;
        assert_int_equal(jc_wire_send(f->pair[0], types[i], &any, NULL, 0, 0),
                         JC_WIRE_ERROR);
        assert_int_equal(errno, EINVAL);
    }
    still_serves(f);
}

/* Counts above JC_MAX_FDS*2 do not fit and come as MSG_CTRUNC. */
static void wrong_descriptor_count(void **state)
{
    fixture_t *f = *state;

    for (size_t i = 0; i < TYPE_COUNT; i++) {
        jc_wire_any_t any;
        size_t len = right_message(all_types[i], &any);

        for (unsigned count = 0; count <= 64; count++) {
            if (count != jc_wire_fd_count(all_types[i])) {
                send_raw(f, &any, len, count);
                refused_as(f, JC_WIRE_MALFORMED);
            }
        }
    }
    still_serves(f);
}

static void sender_counts_descriptors(void **state)
{
    fixture_t *f = *state;
    jc_msg_started_t msg = {.pid = 1};
    int fds[JC_MAX_FDS] = {f->null_fd, f->null_fd, f->null_fd};

    for (unsigned count = 0; count < JC_STARTED_STDIN_FDS; count++) {
        errno = 0;
        assert_int_equal(jc_wire_send(f->pair[0], JC_MSG_STARTED_STDIN, &msg,
                                      fds, count, 0),
                         JC_WIRE_ERROR);
        assert_int_equal(errno, EINVAL);
    }
    refused_as(f, JC_WIRE_AGAIN); /* nothing was sent */
}

/* The receiver may not open what the sender may: part of the descriptors is
 * dropped by the kernel, which says MSG_CTRUNC. */
static void receiver_out_of_descriptors(void **state)
{
    fixture_t *f = *state;
    struct rlimit old, low;
    jc_wire_any_t any;
    int fds[JC_MAX_FDS];
    size_t len = right_message(JC_MSG_STARTED_STDIN, &any);
    int next = dup(f->null_fd);

    assert_return_code(next, errno);
    close(next);
    send_raw(f, &any, len, JC_STARTED_STDIN_FDS);
    assert_return_code(getrlimit(RLIMIT_NOFILE, &old), errno);
    low = old;
    low.rlim_cur = (rlim_t) next + 2; /* room for two of the three */
    assert_return_code(setrlimit(RLIMIT_NOFILE, &low), errno);
    jc_wire_result_t result = receive(f, &any, fds);
    int errnum = errno;
    assert_return_code(setrlimit(RLIMIT_NOFILE, &old), errno);
    assert_int_equal(result, JC_WIRE_MALFORMED);
    assert_int_equal(errnum, EMFILE);
    assert_int_equal(open_descriptors(), f->open_before);
    still_serves(f);
}

/* Control data of another kind beside the descriptors. */
static void credentials_beside_descriptors(void **state)
{
    fixture_t *f = *state;
    jc_wire_any_t any;
    size_t len = right_message(JC_MSG_SPAWN, &any);
    int on = 1;

    assert_return_code(setsockopt(f->pair[1], SOL_SOCKET, SO_PASSCRED, &on,
                                  sizeof(on)),
                       errno);
    send_raw(f, &any, len, JC_SPAWN_FDS);
    refused_as(f, JC_WIRE_MALFORMED);
}

/* Who asks is told who has sent it. */
static void sender_is_told(void **state)
{
    fixture_t *f = *state;
    jc_wire_any_t any;
    size_t len = right_message(JC_MSG_SPAWN, &any);
    struct ucred sender;
    int on = 1, status, fds[JC_MAX_FDS];

    assert_return_code(setsockopt(f->pair[1], SOL_SOCKET, SO_PASSCRED, &on,
                                  sizeof(on)),
                       errno);
    pid_t child = fork();
    assert_return_code(child, errno);
    if (child == 0) {
        send_raw(f, &any, len, JC_SPAWN_FDS);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(jc_wire_recv_from(f->pair[1], &any, fds, MSG_DONTWAIT,
                                       jc_wire_close_fds, &sender),
                     JC_WIRE_OK);
    assert_int_equal(sender.pid, child);
    assert_int_equal(sender.uid, getuid());
    assert_true(fds[JC_SPAWN_FDS - 1] >= 0);
    jc_wire_close_fds(fds, JC_MAX_FDS);
}

/* Without SO_PASSCRED the kernel says nothing, and nobody is taken for it. */
static void no_sender_is_told(void **state)
{
    fixture_t *f = *state;
    jc_wire_any_t any;
    size_t len = right_message(JC_MSG_SPAWN, &any);
    struct ucred sender;
    int fds[JC_MAX_FDS];

    send_raw(f, &any, len, JC_SPAWN_FDS);
    assert_int_equal(jc_wire_recv_from(f->pair[1], &any, fds, MSG_DONTWAIT,
                                       jc_wire_close_fds, &sender),
                     JC_WIRE_OK);
    assert_int_equal(sender.pid, 0);
    assert_int_equal(sender.uid, JC_NO_ID);
    jc_wire_close_fds(fds, JC_MAX_FDS);
}

static void empty_record(void **state)
{
    fixture_t *f = *state;

    send_raw(f, "", 0, 0);
    refused_as(f, JC_WIRE_MALFORMED);
    send_raw(f, "", 0, 5);
    refused_as(f, JC_WIRE_MALFORMED);
    still_serves(f);
}

/* An empty record before the peer closes: refused or the end, but what stands
 * before it is read, and in the end comes EOF. */
static void peer_closes(void **state)
{
    fixture_t *f = *state;
    jc_msg_exit_t msg = {.request_id = 5};
    jc_wire_any_t any;
    int fds[JC_MAX_FDS];

    assert_int_equal(jc_wire_send(f->pair[0], JC_MSG_EXIT, &msg, NULL, 0, 0),
                     JC_WIRE_OK);
    close(f->pair[0]);
    f->pair[0] = -1;
    f->open_before--;
    assert_int_equal(receive(f, &any, fds), JC_WIRE_OK);
    assert_int_equal(any.exit.request_id, 5);
    refused_as(f, JC_WIRE_EOF);
    refused_as(f, JC_WIRE_EOF);
    assert_int_equal(jc_wire_send(f->pair[1], JC_MSG_EXIT, &msg, NULL, 0, 0),
                     JC_WIRE_EOF);
}

/* A peer that closes and has not read all: what it has sent is still read. */
static void peer_closes_unread(void **state)
{
    fixture_t *f = *state;
    jc_msg_exit_t msg = {.request_id = 6};
    jc_wire_any_t any;
    int fds[JC_MAX_FDS];

    assert_int_equal(send(f->pair[1], "unread", 6, 0), 6);
    assert_int_equal(jc_wire_send(f->pair[0], JC_MSG_EXIT, &msg, NULL, 0, 0),
                     JC_WIRE_OK);
    close(f->pair[0]);
    f->pair[0] = -1;
    f->open_before--;
    assert_int_equal(receive(f, &any, fds), JC_WIRE_OK);
    assert_int_equal(any.exit.request_id, 6);
    refused_as(f, JC_WIRE_EOF);
}

static void nothing_there(void **state)
{
    refused_as(*state, JC_WIRE_AGAIN);
}

static void queue_full(void **state)
{
    fixture_t *f = *state;
    jc_msg_failed_t msg = {.code = 1};
    jc_wire_result_t result;
    int sent = 0;

    while ((result = jc_wire_send(f->pair[0], JC_MSG_FAILED, &msg, NULL, 0,
                                  MSG_DONTWAIT)) == JC_WIRE_OK) {
        assert_true(++sent < 1000000);
    }
    assert_int_equal(result, JC_WIRE_AGAIN);
    assert_true(sent > 0);
}

static void not_a_socket(void **state)
{
    fixture_t *f = *state;
    jc_wire_any_t any;
    jc_msg_exit_t msg = {.request_id = 5};
    int fds[JC_MAX_FDS];

    assert_int_equal(jc_wire_recv(f->null_fd, &any, fds, 0), JC_WIRE_ERROR);
    assert_int_equal(errno, ENOTSOCK);
    assert_int_equal(jc_wire_send(f->null_fd, JC_MSG_EXIT, &msg, NULL, 0, 0),
                     JC_WIRE_ERROR);
    assert_int_equal(errno, ENOTSOCK);
}

/* Both ends are of one build, but its sizes should not change unnoticed: a
 * change of any goes with JC_WIRE_VERSION. */
static void sizes(void **state)
{
    (void) state;
    assert_int_equal(JC_WIRE_VERSION, 10);
    assert_int_equal(jc_wire_length(JC_MSG_GENERATION), 24);
    assert_int_equal(jc_wire_length(JC_MSG_SPAWN), 40);
    assert_int_equal(jc_wire_length(JC_MSG_RUN), 24);
    assert_int_equal(jc_wire_length(JC_MSG_STARTED), 32);
    assert_int_equal(jc_wire_length(JC_MSG_STARTED_STDIN), 32);
    assert_int_equal(jc_wire_length(JC_MSG_FAILED), 552);
    assert_int_equal(jc_wire_length(JC_MSG_EXIT), 72);
    assert_int_equal(jc_wire_length(JC_MSG_RETIRE), 16);
    assert_int_equal(jc_wire_length(JC_MSG_READY), 16);
    assert_int_equal(jc_wire_length(JC_MSG_STALE), 8);
    assert_int_equal(sizeof(jc_table_head_t), 32);
    assert_int_equal(sizeof(jc_table_entry_t), 8);
    assert_int_equal(sizeof(jc_common_t), 24);
    assert_int_equal(sizeof(jc_policy_rec_t), 108);
    assert_int_equal(sizeof(jc_limit_t), 24);
    assert_int_equal(sizeof(jc_mount_t), 32);
}

static void close_fds(void **state)
{
    fixture_t *f = *state;
    int fds[4] = {-1, dup(f->null_fd), -1, dup(f->null_fd)};

    jc_wire_close_fds(fds, 3);
    assert_int_equal(fds[1], -1);
    assert_true(fds[3] >= 0);
    jc_wire_close_fds(fds, 4);
    assert_int_equal(open_descriptors(), f->open_before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_type_goes_through),
        TEST(descriptors_keep_their_order),
        TEST(wrong_length),
        TEST(wrong_head),
        TEST(unknown_type),
        TEST(wrong_descriptor_count),
        TEST(sender_counts_descriptors),
        TEST(receiver_out_of_descriptors),
        TEST(credentials_beside_descriptors),
        TEST(sender_is_told),
        TEST(no_sender_is_told),
        TEST(empty_record),
        TEST(peer_closes),
        TEST(peer_closes_unread),
        TEST(nothing_there),
        TEST(queue_full),
        TEST(not_a_socket),
        TEST(sizes),
        TEST(close_fds),
    };
    return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
