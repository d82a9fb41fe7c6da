/*
 * The rule that decides for which requests of a script the httpd child first
 * waits only for the end, by the results of earlier waits.
 *
 * Runs in:   the tests
 * Privilege: none
 */
#include "src/httpd/serve/exchange.h"
#include "src/httpd/serve/pump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <unistd.h>

/* How naps end. */
enum { WITH_EXIT, WITH_OUTPUT, WITH_ERRORS, IN_SILENCE };

static jc_server_conf_t sites[2];
static int site;
static int outcome;
static int naps;
static int pipe_fds[2];

void jc_pump_nap(jc_exchange_t *c, int wait_ms)
{
    assert_int_equal(wait_ms, JC_NAP_MS);
    naps++;
    c->ended_in_nap = outcome == WITH_EXIT;
}

/* The pipe comes with STARTED, which nobody has read before. */
void jc_control_read(jc_exchange_t *c)
{
    if (outcome == WITH_OUTPUT) {
        c->stdout_fd = pipe_fds[0];
    } else if (outcome == WITH_ERRORS) {
        c->stderr_fd = pipe_fds[0];
    }
}

/* So many requests of one script, as naps end in this way; returns how many of
 * them began with one. */
static int requests(const char *path, int how, int count)
{
    outcome = how;
    naps = 0;
    for (int i = 0; i < count; i++) {
        jc_exchange_t c = {.conf = &sites[site],
                           .jail_path = path,
                           .stdout_fd = -1,
                           .stderr_fd = -1};
        jc_nap_first(&c);
    }
    return naps;
}

static int set_up(void **state)
{
    return pipe(pipe_fds) || write(pipe_fds[1], "x", 1) != 1;
}

static int tear_down(void **state)
{
    return close(pipe_fds[0]) || close(pipe_fds[1]);
}

static void test_each_kind(void **state)
{
    assert_int_equal(requests("/good", WITH_EXIT, 100), 100);
    assert_int_equal(requests("/silent", IN_SILENCE, 100), 100);
    assert_int_equal(requests("/stderr", WITH_ERRORS, 1 + 64 + 1), 2);
}

/* One bad nap, then none for 64 requests, then 256, 1,024, and each 4,096.
 */
static void test_bad(void **state)
{
    int skips[] = {64, 256, 1024, 4096, 4096, 4096};

    for (unsigned i = 0; i < sizeof(skips) / sizeof(skips[0]); i++) {
        assert_int_equal(requests("/bad", WITH_OUTPUT, 1), 1);
        assert_int_equal(requests("/bad", WITH_OUTPUT, skips[i]), 0);
    }
}

/* A script that is sometimes quick is still left alone for longer and longer;
 * one that has become quick is trusted again. */
static void test_forgiven(void **state)
{
    assert_int_equal(requests("/turned", WITH_OUTPUT, 1 + 64 + 1 + 256), 2);
    assert_int_equal(requests("/turned", WITH_EXIT, 100), 100);
    assert_int_equal(requests("/turned", WITH_OUTPUT, 1 + 1024), 1);
    assert_int_equal(requests("/turned", WITH_EXIT, 200), 200);
    assert_int_equal(requests("/turned", WITH_OUTPUT, 1 + 4096), 1);
    assert_int_equal(requests("/turned", WITH_EXIT, 256), 256);
    assert_int_equal(requests("/turned", WITH_OUTPUT, 1 + 64 + 1), 2);
}

/* Of another script, and of another site's with the same name. */
static void test_others(void **state)
{
    assert_int_equal(requests("/one", WITH_OUTPUT, 2), 1);
    assert_int_equal(requests("/other", WITH_EXIT, 10), 10);
    site = 1;
    assert_int_equal(requests("/one", WITH_EXIT, 10), 10);
    site = 0;
    assert_int_equal(requests("/one", WITH_EXIT, 10), 0);
}

/* Nobody waits for the end of a script that waits for the request's body. */
static void test_body(void **state)
{
    jc_exchange_t c = {.jail_path = "/body", .body.expected = 1};

    naps = 0;
    jc_nap_first(&c);
    assert_int_equal(naps, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_kind), cmocka_unit_test(test_bad),
        cmocka_unit_test(test_forgiven),  cmocka_unit_test(test_others),
        cmocka_unit_test(test_body),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
