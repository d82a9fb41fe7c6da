/*
 * A CGI program that runs many times at once: it answers when as many as the
 * query says run at the same time. They count themselves in /tmp/count, which
 * jails may share, by one byte each.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define WAIT_SECONDS 60

static long count(int fd)
{
    struct stat st;

    if (fstat(fd, &st)) {
        err(1, "fstat");
    }
    return (long) st.st_size;
}

int main(void)
{
    const char *query = getenv("QUERY_STRING");
    long wanted = query ? strtol(query, NULL, 10) : 1;
    int fd = open("/tmp/count", O_WRONLY | O_APPEND);

    if (fd < 0 || write(fd, "x", 1) != 1) {
        err(1, "/tmp/count");
    }
    for (int i = 0; i < WAIT_SECONDS * 20 && count(fd) < wanted; i++) {
        usleep(50000);
    }
    return printf("Content-Type: text/plain\n\n%s\n",
                  count(fd) >= wanted ? "all were there" : "some are missing") <
           0;
}
