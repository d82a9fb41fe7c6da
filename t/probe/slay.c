/*
 * A CGI program that kills all other processes of its user in the jail, again
 * and again, for a while, including the keeper's children between fork and
 * exec.
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
