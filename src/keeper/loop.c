/*
 * The keeper at work: one fork for each request, and an eye on what it forked.
 *
 * Runs in:   keeper
 * Privilege: none, it is the tenant
 * Trusts:    the helper, that RUN comes with a socket of the right kind
 * Never:     parses what a request brought, opens a file, waits for a peer
 */
#define _GNU_SOURCE
#include "keeper.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runs.h"

#define EVENTS 32
#define BATCH  16

static struct {
    const jc_jail_t *jail;
    int draining; /* takes no more requests, goes when the last has ended */
} keeper;

/* What epoll gives back for the keeper's own descriptors; for a request it is
 * its run. */
static char on_helper, on_parent, on_signal, on_stale;

static int watch(int fd, uint32_t events, void *what)
{
    struct epoll_event event = {.events = events, .data.ptr = what};

    return epoll_ctl(JC_KEEPER_EPOLL_FD, EPOLL_CTL_ADD, fd, &event);
}

static void refuse_fork(int control_fd, uint64_t request_id, int errnum,
                        const jc_events_t *before)
{
    jc_failure_t failure = {.code = JC_CODE_FORK, .errnum = errnum};
    jc_events_t now;

    jc_events_read(keeper.jail, &now);
    if (errnum == EAGAIN && now.pids_refused > before->pids_refused) {
        failure.code = JC_CODE_FORK_PIDS;
    } else if (errnum == EAGAIN) {
        failure.code = JC_CODE_FORK_NPROC;
        failure.found = jc_jail_nproc();
    }
    jc_wire_send_failed(control_fd, request_id, &failure);
}

static void jc_keeper_on_run(const jc_msg_run_t *msg, int *fds)
{
    int control_fd = fds[JC_SPAWN_CONTROL];
    jc_run_t *run = jc_runs_new();
    jc_events_t before;

    jc_events_read(keeper.jail, &before);
    pid_t pid = run ? jc_spawn(keeper.jail, msg->request_id, control_fd) : -1;

    if (pid < 0) {
        refuse_fork(control_fd, msg->request_id, run ? errno : ENOMEM, &before);
        if (run) {
            jc_runs_free(run);
        }
        return;
    }
    run->pid = pid;
    run->before = before;
    run->request_id = msg->request_id;
    run->control_fd = control_fd;
    fds[JC_SPAWN_CONTROL] = -1; /* taken */
    jc_runs_add(run, keeper.jail->policy.rec->total_ms);
    /* No events asked for: hang-up is always told, and nothing else matters.
     * Without it nobody could order the end of this request: end it now. */
    if (watch(control_fd, 0, run)) {
        jc_runs_end(run);
    }
}

static void drain(void)
{
    keeper.draining = 1;
    epoll_ctl(JC_KEEPER_EPOLL_FD, EPOLL_CTL_DEL, JC_KEEPER_HELPER_FD, NULL);
    close(JC_KEEPER_HELPER_FD);
}

/* Returns 0 when there is nothing more to read now. */
static int take_message(void)
{
    jc_wire_any_t any;
    int fds[JC_MAX_FDS];

    switch (jc_wire_recv(JC_KEEPER_HELPER_FD, &any, fds, MSG_DONTWAIT)) {
    case JC_WIRE_OK:
        if (any.head.type == JC_MSG_RUN) {
            jc_keeper_on_run(&any.run, fds);
        }
        jc_wire_close_fds(fds, JC_MAX_FDS);
        return 1;
    case JC_WIRE_MALFORMED:
        return 1; /* descriptors that we had no room for, say */
    case JC_WIRE_AGAIN:
        return 0;
    default: /* the helper has told us to finish, or died */
        drain();
        return 0;
    }
}

static void serve_helper(void)
{
    for (int i = 0; i < BATCH && take_message(); i++) {
    }
}

/* The root is not what httpd sees under its name. What is queued would fail
 * as well: it is taken and told so, and the helper finds us gone. */
static void give_way(void)
{
    while (!keeper.draining && take_message()) {
    }
    if (!keeper.draining) {
        drain();
    }
}

/* Returns 1 if children may have ended. They are not reaped here: that frees
 * requests which the events still to be looked at may name. */
static int on_event(const struct epoll_event *event)
{
    const void *what = event->data.ptr;
    struct signalfd_siginfo info;

    if (what == &on_helper) {
        serve_helper();
    } else if (what == &on_signal) {
        /* One read is enough: only SIGCHLD comes, and is pending once. */
        return read(JC_KEEPER_SIGNAL_FD, &info, sizeof(info)) > 0;
    } else if (what == &on_parent) {
        jc_runs_kill_all();
        _exit(0);
    } else if (what == &on_stale) {
        epoll_ctl(JC_KEEPER_EPOLL_FD, EPOLL_CTL_DEL, JC_KEEPER_STALE_FD, NULL);
        give_way();
    } else {
        jc_runs_hung_up(event->data.ptr);
    }
    return 0;
}

static int set_up(void)
{
    sigset_t mask;

    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    if (sigprocmask(SIG_SETMASK, &mask, NULL)) {
        return -1;
    }
    int signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signal_fd != JC_KEEPER_SIGNAL_FD) {
        return -1;
    }
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd != JC_KEEPER_EPOLL_FD) {
        return -1;
    }
    return watch(JC_KEEPER_HELPER_FD, EPOLLIN, &on_helper) ||
                   watch(JC_KEEPER_PARENT_FD, EPOLLIN, &on_parent) ||
                   watch(JC_KEEPER_SIGNAL_FD, EPOLLIN, &on_signal) ||
                   watch(JC_KEEPER_STALE_FD, EPOLLIN, &on_stale)
               ? -1
               : 0;
}

void jc_keeper_serve(const jc_jail_t *jail)
{
    struct epoll_event events[EVENTS];

    keeper.jail = jail;
    if (set_up()) {
        jc_failure_t failure = {.code = JC_CODE_STEP_SIGNALS, .errnum = errno};
        jc_keeper_refuse_all(JC_KEEPER_HELPER_FD, &failure);
        _exit(1);
    }
    while (!(keeper.draining && jc_runs_none())) {
        int n =
            epoll_wait(JC_KEEPER_EPOLL_FD, events, EVENTS, jc_runs_sleep_ms());
        int ended = 0;
        for (int i = 0; i < n; i++) {
            ended |= on_event(&events[i]);
        }
        if (ended) {
            jc_runs_reap(jail);
            jc_spawn_tidy();
        }
        jc_runs_tick(jc_jail_has(jail, JC_NS_PID));
    }
    _exit(0);
}
