/*
 * The life of a request, from the script's exec to the end of its last process.
 * doc/protocol.md, "The processes of a request", says how they are found.
 *
 * Runs in:   keeper
 * Privilege: none; it is the tenant
 * Trusts:    the kernel's list of its children and their session ids
 * Never:     signals a process of a request that may still run
 */
#include "channels.h"
#include "exit.h"
#include "runs.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define TICK_MS      20
#define GRACE_MS     3000 /* between SIGTERM and SIGKILL, as in stock httpd */
#define LAST_MS      3000 /* in which at least one must die of it */
#define CHILDREN_MAX 4096

static struct {
    jc_run_t *first;
    uint32_t count;
    int strays;             /* processes of no request may be left */
    int childless;          /* wait4 has reported ECHILD */
    uint32_t background_ms; /* JailBackground */
} runs = {.childless = 1};

/* The keeper's children when the list was last read. */
static struct {
    pid_t pids[CHILDREN_MAX];
    int count;
    int is_whole; /* 0: there may be others, or it cannot be read */
} children;

static void look_at_children(void)
{
    int count =
        runs.childless ? 0 : jc_children_list(children.pids, CHILDREN_MAX);

    children.is_whole = count >= 0 && count < CHILDREN_MAX;
    children.count = count < 0 ? 0 : count;
}

void jc_runs_set_background(uint32_t background_ms)
{
    runs.background_ms = background_ms;
    jc_sweep_init(background_ms);
}

void jc_runs_add(jc_run_t *run, uint32_t total_ms)
{
    jc_sessions_drop(run->pid, run->pid);
    run->until_ms = total_ms > 0 ? jc_clock_ms() + total_ms : 0;
    run->next = runs.first;
    runs.first = run;
    run->is_counted = 1;
    runs.count++;
    runs.childless = 0;
}

uint32_t jc_runs_count(void)
{
    return runs.count;
}

int jc_runs_none(void)
{
    return !runs.first && !runs.strays;
}

static int is_ending(void)
{
    if (runs.strays && !runs.first && runs.background_ms == 0) {
        return 1;
    }
    for (jc_run_t *run = runs.first; run; run = run->next) {
        if (run->state >= JC_RUN_TERM) {
            return 1;
        }
    }
    return 0;
}

int jc_runs_sleep_ms(void)
{
    uint64_t nearest = UINT64_MAX, now = jc_clock_ms();

    if (is_ending()) {
        return TICK_MS;
    }
    for (const jc_run_t *run = runs.first; run; run = run->next) {
        if (run->until_ms > 0 && run->until_ms < nearest) {
            nearest = run->until_ms;
        }
    }
    if (!runs.childless && nearest > jc_sweep_next_ms()) {
        nearest = jc_sweep_next_ms();
    }
    if (nearest == UINT64_MAX) {
        return -1;
    }
    return nearest > now ? (int) (nearest - now) : 0;
}

void jc_runs_let_go(jc_run_t *run)
{
    if (run->channel) {
        jc_channels_close(run->channel);
        run->channel = NULL;
    }
}

/* The next request may be in the channel already; its event is still to
 * come. */
static void free_channel(jc_run_t *run)
{
    run->channel->run = NULL;
    run->channel->request_id++;
    run->channel = NULL;
}

static void uncount(jc_run_t *run)
{
    runs.count -= (uint32_t) run->is_counted;
    jc_tally_give((uint32_t) run->is_counted);
    run->is_counted = 0;
}

static void forget(jc_run_t *run)
{
    jc_run_t **link = &runs.first;

    while (*link != run) {
        link = &(*link)->next;
    }
    *link = run->next;
    jc_sessions_drop(0, run->pid);
    uncount(run);
    if (run->channel && run->exit.is_free) {
        free_channel(run);
    } else {
        jc_runs_let_go(run);
    }
    jc_run_free(run);
}

jc_run_t *jc_runs_find(pid_t leader)
{
    jc_run_t *run = runs.first;

    while (run && run->pid != leader) {
        run = run->next;
    }
    return run;
}

/* Returns whether the keeper has a child left that belongs to this request.
 * Sets *count to how many are known to. */
static int has_processes(const jc_run_t *run, uint32_t *count)
{
    int is_any = !children.is_whole; /* unknown: then it is not over */

    *count = 0;
    for (int i = 0; i < children.count; i++) {
        int owns = jc_run_owns(run, children.pids[i]);

        is_any |= owns != 0;
        *count += owns == 1;
    }
    return is_any;
}

/* Ends the requests whose leader has gone and that have no process left. */
static void settle(void)
{
    look_at_children();
    for (jc_run_t *run = runs.first, *next; run; run = next) {
        next = run->next;
        if (!run->reaped) {
            continue;
        }
        uint32_t left;
        int is_over = !has_processes(run, &left);
        if (!run->told) {
            run->exit.left = left;
            jc_exit_tell(run, is_over);
        }
        /* Otherwise the processes left behind are killed when httpd closes the
         * channel. */
        if (is_over) {
            forget(run);
        }
    }
    runs.strays = !runs.childless && !runs.first;
}

void jc_runs_reap(const jc_jail_t *jail)
{
    struct rusage usage;
    int status;
    pid_t pid;

    while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
        jc_run_t *run = jc_runs_find(pid);
        if (WIFSTOPPED(status)) {
            kill(pid, SIGKILL); /* it has made its parent its tracer */
        } else if (run && !run->reaped) {
            jc_exit_note(jail, run, status, &usage);
        }
    }
    runs.childless = pid < 0 && errno == ECHILD;
    settle();
}

/* Sends SIGTERM only once to a process, which may have a handler for it. */
static void term_once(jc_run_t *run, pid_t pid)
{
    for (unsigned i = 0; i < run->termed; i++) {
        if (run->termed_pids[i] == pid) {
            return;
        }
    }
    if (run->termed < JC_TERMED_MAX) {
        run->termed_pids[run->termed++] = pid;
        kill(pid, SIGTERM);
        kill(pid, SIGCONT); /* a stopped process would not see it */
    }
}

/* SIGKILL goes to the whole session. SIGTERM goes to the leader's process group
 * and to the keeper's children in the session. A process deeper down in another
 * group becomes the keeper's child when its parent has died, and a later tick
 * finds it. Without a PID namespace SIGKILL is sent in this way too. */
static void signal_session(jc_run_t *run, int sig)
{
    /* Until it is reaped the leader keeps its pid, so this is its group. There
     * is no group before the child has called setsid. */
    if (!run->reaped && (sig == SIGKILL || !run->group_termed)) {
        run->group_termed = kill(-run->pid, sig) == 0;
        kill(-run->pid, SIGCONT);
        if (sig == SIGKILL && !run->group_termed) {
            kill(run->pid, SIGKILL); /* it may never call setsid */
        }
    }
    for (int i = 0; i < children.count; i++) {
        if (jc_run_owns(run, children.pids[i]) != 1) {
            continue;
        }
        if (sig == SIGKILL) {
            kill(children.pids[i], SIGKILL);
        } else if (children.pids[i] != run->pid) {
            term_once(run, children.pids[i]);
        }
    }
    if (sig == SIGKILL) {
        jc_sweep_session(run);
    }
}

static void end_run(jc_run_t *run)
{
    if (run->state >= JC_RUN_TERM) {
        return;
    }
    run->state = JC_RUN_TERM;
    run->since_ms = jc_clock_ms();
    look_at_children();
    signal_session(run, SIGTERM);
}

/* Returns whether the request ended by itself (its leader has ended, or httpd
 * says so by a byte), and was not given up. */
static int is_complete(const jc_run_t *run)
{
    char byte;

    return run->reaped ||
           recv(run->channel->control_fd, &byte, 1, MSG_DONTWAIT) > 0;
}

void jc_runs_hung_up(jc_run_t *run)
{
    int is_left = runs.background_ms > 0 && run->state == JC_RUN_RUNNING &&
                  is_complete(run);

    jc_runs_let_go(run);
    if (!is_left) {
        end_run(run);
        return;
    }
    run->state = JC_RUN_LEFT;
    run->until_ms = runs.background_ms == JC_NO_MAX
                        ? 0
                        : jc_clock_ms() + runs.background_ms;
    uncount(run);
}

/* Ends the runs whose total time is over. */
static void end_overdue(void)
{
    for (jc_run_t *run = runs.first; run; run = run->next) {
        if (run->until_ms > 0 && run->state < JC_RUN_TERM &&
            jc_clock_ms() >= run->until_ms) {
            run->ended = JC_ENDED_TOTAL;
            jc_exit_amend(run);
            end_run(run);
        }
    }
}

static void tick_run(jc_run_t *run, int has_pid_ns)
{
    uint64_t now_ms = jc_clock_ms();
    if (run->state == JC_RUN_TERM && now_ms >= run->since_ms + GRACE_MS) {
        run->state = JC_RUN_KILL;
        run->since_ms = now_ms;
        run->left = UINT32_MAX;
    }
    signal_session(run, run->state == JC_RUN_TERM ? SIGTERM : SIGKILL);
    if (run->state == JC_RUN_KILL && now_ms >= run->since_ms + LAST_MS &&
        has_pid_ns) {
        _exit(JC_KEEPER_GAVE_UP); /* the kernel kills the jail */
    }
}

/* Kills the processes that have left their session and outlived the last
 * run. */
static void kill_strays(int has_pid_ns)
{
    if (has_pid_ns) {
        kill(-1, SIGKILL); /* reaches this PID namespace only, and not PID 1 */
        return;
    }
    for (int i = 0; i < children.count; i++) {
        kill(children.pids[i], SIGKILL);
    }
}

void jc_runs_tick(int has_pid_ns)
{
    end_overdue();
    if (!runs.childless && jc_clock_ms() >= jc_sweep_next_ms()) {
        jc_sweep_strays();
    }
    if (!is_ending()) {
        return;
    }
    look_at_children();
    for (jc_run_t *run = runs.first; run; run = run->next) {
        if (run->state >= JC_RUN_TERM) {
            tick_run(run, has_pid_ns);
        }
    }
    if (runs.strays && !runs.first && runs.background_ms == 0) {
        kill_strays(has_pid_ns);
    }
}

void jc_runs_kill_all(void)
{
    look_at_children();
    for (jc_run_t *run = runs.first; run; run = run->next) {
        signal_session(run, SIGKILL);
    }
    kill_strays(0);
}
