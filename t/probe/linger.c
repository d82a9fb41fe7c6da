/*
 * A CGI program that leaves processes behind, or tries to. QUERY_STRING names
 * each way, followed by + and a word that identifies its processes. It prints
 * "left" when they all exist. Then it exits, or waits for /tmp/go if there is a
 * second word, "stay".
 *
 * All processes exit after LIFE_SECONDS, so that a test that fails leaves
 * nothing that runs for ever.
 *
 * Runs in:   a jail, as a CGI program
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "t/probe/i386.h"

#define LIFE_SECONDS 400

static time_t end;

static time_t now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec;
}

static void ignore_all(void)
{
    for (int sig = 1; sig < NSIG; sig++) {
        if (sig != SIGCHLD) {
            signal(sig, SIG_IGN);
        }
    }
}

/* Processes that live for less than it takes to look at them tell by the time
 * of this file that they are there. */
static void beat(int flags)
{
    int fd = open("/tmp/beat", O_WRONLY | flags, 0600);

    futimens(fd, NULL);
    close(fd);
}

/* Without the pipes of the page: nobody waits for it. */
static void stay(void)
{
    close_range(0, ~0U, 0);
    while (now() < end) {
        usleep(100000);
    }
    _exit(0);
}

static void twice(void (*between)(void))
{
    if (fork() == 0) {
        if (between) {
            between();
        }
        if (fork() == 0) {
            stay();
        }
        _exit(0);
    }
    wait(NULL);
}

static void own_group(void)
{
    setpgid(0, 0);
}

static void own_session(void)
{
    int result = setsid();

    printf("setsid: %s\n", result < 0 ? strerrorname_np(errno) : "done");
    fflush(stdout);
}

static void double_fork(void)
{
    twice(NULL);
}

static void group(void)
{
    twice(own_group);
}

static void session(void)
{
    twice(own_session);
}

/* With an argument that the kernel ignores, and by the numbers that other modes
 * of the processor have for it. */
static void other_sessions(void)
{
    if (fork() == 0) {
        for (long guess = -2; guess < 1000; guess++) {
            if (syscall(SYS_setsid, guess, guess, guess) >= 0) {
                printf("setsid: done\n");
            }
        }
        if (syscall(SYS_setsid | 0x40000000, 0) >= 0) {
            printf("setsid of x32: done\n");
        }
        long result = i386(66, 0, 0, 0, 0);
        printf("setsid of i386: %s\n",
               result < 0 ? strerrorname_np(errno) : "done");
        fflush(stdout);
        stay();
    }
}

/* A parent that takes the orphans, so that they never are the keeper's. */
static void subreaper(void)
{
    if (fork() == 0) {
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        own_group();
        for (int i = 0; i < 3; i++) {
            twice(own_group);
        }
        stay();
    }
}

/* A child of the keeper's own from the start. */
static void brother(void)
{
    if (syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, 0) == 0) {
        own_group();
        stay();
    }
}

static void brothers(void)
{
    for (int i = 0; i < 4; i++) {
        brother();
    }
}

static void stopped(void)
{
    if (fork() == 0) {
        own_group();
        close_range(0, ~0U, 0);
        raise(SIGSTOP);
        stay();
    }
}

/* One process holds the other one, and closes the pipe when it has done so. */
static void traced(void)
{
    pid_t victim = fork();
    int ends[2];
    char byte;

    if (victim == 0) {
        own_group();
        stay();
    }
    if (pipe(ends) == 0 && fork() == 0) {
        own_group();
        int result = (int) ptrace(PTRACE_SEIZE, victim, 0, 0);
        printf("ptrace: %s\n", result < 0 ? strerrorname_np(errno) : "done");
        fflush(stdout);
        ptrace(PTRACE_INTERRUPT, victim, 0, 0);
        stay();
    }
    close(ends[1]);
    while (read(ends[0], &byte, 1) < 0 && errno == EINTR) {
    }
    close(ends[0]);
}

/* Each process makes the next one, in a group of its own, and goes. */
static void run_ahead(void)
{
    beat(O_CREAT);
    close_range(0, ~0U, 0);
    while (now() < end) {
        pid_t pid = fork();

        if (pid != 0 && pid != -1) {
            _exit(0);
        }
        own_group();
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        beat(0);
    }
    _exit(0);
}

static void chain(void)
{
    for (int i = 0; i < 4; i++) {
        if (fork() == 0) {
            run_ahead();
        }
    }
}

/* As the chain, under one parent that takes all of them. */
static void covered_chain(void)
{
    if (fork() == 0) {
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        own_group();
        chain();
        close_range(0, ~0U, 0);
        while (now() < end) {
            if (wait(NULL) < 0) {
                usleep(1000);
            }
        }
        _exit(0);
    }
}

/* JailLimit nproc bounds it. */
static void bomb(void)
{
    if (fork() == 0) {
        beat(O_CREAT);
        close_range(0, ~0U, 0);
        signal(SIGCHLD, SIG_IGN);
        while (now() < end) {
            beat(0);
            if (fork() >= 0) {
                own_group();
            }
        }
        _exit(0);
    }
}

static void nothing(void)
{
}

static const struct {
    const char *name;
    void (*leave)(void);
} ways[] = {
    {"nothing", nothing},       {"double-fork", double_fork},
    {"group", group},           {"session", session},
    {"others", other_sessions}, {"subreaper", subreaper},
    {"brother", brother},       {"stopped", stopped},
    {"traced", traced},         {"chain", chain},
    {"covered", covered_chain}, {"bomb", bomb},
    {"brothers", brothers},
};

int main(void)
{
    char query[256];
    const char *given = getenv("QUERY_STRING");

    snprintf(query, sizeof(query), "%s", given ? given : "");
    query[strcspn(query, "+")] = 0;
    end = now() + LIFE_SECONDS;
    if (!strstr(given, "gentle")) {
        ignore_all();
    }
    printf("Content-Type: text/plain\n\nbegun %d\n", (int) getpid());
    fflush(stdout);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (strcmp(ways[i].name, query) == 0) {
            ways[i].leave();
        }
    }
    puts("left");
    fflush(stdout);
    while (strstr(given, "stay") && access("/tmp/go", F_OK) && now() < end) {
        usleep(20000);
    }
    if (strstr(given, "daemon")) {
        close_range(0, 2, 0);
        stay();
    }
    puts("ended");
    return 0;
}
