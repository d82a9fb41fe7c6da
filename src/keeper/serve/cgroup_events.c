/*
 * Reads what the jail's cgroup has counted: kills for lack of memory, refused
 * processes, and time spent waiting for the processor.
 *
 * Runs in:   keeper
 * Privilege: none; it is the tenant
 * Trusts:    the kernel's files, which the keeper opened as root
 */
#include "serve.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The counts that were already reported to a request. */
static jc_cgroup_events_t told;

/* Returns the number after `name` at the beginning of a line, or 0 if there is
 * none. */
static uint64_t count_of(int index, const char *name)
{
    char text[1024] = "\n";
    ssize_t len =
        pread(JC_KEEPER_EVENTS_FD + index, text + 1, sizeof(text) - 2, 0);

    text[len > 0 ? len + 1 : 1] = 0;
    const char *found = strstr(text, name);
    return found ? strtoull(found + strlen(name), NULL, 10) : 0;
}

void jc_cgroup_events_read(const jc_jail_t *jail, jc_cgroup_events_t *events)
{
    memset(events, 0, sizeof(*events));
    if (jail->start.cgroup_fd >= 0) {
        events->oom_kills = count_of(0, "\noom_kill ");
        events->pids_refused = count_of(1, "\nmax ");
        events->throttled_us = count_of(2, "\nthrottled_usec ");
    }
}

/* Returns whether the counter has grown, and no other request got that
 * reported. */
static int is_new(uint64_t now, uint64_t before, uint64_t of_others)
{
    return now > before && now > of_others;
}

uint32_t jc_cgroup_events_verdict(const jc_jail_t *jail,
                                  const jc_cgroup_events_t *before, int status)
{
    uint32_t ended = JC_ENDED_NOT;
    jc_cgroup_events_t now;

    jc_cgroup_events_read(jail, &now);
    if (now.throttled_us > before->throttled_us) {
        ended |= JC_ENDED_THROTTLED;
    }
    if (status == 0) {
        return ended;
    }
    if (is_new(now.oom_kills, before->oom_kills, told.oom_kills)) {
        /* Counts one event if the leader itself was killed. Otherwise its
         * children were, and all events are theirs. */
        told.oom_kills = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL
                             ? told.oom_kills + 1
                             : now.oom_kills;
        ended |= JC_ENDED_MEMORY;
    } else if (is_new(now.pids_refused, before->pids_refused,
                      told.pids_refused)) {
        told.pids_refused = now.pids_refused;
        ended |= JC_ENDED_PIDS;
    }
    return ended;
}
