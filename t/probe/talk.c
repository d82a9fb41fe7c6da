/*
 * A CGI program that tries what requests of one jail can do to each other:
 *
 *   listen+NAME   an abstract socket with this name; waits for /tmp/go
 *   connect+NAME  to it
 *   own+NAME      both, by two processes of this request
 *   signal+PID    signal 0
 *   group         SIGTERM to its own process group, which contains a child
 *   children      a child signals its parent, and is killed by it
 *   files         moves and links a file
 *   raised        executes /tools/raised, and prints its output
 *
 * Runs in:   a jail, as a CGI program; as /tools/raised with set-id bits
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_un address = {.sun_family = AF_UNIX};
static socklen_t len;

static void say(const char *what, int result)
{
    printf("%s: %s\n", what, result < 0 ? strerrorname_np(errno) : "done");
    fflush(stdout);
}

static int make_listener(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    return bind(fd, (struct sockaddr *) &address, len) ? -1 : listen(fd, 5);
}

static int reach_listener(void)
{
    return connect(socket(AF_UNIX, SOCK_STREAM, 0),
                   (struct sockaddr *) &address, len);
}

static void wait_for_go(void)
{
    for (int i = 0; i < 3000 && access("/tmp/go", F_OK); i++) {
        usleep(20000);
    }
}

static pid_t make_child(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        signal(SIGTERM, SIG_DFL);
        sleep(60);
        _exit(0);
    }
    return pid;
}

static void end_group(void)
{
    pid_t child = make_child();
    int status;

    signal(SIGTERM, SIG_IGN);
    say("group", kill(0, SIGTERM));
    waitpid(child, &status, 0);
    printf("child: signal %d\n", WTERMSIG(status));
}

static void end_child(void)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        say("parent", kill(getppid(), 0));
        sleep(60);
        _exit(0);
    }
    usleep(200000);
    say("kill", kill(child, SIGKILL));
    waitpid(child, &status, 0);
    printf("child: signal %d\n", WTERMSIG(status));
}

/* From one directory into another. */
static void move_file(void)
{
    (void) mkdir("/tmp/one", 0700);
    (void) mkdir("/tmp/two", 0700);
    FILE *file = fopen("/tmp/one/file", "w");
    if (file) {
        fclose(file);
    }
    say("rename", rename("/tmp/one/file", "/tmp/two/file"));
    say("link", link("/tmp/two/file", "/tmp/one/linked"));
    unlink("/tmp/one/linked");
    unlink("/tmp/two/file");
}

/* What it is now, and the capabilities that it has. */
static void show_identity(void)
{
    char line[256];
    FILE *file = fopen("/proc/self/status", "r");

    printf("uid: %d %d\ngid: %d %d\n", getuid(), geteuid(), getgid(),
           getegid());
    while (file && fgets(line, sizeof(line), file)) {
        if (strncmp(line, "Cap", 3) == 0 || strncmp(line, "NoNew", 5) == 0 ||
            strncmp(line, "Seccomp:", 8) == 0) {
            fputs(line, stdout);
        }
    }
    say("setuid", setuid(0));
    say("chown", chown("/tmp/mine", 0, 0));
}

int main(int argc, char **argv)
{
    char query[256];
    const char *given = getenv("QUERY_STRING");

    if (strcmp(argv[0], "raised") == 0) {
        show_identity();
        return 0;
    }
    snprintf(query, sizeof(query), "%s", given ? given : "");
    char *rest = query + strcspn(query, "+");
    if (*rest) {
        *rest++ = 0;
    }
    len = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + 1 +
                       (socklen_t) snprintf(address.sun_path + 1, 100, "%s",
                                            rest));
    printf("Content-Type: text/plain\n\n");
    fflush(stdout);
    if (strcmp(query, "listen") == 0) {
        say("listen", make_listener());
        wait_for_go();
        puts("ended");
    } else if (strcmp(query, "connect") == 0) {
        say("connect", reach_listener());
    } else if (strcmp(query, "own") == 0) {
        say("listen", make_listener());
        if (fork() == 0) {
            say("connect", reach_listener());
            _exit(0);
        }
        wait(NULL);
    } else if (strcmp(query, "signal") == 0) {
        say("signal", kill(atoi(rest), 0));
    } else if (strcmp(query, "group") == 0) {
        end_group();
    } else if (strcmp(query, "children") == 0) {
        end_child();
    } else if (strcmp(query, "files") == 0) {
        move_file();
    } else if (strcmp(query, "raised") == 0) {
        execl("/tools/raised", "raised", (char *) NULL);
        say("raised", -1);
    }
    return 0;
}
