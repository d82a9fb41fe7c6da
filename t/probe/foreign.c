/*
 * Tries what a script can do with descriptors that a process outside of its
 * jail has opened and sends in over a socket, and shows that the script's own
 * files still work:
 *
 *   take SOCKET         makes the socket, takes the descriptors, tries it all
 *   give SOCKET OUTSIDE opens / and the contents of OUTSIDE, and sends them
 *   ended               does nothing: the program that is executed
 *
 * It prints one line for each attempt: its name, and done or the errno.
 *
 * Runs in:   a jail, as a CGI program (take+SOCKET); outside of it
 */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROOT, ROOT_OPEN, DIR, MARKER, PROGRAM, FDS };

static int fds[FDS];
static char outside[4096]; /* the directory, as its giver names it */
static char shared[4096];  /* the socket's directory */
static char named[FDS][64];

static const char *marker_below_root(void)
{
    static char path[5000];

    snprintf(path, sizeof(path), "%s/marker", outside + 1);
    return path;
}

static const char *mine(const char *name)
{
    static char path[2][5000];
    static int i;

    i = 1 - i;
    snprintf(path[i], sizeof(path[i]), "%s/%s", shared, name);
    return path[i];
}

static int say_address(struct sockaddr_un *address, const char *path)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    return snprintf(address->sun_path, sizeof(address->sun_path), "%s", path) <
                   (int) sizeof(address->sun_path)
               ? 0
               : -1;
}

static int bind_to(const char *path)
{
    struct sockaddr_un address;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    return say_address(&address, path) ||
                   bind(fd, (void *) &address, sizeof(address)) || listen(fd, 5)
               ? -1
               : fd;
}

static int connect_to(const char *path)
{
    struct sockaddr_un address;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    return say_address(&address, path) ||
                   connect(fd, (void *) &address, sizeof(address))
               ? -1
               : fd;
}

/* --- by the foreign descriptors */

static int root_file(void)
{
    return openat(fds[ROOT], marker_below_root(), O_RDONLY);
}

static int root_open_file(void)
{
    return openat(fds[ROOT_OPEN], marker_below_root(), O_RDONLY);
}

static int root_list(void)
{
    return openat(fds[ROOT], ".", O_RDONLY | O_DIRECTORY);
}

static int dir_file(void)
{
    return openat(fds[DIR], "marker", O_RDONLY);
}

static int dir_parent(void)
{
    return openat(fds[DIR], "../outside/marker", O_RDONLY);
}

static int dir_write(void)
{
    return openat(fds[DIR], "marker", O_WRONLY | O_APPEND);
}

static int dir_create(void)
{
    return openat(fds[DIR], "created", O_WRONLY | O_CREAT | O_EXCL, 0600);
}

static int dir_tmpfile(void)
{
    return openat(fds[DIR], ".", O_WRONLY | O_TMPFILE, 0600);
}

static int dir_mkdir(void)
{
    return mkdirat(fds[DIR], "directory", 0700);
}

static int dir_symlink(void)
{
    return symlinkat("marker", fds[DIR], "symlink");
}

static int dir_fifo(void)
{
    return mkfifoat(fds[DIR], "fifo", 0600);
}

static int dir_unlink(void)
{
    return unlinkat(fds[DIR], "spare", 0);
}

static int dir_socket(void)
{
    return fchdir(fds[DIR]) ? -1 : bind_to("bound");
}

static int cd_file(void)
{
    return fchdir(fds[ROOT]) ? -1 : open(marker_below_root(), O_RDONLY);
}

static int cd_parent(void)
{
    return fchdir(fds[DIR]) ? -1 : open("../outside/marker", O_RDONLY);
}

static int cd_truncate(void)
{
    return fchdir(fds[DIR]) ? -1 : truncate("marker", 8);
}

static int proc_reopen(void)
{
    return open(named[MARKER], O_RDONLY);
}

static int proc_dir(void)
{
    char path[100];

    snprintf(path, sizeof(path), "%s/marker", named[DIR]);
    return open(path, O_RDONLY);
}

/* 0, or -1 and the errno. */
static int execute(int dir_fd, const char *path, int flags)
{
    static char *const argv[] = {"foreign", "ended", NULL};
    static char *const envp[] = {NULL};
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        execveat(dir_fd, path, argv, envp, flags);
        _exit(errno);
    }
    waitpid(pid, &status, 0);
    errno = WEXITSTATUS(status);
    return status ? -1 : 0;
}

static int exec_it(void)
{
    return execute(fds[PROGRAM], "", AT_EMPTY_PATH);
}

static int exec_dir(void)
{
    return execute(fds[DIR], "program", 0);
}

static int exec_proc(void)
{
    return execute(AT_FDCWD, named[PROGRAM], 0);
}

static int link_in(void)
{
    return linkat(fds[DIR], "marker", AT_FDCWD, mine("linked"), 0);
}

static int link_empty(void)
{
    return linkat(fds[MARKER], "", AT_FDCWD, mine("linked-empty"),
                  AT_EMPTY_PATH);
}

static int link_proc(void)
{
    return linkat(AT_FDCWD, named[MARKER], AT_FDCWD, mine("linked-proc"),
                  AT_SYMLINK_FOLLOW);
}

static int move_in(void)
{
    return renameat(fds[DIR], "move", AT_FDCWD, mine("moved"));
}

static int move_out(void)
{
    int fd = open(mine("own"), O_WRONLY | O_CREAT, 0600);

    return fd < 0 ? -1 : renameat(AT_FDCWD, mine("own"), fds[DIR], "gone");
}

static int by_handle(void)
{
    struct {
        struct file_handle head;
        unsigned char bytes[MAX_HANDLE_SZ];
    } handle = {.head.handle_bytes = MAX_HANDLE_SZ};
    int mount_id;

    return name_to_handle_at(fds[DIR], "marker", &handle.head, &mount_id, 0)
               ? -1
               : open_by_handle_at(fds[ROOT_OPEN], &handle.head, O_RDONLY);
}

/* --- what is open already, and what Landlock is not asked about */

static int left_read(void)
{
    char byte;

    return pread(fds[MARKER], &byte, 1, 0) == 1 ? 0 : -1;
}

static int left_map(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fds[PROGRAM],
                0) == MAP_FAILED
               ? -1
               : 0;
}

static int left_stat(void)
{
    struct stat st;

    return fstatat(fds[ROOT], marker_below_root(), &st, 0);
}

static int left_chmod(void)
{
    return fchmodat(fds[DIR], "marker", 0600, 0);
}

static int left_connect(void)
{
    return fchdir(fds[DIR]) ? -1 : connect_to("listening");
}

/* --- the jail's own */

static int own_move(void)
{
    return mkdir(mine("from"), 0700) || mkdir(mine("to"), 0700) ||
                   close(open(mine("from/file"), O_WRONLY | O_CREAT, 0600)) ||
                   rename(mine("from/file"), mine("to/file")) ||
                   link(mine("to/file"), mine("from/linked")) ||
                   rename(mine("to"), mine("from/to")) ||
                   truncate(mine("from/linked"), 100) ||
                   unlink(mine("from/linked")) ||
                   unlink(mine("from/to/file")) || rmdir(mine("from/to")) ||
                   rmdir(mine("from"))
               ? -1
               : 0;
}

static int own_reopen(int fd, int flags)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return fd < 0 ? -1 : open(path, flags);
}

static int own_null(void)
{
    return own_reopen(STDIN_FILENO, O_RDWR) < 0 ? -1 : 0;
}

static int own_pipe(void)
{
    return own_reopen(STDOUT_FILENO, O_WRONLY);
}

static int own_memfd(void)
{
    return own_reopen(memfd_create("own", 0), O_RDWR);
}

static int own_memfd_exec(void)
{
    int to = memfd_create("program", 0);
    int from = open("/proc/self/exe", O_RDONLY);
    char buffer[65536];
    ssize_t len;

    while ((len = read(from, buffer, sizeof(buffer))) > 0) {
        if (write(to, buffer, (size_t) len) != len) {
            return -1;
        }
    }
    return from < 0 ? -1 : execute(to, "", AT_EMPTY_PATH);
}

static int own_deleted(void)
{
    int fd = open(mine("deleted"), O_RDWR | O_CREAT, 0600);

    return unlink(mine("deleted")) ? -1 : own_reopen(fd, O_RDWR);
}

static int own_deleted_dir(void)
{
    return mkdir(mine("cwd"), 0700) || chdir(mine("cwd")) || rmdir(mine("cwd"))
               ? -1
               : open(".", O_RDONLY | O_DIRECTORY);
}

static int own_tmpfile(void)
{
    char path[64];
    int fd = open(shared, O_WRONLY | O_TMPFILE, 0600);

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return fd < 0 || linkat(AT_FDCWD, path, AT_FDCWD, mine("named"),
                            AT_SYMLINK_FOLLOW)
               ? -1
               : unlink(mine("named"));
}

static int own_queue(void)
{
    char name[64];

    snprintf(name, sizeof(name), "/jailcgi-foreign-%d", (int) getuid());
    mqd_t queue = mq_open(name, O_RDWR | O_CREAT, 0600, NULL);
    int errnum = errno;
    mq_unlink(name); /* it may be made and not opened */
    errno = errnum;
    return queue == (mqd_t) -1 ? -1 : mq_send(queue, "x", 1, 0);
}

static int own_socket(void)
{
    return bind_to(mine("own-socket")) < 0 || connect_to(mine("own-socket")) < 0
               ? -1
               : unlink(mine("own-socket"));
}

static int own_fifo(void)
{
    return mkfifo(mine("own-fifo"), 0600) || open(mine("own-fifo"), O_RDWR) < 0
               ? -1
               : unlink(mine("own-fifo"));
}

static const struct {
    const char *name;
    int (*try)(void);
} attempts[] = {
    {"root-file", root_file},
    {"root-open-file", root_open_file},
    {"root-list", root_list},
    {"dir-file", dir_file},
    {"dir-parent", dir_parent},
    {"dir-write", dir_write},
    {"dir-create", dir_create},
    {"dir-tmpfile", dir_tmpfile},
    {"dir-mkdir", dir_mkdir},
    {"dir-symlink", dir_symlink},
    {"dir-fifo", dir_fifo},
    {"dir-unlink", dir_unlink},
    {"dir-socket", dir_socket},
    {"cd-file", cd_file},
    {"cd-parent", cd_parent},
    {"cd-truncate", cd_truncate},
    {"proc-reopen", proc_reopen},
    {"proc-dir", proc_dir},
    {"exec", exec_it},
    {"exec-dir", exec_dir},
    {"exec-proc", exec_proc},
    {"link", link_in},
    {"link-empty", link_empty},
    {"link-proc", link_proc},
    {"move-in", move_in},
    {"move-out", move_out},
    {"handle", by_handle},
    {"left-read", left_read},
    {"left-map", left_map},
    {"left-stat", left_stat},
    {"left-chmod", left_chmod},
    {"left-connect", left_connect},
    {"own-move", own_move},
    {"own-null", own_null},
    {"own-pipe", own_pipe},
    {"own-memfd", own_memfd},
    {"own-memfd-exec", own_memfd_exec},
    {"own-deleted", own_deleted},
    {"own-deleted-dir", own_deleted_dir},
    {"own-tmpfile", own_tmpfile},
    {"own-queue", own_queue},
    {"own-socket", own_socket},
    {"own-fifo", own_fifo},
};

/* Each in a process of its own, which may change its directory. */
static void try_all(void)
{
    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
        if (fork() == 0) {
            errno = 0;
            int result = attempts[i].try();
            dprintf(STDOUT_FILENO, "%s: %s\n", attempts[i].name,
                    result < 0 ? strerrorname_np(errno) : "done");
            _exit(0);
        }
        wait(NULL);
    }
}

static int take(const char *path)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(fds))];
    } room;
    struct iovec iov = {outside, sizeof(outside)};
    struct msghdr mh = {.msg_iov = &iov,
                        .msg_iovlen = 1,
                        .msg_control = &room,
                        .msg_controllen = sizeof(room)};
    int fd = bind_to(path);

    alarm(30);
    snprintf(shared, sizeof(shared), "%.*s", (int) (strrchr(path, '/') - path),
             path);
    int from = accept(fd, NULL, NULL);
    if (fd < 0 || from < 0 || recvmsg(from, &mh, 0) <= 0 ||
        mh.msg_controllen < CMSG_LEN(sizeof(fds))) {
        printf("take: %s\n", strerrorname_np(errno));
        return 1;
    }
    memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&mh)), sizeof(fds));
    unlink(path);
    for (int i = 0; i < FDS; i++) {
        snprintf(named[i], sizeof(named[i]), "/proc/self/fd/%d", fds[i]);
    }
    try_all();
    close(from); /* and the giver ends */
    return 0;
}

static int give(const char *path, const char *directory)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(fds))];
    } room = {0};
    struct iovec iov = {(void *) directory, strlen(directory) + 1};
    struct msghdr mh = {.msg_iov = &iov,
                        .msg_iovlen = 1,
                        .msg_control = &room,
                        .msg_controllen = sizeof(room)};
    int to, tries = 0;
    char end;

    alarm(60);
    fds[ROOT] = open("/", O_PATH | O_DIRECTORY);
    fds[ROOT_OPEN] = open("/", O_RDONLY | O_DIRECTORY);
    fds[DIR] = open(directory, O_PATH | O_DIRECTORY);
    fds[MARKER] = openat(fds[DIR], "marker", O_RDWR);
    fds[PROGRAM] = openat(fds[DIR], "program", O_RDONLY);
    if (fds[MARKER] < 0 || fds[PROGRAM] < 0 || fchdir(fds[DIR]) ||
        bind_to("listening") < 0) {
        perror(directory);
        return 1;
    }
    while ((to = connect_to(path)) < 0 && tries++ < 1000) {
        usleep(20000);
    }
    struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(fds));
    memcpy(CMSG_DATA(c), fds, sizeof(fds));
    if (sendmsg(to, &mh, 0) < 0) {
        perror(path);
        return 1;
    }
    return read(to, &end, 1) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    char query[4096];
    const char *given = getenv("QUERY_STRING");

    if (argc > 3 && strcmp(argv[1], "give") == 0) {
        return give(argv[2], argv[3]);
    }
    if (argc > 1 && strcmp(argv[1], "ended") == 0) {
        return 0;
    }
    printf("Content-Type: text/plain\n\n");
    fflush(stdout);
    if (!given && argc > 2) {
        return take(argv[2]);
    }
    snprintf(query, sizeof(query), "%s", given ? given : "");
    return strncmp(query, "take+", 5) == 0 ? take(query + 5) : 1;
}
