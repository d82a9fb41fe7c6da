/*
 * jailcgi-helper: the one process that stays root while it serves requests.
 *
 * Theory of operation. The httpd parent starts this program with a socket to
 * itself (descriptor 3) and a pidfd of itself (4). It sends the helper one
 * socket and one policy table for each generation of httpd children. A child
 * asks on its generation's socket for a channel to the jail of policy N. The
 * helper finds or makes the keeper of that jail and passes the channel to it.
 * It does nothing else and knows nothing of HTTP. It is static and bound before
 * main, so that it never loads a library of the host or of a jail.
 *
 * Runs in:   helper
 * Privilege: root; the capabilities that --caps names, no others
 * Trusts:    its parent
 * Never:     opens a file of a tenant, resolves a name, blocks on a peer
 */
#include "helper.h"
#include "jails.h"
#include "keepers.h"
#include "src/wire/clock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define EVENTS   32
#define BATCH    16 /* messages of one generation in one turn */
#define SWEEP_MS 1000
/* Long enough: a table of 10,000 hosts takes a tenth of a second. */
#define SWITCH_SECONDS 10
#define DELAY_MS_MAX   60000

/* epoll returns a pointer to one of these, or to a generation or a jail, which
 * begin with the same field. */
static int source_parent = JC_SOURCE_PARENT;
static int source_parent_died = JC_SOURCE_PARENT_DIED;
static int source_signal = JC_SOURCE_SIGNAL;

static struct {
    int epoll_fd;
    int signal_fd;
    uint64_t caps;          /* that the parent's tables need */
    int has_dropped;        /* a generation, in this round of events */
    int has_ended_children; /* children ended, in this round */
    jc_generation_t *generations[JC_GENERATIONS_MAX];
} helper = {.epoll_fd = -1, .signal_fd = -1};

static void watch(int fd, uint32_t events, void *source)
{
    struct epoll_event event = {.events = events, .data.ptr = source};

    if (epoll_ctl(helper.epoll_fd, EPOLL_CTL_ADD, fd, &event)) {
        jc_log_bug("epoll_ctl");
    }
}

/* httpd ignores or handles signals that a script must find at their default,
 * and ignored signals survive exec (execve(2)). */
static void set_up_signals(void)
{
    sigset_t mask;

    for (int sig = 1; sig < NSIG; sig++) {
        signal(sig, SIG_DFL);
    }
    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    sigaddset(&mask, SIGTERM);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    helper.signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    if (helper.signal_fd < 0) {
        jc_log_bug("signalfd");
    }
}

/* Keeps those capabilities of `wanted` that the machine gives. A step that then
 * fails is reported to the request that needs it. */
static void limit_capabilities(uint64_t wanted)
{
    cap_t have = cap_get_proc();
    cap_t keep = cap_init();

    if (!have || !keep) {
        jc_log_bug("no memory for the capabilities");
    }
    for (cap_value_t cap = 0; cap <= CAP_LAST_CAP; cap++) {
        cap_flag_value_t permitted = CAP_CLEAR;
        cap_get_flag(have, cap, CAP_PERMITTED, &permitted);
        if (!(wanted & (UINT64_C(1) << cap))) {
            (void) cap_drop_bound(cap);
        } else if (permitted == CAP_SET) {
            cap_set_flag(keep, CAP_PERMITTED, 1, &cap, CAP_SET);
            cap_set_flag(keep, CAP_EFFECTIVE, 1, &cap, CAP_SET);
        }
    }
    if (cap_set_proc(keep)) {
        jc_log("cannot limit its own capabilities: %s", strerror(errno));
        exit(JC_EXIT_START);
    }
    cap_free(have);
    cap_free(keep);
}

/* Each keeper in use needs a descriptor. Returns how many there can be. */
static unsigned raise_descriptor_limit(void)
{
    struct rlimit limit = {.rlim_cur = 1024, .rlim_max = 1024};

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_max < JC_DESCRIPTORS * 2) {
        jc_log("RLIMIT_NOFILE is %llu, but at least %d is needed; remedy: "
               "raise LimitNOFILE= of Apache's service (or ulimit -n)",
               (unsigned long long) limit.rlim_max, JC_DESCRIPTORS * 2);
        exit(JC_EXIT_START);
    }
    return limit.rlim_max - JC_DESCRIPTORS < JC_JAILS_MAX
               ? (unsigned) limit.rlim_max - JC_DESCRIPTORS
               : JC_JAILS_MAX;
}

static void open_generation(const jc_msg_generation_t *msg, int *fds)
{
    int slot = 0;

    while (slot < JC_GENERATIONS_MAX && helper.generations[slot]) {
        slot++;
    }
    jc_generation_t *generation =
        slot == JC_GENERATIONS_MAX
            ? NULL
            : jc_generation_open(msg, fds[JC_GENERATION_SOCKET],
                                 fds[JC_GENERATION_TABLE]);
    if (!generation) {
        jc_log("cannot take configuration %llu: its table is malformed, memory "
               "is short or more than %d configurations are in use; its "
               "virtual hosts run no CGI scripts",
               (unsigned long long) msg->generation, JC_GENERATIONS_MAX);
        return;
    }
    fds[JC_GENERATION_SOCKET] = -1; /* now the generation's */
    /* httpd has reopened its log, and the old file may be rotated away. */
    (void) dup2(fds[JC_GENERATION_LOG], STDERR_FILENO);
    generation->source = JC_SOURCE_GENERATION;
    helper.generations[slot] = generation;
    jc_selftest(generation, helper.caps);
    watch(generation->sock_fd, EPOLLIN, generation);
}

static void drop_generation(jc_generation_t *generation)
{
    for (int slot = 0; slot < JC_GENERATIONS_MAX; slot++) {
        if (helper.generations[slot] == generation) {
            helper.generations[slot] = NULL;
        }
    }
    (void) epoll_ctl(helper.epoll_fd, EPOLL_CTL_DEL, generation->sock_fd, NULL);
    helper.has_dropped = 1;
    jc_generation_close(generation);
}

/* All children of the generation have ended. If its socket has not hung up,
 * somebody was given a copy of their end. */
static void jc_helper_on_retire(const jc_msg_retire_t *msg)
{
    for (int slot = 0; slot < JC_GENERATIONS_MAX; slot++) {
        jc_generation_t *generation = helper.generations[slot];
        if (generation && generation->number == msg->generation) {
            drop_generation(generation);
        }
    }
}

static void jc_helper_on_parent(void)
{
    jc_wire_any_t any;
    struct ucred sender;
    int fds[JC_MAX_FDS];
    jc_wire_result_t result =
        jc_wire_recv_from(JC_FD_PARENT, &any, fds, MSG_DONTWAIT,
                          jc_wire_close_fds, &sender);

    if (result == JC_WIRE_OK && sender.pid != getppid()) {
        jc_wire_close_fds(fds, JC_MAX_FDS);
        result = JC_WIRE_MALFORMED;
    }
    switch (result) {
    case JC_WIRE_OK:
        if (any.head.type == JC_MSG_GENERATION) {
            open_generation(&any.generation, fds);
        } else if (any.head.type == JC_MSG_RETIRE) {
            jc_helper_on_retire(&any.retire);
        }
        jc_wire_close_fds(fds, JC_MAX_FDS);
        break;
    case JC_WIRE_AGAIN:
        break;
    case JC_WIRE_MALFORMED:
        jc_log("received what is not a message of its parent: module and "
               "helper are of different builds (install both again and restart "
               "httpd), or another process has the parent's socket");
        exit(JC_EXIT_VERSION);
    default: /* the parent has closed its end */
        exit(JC_EXIT_OK);
    }
}

/* A sender floods the helper with descriptors that cannot be closed. The parent
 * sees that the socket is shut down, and restarts httpd gracefully. */
static void give_up_generation(jc_generation_t *generation)
{
    jc_log("gives up configuration %llu because of these descriptors; httpd "
           "makes another",
           (unsigned long long) generation->number);
    (void) shutdown(generation->sock_fd, SHUT_RDWR);
    drop_generation(generation);
}

static void on_generation(jc_generation_t *generation)
{
    jc_wire_any_t any;
    struct ucred sender;
    int fds[JC_MAX_FDS];

    (void) jc_dispose_has_failed(); /* clears failures of other peers */
    for (int i = 0; i < BATCH; i++) {
        switch (jc_wire_recv_from(generation->sock_fd, &any, fds, MSG_DONTWAIT,
                                  jc_dispose, &sender)) {
        case JC_WIRE_OK:
            if (any.head.type == JC_MSG_SPAWN) {
                jc_dispatch_spawn(generation, &any.spawn, fds, &sender);
            } else {
                jc_dispose(fds, jc_wire_fd_count(any.head.type));
            }
            break;
        case JC_WIRE_MALFORMED:
            break; /* its sender loses the message */
        case JC_WIRE_EOF:
            drop_generation(generation); /* its last child has gone */
            return;
        default:
            return;
        }
        if (jc_dispose_has_failed()) {
            give_up_generation(generation);
            return;
        }
    }
}

static void on_signal(void)
{
    struct signalfd_siginfo info;

    while (read(helper.signal_fd, &info, sizeof(info)) == sizeof(info)) {
        if (info.ssi_signo == SIGTERM) {
            exit(JC_EXIT_OK); /* keepers finish by themselves */
        }
    }
    helper.has_ended_children = 1;
}

static void on_event(const struct epoll_event *event)
{
    switch (*(int *) event->data.ptr) {
    case JC_SOURCE_PARENT:
        jc_helper_on_parent();
        break;
    case JC_SOURCE_PARENT_DIED:
        /* Keepers watch the pidfd too, but a tenant may have stopped one. */
        jc_keepers_kill();
        exit(JC_EXIT_OK);
    case JC_SOURCE_SIGNAL:
        on_signal();
        break;
    case JC_SOURCE_GENERATION:
        on_generation(event->data.ptr);
        break;
    case JC_SOURCE_KEEPER:
        jc_keepers_on_message(event->data.ptr);
        break;
    }
}

/* The alarm is a dead man's switch. Nothing here should block. If something
 * does, SIGALRM ends this process, and the parent starts another, which finds
 * everything that was not read in the sockets. */
static void serve(void)
{
    struct epoll_event events[EVENTS];
    uint64_t swept_ms = jc_clock_ms();

    for (;;) {
        alarm(0);
        int n = epoll_wait(helper.epoll_fd, events, EVENTS,
                           jc_keepers_any() || jc_cgroup_tree_owes() ? SWEEP_MS
                                                                     : -1);
        alarm(SWITCH_SECONDS);
        /* Later events of the round may name what an earlier one dropped. */
        for (int i = 0; i < n && !helper.has_dropped; i++) {
            on_event(&events[i]);
        }
        helper.has_dropped = 0;
        if (helper.has_ended_children) {
            helper.has_ended_children = 0;
            jc_keepers_reap();
        }
        uint64_t now_ms = jc_clock_ms();
        if (now_ms - swept_ms >= SWEEP_MS) {
            jc_keepers_sweep();
            jc_cgroup_tree_sweep();
            swept_ms = now_ms;
        }
    }
}

static void wait_for_turn(int delay_ms)
{
    struct pollfd parent = {.fd = JC_FD_PARENT_PIDFD, .events = POLLIN};

    if (delay_ms > 0 && poll(&parent, 1, delay_ms) > 0) {
        exit(JC_EXIT_OK);
    }
}

static int read_arguments(int argc, char **argv, uint64_t *caps, int *delay_ms)
{
    char *end;

    if (argc != 3 || strncmp(argv[1], "--caps=", 7) != 0 ||
        strncmp(argv[2], "--delay-ms=", 11) != 0) {
        return -1;
    }
    *caps = strtoull(argv[1] + 7, &end, 16);
    if (end == argv[1] + 7 || *end) {
        return -1;
    }
    long delay = strtol(argv[2] + 11, &end, 10);
    if (end == argv[2] + 11 || *end || delay < 0 || delay > DELAY_MS_MAX) {
        return -1;
    }
    *delay_ms = (int) delay;
    return 0;
}

int main(int argc, char **argv)
{
    uint64_t caps;
    size_t title_size = 0;
    int delay_ms, type = 0;
    socklen_t type_len = sizeof(type);

    if (read_arguments(argc, argv, &caps, &delay_ms) ||
        getsockopt(JC_FD_PARENT, SOL_SOCKET, SO_TYPE, &type, &type_len) ||
        type != SOCK_SEQPACKET) {
        jc_log("cannot be started by hand; httpd with mod_jailcgi starts it");
        return JC_EXIT_USAGE;
    }
    /* The arguments are contiguous in memory (execve(2)). */
    title_size = (size_t) (argv[2] + strlen(argv[2]) + 1 - argv[0]);
    prctl(PR_SET_DUMPABLE, 0);
    umask(022); /* not httpd's, for what this process and keepers make */
    setsid();   /* Ctrl-C at httpd's terminal must not end it */
    set_up_signals();
    unsigned jails_max = raise_descriptor_limit();
    limit_capabilities(caps);
    helper.caps = caps;
    /* A filter of httpd's unit may kill a process that installs another, so a
     * child tries first. */
    int errnum = jc_selftest_attempt(jc_harden);
    if (errnum || jc_harden()) {
        jc_log("continues without a filter of system calls for itself: %s",
               strerror(errnum ? errnum : errno));
    }
    helper.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    jc_keepers_conf_t conf = {.epoll_fd = helper.epoll_fd,
                              .parent_pidfd = JC_FD_PARENT_PIDFD,
                              .jails_max = jails_max,
                              .title = argv[0],
                              .title_size = title_size};
    jc_keepers_init(&conf);
    wait_for_turn(delay_ms);
    watch(JC_FD_PARENT, EPOLLIN, &source_parent);
    watch(JC_FD_PARENT_PIDFD, EPOLLIN, &source_parent_died);
    watch(helper.signal_fd, EPOLLIN, &source_signal);
    serve();
}
