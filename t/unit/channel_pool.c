/*
 * Channels that wait for their next request: which one is found, which one
 * makes room, and that no descriptor is lost or closed twice.
 *
 * Runs in:   the tests
 * Privilege: none
 */
#include "src/httpd/serve/channel_pool.h"

#include "src/httpd/serve/hooks.h"
#include "ap_mpm.h"
#include "apr_general.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define DESCRIPTORS 80 /* an eighth of them: so many channels are kept */
#define MOST        (DESCRIPTORS / 8)

static int threads = 1;

AP_DECLARE(apr_status_t) ap_mpm_query(int query_code, int *result)
{
    *result = threads;
    return APR_SUCCESS;
}

static jc_pooled_channel_t channel(uint32_t policy, uint32_t uid,
                                   uint64_t request_id)
{
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    return (jc_pooled_channel_t){.policy = policy,
                                 .uid = uid,
                                 .gid = uid,
                                 .control_fd = pair[0],
                                 .ended_fd = pair[1],
                                 .request_id = request_id};
}

static int is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static int count_open(void)
{
    int count = 0;

    for (int fd = 0; fd < DESCRIPTORS; fd++) {
        count += is_open(fd);
    }
    return count;
}

static void drop(const jc_pooled_channel_t *c)
{
    assert_int_equal(close(c->control_fd), 0);
    assert_int_equal(close(c->ended_fd), 0);
}

/* Must be the one with this number, or none: 0. */
static void must_take(uint32_t policy, uint32_t uid, uint32_t gid,
                      uint64_t request_id)
{
    jc_pooled_channel_t c = {.policy = policy, .uid = uid, .gid = gid};

    assert_int_equal(jc_channel_pool_take(&c), request_id != 0);
    if (request_id != 0) {
        assert_int_equal(c.request_id, request_id);
        assert_true(is_open(c.control_fd) && is_open(c.ended_fd));
        drop(&c);
    }
}

static void put(uint32_t policy, uint32_t uid, uint64_t request_id)
{
    jc_pooled_channel_t c = channel(policy, uid, request_id);

    assert_int_equal(jc_channel_pool_put(&c), 1);
}

static int begin(void **state, rlim_t descriptors)
{
    static apr_pool_t *pool;
    struct rlimit limit;

    if (apr_initialize() || apr_pool_create(&pool, NULL) ||
        getrlimit(RLIMIT_NOFILE, &limit)) {
        return -1;
    }
    limit.rlim_cur = descriptors;
    if (setrlimit(RLIMIT_NOFILE, &limit)) {
        return -1;
    }
    jc_channel_pool_child_init(pool);
    *state = pool;
    return 0;
}

static int set_up(void **state)
{
    return begin(state, DESCRIPTORS);
}

static int tear_down(void **state)
{
    apr_pool_destroy(*state);
    return 0;
}

/* By policy, uid and gid; of several the one that came last. */
static void test_finds_its_own(void **state)
{
    put(1, 1000, 11);
    put(2, 1000, 12);
    put(1, 1001, 13);
    put(1, 1000, 14);
    must_take(3, 1000, 1000, 0);
    must_take(1, 1000, 1001, 0);
    must_take(1, 1016, 1000, 0); /* in the same bucket */
    must_take(1, 1000, 1000, 14);
    must_take(1, 1001, 1001, 13);
    must_take(1, 1000, 1000, 11);
    must_take(1, 1000, 1000, 0);
    must_take(2, 1000, 1000, 12);
    must_take(2, 1000, 1000, 0);
}

/* Neighbours in one bucket are not taken for each other. */
static void test_buckets(void **state)
{
    for (uint32_t i = 0; i < MOST; i++) {
        put(i * 65536, 7, i + 1);
    }
    for (uint32_t i = 0; i < MOST; i++) {
        must_take(i * 65536, 7, 7, i + 1);
    }
}

/* The one that has waited longest is closed, whomever it leads to, and the use
 * of one makes it young again. */
static void test_makes_room(void **state)
{
    jc_pooled_channel_t first = channel(1, 7, 1);
    jc_pooled_channel_t second = channel(2, 7, 2);

    assert_int_equal(jc_channel_pool_put(&first), 1);
    assert_int_equal(jc_channel_pool_put(&second), 1);
    for (uint32_t i = 2; i < MOST; i++) {
        put(5, i, i + 1);
    }
    assert_int_equal(jc_channel_pool_take(&first), 1);
    assert_int_equal(jc_channel_pool_put(&first), 1);
    assert_true(is_open(second.control_fd));
    put(6, 7, 100);
    assert_false(is_open(second.control_fd));
    assert_false(is_open(second.ended_fd));
    must_take(2, 7, 7, 0);
    must_take(6, 7, 7, 100);
    must_take(1, 7, 7, 1);
    for (uint32_t i = 2; i < MOST; i++) {
        must_take(5, i, i, i + 1);
    }
}

/* Again and again around: no place is lost, no descriptor stays open. */
static void test_no_leak(void **state)
{
    int before = count_open();

    for (uint64_t i = 1; i <= 1000; i++) {
        put((uint32_t) (i % 37), 7, i);
        if (i % 3 == 0) {
            must_take((uint32_t) (i % 37), 7, 7, i);
        }
    }
    for (uint32_t i = 0, found = 0; i < 37; i++) {
        jc_pooled_channel_t c = {.policy = i, .uid = 7, .gid = 7};
        while (jc_channel_pool_take(&c)) {
            drop(&c);
            found++;
        }
        if (i == 36) {
            assert_in_range(found, 1, MOST);
        }
    }
    assert_int_equal(count_open(), before);
}

/* Where there is no room for one, each request has a channel of its own. */
static void test_none(void **state)
{
    jc_pooled_channel_t c = channel(1, 7, 1);

    assert_int_equal(jc_channel_pool_put(&c), 0);
    must_take(1, 7, 7, 0);
    drop(&c);
}

/* Only while it begins: the test needs some. */
static int set_up_none(void **state)
{
    struct rlimit limit;

    if (begin(state, 7) || getrlimit(RLIMIT_NOFILE, &limit)) {
        return -1;
    }
    limit.rlim_cur = DESCRIPTORS;
    return setrlimit(RLIMIT_NOFILE, &limit);
}

/* Nor is a server without threads to speak of without a place. */
static void test_no_threads(void **state)
{
    put(1, 7, 1);
    must_take(1, 7, 7, 1);
    threads = 1;
}

static int set_up_no_threads(void **state)
{
    threads = 0;
    return begin(state, DESCRIPTORS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* First these two: what was begun once stays. */
        cmocka_unit_test_setup_teardown(test_none, set_up_none, tear_down),
        cmocka_unit_test_setup_teardown(test_no_threads, set_up_no_threads,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_finds_its_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_buckets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_makes_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_leak, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
