/*
 * The keeper's main function: it checks the policy, builds the jail and serves
 * it.
 *
 * Runs in:   keeper
 * Privilege: root until jc_jail_build() returns, then the tenant for good
 * Trusts:    the policy record, except its shape, which it checks again
 * Never:     serves a request from a jail that is not finished
 */
#include "keeper.h"
#include "src/keeper/build/build.h"
#include "src/keeper/serve/serve.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Reports the failure to every request that waits in the socket. */
static void refuse_all(int sock_fd, const jc_failure_t *failure)
{
    jc_wire_any_t any;
    int fds[JC_MAX_FDS];

    /* The helper makes a keeper for a request, but sends the request after the
     * fork. The first receive therefore waits; the later ones do not. */
    for (int flags = 0; jc_wire_recv(sock_fd, &any, fds, flags) == JC_WIRE_OK;
         flags = MSG_DONTWAIT) {
        jc_wire_send_failed(fds[JC_SPAWN_CONTROL], any.run.request_id, failure);
        jc_wire_close_fds(fds, JC_MAX_FDS);
    }
}

/* Shows the administrator in ps whose keeper this is. */
static void set_title(const jc_keeper_start_t *start)
{
    prctl(PR_SET_NAME, "jailcgi-keeper");
    memset(start->title, 0, start->title_size);
    snprintf(start->title, start->title_size, "jailcgi-keeper: uid %u",
             start->uid);
}

void jc_keeper_main(const jc_keeper_start_t *start)
{
    static jc_jail_t jail;
    jc_failure_t failure = {.code = JC_CODE_NO_KEEPER};

    jail.start = *start;
    jail.root_fd = -1;
    set_title(start);
    const uint32_t *common_len = start->common, *rec_len = start->rec;
    if (jc_policy_rows_view(start->common, *common_len, &jail.policy) ||
        jc_policy_view(start->rec, *rec_len, &jail.policy) ||
        jc_owner_account_take(start->account, &jail.policy, start->uid,
                              start->gid) ||
        jc_jail_build(&jail, &failure)) {
        refuse_all(jail.start.sock_fd, &failure);
        _exit(1);
    }
    jc_msg_ready_t ready = {.print = jail.print};
    /* If READY is lost, the helper continues to count the requests that it
     * sends. */
    (void) jc_wire_send(JC_KEEPER_HELPER_FD, JC_MSG_READY, &ready, NULL, 0,
                        MSG_DONTWAIT);
    if (jc_loop_serve(&jail, &failure)) {
        refuse_all(JC_KEEPER_HELPER_FD, &failure);
    }
    _exit(1);
}
