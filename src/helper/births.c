/*
 * Makes the keeper of a jail: its cgroup, its slot of the tally, its process.
 *
 * Runs in:   helper
 * Privilege: root, least capabilities
 * Trusts:    policies that were checked
 * Never:     gives one jail two cgroups
 */
#include "jails.h"
#include "keepers.h"
#include "policies.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int start_keeper(jc_jail_entry_t *jail, const jc_keepers_conf_t *conf,
                        int cgroup_fd, int tally_fd, jc_failure_t *failure)
{
    int pair[2];
    const size_t len = jail->policy->len; /* the keeper will not have it */

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
        failure->errnum = errno;
        return -1;
    }
    char *rec = jc_policies_copy(jail->policy, jail->account);
    if (!rec) {
        failure->errnum = errno;
        jc_wire_close_fds(pair, 2);
        return -1;
    }
    int most = 1 << 20; /* the kernel caps it at wmem_max */
    (void) setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &most, sizeof(most));
    const void *account =
        jc_policies_account_in(jail->policy, jail->account, rec);
    jail->pid = jc_keeper_fork(jail->policy->rec.namespaces, cgroup_fd);
    if (jail->pid == 0) {
        jc_keeper_start_t start = {
            .sock_fd = pair[1],
            .parent_pidfd = conf->parent_pidfd,
            .cgroup_fd = cgroup_fd,
            .tally_fd = tally_fd,
            .tally_slot = jail->slot,
            .uid = jail->uid,
            .gid = jail->gid,
            .rec = rec,
            .common = rec + len,
            .account = account,
            .title = conf->title,
            .title_size = conf->title_size,
        };
        jc_keeper_main(&start);
    }
    failure->errnum = errno;
    jc_policies_wipe(jail->policy, rec);
    close(pair[1]);
    if (jail->pid < 0) {
        close(pair[0]);
        if (failure->errnum != EAGAIN && failure->errnum != ENOMEM) {
            failure->code = JC_CODE_NAMESPACES;
        }
        return -1;
    }
    jail->sock_fd = pair[0];
    return 0;
}

/* Returns the cgroup of an older keeper of this jail that still has scripts, or
 * 0. A jail has one cgroup, because one for each keeper would multiply the
 * limits. */
static unsigned cgroup_of_elder(const jc_jail_entry_t *jail,
                                const jc_jail_entry_t *elder)
{
    while (elder && (!elder->cgroup || elder == jail ||
                     !jc_jail_is(elder, jail->policy, jail->uid, jail->gid))) {
        elder = elder->next_all;
    }
    return elder ? elder->cgroup : 0;
}

/* Returns the descriptor, or -1 with *failure. */
static int open_cgroup(jc_jail_entry_t *jail, const jc_jail_entry_t *all,
                       jc_failure_t *failure)
{
    jail->cgroup = cgroup_of_elder(jail, all);
    return jail->cgroup
               ? jc_cgroup_tree_open(jail->cgroup, failure)
               : jc_cgroup_tree_make(jail->policy, &jail->cgroup, failure);
}

static void close_cgroup(const jc_jail_entry_t *jail,
                         const jc_jail_entry_t *all)
{
    if (!cgroup_of_elder(jail, all)) {
        jc_cgroup_tree_remove(jail->cgroup);
    }
}

void jc_births_undo(jc_jail_entry_t *jail, const jc_jail_entry_t *all)
{
    jc_tallies_give(jail);
    close_cgroup(jail, all);
}

int jc_births_make(jc_jail_entry_t *jail, const jc_jail_entry_t *all,
                   const jc_keepers_conf_t *conf, jc_failure_t *failure)
{
    int is_limited = jail->policy->rec.cgroup_count > 0;
    int is_counted = jail->policy->rec.running_max > 0;
    int tally_fd = jc_tallies_take(jail);

    if (is_counted && tally_fd < 0) {
        failure->errnum = errno;
        return -1;
    }
    int cgroup_fd = is_limited ? open_cgroup(jail, all, failure) : -1;
    int failed = (is_limited && cgroup_fd < 0) ||
                 start_keeper(jail, conf, cgroup_fd, tally_fd, failure);
    if (cgroup_fd >= 0) {
        close(cgroup_fd);
    }
    if (failed) {
        jc_births_undo(jail, all);
    }
    return failed ? -1 : 0;
}
