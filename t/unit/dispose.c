/*
 * The closers of the helper: each class forgets a closer that has ended, so
 * that it does not count as stuck, and its pid is not killed when it belongs to
 * another process.
 *
 * Runs in:   the tests, as root
 * Privilege: root
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

#include "src/helper/dispose.c"

#define ROUNDS (LIVING_MAX + DYING_MAX + 20)

void jc_log(const char *format, ...)
{
}

static void closers_that_have_ended(void **state)
{
    for (unsigned which = 0; which < JC_DISPOSE_CLASSES; which++) {
        const closers_t *c = &closers[which];

        for (int i = 0; i < ROUNDS; i++) {
            int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
            assert_return_code(fd, errno);
            jc_dispose_as((jc_dispose_class_t) which, &fd, 1);
            assert_false(jc_dispose_has_failed());
            assert_int_equal(c->count, 1);
            pid_t pid = c->pids[0];
            assert_return_code(kill(pid, SIGKILL), errno);
            assert_int_equal(waitpid(pid, NULL, 0), pid);
            assert_int_equal(jc_dispose_reaped(pid), 1);
            assert_int_equal(c->count, 0);
        }
    }
    assert_int_equal(jc_dispose_reaped(getpid()), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closers_that_have_ended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
