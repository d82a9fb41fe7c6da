/*
 * A CGI program that records which requests were run, and how often. First it
 * appends the query to /tmp/started, as a line in one write. Then it works for
 * some milliseconds, or, if the query begins with "slow", until /tmp/go exists.
 * It answers with the query.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAIT_SECONDS 120
#define WORK_US      10000

int main(void)
{
    const char *query = getenv("QUERY_STRING");
    int fd = open("/tmp/started", O_WRONLY | O_CREAT | O_APPEND, 0600);

    if (fd < 0 || !query || dprintf(fd, "%s\n", query) < 0) {
        err(1, "/tmp/started");
    }
    printf("Content-Type: text/plain\n\nbegin %s\n", query);
    if (strncmp(query, "slow", 4) == 0) {
        fflush(stdout);
        for (int i = 0; i < WAIT_SECONDS * 100; i++) {
            if (access("/tmp/go", F_OK) == 0) {
                break;
            }
            usleep(10000);
        }
    } else {
        usleep(WORK_US);
    }
    return printf("end %s\n", query) < 0;
}
