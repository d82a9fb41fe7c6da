/*
 * What the demo asks of each program, in C: who am I, what is my root, can I
 * read the neighbour's file (argv[1]) or signal his process (argv[2])?
 *
 * Runs in:   script
 * Privilege: the tenant's
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct dirent **names;
    int count = scandir("/", &names, NULL, alphasort);

    printf("Content-Type: text/plain\n\n");
    printf("user=%u:%u\n", getuid(), getgid());
    printf("root=");
    for (int i = 0; i < count; i++) {
        if (names[i]->d_name[0] != '.') {
            printf("%s ", names[i]->d_name);
        }
    }
    printf("\nLD_BIND_NOW=%s\n", getenv("LD_BIND_NOW"));
    if (argc < 3) {
        return 0;
    }
    int fd = open(argv[1], O_RDONLY);
    printf("file=%s\n", fd >= 0 ? "READ" : strerror(errno));
    int rc = kill(atoi(argv[2]), 0);
    printf("process=%s\n", rc == 0 ? "SIGNALLED" : strerror(errno));
    return 0;
}
