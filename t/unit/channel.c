/*
 * An httpd child at its end of channels: which channels it keeps for the next
 * request, and what it accepts as an answer. This test stands in for the helper
 * and a keeper.
 *
 * The only parts of httpd here are the functions that exchange.c, control.c and
 * channel.c call, below.
 *
 * Runs in:   the tests
 * Privilege: none
 */
#include "src/httpd/serve/channel.h"
#include "src/httpd/serve/exchange.h"
#include "src/httpd/serve/hooks.h"
#include "src/httpd/serve/pump.h"

#include "http_core.h"
#include "ap_mpm.h"
#include "apr_general.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define OTHER 1000 /* how far another request's number is off */

/* --- what they need of httpd and of the module's other files ---------------
 */

jc_link_t jc_link = {.socket_fd = -1, .generation = 1};

static void *configurations[1]; /* the module's is the first and only one */
static jc_dir_conf_t dir_conf = {.timeout = -1};

void jc_client_init(jc_exchange_t *c)
{
}

AP_DECLARE(apr_status_t) ap_mpm_query(int query_code, int *result)
{
    *result = 1;
    return APR_SUCCESS;
}

module AP_MODULE_DECLARE_DATA jailcgi_module;

void jc_body_init(jc_exchange_t *c)
{
}

void jc_stderr_finish(jc_exchange_t *c)
{
}

void jc_stderr_read(jc_exchange_t *c)
{
}

void jc_pump_end(jc_exchange_t *c, int wait_ms)
{
}

void jc_taken_report(jc_exchange_t *c, const jc_reason_t *why)
{
}

const char *jc_verdict_in_words(apr_pool_t *p, int status)
{
    return "";
}

void jc_verdict_of(jc_exchange_t *c, jc_reason_t *why)
{
    memset(why, 0, sizeof(*why));
}

int jc_reason_log(request_rec *r, const jc_server_conf_t *conf,
                  const jc_reason_t *why)
{
    return HTTP_INTERNAL_SERVER_ERROR;
}

/* --- the keeper's place ----------------------------------------------------
 */

typedef struct {
    int control_fd;
    int ended_fd;
    uint64_t request_id; /* the next one's */
} keeper_t;

typedef struct {
    apr_pool_t *pool;
    int helper_fd;    /* to which SPAWN comes */
    jc_exchange_t *c; /* the last request */
    keeper_t k;       /* at the other end of its channel */
    server_rec server;
    conn_rec connection;
    request_rec r;
    jc_server_conf_t conf;
} world_t;

/* What happens after the next look at `ended` in vain, before control is looked
 * at: EXIT and the end of the channel. */
static keeper_t *ends_meanwhile;

static void send_exit(const keeper_t *k, uint64_t request_id, int is_free)
{
    jc_msg_exit_t msg = {.request_id = request_id, .is_free = is_free};

    assert_int_equal(jc_wire_send(k->ended_fd, JC_MSG_EXIT, &msg, NULL, 0, 0),
                     JC_WIRE_OK);
}

static void hang_up(keeper_t *k)
{
    close(k->control_fd);
    close(k->ended_fd);
}

jc_wire_result_t __real_jc_wire_recv_from(int sock_fd, jc_wire_any_t *any,
                                          int *fds, int flags,
                                          jc_wire_discard_t *discard,
                                          struct ucred *sender);
jc_wire_result_t __wrap_jc_wire_recv_from(int sock_fd, jc_wire_any_t *any,
                                          int *fds, int flags,
                                          jc_wire_discard_t *discard,
                                          struct ucred *sender);
jc_wire_result_t __wrap_jc_wire_recv_from(int sock_fd, jc_wire_any_t *any,
                                          int *fds, int flags,
                                          jc_wire_discard_t *discard,
                                          struct ucred *sender)
{
    jc_wire_result_t result =
        __real_jc_wire_recv_from(sock_fd, any, fds, flags, discard, sender);

    if (ends_meanwhile && result == JC_WIRE_AGAIN) {
        send_exit(ends_meanwhile, ends_meanwhile->request_id, 0);
        hang_up(ends_meanwhile);
        ends_meanwhile = NULL;
    }
    return result;
}

/* Whether there is a SPAWN; if so, whose channel it is of. */
static int took_spawn(const world_t *w, keeper_t *k)
{
    jc_wire_any_t any;
    int fds[JC_MAX_FDS];

    if (jc_wire_recv(w->helper_fd, &any, fds, MSG_DONTWAIT) != JC_WIRE_OK) {
        return 0;
    }
    assert_int_equal(any.head.type, JC_MSG_SPAWN);
    *k = (keeper_t){.control_fd = fds[JC_SPAWN_CONTROL],
                    .ended_fd = fds[JC_SPAWN_ENDED],
                    .request_id = any.spawn.request_id};
    return 1;
}

/* Takes the request that lies in the channel; NULL: there is none. */
static const char *took_request(const keeper_t *k)
{
    static char text[64];
    ssize_t len = recv(k->control_fd, text, sizeof(text) - 1, MSG_DONTWAIT);

    text[len > 0 ? len : 0] = 0;
    return len > 0 ? text : NULL;
}

/* Returns the end of the script's stdout that the script has. */
static int send_started(const keeper_t *k, uint64_t request_id)
{
    int out[2], err[2];
    jc_msg_started_t msg = {.request_id = request_id, .pid = 1};

    assert_return_code(pipe2(out, O_CLOEXEC), errno);
    assert_return_code(pipe2(err, O_CLOEXEC), errno);
    const int fds[JC_STARTED_FDS] = {
        [JC_STARTED_STDOUT] = out[0], [JC_STARTED_STDERR] = err[0]};
    assert_int_equal(jc_wire_send(k->control_fd, JC_MSG_STARTED, &msg, fds,
                                  JC_STARTED_FDS, 0),
                     JC_WIRE_OK);
    close(out[0]);
    close(err[0]);
    close(err[1]);
    return out[1];
}

/* All of a request as it should be. */
static void serve(keeper_t *k)
{
    close(send_started(k, k->request_id));
    send_exit(k, k->request_id, 1);
    k->request_id++;
}

static int has_hung_up(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLRDHUP};

    return poll(&p, 1, 0) == 1 && (p.revents & (POLLRDHUP | POLLHUP)) != 0;
}

/* Nobody reads from this end's pipe. */
static int has_no_reader(int fd)
{
    struct pollfd p = {.fd = fd};

    return poll(&p, 1, 0) == 1 && (p.revents & POLLERR) != 0;
}

/* --- httpd's ---------------------------------------------------------------
 */

static void ask(world_t *w, const char *text)
{
    w->c = jc_exchange_create(&w->r, &w->conf);
    w->c->request = (char *) text;
    w->c->request_len = strlen(text);
    assert_int_equal(jc_control_spawn(w->c), 0);
}

/* Over a new channel. */
static void ask_anew(world_t *w, const char *text)
{
    ask(w, text);
    assert_true(took_spawn(w, &w->k));
}

/* The request finds its way, and all goes as it should. */
static void must_be_served(world_t *w, const char *text)
{
    assert_string_equal(took_request(&w->k), text);
    assert_int_equal(w->c->request_id, w->k.request_id);
    serve(&w->k);
    jc_control_read(w->c);
    assert_true(jc_exchange_has_started(w->c));
    assert_true(jc_exchange_is_over(w->c));
    assert_int_equal(w->c->why.code, JC_CODE_NONE);
    (void) jc_exchange_end(w->c, NULL);
}

/* At its end. The next request takes a channel of its own, and finds its way.
 */
static void must_be_closed(world_t *w)
{
    keeper_t old = w->k;

    (void) jc_exchange_end(w->c, NULL);
    assert_true(has_hung_up(old.control_fd));
    assert_true(has_hung_up(old.ended_fd));
    ask_anew(w, "next");
    assert_string_equal(took_request(&w->k), "next");
    (void) jc_exchange_end(w->c, NULL);
    hang_up(&w->k);
    hang_up(&old);
}

/* The pipes of another request's script: its page is another visitor's. */
static void must_not_start(world_t *w, uint64_t request_id)
{
    int out_fd = send_started(&w->k, request_id);

    jc_control_read(w->c);
    assert_false(jc_exchange_has_started(w->c));
    assert_int_equal(w->c->stdout_fd, -1);
    assert_int_equal(w->c->why.code, JC_CODE_NO_ANSWER);
    assert_true(has_no_reader(out_fd));
    close(out_fd);
    must_be_closed(w);
}

static int set_up(void **state)
{
    static world_t w;
    int pair[2];

    memset(&w, 0, sizeof(w));
    if (apr_initialize() || apr_pool_create(&w.pool, NULL) ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
        return -1;
    }
    jc_link.socket_fd = pair[0];
    w.helper_fd = pair[1];
    configurations[0] = &dir_conf;
    w.server.timeout = apr_time_from_sec(10);
    w.connection.notes = apr_table_make(w.pool, 1);
    w.r.pool = w.pool;
    w.r.server = &w.server;
    w.r.connection = &w.connection;
    w.r.notes = apr_table_make(w.pool, 1);
    w.r.per_dir_config = (ap_conf_vector_t *) configurations;
    w.conf.user_kind = JC_USER_NAMED;
    ends_meanwhile = NULL;
    jc_channel_pool_child_init(w.pool);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    world_t *w = *state;

    close(jc_link.socket_fd);
    close(w->helper_fd);
    apr_pool_destroy(w->pool);
    return 0;
}

/* With a first request, over a new channel. */
static world_t *begin(void **state)
{
    world_t *w = *state;

    ask_anew(w, "first");
    return w;
}

/* The control of all that follows: what is as it should be is kept. */
static void test_keeps(void **state)
{
    static const char *const texts[] = {"second", "third", "fourth"};
    world_t *w = begin(state);
    keeper_t other;

    must_be_served(w, "first");
    for (int i = 0; i < 3; i++) {
        assert_false(has_hung_up(w->k.control_fd));
        ask(w, texts[i]);
        assert_false(took_spawn(w, &other));
        must_be_served(w, texts[i]);
    }
    hang_up(&w->k);
    ask_anew(w, "fifth"); /* the other end has gone */
    (void) jc_exchange_end(w->c, NULL);
    hang_up(&w->k);
}

/* The script's child was killed before it had taken the request out: what lies
 * there would be run as the next one. */
static void test_unread_request(void **state)
{
    world_t *w = begin(state);

    send_exit(&w->k, w->k.request_id, 1);
    jc_control_read(w->c);
    assert_true(jc_exchange_has_exit(w->c));
    assert_true(jc_exchange_is_over(w->c));
    assert_false(jc_exchange_has_started(w->c));
    (void) jc_exchange_end(w->c, NULL);
    assert_string_equal(took_request(&w->k), "first");
    must_be_closed(w);
}

static void test_not_free(void **state)
{
    world_t *w = begin(state);

    close(send_started(&w->k, w->k.request_id));
    send_exit(&w->k, w->k.request_id, 0);
    jc_control_read(w->c);
    assert_true(jc_exchange_has_exit(w->c));
    must_be_closed(w);
}

/* It is given up while its script runs. */
static void test_no_exit(void **state)
{
    world_t *w = begin(state);

    close(send_started(&w->k, w->k.request_id));
    jc_control_read(w->c);
    assert_true(jc_exchange_has_started(w->c));
    must_be_closed(w);
}

static void test_started_of_another(void **state)
{
    world_t *w = begin(state);

    must_not_start(w, w->k.request_id + OTHER);
}

static void test_failed_of_another(void **state)
{
    const jc_failure_t failure = {.code = JC_CODE_FORK, .errnum = EAGAIN};
    world_t *w = begin(state);

    jc_wire_send_failed(w->k.control_fd, w->k.request_id - OTHER, &failure);
    jc_control_read(w->c);
    assert_int_equal(w->c->why.code, JC_CODE_NO_ANSWER);
    must_be_closed(w);
}

/* It may say that the channel is free, which this request's has not said. */
static void test_exit_of_another(void **state)
{
    world_t *w = begin(state);

    close(send_started(&w->k, w->k.request_id));
    send_exit(&w->k, w->k.request_id + OTHER, 1);
    jc_control_read(w->c);
    assert_true(jc_exchange_has_started(w->c));
    assert_false(jc_exchange_has_exit(w->c));
    must_be_closed(w);
}

/* What was kept counts on, so the last request's answer is another's. */
static void test_answer_of_the_last(void **state)
{
    world_t *w = begin(state);

    must_be_served(w, "first");
    ask(w, "second");
    must_not_start(w, w->k.request_id - 1);
}

/* The keeper finishes: EXIT comes, and the end of the channel behind it, after
 * this end has looked for EXIT and before it looks at control. */
static void test_exit_and_end_at_once(void **state)
{
    world_t *w = begin(state);

    assert_non_null(took_request(&w->k));
    close(send_started(&w->k, w->k.request_id));
    ends_meanwhile = &w->k;
    jc_control_read(w->c);
    assert_null(ends_meanwhile);
    assert_true(jc_exchange_is_over(w->c));
    assert_true(jc_exchange_has_started(w->c));
    assert_true(jc_exchange_has_exit(w->c));
    (void) jc_exchange_end(w->c, NULL);
}

/* Nothing was run: it is sent again, over a channel of its own, and once. */
static void test_silence(void **state)
{
    world_t *w = begin(state);
    keeper_t next;

    must_be_served(w, "first");
    ask(w, "second");
    assert_false(took_spawn(w, &next));
    hang_up(&w->k); /* with the request in it */
    jc_control_read(w->c);
    assert_true(took_spawn(w, &next));
    assert_string_equal(took_request(&next), "second");
    assert_int_equal(w->c->why.code, JC_CODE_NONE);
    hang_up(&next);
    jc_control_read(w->c);
    assert_false(took_spawn(w, &next));
    assert_int_equal(w->c->why.code, JC_CODE_LOST_TWICE);
    (void) jc_exchange_end(w->c, NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_keeps),
        TEST(test_unread_request),
        TEST(test_not_free),
        TEST(test_no_exit),
        TEST(test_started_of_another),
        TEST(test_failed_of_another),
        TEST(test_exit_of_another),
        TEST(test_answer_of_the_last),
        TEST(test_exit_and_end_at_once),
        TEST(test_silence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
