/*
 * Shuts down the SOCK_SEQPACKET sockets of another process, as that process
 * could do itself if it were compromised. Root runs it, outside of any jail:
 *
 *   cut PID r|w|rw
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_seqpacket(int fd)
{
    int domain = 0, type = 0;
    socklen_t len = sizeof(int);

    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 &&
           getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
           domain == AF_UNIX && type == SOCK_SEQPACKET;
}

int main(int argc, char **argv)
{
    char path[64];
    int pid_fd, how, count = 0;
    struct dirent *entry;
    DIR *dir;

    if (argc != 3) {
        errx(2, "usage: cut PID r|w|rw");
    }
    how = strcmp(argv[2], "rw") == 0  ? SHUT_RDWR
          : strcmp(argv[2], "w") == 0 ? SHUT_WR
                                      : SHUT_RD;
    pid_fd = (int) syscall(SYS_pidfd_open, atoi(argv[1]), 0);
    snprintf(path, sizeof(path), "/proc/%d/fd", atoi(argv[1]));
    dir = opendir(path);
    if (pid_fd < 0 || !dir) {
        err(1, "%s", path);
    }
    while ((entry = readdir(dir)) != NULL) {
        int fd = entry->d_name[0] == '.'
                     ? -1
                     : (int) syscall(SYS_pidfd_getfd, pid_fd,
                                     atoi(entry->d_name), 0);

        if (fd >= 0 && is_seqpacket(fd)) {
            if (shutdown(fd, how) != 0) {
                err(1, "shutdown");
            }
            count++;
        }
        if (fd >= 0) {
            close(fd);
        }
    }
    printf("%d\n", count);
    return count == 0;
}
