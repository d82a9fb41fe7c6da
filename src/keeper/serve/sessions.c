/*
 * Remembers the sessions that the processes of requests have made, and to which
 * request each belongs.
 *
 * A program that uses a pseudo-terminal needs a session of its own, because
 * only the leader of one can take a controlling terminal (tty_ioctl(4)). With
 * JC_POLICY_SESSIONS the filter therefore asks the keeper about each setsid
 * (refused.c). The caller waits until the keeper has noted its session here, so
 * no process can be in a session that the keeper does not know.
 *
 * The id of a session is the pid of its maker. The kernel gives that number to
 * nobody else while a process is in the session. Later another request can get
 * it, so the last word counts.
 *
 * Runs in:   keeper
 * Privilege: none; it is the tenant
 * Trusts:    the kernel's word who has made which call
 */
#include "runs.h"

#include <errno.h>

/* The most that one request, and all requests of a keeper, may have made.
 * Those that have ended count too, until their request ends. */
#define OF_ONE 256
#define OF_ALL 4096

static struct {
    struct {
        pid_t session;
        pid_t leader; /* of the request */
    } list[OF_ALL];
    unsigned count;
} sessions;

void jc_sessions_drop(pid_t session, pid_t leader)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < sessions.count; i++) {
        if (sessions.list[i].session != session &&
            sessions.list[i].leader != leader) {
            sessions.list[kept++] = sessions.list[i];
        }
    }
    sessions.count = kept;
}

int jc_sessions_note(pid_t session, pid_t leader)
{
    unsigned own = 0;

    jc_sessions_drop(session, 0);
    for (unsigned i = 0; i < sessions.count; i++) {
        own += sessions.list[i].leader == leader;
    }
    if (own >= OF_ONE || sessions.count >= OF_ALL) {
        errno = ENOSPC;
        return -1;
    }
    sessions.list[sessions.count].session = session;
    sessions.list[sessions.count++].leader = leader;
    return 0;
}

pid_t jc_sessions_leader(pid_t session)
{
    for (unsigned i = 0; i < sessions.count; i++) {
        if (sessions.list[i].session == session) {
            return sessions.list[i].leader;
        }
    }
    return session;
}
