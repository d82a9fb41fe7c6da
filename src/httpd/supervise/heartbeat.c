/*
 * Finds a helper that no longer reads what the parent sends.
 *
 * Runs in:   httpd parent (root)
 * Privilege: that of the parent
 * Trusts:    the kernel, which says how much of a socket's queue is unread
 * Never:     waits for the helper
 */
#include "retained.h"
#include "src/wire/clock.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#define HUNG_MS 5000 /* without reading what the parent has sent */

int jc_heartbeat_has_stopped(jc_retained_t *state)
{
    jc_msg_ping_t ping;
    int unread = 0;

    if (state->pinged_ms > 0 && jc_clock_ms() - state->pinged_ms < HUNG_MS) {
        return 0;
    }
    if (state->pinged_ms > 0 &&
        ioctl(state->helper_fd, SIOCOUTQ, &unread) == 0 && unread > 0) {
        return 1;
    }
    state->pinged_ms = jc_wire_send(state->helper_fd, JC_MSG_PING, &ping, NULL,
                                    0, MSG_DONTWAIT) == JC_WIRE_OK
                           ? jc_clock_ms()
                           : 0;
    return 0;
}
