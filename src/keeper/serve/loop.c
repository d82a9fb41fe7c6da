/*
 * The keeper's loop: it makes a script's child for each request, and watches
 * the children that it has made.
 *
 * Runs in:   keeper
 * Privilege: none; it is the tenant
 * Trusts:    the helper, that RUN has sockets of the right kind
 * Never:     parses the data of a request, opens a file, waits for a peer
 */
#include "channels.h"
#include "queue.h"
#include "exit.h"
#include "runs.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS    32
#define BATCH     16
#define OTHERS_MS 20

static struct {
    const jc_jail_t *jail;
    struct rlimit descriptors;
} keeper;

/* epoll returns a pointer to one of these for the keeper's own descriptors, and
 * to the channel or the peer for others. */
static char on_helper, on_parent, on_signal, on_stale, on_refused, on_log;

static int watch(int fd, uint32_t events, void *what)
{
    struct epoll_event event = {.events = events, .data.ptr = what};

    return epoll_ctl(JC_KEEPER_EPOLL_FD, EPOLL_CTL_ADD, fd, &event);
}

/* Reports why the request is not started, and frees it. */
static void refuse(jc_run_t *run, const jc_failure_t *failure)
{
    jc_wire_send_failed(run->channel->control_fd, run->channel->request_id,
                        failure);
    jc_runs_let_go(run);
    jc_run_free(run);
}

/* Returns the RLIMIT_NPROC in force, for the log line when fork fails. */
static uint64_t nproc_limit(void)
{
    struct rlimit limit = {0};

    getrlimit(RLIMIT_NPROC, &limit);
    return limit.rlim_cur;
}

static void refuse_fork(jc_run_t *run, int errnum)
{
    jc_failure_t failure = {.code = JC_CODE_FORK, .errnum = errnum};
    jc_cgroup_events_t now;

    jc_cgroup_events_read(keeper.jail, &now);
    if (errnum == EAGAIN && now.pids_refused > run->events.pids_refused) {
        failure.code = JC_CODE_FORK_PIDS;
    } else if (errnum == EAGAIN && nproc_limit() != RLIM_INFINITY) {
        failure.code = JC_CODE_FORK_NPROC;
        failure.found = nproc_limit();
    }
    refuse(run, &failure);
}

static void start(jc_run_t *run)
{
    jc_cgroup_events_read(keeper.jail, &run->events);
    run->pid = jc_spawn(keeper.jail, run->channel->request_id,
                        run->channel->control_fd, run->channel->web_uid);
    if (run->pid < 0) {
        jc_tally_give(1);
        refuse_fork(run, errno);
        return;
    }
    jc_runs_add(run, keeper.jail->policy.rec->total_ms);
}

/* The request has the place until jc_runs_* give it back at its end. */
static int take_place(void)
{
    return jc_tally_take(keeper.jail->policy.rec->running_max);
}

/* Refuses because the queue is full, or because the wait was too long. */
static void refuse_full(jc_run_t *run, int has_waited)
{
    const jc_policy_rec_t *rec = keeper.jail->policy.rec;
    jc_failure_t failure = {.code = JC_CODE_JAIL_FULL,
                            .found = jc_runs_count(),
                            .expected = rec->running_max};

    if (has_waited) {
        snprintf(failure.text, sizeof(failure.text),
                 "no place free within %u ms", rec->queue_ms);
    } else {
        snprintf(failure.text, sizeof(failure.text), "the queue of %u full",
                 rec->queue_max);
    }
    refuse(run, &failure);
}

static void enqueue(jc_run_t *run)
{
    const jc_policy_rec_t *rec = keeper.jail->policy.rec;

    if (jc_queue_count() >= rec->queue_max) {
        refuse_full(run, 0);
    } else {
        jc_queue_add(run, rec->queue_ms);
    }
}

/* Runs after each round of events, so that requests that wait precede new ones.
 * Places become free in jc_runs_reap() and jc_runs_hung_up(), before this. */
static void serve_queue(void)
{
    jc_run_t *run;

    while (jc_queue_count() > 0 && take_place()) {
        start(jc_queue_take());
    }
    while ((run = jc_queue_take_overdue())) {
        refuse_full(run, 1);
    }
}

/* Serves the request that is in the channel, while no other of the channel
 * runs. */
static void serve_request(jc_channel_t *channel)
{
    jc_run_t *run = jc_run_new();

    if (!run) {
        jc_failure_t failure = {.code = JC_CODE_FORK, .errnum = ENOMEM};
        jc_wire_send_failed(channel->control_fd, channel->request_id, &failure);
        jc_channels_close(channel);
        return;
    }
    run->channel = channel;
    channel->run = run;
    if (jc_queue_count() == 0 && take_place()) {
        start(run);
    } else {
        enqueue(run);
    }
}

static void jc_keeper_on_run(const jc_msg_run_t *msg, int *fds)
{
    jc_channel_t *channel = jc_channels_open(fds, msg);

    if (!channel) {
        jc_failure_t failure = {.code = JC_CODE_FORK, .errnum = errno};
        jc_wire_send_failed(fds[JC_SPAWN_CONTROL], msg->request_id, &failure);
        return;
    }
    serve_request(channel);
}

static void on_hang_up(jc_channel_t *channel)
{
    jc_run_t *run = channel->run;

    if (!run) {
        jc_channels_close(channel);
    } else if (run->state == JC_RUN_QUEUED) {
        jc_queue_leave(run);
    } else {
        jc_runs_hung_up(run);
    }
}

/* httpd sends nothing while a request runs, so data that arrives then stays
 * where it is. When the keeper drains, the channel is about to be closed. */
static void on_channel(jc_channel_t *channel, uint32_t events)
{
    if (events & (EPOLLHUP | EPOLLRDHUP | EPOLLERR)) {
        on_hang_up(channel);
    } else if (!channel->run && !jc_channels_draining()) {
        serve_request(channel);
    }
}

static void drain(void)
{
    jc_channels_drain();
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
        /* There was no room for the descriptors. If the limit was lowered,
         * nobody had the right to do so, and it is raised again. If that fails,
         * another keeper is better. */
        if (errno == EMFILE && setrlimit(RLIMIT_NOFILE, &keeper.descriptors)) {
            _exit(JC_KEEPER_GAVE_UP);
        }
        return 1;
    case JC_WIRE_AGAIN:
        return 0;
    default: /* the helper has ordered us to finish, or died */
        drain();
        return 0;
    }
}

static void serve_helper(void)
{
    for (int i = 0; i < BATCH && take_message(); i++) {
    }
}

/* Ends an idle keeper. The helper notices when it sends the next message. The
 * keeper still takes what was sent before; at the end of it, take_message()
 * drains. The socket is shut down, because a child that was just forked has a
 * copy of it. */
static void give_way(void)
{
    if (!jc_channels_draining()) {
        shutdown(JC_KEEPER_HELPER_FD, SHUT_RD);
    }
    while (!jc_channels_draining()) {
        take_message();
    }
}

/* Sends STALE once for each script that is not here. The helper decides how
 * often to look. */
static void say_stale(void)
{
    jc_msg_stale_t msg;
    uint64_t count;

    if (read(JC_KEEPER_STALE_FD, &count, sizeof(count)) > 0 &&
        !jc_channels_draining()) {
        (void) jc_wire_send(JC_KEEPER_HELPER_FD, JC_MSG_STALE, &msg, NULL, 0,
                            MSG_DONTWAIT);
    }
}

/* Returns 1 if children may have ended. They are not reaped here, because that
 * frees requests which the remaining events may name. */
static int on_event(const struct epoll_event *event)
{
    const void *what = event->data.ptr;
    struct signalfd_siginfo info;

    if (what == &on_helper) {
        serve_helper();
    } else if (what == &on_signal) {
        /* One read is enough, because only SIGCHLD comes and it is pending only
         * once. */
        return read(JC_KEEPER_SIGNAL_FD, &info, sizeof(info)) > 0;
    } else if (what == &on_parent) {
        jc_runs_kill_all();
        _exit(0);
    } else if (what == &on_stale) {
        say_stale();
    } else if (what == &on_refused) {
        jc_refused_answer(keeper.jail);
    } else if (what == &on_log) {
        jc_own_log_hear();
    } else if (*(const int *) what == JC_SOURCE_PEER) {
        jc_peers_on_death(event->data.ptr);
    } else {
        on_channel(event->data.ptr, event->events);
    }
    return 0;
}

/* Gives up the requests of an httpd child that has ended, as if it had closed
 * its channels, even if somebody else has copies of their ends. */
static void end_channels_of_dead(void)
{
    jc_channel_t *channel;

    while (jc_peers_have_died()) {
        while ((channel = jc_channels_of_dead())) {
            on_hang_up(channel);
        }
    }
    jc_peers_tidy();
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
                   watch(JC_KEEPER_STALE_FD, EPOLLIN, &on_stale) ||
                   (keeper.jail->has_listener &&
                    watch(JC_KEEPER_REFUSED_FD, EPOLLIN, &on_refused)) ||
                   (keeper.jail->has_log &&
                    watch(JC_KEEPER_LOG_FD, EPOLLIN, &on_log))
               ? -1
               : 0;
}

static int is_empty(void)
{
    return jc_runs_none() && jc_queue_count() == 0;
}

/* The keeper itself observes JailIdle, because most requests bypass the helper.
 * A keeper that gives way is empty, so its successor does not restart the count
 * of JailConcurrency from 0. */
static int sleep_ms(void)
{
    int runs_ms = jc_runs_sleep_ms();
    int queue_ms = jc_queue_sleep_ms();

    if (is_empty()) {
        return (int) keeper.jail->policy.rec->idle_ms;
    }
    /* Nobody reports when a place that another keeper holds becomes free. */
    if (queue_ms > OTHERS_MS && jc_tally_has_others()) {
        queue_ms = OTHERS_MS;
    }
    return queue_ms < 0 || (runs_ms >= 0 && runs_ms < queue_ms) ? runs_ms
                                                                : queue_ms;
}

int jc_loop_serve(const jc_jail_t *jail, jc_failure_t *failure)
{
    struct epoll_event events[EVENTS];

    keeper.jail = jail;
    jc_runs_set_background(jail->policy.rec->background_ms);
    if (getrlimit(RLIMIT_NOFILE, &keeper.descriptors) || set_up()) {
        failure->code = JC_CODE_STEP_SIGNALS;
        failure->errnum = errno;
        return -1;
    }
    jc_own_tmp_watch(jail);
    while (!(jc_channels_draining() && is_empty())) {
        int n = epoll_wait(JC_KEEPER_EPOLL_FD, events, EVENTS, sleep_ms());
        int ended = 0;
        if (n == 0 && is_empty()) {
            give_way();
        }
        for (int i = 0; i < n; i++) {
            ended |= on_event(&events[i]);
        }
        if (ended) {
            jc_runs_reap(jail);
            jc_spawn_tidy();
        }
        end_channels_of_dead();
        if (jc_channels_draining()) {
            jc_channels_close_free();
        }
        serve_queue();
        jc_runs_tick(jc_jail_has(jail, JC_NS_PID));
    }
    _exit(0);
}
