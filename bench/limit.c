/*
 * The limit of anything that executes a program for each request: a bare loop
 * of fork, exec, read and wait, with no server, in N processes at once.
 *
 *   limit SECONDS PROCESSES PROGRAM [NAME=VALUE]
 *
 * Prints one line: runs per second, median and 99th percentile of the time of
 * one run in microseconds, failures. The run ends by itself.
 *
 * Runs in:   bench/run only
 * Privilege: the caller's
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_PROCESSES 256
#define BUCKET_US     10
#define BUCKETS       100000 /* to one second; longer runs count as one second */

typedef struct {
    uint64_t runs;
    uint64_t failures;
    uint64_t elapsed_us;
    uint32_t buckets[BUCKETS];
} tally_t;

static uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t) t.tv_sec * 1000000u + (uint64_t) t.tv_nsec / 1000u;
}

/* What php-cgi and CGI.pm ask for before they do anything. */
#define ENV_MORE 4
static char script_filename[4096];
static char *env[] = {"GATEWAY_INTERFACE=CGI/1.1",
                      "REQUEST_METHOD=GET",
                      "REDIRECT_STATUS=200",
                      script_filename,
                      NULL,
                      NULL};

static void run_child(int out_fd, const char *program)
{
    char *argv[] = {(char *) program, NULL};

    if (dup2(out_fd, STDOUT_FILENO) < 0) {
        _exit(126);
    }
    execve(program, argv, env);
    _exit(127);
}

/* One run: 1 if the program printed something and ended with status 0. */
static int run_once(const char *program)
{
    char buffer[4096];
    ssize_t got;
    size_t total = 0;
    int pipe_fd[2];
    int status;
    pid_t pid;

    if (pipe2(pipe_fd, O_CLOEXEC) != 0) {
        err(1, "pipe2");
    }
    pid = fork();
    if (pid < 0) {
        err(1, "fork");
    }
    if (pid == 0) {
        run_child(pipe_fd[1], program);
    }
    close(pipe_fd[1]);
    while ((got = read(pipe_fd[0], buffer, sizeof(buffer))) > 0) {
        total += (size_t) got;
    }
    close(pipe_fd[0]);
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            err(1, "waitpid");
        }
    }
    return total > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void work(tally_t *tally, uint64_t end_us, const char *program)
{
    uint64_t begin_us = now_us();
    uint64_t before_us = begin_us;

    while (before_us < end_us) {
        uint64_t after_us;
        uint64_t bucket;

        if (!run_once(program)) {
            tally->failures++;
        }
        after_us = now_us();
        bucket = (after_us - before_us) / BUCKET_US;
        tally->buckets[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
        tally->runs++;
        before_us = after_us;
    }
    tally->elapsed_us = before_us - begin_us;
}

static uint64_t percentile_us(const tally_t *sum, unsigned percent)
{
    uint64_t wanted = (sum->runs * percent + 99) / 100;
    uint64_t seen = 0;
    size_t i;

    for (i = 0; i < BUCKETS; i++) {
        seen += sum->buckets[i];
        if (seen >= wanted) {
            break;
        }
    }
    return (i + 1) * BUCKET_US;
}

int main(int argc, char **argv)
{
    static tally_t sum;
    tally_t *tallies;
    double per_second = 0;
    uint64_t end_us;
    int seconds;
    int processes;
    int i;

    if (argc < 4 || argc > 5 || (seconds = atoi(argv[1])) < 1 ||
        (processes = atoi(argv[2])) < 1 || processes > MAX_PROCESSES) {
        fprintf(stderr,
                "usage: limit SECONDS PROCESSES PROGRAM [NAME=VALUE]\n");
        return 64;
    }
    snprintf(script_filename, sizeof(script_filename), "SCRIPT_FILENAME=%s",
             argv[3]);
    env[ENV_MORE] = argc == 5 ? argv[4] : NULL;
    tallies = mmap(NULL, sizeof(*tallies) * (size_t) processes,
                   PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (tallies == MAP_FAILED) {
        err(1, "mmap");
    }
    end_us = now_us() + (uint64_t) seconds * 1000000u;
    for (i = 0; i < processes; i++) {
        pid_t pid = fork();
        if (pid < 0) {
            err(1, "fork");
        }
        if (pid == 0) {
            work(&tallies[i], end_us, argv[3]);
            _exit(0);
        }
    }
    for (i = 0; i < processes; i++) {
        int status;
        if (wait(&status) < 0 || status != 0) {
            errx(1, "a worker failed");
        }
    }
    for (i = 0; i < processes; i++) {
        size_t bucket;
        sum.runs += tallies[i].runs;
        sum.failures += tallies[i].failures;
        per_second +=
            (double) tallies[i].runs * 1e6 / (double) tallies[i].elapsed_us;
        for (bucket = 0; bucket < BUCKETS; bucket++) {
            sum.buckets[bucket] += tallies[i].buckets[bucket];
        }
    }
    printf("%.1f %llu %llu %llu\n", per_second,
           (unsigned long long) percentile_us(&sum, 50),
           (unsigned long long) percentile_us(&sum, 99),
           (unsigned long long) sum.failures);
    return 0;
}
