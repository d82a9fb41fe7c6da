/*
 * Hears of the system calls that the jail's filter refuses, gives the answer
 * that the filter would have given, and remembers the first one of each request
 * for its EXIT (src/keeper/build/joint_filter.c).
 *
 * A process that makes refused calls as fast as it can has one of them answered
 * in each round of the loop, and so delays nobody but the jail of its own
 * tenant. If the keeper is killed, the calls get ENOSYS: nothing is ever
 * allowed here. A script has no copy of the listener, because its child closes
 * all descriptors of the keeper before exec.
 *
 * One call may continue: setsid, where the policy permits sessions and they can
 * be noted. It has no arguments that could change after the keeper has looked,
 * and no policy may refuse it for another reason
 * (src/httpd/config/seccomp_file.c).
 *
 * Runs in:   keeper
 * Privilege: none; it is the tenant
 * Trusts:    the kernel's word who has made which call
 * Never:     lets another call continue, waits, reads the memory of a process
 */
#include "exit.h"
#include "runs.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

/* A later kernel may write more than the header knows. */
typedef union {
    struct seccomp_notif notif;
    char room[512];
} notif_t;

/* Returns the request whose process waits for the answer, or NULL. While it
 * waits its pid is its own; it may have been killed since. */
static jc_run_t *run_of(const struct seccomp_notif *notif)
{
    uint64_t id = notif->id;
    pid_t leader = notif->pid > 0 ? jc_run_leader_of((pid_t) notif->pid) : 0;

    return leader > 0 && ioctl(JC_KEEPER_REFUSED_FD,
                               SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0
               ? jc_runs_find(leader)
               : NULL;
}

/* Only the first thread of a process has the pid that names the session. The
 * leader of a request has one, so the kernel itself refuses another to it. */
static int may_continue(const jc_jail_t *jail, const jc_run_t *run,
                        const struct seccomp_notif *notif)
{
    pid_t pid = (pid_t) notif->pid;

    return (jail->policy.rec->flags & JC_POLICY_SESSIONS) && run &&
           notif->data.arch == JC_NATIVE_ARCH && notif->data.nr == SYS_setsid &&
           (pid == run->pid ||
            (tgkill(pid, pid, 0) == 0 && jc_sessions_note(pid, run->pid) == 0));
}

/* epoll has reported a call, for which the kernel counts one up, so receiving
 * does not wait, even if its process was killed meanwhile (ENOENT). */
void jc_refused_answer(const jc_jail_t *jail)
{
    notif_t got;
    struct seccomp_notif_resp answer;
    jc_run_t *run;

    memset(&got, 0, sizeof(got));
    if (ioctl(JC_KEEPER_REFUSED_FD, SECCOMP_IOCTL_NOTIF_RECV, &got)) {
        return;
    }
    run = run_of(&got.notif);
    memset(&answer, 0, sizeof(answer));
    answer.id = got.notif.id;
    if (may_continue(jail, run, &got.notif)) {
        answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    } else {
        answer.error = got.notif.data.arch == JC_NATIVE_ARCH ? -EPERM : -ENOSYS;
    }
    if (run && run->call_arch == 0 && answer.error) {
        run->call = (uint32_t) got.notif.data.nr;
        run->call_arch = got.notif.data.arch;
    }
    /* ENOENT: the process was killed, or a signal has interrupted its call. */
    (void) ioctl(JC_KEEPER_REFUSED_FD, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}
