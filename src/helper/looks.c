/*
 * Looks whether the root of a jail was replaced since the jail was built. A
 * process of its own does it, because a file server that does not answer holds
 * up every process that asks it.
 *
 * Runs in:   helper; a child of it for each look, which may be lost
 * Privilege: root, because it walks to JailRoot and to the sources of mounts
 * Trusts:    the policy; nothing that it finds: it only compares numbers
 * Never:     lets a keeper or a request cause more than one look a second
 */
#include "jails.h"
#include "policies.h"
#include "src/keeper/build/build.h"
#include "src/wire/clock.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_EVERY_MS 1000
#define LOOK_SECONDS  10

enum { LOOK_SAME = 0, LOOK_OTHER = 3, LOOK_FAILED = 4 };

static void look(const char *rec, const void *account, uint64_t print,
                 uint32_t uid) __attribute__((noreturn));
static void look(const char *rec, const void *account, uint64_t print,
                 uint32_t uid)
{
    uint32_t len = *(const uint32_t *) rec;
    const uint32_t *common_len = (const uint32_t *) (rec + len);
    jc_policy_view_t policy = {.rec = NULL};

    if (prctl(PR_SET_PDEATHSIG, SIGKILL) || prctl(PR_SET_DUMPABLE, 0) ||
        close_range(STDERR_FILENO, ~0U, 0)) {
        _exit(LOOK_FAILED);
    }
    signal(SIGALRM, SIG_DFL);
    alarm(LOOK_SECONDS);
    if (jc_policy_rows_view(common_len, *common_len, &policy) ||
        jc_policy_view(rec, len, &policy) ||
        jc_owner_account_take(account, &policy, uid, uid)) {
        _exit(LOOK_FAILED);
    }
    _exit(jc_print_of(&policy, uid) == print ? LOOK_SAME : LOOK_OTHER);
}

void jc_looks_start(jc_jail_entry_t *jail)
{
    uint64_t now_ms = jc_clock_ms();

    if (!jail->is_ready || jail->look_pid > 0 ||
        (jail->looked_ms && now_ms - jail->looked_ms < LOOK_EVERY_MS)) {
        return;
    }
    char *rec = jc_policies_copy(jail->policy, jail->account);
    if (!rec) {
        return;
    }
    jail->looked_ms = now_ms;
    jail->look_pid =
        (pid_t) syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    if (jail->look_pid == 0) {
        look(rec, jc_policies_account_in(jail->policy, jail->account, rec),
             jail->print, jail->uid);
    }
    jc_policies_wipe(jail->policy, rec);
}

int jc_looks_say_other(int status)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == LOOK_OTHER;
}
