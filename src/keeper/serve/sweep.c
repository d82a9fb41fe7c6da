/*
 * Signals the processes of the jail that are not the keeper's children.
 *
 * All processes of a request are in its sessions, because setsid is refused to
 * them (src/keeper/build/own_filter.c) or noted (sessions.c). Some are not the
 * keeper's children: their parents live, or one of these has made itself a
 * subreaper. The keeper finds them in the list of all processes of the PID
 * namespace. One pass over that list is enough, whatever they do. Processes are
 * both made and listed in the order of their pids, so a child made during the
 * pass comes after its parent in the list. The pass ends only when nothing
 * comes after. A process that has got SIGKILL makes no more children. A process
 * can be missed only if the pids start again from the bottom during the pass,
 * and the next pass finds it.
 *
 * Between the look at a process and kill, a pid could become another process's,
 * if 32,768 processes were made between the two calls.
 *
 * Without a PID namespace there is no such list, and no process is found.
 *
 * Runs in:   keeper
 * Privilege: none; it is the tenant
 * Trusts:    the kernel's list of the jail's processes
 */
#include "runs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PASSES    3
#define STRAYS_MS 500  /* between two looks at their age */
#define LIST_LEN  1024 /* short, so that a signal follows its entry soon */

static struct {
    uint32_t background_ms;
    uint64_t next_ms; /* when strays are looked at again */
} sweep = {.next_ms = UINT64_MAX};

typedef struct {
    const jc_run_t *run; /* its processes; NULL: those of no request */
    uint64_t age_ms;     /* that are at least this old */
} meant_t;

/* Returns how long ago the process began: field 22 of proc_pid_stat(5), in
 * ticks since boot. The name in field 2 may contain blanks and parentheses. A
 * process whose file cannot be read counts as old: otherwise one that makes it
 * unreadable would live on. */
static uint64_t age_ms_of(pid_t pid)
{
    char text[1024], path[32], *at, *rest;
    struct timespec now;

    snprintf(path, sizeof(path), "%d/stat", (int) pid);
    int fd = openat(JC_KEEPER_PROC_FD, path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0) {
        close(fd);
    }
    if (len <= 0 || clock_gettime(CLOCK_BOOTTIME, &now)) {
        return UINT64_MAX;
    }
    text[len] = 0;
    at = strrchr(text, ')');
    for (int field = 2; at && field < 22; field++) {
        at = strchr(at + 1, ' ');
    }
    uint64_t began = at ? strtoull(at, &rest, 10) : 0;
    if (!at || rest == at) {
        return UINT64_MAX;
    }
    uint64_t now_ms =
        (uint64_t) now.tv_sec * 1000 + (uint64_t) now.tv_nsec / 1000000;
    uint64_t began_ms = began * (1000 / 100); /* USER_HZ */
    return now_ms > began_ms ? now_ms - began_ms : 0;
}

/* Returns 1 also if the process exists and the kernel does not say to which
 * request it belongs. */
static int is_meant(pid_t pid, const meant_t *meant)
{
    pid_t leader;

    if (meant->run) {
        return jc_run_owns(meant->run, pid) != 0;
    }
    leader = jc_run_leader_of(pid);
    return leader < 0 || (leader > 0 && !jc_runs_find(leader) &&
                          age_ms_of(pid) >= meant->age_ms);
}

/* Returns how many processes it has found, or -1 if it has not seen the whole
 * list. PID 1 is the keeper. */
static int pass(const meant_t *meant, int sig)
{
    _Alignas(struct dirent64) char list[LIST_LEN];
    ssize_t len;
    int found = 0;

    if (lseek(JC_KEEPER_PROC_FD, 0, SEEK_SET)) {
        return -1;
    }
    while ((len = getdents64(JC_KEEPER_PROC_FD, list, sizeof(list))) > 0) {
        for (ssize_t at = 0; at < len;) {
            const struct dirent64 *entry =
                (const struct dirent64 *) (list + at);
            pid_t pid = (pid_t) strtol(entry->d_name, NULL, 10);

            if (pid > 1 && is_meant(pid, meant)) {
                kill(pid, sig);
                found++;
            }
            at += entry->d_reclen;
        }
    }
    /* Without a PID namespace the descriptor is no directory. */
    return len == 0 || errno == ENOTDIR ? found : -1;
}

/* On a busy machine many processes take seconds to die. If fewer than ever
 * before are left, they do die. A list that cannot be read shows nothing, and
 * their time runs out (LAST_MS in runs.c). */
void jc_sweep_session(jc_run_t *run)
{
    const meant_t meant = {.run = run};
    int found = pass(&meant, SIGKILL);

    if (found >= 0 && (uint32_t) found < run->left) {
        run->left = (uint32_t) found;
        run->since_ms = jc_clock_ms();
    }
    for (int i = 1; i < PASSES && found != 0; i++) {
        found = pass(&meant, SIGKILL);
    }
}

void jc_sweep_init(uint32_t background_ms)
{
    sweep.background_ms = background_ms;
    if (background_ms > 0 && background_ms != JC_NO_MAX) {
        sweep.next_ms = 0;
    }
}

uint64_t jc_sweep_next_ms(void)
{
    return sweep.next_ms;
}

void jc_sweep_strays(void)
{
    const meant_t meant = {.age_ms = sweep.background_ms};

    sweep.next_ms = jc_clock_ms() + STRAYS_MS;
    if (pass(&meant, SIGKILL) < 0) {
        _exit(JC_KEEPER_GAVE_UP); /* the kernel kills the jail */
    }
}
