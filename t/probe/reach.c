/*
 * Tries what a hostile script could reach, and prints the result of each
 * attempt on a line. QUERY_STRING names host processes and files:
 * pid=1&pid=2&file=/etc/shadow
 *
 * Runs in:   a jail, as a CGI program
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#define PID_MAX 4194304 /* the kernel's PID_MAX_LIMIT */

static void say(const char *what, int result)
{
    printf("%s: %s\n", what, result < 0 ? strerrorname_np(errno) : "done");
}

/* All processes that a signal would reach, and those that are there and that
 * it would not reach. */
static void look_for_processes(int want_errno, const char *what)
{
    printf("%s:", what);
    for (pid_t pid = 1; pid <= PID_MAX; pid++) {
        errno = 0;
        kill(pid, 0);
        if (errno == want_errno && pid != getpid()) {
            printf(" %d", (int) pid);
        }
    }
    printf("\n");
}

static void say_directory(const char *what)
{
    struct stat st;

    if (stat(".", &st)) {
        say(what, -1);
        return;
    }
    printf("%s: %lu %lu\n", what, (unsigned long) st.st_dev,
           (unsigned long) st.st_ino);
}

static void climb(void)
{
    for (int i = 0; i < 64; i++) {
        if (chdir("..")) {
            say("climb", -1);
        }
    }
    say_directory("top");
}

static void list_root(void)
{
    const struct dirent *entry;
    DIR *dir = opendir("/");

    while (dir && (entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") != 0 &&
            strcmp(entry->d_name, "..") != 0) {
            printf("entry: %s\n", entry->d_name);
        }
    }
}

/* The old way out: a second root below a directory that is still open. */
static void leave_chroot(void)
{
    int fd = open("/", O_RDONLY | O_DIRECTORY);

    say("chroot", chroot("/tmp"));
    say("fchdir", fchdir(fd));
    climb();
}

static void try_named(char *query)
{
    for (char *part = strtok(query, "&"); part; part = strtok(NULL, "&")) {
        if (strncmp(part, "pid=", 4) == 0) {
            say(part, kill((pid_t) atoi(part + 4), SIGKILL));
        } else if (strncmp(part, "file=", 5) == 0) {
            say(part, open(part + 5, O_RDONLY));
        } else if (strncmp(part, "shm=", 4) == 0) {
            say(part, shmget((key_t) atoi(part + 4), 0, 0));
        }
    }
}

int main(void)
{
    const char *given = getenv("QUERY_STRING");
    char query[4096];

    snprintf(query, sizeof(query), "%s", given ? given : "");
    printf("Content-Type: text/plain\n\n");
    look_for_processes(0, "signals reach");
    look_for_processes(EPERM, "signals are refused by");
    try_named(query);
    say("kill first", kill(1, SIGKILL));
    say("trace first", (int) ptrace(PTRACE_SEIZE, 1, 0, 0));
    list_root();
    leave_chroot();
    say("user namespace", unshare(CLONE_NEWUSER));
    say("mount namespace", unshare(CLONE_NEWNS));
    say("mount", mount("none", "/tmp", "tmpfs", 0, NULL));
    /* Last: all that may be signalled at all. */
    say("kill all", kill(-1, SIGKILL));
    return 0;
}
