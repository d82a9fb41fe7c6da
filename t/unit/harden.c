/*
 * The helper's filter for itself: root could make each call that it refuses if
 * there were no filter.
 *
 * Runs in:   the tests
 * Privilege: root
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/helper/helper.h"
#include "t/probe/i386.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int set_hostname(void)
{
    char name[256];

    return gethostname(name, sizeof(name)) || sethostname(name, strlen(name));
}

static int enter_namespace(void)
{
    return setns(open("/proc/self/ns/uts", O_RDONLY), CLONE_NEWUTS);
}

/* Nonsense: whoever may is told so, whoever may not is told that. */
static int swap_off(void)
{
    return swapoff("/nonexistent");
}

static int load_module(void)
{
    return (int) syscall(SYS_finit_module, -1, "", 0);
}

static int open_by_handle(void)
{
    struct file_handle handle = {0};

    return open_by_handle_at(AT_FDCWD, &handle, O_RDONLY);
}

static int load_bpf(void)
{
    return (int) syscall(SYS_bpf, 0, NULL, 0);
}

/* As a program of 32 bits does. */
static int set_hostname_compat(void)
{
    return (int) i386(74, 0, 100000, 0, 0);
}

#if defined(__x86_64__)
static int x32_getpid(void)
{
    return (int) syscall(SYS_getpid | 0x40000000) > 0 ? 0 : -1;
}
#endif

static int is_there(void)
{
    return access("/", R_OK);
}

/* errno of a call in a process of its own, or 0. */
static int result_of(int (*call)(void), int is_hardened)
{
    int status = 0;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        if (unshare(CLONE_NEWUTS) || (is_hardened && jc_harden())) {
            _exit(255);
        }
        errno = 0;
        _exit(call() == 0 ? 0 : errno);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_not_equal(WEXITSTATUS(status), 255);
    return WEXITSTATUS(status);
}

static void refused(void **state)
{
    int (*const calls[])(void) = {set_hostname, enter_namespace, swap_off,
                                  load_module,  open_by_handle,  load_bpf};

    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        assert_int_not_equal(result_of(calls[i], 0), EPERM);
        assert_int_equal(result_of(calls[i], 1), EPERM);
    }
}

static void calls_of_i386(void **state)
{
    int without = result_of(set_hostname_compat, 0);

    if (without == ENOEXEC && !getenv("JAILCGI_MUST_WORK")) {
        print_message("no int 0x80 on this machine\n");
        skip();
    }
    assert_int_equal(without, EINVAL);
    assert_int_equal(result_of(set_hostname_compat, 1), EPERM);
}

static void others(void **state)
{
#if defined(__x86_64__)
    assert_int_equal(result_of(x32_getpid, 1), ENOSYS);
#endif
    assert_int_equal(result_of(is_there, 1), 0);
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(refused),
        TEST(calls_of_i386),
        TEST(others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
