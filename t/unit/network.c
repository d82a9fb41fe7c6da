/*
 * The bucket that reads the socket of a connection: it behaves like APR's own
 * except for the size of its reads, and does not keep a large buffer for little
 * data.
 *
 * Runs in:   the tests
 * Privilege: none
 */
#include "src/httpd/serve/exchange.h"
#include "src/httpd/serve/hooks.h"

#include "ap_mpm.h"
#include "apr_general.h"
#include "apr_portable.h"
#include "util_filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <sys/socket.h>
#include <unistd.h>

#define MANY 200000 /* bytes, more than the largest read */

module AP_MODULE_DECLARE_DATA jailcgi_module = {.module_index = 0};
jc_link_t jc_link = {.socket_fd = 0};

typedef struct {
    apr_pool_t *pool;
    conn_rec conn;
    request_rec r;
    apr_bucket_brigade *bb; /* of the connection */
    apr_socket_t *sock;     /* the server's end */
    int client_fd;
    int server_fd;
    void *config[1];
} world_t;

/* The linker puts these between the file that is tested and libaprutil. */
void *__real_apr_bucket_alloc(apr_size_t size, apr_bucket_alloc_t *list);
void *__wrap_apr_bucket_alloc(apr_size_t size, apr_bucket_alloc_t *list);
void __real_apr_bucket_free(void *block);
void __wrap_apr_bucket_free(void *block);

static struct {
    void *block;
    apr_size_t size;
} allocated[4]; /* the last ones */
static unsigned allocations, frees;

void *__wrap_apr_bucket_alloc(apr_size_t size, apr_bucket_alloc_t *list)
{
    unsigned i = allocations++ % 4;

    allocated[i].size = size;
    allocated[i].block = __real_apr_bucket_alloc(size, list);
    return allocated[i].block;
}

void __wrap_apr_bucket_free(void *block)
{
    frees++;
    __real_apr_bucket_free(block);
}

static apr_size_t size_of(const void *block)
{
    for (unsigned i = 1; i <= 4; i++) {
        unsigned slot = (allocations - i) % 4;

        if (allocated[slot].block == block) {
            return allocated[slot].size;
        }
    }
    fail_msg("the data are in no block that was allocated");
    return 0;
}

/* httpd's own filter, as far as it matters here: what the first bucket reads.
 */
AP_DECLARE(apr_status_t)
ap_get_brigade(ap_filter_t *filter, apr_bucket_brigade *bb,
               ap_input_mode_t mode, apr_read_type_e block, apr_off_t readbytes)
{
    apr_bucket *b = APR_BRIGADE_FIRST((apr_bucket_brigade *) filter);
    const char *data;
    apr_size_t len;
    apr_status_t rv = apr_bucket_read(b, &data, &len, block);

    assert_int_equal(mode, AP_MODE_READBYTES);
    assert_int_equal(readbytes, JC_READ_BYTES);
    if (rv == APR_SUCCESS) {
        APR_BUCKET_REMOVE(b);
        APR_BRIGADE_INSERT_TAIL(bb, b);
    }
    return rv;
}

/* Both ends of a connection; what httpd's end reads is the pattern. */
static world_t *world(void)
{
    static world_t w;
    static ap_sb_handle_t *const scoreboard = (void *) &w;
    int pair[2], size = 4 * MANY;

    allocations = frees = 0;
    w.sock = NULL;
    assert_int_equal(apr_pool_create(&w.pool, NULL), APR_SUCCESS);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size,
                                sizeof(size)),
                     0);
    assert_int_equal(apr_os_sock_put(&w.sock, &pair[1], w.pool), APR_SUCCESS);
    assert_int_equal(apr_socket_opt_set(w.sock, APR_SO_NONBLOCK, 1),
                     APR_SUCCESS);
    assert_int_equal(apr_socket_timeout_set(w.sock, apr_time_from_sec(20)),
                     APR_SUCCESS);
    w.client_fd = pair[0];
    w.server_fd = pair[1];
    w.conn = (conn_rec){
        .pool = w.pool,
        .bucket_alloc = apr_bucket_alloc_create(w.pool),
        .conn_config = (void *) w.config,
        .sbh = scoreboard,
    };
    w.config[0] = NULL;
    w.bb = apr_brigade_create(w.pool, w.conn.bucket_alloc);
    w.r = (request_rec){
        .connection = &w.conn,
        .input_filters = (void *) w.bb,
    };
    assert_int_equal(jc_network_insert(&w.conn, w.bb, w.sock), APR_SUCCESS);
    return &w;
}

static void end(world_t *w)
{
    if (w->client_fd >= 0) {
        close(w->client_fd);
    }
    close(w->server_fd); /* APR does not own it */
    apr_brigade_cleanup(w->bb);
    assert_int_equal(allocations, frees);
    apr_pool_destroy(w->pool);
}

static void client_sends(world_t *w, size_t len)
{
    static char text[MANY];

    for (size_t i = 0; i < len; i++) {
        text[i] = (char) ('a' + i % 23);
    }
    assert_int_equal(send(w->client_fd, text, len, MSG_DONTWAIT), len);
}

static void must_be_pattern(const char *data, apr_size_t len, apr_size_t at)
{
    for (apr_size_t i = 0; i < len; i++) {
        assert_int_equal(data[i], 'a' + (at + i) % 23);
    }
}

/* One read of the first bucket, which is then deleted. */
static apr_size_t take(world_t *w, apr_size_t at)
{
    apr_bucket *b = APR_BRIGADE_FIRST(w->bb);
    const char *data = NULL;
    apr_size_t len = 0;

    assert_int_equal(apr_bucket_read(b, &data, &len, APR_BLOCK_READ),
                     APR_SUCCESS);
    assert_int_equal(len, b->length);
    must_be_pattern(data, len, at);
    apr_bucket_delete(b);
    return len;
}

/* The same as a piece of a body; sees to the size of what is held for it. */
static apr_size_t take_body(world_t *w, apr_size_t at)
{
    apr_bucket_brigade *bb = apr_brigade_create(w->pool, w->conn.bucket_alloc);
    apr_bucket *b;
    apr_size_t len;

    assert_int_equal(jc_network_read(&w->r, bb, APR_BLOCK_READ), APR_SUCCESS);
    b = APR_BRIGADE_FIRST(bb);
    assert_true(APR_BUCKET_IS_HEAP(b));
    assert_ptr_equal(APR_BUCKET_NEXT(b), APR_BRIGADE_SENTINEL(bb));
    len = b->length;
    must_be_pattern(((apr_bucket_heap *) b->data)->base, len, at);
    assert_true(size_of(((apr_bucket_heap *) b->data)->base) <= 4 * len);
    apr_brigade_destroy(bb);
    return len;
}

static void test_reads_as_apr_does(void **state)
{
    world_t *w = world();

    client_sends(w, 20000);
    assert_int_equal(take(w, 0), APR_BUCKET_BUFF_SIZE);
    assert_int_equal(take(w, 8000), APR_BUCKET_BUFF_SIZE);
    assert_int_equal(take(w, 16000), 4000);
    end(w);
}

/* And the rest, which may be another request's, as ever. */
static void test_reads_a_body_by_more(void **state)
{
    world_t *w = world();

    client_sends(w, MANY);
    assert_int_equal(take_body(w, 0), JC_READ_BYTES);
    assert_int_equal(take_body(w, JC_READ_BYTES), JC_READ_BYTES);
    assert_int_equal(take(w, 2 * JC_READ_BYTES), APR_BUCKET_BUFF_SIZE);
    end(w);
}

static void test_what_is_left_stays(void **state)
{
    world_t *w = world();
    apr_bucket *rest;
    apr_bucket_brigade *after;

    client_sends(w, 7000);
    assert_int_equal(apr_brigade_partition(w->bb, 3000, &rest), APR_SUCCESS);
    allocations++; /* the second half, by libaprutil */
    after = apr_brigade_split_ex(w->bb, rest, NULL);
    assert_int_equal(take(w, 0), 3000);
    APR_BRIGADE_CONCAT(w->bb, after);
    assert_int_equal(take(w, 3000), 4000);
    end(w);
}

static void test_keeps_no_large_buffer_for_little(void **state)
{
    world_t *w = world();

    for (apr_size_t len = 1; len < JC_READ_BYTES; len *= 2) {
        client_sends(w, len);
        assert_int_equal(take_body(w, 0), len);
    }
    end(w);
}

static void test_nothing_there(void **state)
{
    world_t *w = world();
    apr_bucket *b = APR_BRIGADE_FIRST(w->bb);
    const char *data = "";
    apr_size_t len = 1;
    apr_status_t rv = apr_bucket_read(b, &data, &len, APR_NONBLOCK_READ);
    apr_interval_time_t timeout = 0;

    assert_true(APR_STATUS_IS_EAGAIN(rv));
    assert_int_equal(len, 0);
    assert_ptr_equal(APR_BRIGADE_FIRST(w->bb), b);
    /* A blocking read waits as long as before. */
    apr_socket_timeout_get(w->sock, &timeout);
    assert_int_equal(timeout, apr_time_from_sec(20));
    /* Nor does one of a body change what comes after it. */
    rv = jc_network_read(&w->r, w->bb, APR_NONBLOCK_READ);
    assert_true(APR_STATUS_IS_EAGAIN(rv));
    client_sends(w, 10000);
    assert_int_equal(take(w, 0), APR_BUCKET_BUFF_SIZE);
    end(w);
}

static void test_the_end(void **state)
{
    world_t *w = world();

    client_sends(w, 10);
    close(w->client_fd);
    w->client_fd = -1;
    assert_int_equal(take(w, 0), 10);
    assert_int_equal(take(w, 0), 0);
    assert_true(APR_BRIGADE_EMPTY(w->bb));
    end(w);
}

/* HTTP/2's streams have another bucket, which is not ours. */
static void test_not_ours(void **state)
{
    world_t *w = world();

    client_sends(w, 5000);
    w->config[0] = NULL;
    assert_int_equal(take_body(w, 0), 5000);
    end(w);
}

static void test_stays_away(void **state)
{
    world_t *w = world();
    ap_sb_handle_t *sbh = w->conn.sbh;

    w->conn.sbh = NULL;
    assert_int_equal(jc_network_insert(&w->conn, w->bb, NULL), AP_DECLINED);
    w->conn.sbh = sbh;
    jc_link.socket_fd = -1;
    assert_int_equal(jc_network_insert(&w->conn, w->bb, NULL), AP_DECLINED);
    jc_link.socket_fd = 0;
    end(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_as_apr_does),
        cmocka_unit_test(test_reads_a_body_by_more),
        cmocka_unit_test(test_what_is_left_stays),
        cmocka_unit_test(test_keeps_no_large_buffer_for_little),
        cmocka_unit_test(test_nothing_there),
        cmocka_unit_test(test_the_end),
        cmocka_unit_test(test_not_ours),
        cmocka_unit_test(test_stays_away),
    };

    if (apr_initialize() != APR_SUCCESS) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
