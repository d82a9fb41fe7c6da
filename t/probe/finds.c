/*
 * Prints what a script finds around it, one line "name: value" for each fact:
 * the devices and whether they work, places to write to, IPC objects, the
 * network, flags of the root. QUERY_STRING is KEY,PORT,PATH: of an IPC object,
 * of a server on 127.0.0.1, and a path that may exist.
 *
 * Runs in:   script
 * Privilege: the tenant's
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

static const char *said(long result)
{
    return result >= 0 ? "works" : strerror(errno);
}

static const char *try_read(int fd, int must_be_zero)
{
    char bytes[32];
    int sum = 0;

    memset(bytes, must_be_zero, sizeof(bytes));
    ssize_t n = read(fd, bytes, sizeof(bytes));
    for (ssize_t i = 0; i < n; i++) {
        sum |= bytes[i];
    }
    return n != sizeof(bytes)           ? "short"
           : (sum == 0) == must_be_zero ? "works"
                                        : "wrong";
}

static const char *try_node(const char *name, int fd)
{
    char byte = 'x';

    if (strcmp(name, "null") == 0) {
        return write(fd, &byte, 1) == 1 && read(fd, &byte, 1) == 0 ? "works"
                                                                   : "wrong";
    }
    if (strcmp(name, "full") == 0) {
        return write(fd, &byte, 1) < 0 && errno == ENOSPC ? "works" : "wrong";
    }
    return try_read(fd, strcmp(name, "zero") == 0);
}

static void node(const char *name, int is_written)
{
    char path[64];
    struct stat st;

    snprintf(path, sizeof(path), "/dev/%s", name);
    int fd = open(path, is_written ? O_RDWR : O_RDONLY);
    if (fd < 0 || fstat(fd, &st) != 0) {
        printf("dev_%s: %s\n", name, strerror(errno));
        return;
    }
    printf("dev_%s: %c %u:%u %s\n", name, S_ISCHR(st.st_mode) ? 'c' : '?',
           major(st.st_rdev), minor(st.st_rdev), try_node(name, fd));
    close(fd);
}

static void syslog_socket(void)
{
    struct sockaddr_un address = {AF_UNIX, "/dev/log"};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    printf("dev_log: %s\n",
           said(connect(fd, (struct sockaddr *) &address, sizeof(address))));
    close(fd);
}

static void descriptor(const char *name, int flags)
{
    char path[64];

    snprintf(path, sizeof(path), "/dev/%s", name);
    int fd = open(path, flags);
    printf("dev_%s: %s\n", name, said(fd));
    close(fd);
}

/* Makes a file, writes into it and removes it. */
static void place(const char *directory)
{
    char path[64];
    struct stat st;
    struct statvfs fs;

    snprintf(path, sizeof(path), "%s/finds.XXXXXX", directory);
    if (stat(directory, &st) != 0 || statvfs(directory, &fs) != 0) {
        printf("%s: %s\n", directory, strerror(errno));
        return;
    }
    int fd = mkstemp(path);
    printf("%s: %04o %s\n", directory, st.st_mode & 07777,
           said(fd < 0 ? -1 : write(fd, "x", 1)));
    printf("%s_kb: %lu\n", directory,
           (unsigned long) (fs.f_blocks * fs.f_frsize / 1024));
    close(fd);
    unlink(path);
}

static void ipc(key_t key)
{
    printf("shm: %s\n", said(shmget(key, 0, 0)));
    printf("sem: %s\n", said(semget(key, 0, 0)));
    printf("msg: %s\n", said(msgget(key, 0)));
}

static void network(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t) port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    printf("network: %s\n",
           said(connect(fd, (struct sockaddr *) &address, sizeof(address))));
    close(fd);
}

int main(void)
{
    const char *query = getenv("QUERY_STRING");
    int key = 0, port = 0, at = 0;
    char host[65] = "";
    struct statvfs fs;

    printf("Content-Type: text/plain\n\n");
    node("null", 1);
    node("zero", 0);
    node("full", 1);
    node("random", 0);
    node("urandom", 0);
    descriptor("stdin", O_RDONLY);
    descriptor("stdout", O_WRONLY);
    descriptor("stderr", O_WRONLY);
    descriptor("fd", O_RDONLY | O_DIRECTORY);
    descriptor("kmsg", O_RDONLY);
    descriptor("ptmx", O_RDWR);
    syslog_socket();
    place("/dev/shm");
    place("/tmp");
    place("/var/tmp");
    place("/var/lib/php/sessions");
    gethostname(host, sizeof(host) - 1);
    printf("host: %s\n", host);
    printf("pid: %d %d\n", getpid(), getppid());
    if (statvfs("/", &fs) == 0) {
        printf("nosuid: %d\n", (fs.f_flag & ST_NOSUID) != 0);
    }
    printf("proc: %s\n", said(access("/proc/self/stat", F_OK)));
    if (query && sscanf(query, "%d,%d,%n", &key, &port, &at) == 2) {
        ipc(key);
        network(port);
        printf("outside: %s\n", said(access(query + at, F_OK)));
    }
    return 0;
}
