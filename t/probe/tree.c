/*
 * A CGI program with descendants that are hard to find, for the tests of how a
 * request is ended. The query is words with + between them:
 *
 *   silent, page   waits for /tmp/go before its page, or in the middle of it
 *   read           reads its body, and makes /tmp/eof at its clean end
 *   endless        a page without end
 *   gentle         obeys SIGTERM and makes /tmp/term; otherwise it is ignored
 *   setsid         one descendant leaves the session
 *   any other      identifies it in the process list
 *
 * When all its processes exist it makes /tmp/at. There are four, or five with
 * setsid.
 */
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Bounded, so that a test that fails leaves nothing that runs for ever. */
#define LIFE_SECONDS 150

/* Closed by each descendant when it is where it wants to be. */
static int ready_pipe[2];

static int has(const char *word)
{
    return strstr(getenv("QUERY_STRING"), word) != NULL;
}

static void make_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0600);

    if (fd >= 0) {
        close(fd);
    }
}

static void on_term(int sig)
{
    make_file("/tmp/term");
    _exit(0);
}

static pid_t fork_or_die(void)
{
    pid_t pid = fork();

    if (pid < 0) {
        err(1, "fork");
    }
    return pid;
}

static void stay(void)
{
    unsigned left = LIFE_SECONDS;

    close_range(0, ~0U, 0);
    while (left > 0) {
        left = sleep(left);
    }
    _exit(0);
}

/* As `set -m` of a shell: a group of its own, and one more below it. */
static void grow_groups(void)
{
    if (fork_or_die() == 0) {
        setpgid(0, 0);
        if (fork_or_die() == 0) {
            setpgid(0, 0);
        }
        stay();
    }
}

/* A daemon's way: its parent has gone. */
static void grow_orphan(void (*leave)(void))
{
    pid_t pid = fork_or_die();

    if (pid == 0) {
        leave();
        if (fork_or_die() == 0) {
            stay();
        }
        _exit(0);
    }
    waitpid(pid, NULL, 0);
}

static void leave_group(void)
{
    setpgid(0, 0);
}

static void leave_session(void)
{
    setsid();
}

static void grow(void)
{
    char byte;

    if (pipe(ready_pipe)) {
        err(1, "pipe");
    }
    grow_groups();
    grow_orphan(leave_group);
    if (has("setsid")) {
        grow_orphan(leave_session);
    }
    close(ready_pipe[1]);
    while (read(ready_pipe[0], &byte, 1) > 0) {
        continue;
    }
}

static void say(const char *text)
{
    if (write(STDOUT_FILENO, text, strlen(text)) < 0) {
        usleep(10000);
    }
}

static void read_body(void)
{
    char buf[4096];
    ssize_t n;

    do {
        n = read(STDIN_FILENO, buf, sizeof(buf));
    } while (n > 0);
    if (n == 0) {
        make_file("/tmp/eof");
    }
}

static void wait_for_go(void)
{
    for (int i = 0; i < LIFE_SECONDS * 100; i++) {
        if (access("/tmp/go", F_OK) == 0) {
            return;
        }
        usleep(10000);
    }
}

static void write_for_ever(void)
{
    static char line[1000];

    alarm(LIFE_SECONDS);
    memset(line, 'x', sizeof(line) - 1);
    for (;;) {
        say(line);
    }
}

int main(void)
{
    signal(SIGTERM, has("gentle") ? on_term : SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    grow();
    if (!has("silent") && !has("read")) {
        say("Content-Type: text/plain\n\nfirst\n");
    }
    make_file("/tmp/at");
    if (has("endless")) {
        write_for_ever();
    }
    if (has("read")) {
        read_body();
    }
    wait_for_go();
    if (has("silent") || has("read")) {
        say("Content-Type: text/plain\n\n");
    }
    say("last\n");
    return 0;
}
