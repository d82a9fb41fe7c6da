/*
 * Finds out whether the JailRoots of a configuration are directories. A root
 * may be where a tenant's file system or a file server decides how long an
 * answer takes, and a reload must not wait for that. Therefore a process that
 * may be lost looks at them, one after the other, and reports each result at
 * once.
 *
 * Runs in:   httpd parent, and a process of its own that looks
 * Privilege: root
 * Trusts:    nothing: a root that is not looked at is a root with a problem
 * Never:     waits for longer than PATIENCE_MS for one root, or for more than
 *            LOST_MAX of them
 */
#include "freeze.h"

#include "apr_strings.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS  2000
#define LOST_MAX     3
#define LIFE_SECONDS 60 /* of a process that was left behind */

/* Returns 0 or an errno. */
static int look_at(const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        return errno;
    }
    return S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
}

/* Keeps nothing of httpd but the pipe. If this process is left behind, it must
 * not hold a port, or the standard error of the program that started httpd. */
static void look_at_all(const apr_array_header_t *roots, int from, int out_fd)
    __attribute__((noreturn));
static void look_at_all(const apr_array_header_t *roots, int from, int out_fd)
{
    (void) prctl(PR_SET_NAME, "jailcgi-roots");
    if (dup2(out_fd, STDIN_FILENO) < 0 || close_range(1, ~0U, 0) != 0) {
        _exit(1);
    }
    signal(SIGALRM, SIG_DFL);
    alarm(LIFE_SECONDS);
    for (int i = from; i < roots->nelts; i++) {
        int result = look_at(APR_ARRAY_IDX(roots, i, jc_root_t).path);

        if (write(STDIN_FILENO, &result, sizeof(result)) != sizeof(result)) {
            break;
        }
    }
    _exit(0);
}

/* Lets a grandchild look, so that nobody has to wait for its end. Returns the
 * pipe from which its results come, or -1 with errno. */
static int start(const apr_array_header_t *roots, int from)
{
    int ends[2], errnum;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        return -1;
    }
    pid = fork();
    if (pid == 0) {
        if (fork() == 0) {
            look_at_all(roots, from, ends[1]);
        }
        _exit(0);
    }
    errnum = errno;
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        errno = errnum;
        return -1;
    }
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    return ends[0];
}

/* Returns the errno that is the result, or one that says why none has come. */
static int next_result(int in_fd)
{
    struct pollfd in = {.fd = in_fd, .events = POLLIN};
    int result, ready;

    do {
        ready = poll(&in, 1, PATIENCE_MS);
    } while (ready < 0 && errno == EINTR);
    if (ready == 0) {
        return ETIMEDOUT;
    }
    return read(in_fd, &result, sizeof(result)) == sizeof(result) ? result
                                                                  : ECHILD;
}

static const char *problem_of(apr_pool_t *p, int result)
{
    switch (result) {
    case 0:
        return NULL;
    case ENOENT:
        return "does not exist";
    case ENOTDIR:
        return "is not a directory";
    case ETIMEDOUT:
        return apr_psprintf(p, "its file system has not answered within %d s",
                            PATIENCE_MS / 1000);
    }
    return apr_psprintf(p, "cannot be checked: %s", strerror(result));
}

void jc_roots_look(apr_pool_t *p, apr_array_header_t *roots)
{
    int in_fd = -1, lost = 0;

    for (int i = 0; i < roots->nelts; i++) {
        jc_root_t *root = &APR_ARRAY_IDX(roots, i, jc_root_t);
        int result;

        if (lost >= LOST_MAX) {
            root->problem = "was not checked, because the file systems of "
                            "three others have not answered";
            continue;
        }
        if (in_fd < 0 && (in_fd = start(roots, i)) < 0) {
            root->problem = problem_of(p, errno);
            continue;
        }
        result = next_result(in_fd);
        root->problem = problem_of(p, result);
        if (result == ETIMEDOUT || result == ECHILD) {
            close(in_fd);
            in_fd = -1;
            lost++;
        }
    }
    if (in_fd >= 0) {
        close(in_fd);
    }
}
