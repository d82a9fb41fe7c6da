/*
 * Starts and ends the helper's process.
 *
 * Runs in:   httpd parent (root); between fork and exec in its child
 * Privilege: root
 * Trusts:    JailHelper, after jc_helper_process_check
 * Never:     lets the helper inherit a descriptor, a signal disposition or an
 *            environment from httpd
 */
#include "helper_process.h"
#include "src/wire/wire.h"

#include "apr_strings.h"
#include "apr_time.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_NOT_EXECUTED 127
#define FD_FREE           16 /* above all descriptors the helper is given */
#define STOP_WAIT_MS      1000
#define STOP_POLL_MS      5
#define LONG_LIFE         apr_time_from_sec(10)
#define HOPELESS_LIFE     apr_time_from_msec(200)
#define HOPELESS_TIMES    3 /* in a row */
#define DELAY_MS_FIRST    100
#define DELAY_MS_MAX      2000

const char *jc_helper_process_check(apr_pool_t *p, const char *path)
{
    struct stat st;
    const char *problem = NULL;

    if (stat(path, &st) != 0) {
        problem = strerror(errno);
    } else if (!S_ISREG(st.st_mode)) {
        problem = "it is not a regular file";
    } else if (st.st_uid != 0) {
        problem = apr_psprintf(p, "it belongs to uid %u and not to root",
                               (unsigned) st.st_uid);
    } else if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        problem = apr_psprintf(p,
                               "users other than root can write to it (mode "
                               "%04o); chmod go-w fixes that",
                               (unsigned) st.st_mode & 07777);
    } else if ((st.st_mode & S_IXUSR) == 0) {
        problem = apr_psprintf(p, "it is not executable (mode %04o)",
                               (unsigned) st.st_mode & 07777);
    }
    if (!problem) {
        return NULL;
    }
    return apr_psprintf(
        p,
        "JailHelper '%s' cannot be used: %s. It is executed as root; name the "
        "jailcgi-helper that was installed with this module",
        path, problem);
}

static void identify(const struct stat *st, jc_helper_file_t *file)
{
    file->dev = st->st_dev;
    file->ino = st->st_ino;
    file->changed = st->st_ctim;
}

int jc_helper_process_is_file(const char *path, const jc_helper_file_t *file)
{
    struct stat st;

    return stat(path, &st) == 0 && st.st_dev == file->dev &&
           st.st_ino == file->ino &&
           st.st_ctim.tv_sec == file->changed.tv_sec &&
           st.st_ctim.tv_nsec == file->changed.tv_nsec;
}

/* Writes `why` to the error log and ends. Uses only async-signal-safe
 * functions, because fork(2) leaves nothing else. */
static void give_up(const char *why)
{
    static const char head[] = "mod_jailcgi: the helper was not executed: ";
    char number[16];
    int n = errno, i = sizeof(number);

    number[--i] = '\n';
    do {
        number[--i] = (char) ('0' + n % 10);
        n /= 10;
    } while (n > 0 && i > 0);
    (void) (write(2, head, sizeof(head) - 1) < 0 ||
            write(2, why, strlen(why)) < 0 || write(2, ": errno ", 8) < 0 ||
            write(2, number + i, sizeof(number) - (size_t) i) < 0);
    _exit(EXIT_NOT_EXECUTED);
}

/*
 * Puts the helper's descriptors where it expects them. First moves them out of
 * the way of their own targets. Then uses dup2, which also takes close-on-exec
 * off.
 */
static void place_descriptors(int sock_fd, int pidfd)
{
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    sock_fd = fcntl(sock_fd, F_DUPFD_CLOEXEC, FD_FREE);
    pidfd = fcntl(pidfd, F_DUPFD_CLOEXEC, FD_FREE);
    null_fd = fcntl(null_fd, F_DUPFD_CLOEXEC, FD_FREE);
    if (sock_fd < 0 || pidfd < 0 || null_fd < 0 || dup2(null_fd, 0) < 0 ||
        dup2(null_fd, 1) < 0 || dup2(sock_fd, JC_FD_PARENT) < 0 ||
        dup2(pidfd, JC_FD_PARENT_PIDFD) < 0) {
        give_up("its descriptors");
    }
    if (close_range(JC_FD_PARENT_PIDFD + 1, ~0U, 0) != 0) {
        give_up("close_range");
    }
}

/* An ignored signal would stay ignored after exec, down to the scripts. */
static void reset_signals(void)
{
    sigset_t none;

    for (int sig = 1; sig < NSIG; sig++) {
        (void) signal(sig, SIG_DFL);
    }
    sigemptyset(&none);
    (void) sigprocmask(SIG_SETMASK, &none, NULL);
}

static void run_helper(char *const argv[], int sock_fd, int pidfd)
{
    static char *const no_environment[] = {NULL};

    reset_signals();
    /* httpd signals its whole process group when it restarts or stops. */
    (void) setsid();
    if (chdir("/") != 0) {
        give_up("chdir");
    }
    place_descriptors(sock_fd, pidfd);
    execve(argv[0], argv, no_environment);
    give_up("execve");
}

const char *jc_helper_process_start(apr_pool_t *p, const char *path,
                                    uint64_t caps, unsigned delay_ms,
                                    pid_t *pid, int *sock_fd,
                                    jc_helper_file_t *file)
{
    char caps_arg[32], delay_arg[32];
    char *const argv[] = {apr_pstrdup(p, path), caps_arg, delay_arg, NULL};
    int pair[2] = {-1, -1};
    int pidfd = -1, on = 1;
    struct stat st;

    snprintf(caps_arg, sizeof(caps_arg), "--caps=%llx",
             (unsigned long long) caps);
    snprintf(delay_arg, sizeof(delay_arg), "--delay-ms=%u", delay_ms);
    *pid = -1;
    if (stat(path, &st) == 0 &&
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0 &&
        /* With this the helper takes messages from its parent alone. */
        setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0 &&
        (pidfd = pidfd_open(getpid(), 0)) >= 0) {
        *pid = fork();
        if (*pid == 0) {
            run_helper(argv, pair[1], pidfd);
        }
    }
    if (*pid < 0) {
        const char *reason = strerror(errno);

        jc_wire_close_fds(pair, 2);
        jc_wire_close_fds(&pidfd, 1);
        return apr_psprintf(p, "JailHelper '%s' could not be started: %s", path,
                            reason);
    }
    close(pair[1]);
    close(pidfd);
    *sock_fd = pair[0];
    identify(&st, file);
    return NULL;
}

/* Returns whether the process has ended within STOP_WAIT_MS. */
static int has_ended(pid_t pid)
{
    for (int waited_ms = 0; waited_ms < STOP_WAIT_MS;
         waited_ms += STOP_POLL_MS) {
        if (waitpid(pid, NULL, WNOHANG) != 0) {
            return 1;
        }
        apr_sleep(apr_time_from_msec(STOP_POLL_MS));
    }
    return 0;
}

/* Not even SIGKILL ends a process that waits for a file system. httpd then goes
 * on without it, and reaps it when it ends. */
void jc_helper_process_stop(pid_t pid)
{
    if (kill(pid, SIGTERM) != 0) {
        /* With -X this process has become the web user and may not do that. The
         * helper ends when this process does. */
        return;
    }
    if (!has_ended(pid)) {
        jc_helper_process_kill(pid);
    }
}

void jc_helper_process_kill(pid_t pid)
{
    (void) kill(pid, SIGKILL);
    (void) has_ended(pid);
}

/*
 * httpd gives the callback either the exit status or the signal, without saying
 * which. At a restart it gives the status of wait(2) itself. The exit statuses
 * of the helper are chosen so that they cannot be the number of a signal.
 */
static void decode(int status, int *exit_status, int *sig)
{
    int is_raw = status > 0xff || (status > 0x80 && status < 0xc0);

    *exit_status = -1;
    *sig = 0;
    if (is_raw && WIFEXITED(status)) {
        *exit_status = WEXITSTATUS(status);
    } else if (is_raw) {
        *sig = WTERMSIG(status);
    } else if (status > 0 && status < JC_EXIT_USAGE) {
        *sig = status;
    } else {
        *exit_status = status;
    }
}

int jc_helper_process_was_killed(int status)
{
    int exit_status, sig;

    decode(status, &exit_status, &sig);
    return sig == SIGKILL || sig == SIGTERM;
}

/*
 * A helper that dies through its own fault again and again must not use up a
 * processor. One that was killed from outside is needed back at once, and httpd
 * looks for dead children only once a second anyway.
 */
unsigned jc_helper_process_delay(int status, apr_interval_time_t lived,
                                 unsigned *short_lives)
{
    unsigned delay_ms = DELAY_MS_FIRST, step;

    if (jc_helper_process_was_killed(status)) {
        return 0;
    }
    if (lived >= LONG_LIFE) {
        *short_lives = 0;
    }
    step = (*short_lives)++;
    if (step == 0) {
        return 0;
    }
    while (--step > 0 && delay_ms < DELAY_MS_MAX) {
        delay_ms *= 2;
    }
    return delay_ms < DELAY_MS_MAX ? delay_ms : DELAY_MS_MAX;
}

/* Returns 1 if the file cannot be executed, or is not a helper. httpd reaps
 * such a child and calls back at once, so starting another one there would be a
 * loop. */
int jc_helper_process_is_hopeless(int status, apr_interval_time_t lived,
                                  unsigned short_lives)
{
    return !jc_helper_process_was_killed(status) && lived < HOPELESS_LIFE &&
           short_lives >= HOPELESS_TIMES;
}

/* Returns 1 for the first few, then for 8, 16, 32 and so on: a helper that
 * cannot live must not fill the log. */
int jc_helper_process_is_worth_a_line(unsigned short_lives)
{
    return short_lives <= 4 || (short_lives & (short_lives - 1)) == 0;
}

const char *jc_helper_process_describe_end(apr_pool_t *p, int status)
{
    int exit_status, sig;

    decode(status, &exit_status, &sig);
    if (sig == SIGKILL) {
        return "was killed (SIGKILL: by hand, or by the kernel because memory "
               "ran out)";
    }
    if (sig != 0) {
        return apr_psprintf(p, "was ended by signal %d (%s)", sig,
                            strsignal(sig));
    }
    switch (exit_status) {
    case JC_EXIT_OK:
        return "ended by itself";
    case JC_EXIT_USAGE:
        return "did not understand its arguments: it is not the helper of "
               "this module; install both from one build";
    case JC_EXIT_VERSION:
        return "is of another build than this module; install both from one "
               "build and restart httpd";
    case JC_EXIT_START:
        return "cannot do its work on this machine; the line before this one "
               "says why";
    case EXIT_NOT_EXECUTED:
        return "could not be executed; the line before this one says why";
    default:
        return apr_psprintf(p, "ended with status %d", exit_status);
    }
}
