/*
 * What httpd is told when the leader of a request has ended: EXIT.
 *
 * Runs in:   keeper
 * Privilege: none; it is the tenant
 * Trusts:    the kernel, how a child has ended
 * Never:     waits for the peer
 */
#include "channels.h"
#include "exit.h"

#include <sys/resource.h>
#include <sys/socket.h>

static uint64_t us_of(const struct timeval *time)
{
    return (uint64_t) time->tv_sec * 1000000 + (uint64_t) time->tv_usec;
}

void jc_exit_note(const jc_jail_t *jail, jc_run_t *run, int status,
                  const struct rusage *usage)
{
    if (jail->start.cgroup_fd >= 0 && run->ended == JC_ENDED_NOT) {
        run->ended = jc_cgroup_events_verdict(jail, &run->events, status);
    }
    run->reaped = 1;
    run->exit = (jc_msg_exit_t){.status = status,
                                .ended = run->ended,
                                .taken = jc_own_tmp_taken() | run->taken,
                                .call = run->call,
                                .call_arch = run->call_arch,
                                .utime_us = us_of(&usage->ru_utime),
                                .stime_us = us_of(&usage->ru_stime),
                                .maxrss_kb = (uint64_t) usage->ru_maxrss};
}

/* A peer that has not read earlier messages gets no other request here. */
void jc_exit_tell(jc_run_t *run, int is_over)
{
    run->told = 1;
    if (!run->channel) {
        return;
    }
    run->exit.request_id = run->channel->request_id;
    run->exit.is_free = is_over && !jc_channels_draining();
    if (jc_wire_send(run->channel->ended_fd, JC_MSG_EXIT, &run->exit, NULL, 0,
                     MSG_DONTWAIT) != JC_WIRE_OK) {
        run->exit.is_free = 0;
    }
}

void jc_exit_amend(jc_run_t *run)
{
    run->exit.ended = run->ended;
    if (run->told) {
        jc_exit_tell(run, 0);
    }
}
