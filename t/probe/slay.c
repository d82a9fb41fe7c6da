/*
 * A CGI program that kills whatever else its user runs in the jail, again and
 * again, for a while: the children of the keeper between fork and exec too.
 */
#include <signal.h>
#include <stdio.h>
#include <time.h>

#define SECONDS 3

static time_t now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec;
}

int main(void)
{
    time_t end = now() + SECONDS;

    puts("Content-Type: text/plain\n\nbegun");
    fflush(stdout);
    while (now() <= end) {
        kill(-1, SIGKILL); /* all but this process and PID 1 */
    }
    return puts("ended") < 0;
}
