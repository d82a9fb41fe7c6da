/*
 * One request of a keeper: its memory, and the processes that belong to it.
 *
 * The processes of a request are those of one session, whose id is the pid of
 * its leader, and of the sessions that the keeper has noted for it
 * (sessions.c). The script's child makes the first before exec. No process of
 * the jail can make another without the keeper (src/keeper/build/own_filter.c),
 * unless JailBackground allows it. Other files ask this one to whom a process
 * belongs.
 *
 * Runs in:   keeper
 * Privilege: none; it is the tenant
 * Trusts:    the kernel's session ids
 */
#include "run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The last run that was freed is the next that is used. */
static jc_run_t *spare;

jc_run_t *jc_run_new(void)
{
    jc_run_t *run = spare;

    if (!run) {
        return calloc(1, sizeof(*run));
    }
    spare = run->next;
    memset(run, 0, sizeof(*run));
    return run;
}

void jc_run_free(jc_run_t *run)
{
    run->next = spare;
    spare = run;
}

pid_t jc_run_leader_of(pid_t pid)
{
    pid_t session = getsid(pid);

    if (session < 0) {
        return errno == ESRCH ? 0 : -1;
    }
    /* The keeper's own session: a script's child that has not made its own
     * yet. */
    return session == getsid(0) ? 0 : jc_sessions_leader(session);
}

int jc_run_owns(const jc_run_t *run, pid_t pid)
{
    pid_t leader = jc_run_leader_of(pid);

    return leader < 0 ? -1 : leader == run->pid;
}
