/*
 * A CGI program that tries, on a process that it names, every system call which
 * reads another process or has an effect on it:
 *
 *   others+PID      all of them, on PID; keeper: on its parent
 *   others+0        those that can name their caller, on itself
 *   victim          prints "victim PID" and what strikes it; waits for /tmp/go
 *   limit+RES+PID   sets both limits of a resource to 0: cpu or nofile
 *   traceme         makes its parent its tracer, and stops
 *   stay            leaves a process in a session of its own
 *   child           as traceme, but a child makes this process its tracer
 *
 * It prints a line "NAME: done" or "NAME: ERRNO" for each. A call that works
 * sets what was set before. NAME-i386 and NAME-x32 are the same calls by other
 * ways into the kernel; ENOEXEC: this machine has no int 0x80.
 *
 * Runs in:   a jail, as a CGI program; and outside of one, as the control
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t/probe/i386.h"

#define X32 0x40000000L

/* Below 4 GB, as this program is linked statically: i386 can name them. */
static uint64_t limit[2];
static uint64_t cpus[16];
static int priority;
static uint32_t attributes[14];
static unsigned long nodes = 1;
static void *head;
static size_t head_len;
static char word[8];

static long addr(const void *pointer)
{
    return (long) (intptr_t) pointer;
}

static long native(long number, long a, long b, long c, long d)
{
    return syscall(number, a, b, c, d, 0, 0);
}

static long x32(long number, long a, long b, long c, long d)
{
    return syscall(number | X32, a, b, c, d, 0, 0);
}

static void say(const char *name, const char *more, long result)
{
    printf("%s%s: %s\n", name, more,
           result < 0 ? strerrorname_np(errno) : "done");
    fflush(stdout);
}

typedef long (*way_t)(long number, long a, long b, long c, long d);

/* What the keeper's filter refuses. The numbers are those of one way. */
typedef struct {
    const char *more;
    way_t call;
    long prlimit, affinity, scheduler, param, attr, priority, ioprio, migrate,
        move, prctl, keyctl, robust;
} numbers_t;

static const numbers_t numbers[] = {
    {"", native, SYS_prlimit64, SYS_sched_setaffinity, SYS_sched_setscheduler,
     SYS_sched_setparam, SYS_sched_setattr, SYS_setpriority, SYS_ioprio_set,
     SYS_migrate_pages, SYS_move_pages, SYS_prctl, SYS_keyctl,
     SYS_get_robust_list},
    {"-x32", x32, SYS_prlimit64, SYS_sched_setaffinity, SYS_sched_setscheduler,
     SYS_sched_setparam, SYS_sched_setattr, SYS_setpriority, SYS_ioprio_set,
     SYS_migrate_pages, 533, SYS_prctl, SYS_keyctl, 531},
    {"-i386", i386, 340, 241, 156, 154, 351, 97, 289, 294, 317, 172, 288, 312},
};

static void change(const numbers_t *n, pid_t pid)
{
    const char *more = n->more;
    way_t call = n->call;
    int nice_value;

    (void) syscall(SYS_prlimit64, pid, RLIMIT_NOFILE, NULL, limit);
    say("prlimit", more, call(n->prlimit, pid, RLIMIT_NOFILE, addr(limit), 0));
    (void) syscall(SYS_sched_getaffinity, pid, sizeof(cpus), cpus);
    say("affinity", more, call(n->affinity, pid, sizeof(cpus), addr(cpus), 0));
    say("scheduler", more,
        call(n->scheduler, pid, SCHED_OTHER, addr(&priority), 0));
    say("param", more, call(n->param, pid, addr(&priority), 0, 0));
    (void) syscall(SYS_sched_getattr, pid, attributes, 48, 0);
    say("attr", more, call(n->attr, pid, addr(attributes), 0, 0));
    nice_value = 20 - (int) syscall(SYS_getpriority, PRIO_PROCESS, pid);
    say("priority", more, call(n->priority, PRIO_PROCESS, pid, nice_value, 0));
    say("ioprio", more, call(n->ioprio, 1, pid, 2 << 13 | 4, 0));
    say("migrate", more, call(n->migrate, pid, 8, addr(&nodes), addr(&nodes)));
    say("move", more, call(n->move, pid, 0, 0, 0));
    say("robust", more, call(n->robust, pid, addr(&head), addr(&head_len), 0));
    if (pid != 0) {
        say("priority-group", more,
            call(n->priority, PRIO_PGRP, getpgid(pid), nice_value, 0));
        say("priority-user", more,
            call(n->priority, PRIO_USER, getuid(), nice_value, 0));
        say("ioprio-group", more,
            call(n->ioprio, 2, getpgid(pid), 2 << 13 | 4, 0));
        say("ioprio-user", more, call(n->ioprio, 3, getuid(), 2 << 13 | 4, 0));
        say("core", more, call(n->prctl, 62, 1, pid, 0));
        say("keyring", more,
            call(n->keyctl, KEYCTL_SESSION_TO_PARENT, 0, 0, 0));
    }
}

/* The upper half of a register, which the kernel does not look at for these,
 * and where there are pointers does. */
static void change_upper(pid_t pid)
{
    long upper = 0x100000000L;

    say("prlimit", "-upper",
        native(SYS_prlimit64, upper | pid, RLIMIT_NOFILE, addr(limit), 0));
    say("priority", "-upper",
        native(SYS_setpriority, upper, upper | pid, 0, 0));
    say("prlimit", "-pointer",
        native(SYS_prlimit64, pid, RLIMIT_NOFILE, upper, 0));
    say("priority", "-upper-self", native(SYS_setpriority, upper, upper, 0, 0));
}

/* --- what Landlock is asked about */

static long by_descriptor(pid_t pid)
{
    int fd = (int) syscall(SYS_pidfd_open, pid, 0);

    return fd < 0 ? -1 : syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0);
}

static long take_descriptor(pid_t pid)
{
    int fd = (int) syscall(SYS_pidfd_open, pid, 0);

    return fd < 0 ? -1 : syscall(SYS_pidfd_getfd, fd, 0, 0);
}

static long advise(pid_t pid)
{
    int fd = (int) syscall(SYS_pidfd_open, pid, 0);
    struct iovec its = {(void *) 4096, 4096};

    return fd < 0 ? -1
                  : syscall(SYS_process_madvise, fd, &its, 1, MADV_COLD, 0);
}

/* "done" is also what says that there is nothing at that address. */
static long copy(long number, pid_t pid)
{
    struct iovec mine = {word, sizeof(word)}, its = {(void *) 8, sizeof(word)};
    long result = syscall(number, pid, &mine, 1, &its, 1, 0);

    return result < 0 && errno == EFAULT ? 0 : result;
}

static long queue(long number, pid_t pid, int signal)
{
    siginfo_t info = {.si_signo = signal, .si_code = SI_QUEUE};

    return number == SYS_rt_sigqueueinfo
               ? syscall(number, pid, signal, &info)
               : syscall(number, pid, pid, signal, &info);
}

static long count(pid_t pid)
{
    struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
                                   .size = sizeof(attr),
                                   .config = PERF_COUNT_SW_TASK_CLOCK,
                                   .exclude_kernel = 1};

    return syscall(SYS_perf_event_open, &attr, pid, -1, -1, 0);
}

static void scoped(pid_t pid)
{
    say("kill", "", kill(pid, 0));
    say("tkill", "", syscall(SYS_tkill, pid, 0));
    say("tgkill", "", syscall(SYS_tgkill, pid, pid, 0));
    say("sigqueue", "", queue(SYS_rt_sigqueueinfo, pid, SIGCONT));
    say("tgsigqueue", "", queue(SYS_rt_tgsigqueueinfo, pid, SIGCONT));
    say("pidfd-signal", "", by_descriptor(pid));
    say("pidfd-getfd", "", take_descriptor(pid));
    say("madvise", "", advise(pid));
    say("vm-read", "", copy(SYS_process_vm_readv, pid));
    say("vm-write", "", copy(SYS_process_vm_writev, pid));
    say("kcmp", "",
        syscall(SYS_kcmp, getpid(), pid, KCMP_VM, 0, 0) < 0 ? -1 : 0);
    say("perf", "", count(pid));
    /* Last: the tracee stops at a signal. */
    say("ptrace", "", ptrace(PTRACE_SEIZE, pid, NULL, NULL));
    ptrace(PTRACE_DETACH, pid, NULL, NULL);
}

/* --- a signal that the kernel sends when something comes to a descriptor */

static void strike(const char *name, pid_t pid, int how)
{
    struct f_owner_ex owner = {F_OWNER_PID, pid};
    int ends[2], flags;

    (void) socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    (void) fcntl(ends[0], F_SETSIG, SIGURG); /* of which nobody dies */
    switch (how) {
    case F_SETOWN:
        say(name, "", fcntl(ends[0], F_SETOWN, pid));
        break;
    case F_SETOWN_EX:
        say(name, "", fcntl(ends[0], F_SETOWN_EX, &owner));
        break;
    default:
        say(name, "", ioctl(ends[0], (unsigned long) how, &pid));
    }
    flags = fcntl(ends[0], F_GETFL);
    (void) fcntl(ends[0], F_SETFL, flags | O_ASYNC);
    (void) !write(ends[1], "x", 1);
}

/* --- what is nobody's but its own, its parent's or an administrator's */

static void harmless(pid_t pid)
{
    uint32_t caps[2] = {0x20080522, (uint32_t) pid}, none[6] = {0};
    int fd = (int) syscall(SYS_pidfd_open, pid, 0);

    say("setpgid", "", setpgid(pid, 0));
    say("setpgid-into", "", setpgid(0, getpgid(pid)));
    say("waitid", "", waitid(P_PID, (id_t) pid, NULL, WEXITED | WNOHANG));
    say("waitid-pidfd", "",
        waitid(P_PIDFD, (id_t) fd, NULL, WEXITED | WNOHANG));
    say("capset", "", syscall(SYS_capset, caps, none));
    say("mrelease", "", syscall(SYS_process_mrelease, fd, 0));
    say("setns", "", setns(fd, CLONE_NEWUTS));
}

/* --- files of the kernel's about it */

static void file(pid_t pid, const char *name, const char *value)
{
    char path[64], old[512] = "";
    int fd;
    ssize_t len = 0;

    snprintf(path, sizeof(path), "/proc/%d/%s", (int) pid, name);
    if (!value) {
        fd = open(path, O_RDONLY);
        len = fd < 0 ? -1 : read(fd, old, sizeof(old));
        value = old;
    }
    fd = open(path, O_WRONLY);
    say("proc-", name,
        fd < 0 ? -1 : write(fd, value, len > 0 ? (size_t) len : strlen(value)));
}

static void files(pid_t pid)
{
    file(pid, "autogroup", "0");
    file(pid, "oom_score_adj", NULL);
    file(pid, "timerslack_ns", "50000");
    file(pid, "coredump_filter", "33");
    file(pid, "clear_refs", "5");
    file(pid, "comm", "x");
    file(pid, "sched", "0");
    file(pid, "loginuid", "0");
    file(pid, "attr/current", "x");
    file(pid, "setgroups", "deny");
    file(pid, "uid_map", "0 0 1");
    file(pid, "gid_map", "0 0 1");
    file(pid, "mem", "");
}

/* --- the rest */

static void on_signal(int sig)
{
    char text[] = "struck by a signal\n";

    (void) !write(1, text, sizeof(text) - 1);
    (void) sig;
}

static int be_victim(void)
{
    signal(SIGURG, on_signal);
    printf("victim %d\n", getpid());
    fflush(stdout);
    for (int i = 0; i < 6000 && access("/tmp/go", F_OK); i++) {
        for (volatile int n = 0; n < 10000; n++) {
        }
        usleep(20000);
    }
    printf("victim has come to its end\n");
    return 0;
}

static int make_limit(const char *what, pid_t pid)
{
    struct rlimit none = {0, 0};
    int resource = strcmp(what, "nofile") ? RLIMIT_CPU : RLIMIT_NOFILE;

    say("limit-", what, prlimit(pid, resource, &none, NULL));
    return 0;
}

static int be_traced(void)
{
    say("traceme", "", ptrace(PTRACE_TRACEME, 0, NULL, NULL));
    raise(SIGURG);
    printf("goes on\n");
    return 0;
}

static int trace_child(void)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        _exit(be_traced());
    }
    waitpid(pid, &status, 0);
    printf("child: %s\n", WIFSTOPPED(status) ? "stopped" : "not stopped");
    kill(pid, SIGKILL);
    return 0;
}

static int leave_child(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        (void) setsid();
        for (int fd = 0; fd < 3; fd++) {
            close(fd);
        }
        sleep(120);
        _exit(0);
    }
    /* Its session is empty when this process ends. */
    for (int i = 0; i < 1000 && getsid(pid) != pid; i++) {
        usleep(10000);
    }
    say("session", "", getsid(pid) == pid ? 0 : -1);
    return 0;
}

static int try_all(pid_t pid)
{
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        change(&numbers[i], pid);
    }
    if (pid == 0) {
        return 0;
    }
    change_upper(pid);
    harmless(pid);
    files(pid);
    strike("setown", pid, F_SETOWN);
    strike("setown-ex", pid, F_SETOWN_EX);
    strike("fiosetown", pid, 0x8901 /* FIOSETOWN */);
    strike("siocspgrp", pid, 0x8902 /* SIOCSPGRP */);
    scoped(pid);
    return 0;
}

static pid_t pid_of(const char *text)
{
    return strcmp(text, "keeper") ? (pid_t) atoi(text) : getppid();
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    setvbuf(stdout, NULL, _IONBF, 0);
    if (getenv("GATEWAY_INTERFACE")) {
        printf("Content-Type: text/plain\n\n");
    }
    if (!strcmp(what, "others") && argc > 2) {
        return try_all(pid_of(argv[2]));
    }
    if (!strcmp(what, "victim")) {
        return be_victim();
    }
    if (!strcmp(what, "limit") && argc > 3) {
        return make_limit(argv[2], pid_of(argv[3]));
    }
    if (!strcmp(what, "traceme")) {
        return be_traced();
    }
    if (!strcmp(what, "child")) {
        return trace_child();
    }
    return leave_child();
}
