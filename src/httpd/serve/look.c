/*
 * Looks once more at a script that has ended at once without a page: what its
 * file says may explain more than the way in which it ended.
 *
 * The file is the tenant's, and to open or read it may take for ever. So the
 * script's child does that, in the jail and as the tenant, in place of
 * executing it (src/keeper/launch/launch.c). The request goes over the channel
 * that has just become free. It costs the helper nothing, and nobody if the
 * channel is not free.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    nothing: a wrong answer makes a wrong line in the tenant's own log
 * Never:     waits longer than LOOK_WAIT_MS
 */
#include "look.h"
#include "channel.h"
#include "exchange.h"
#include "pump.h"

#include "apr_strings.h"

#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define LOOK_WAIT_MS 1000

/* env(1): it could not execute what its argument names, or did not find it. */
#define ENV_CANNOT  126
#define ENV_MISSING 127

/* Programs whose system calls are refused crash, or give up with a status. */
static int may_have_more_to_say(const jc_exchange_t *c, const jc_reason_t *why)
{
    if (c->command || !jc_channel_is_free(c)) {
        return 0;
    }
    if (why->code == JC_CODE_SIGNAL) {
        switch (why->found) {
        case SIGSEGV:
        case SIGBUS:
        case SIGILL:
        case SIGTRAP:
        case SIGSYS:
        case SIGABRT:
            return 1;
        default:
            return 0;
        }
    }
    return why->code == JC_CODE_EXIT_STATUS;
}

/* Returns whether what was seen explains how the script has ended. */
static int explains(const jc_exchange_t *c, const jc_reason_t *seen)
{
    int status = WIFEXITED(c->exit.status) ? WEXITSTATUS(c->exit.status) : 0;
    int is_filtered = !c->conf->filter || c->conf->filter->count > 0;

    switch (seen->code) {
    case JC_CODE_32_BIT:
        return is_filtered;
    case JC_CODE_ENV_MISSING:
        return status == ENV_MISSING || status == ENV_CANNOT;
    case JC_CODE_CRLF:
    case JC_CODE_FIRST_LINE_LONG:
        return status != 0;
    default:
        return 0;
    }
}

/* Returns the request of c, which will be looked at and not run. */
static char *request_of(const jc_exchange_t *c)
{
    char *request = apr_pmemdup(c->r->pool, c->request, c->request_len);
    jc_request_head_t head;

    memcpy(&head, request, sizeof(head));
    head.flags = JC_REQUEST_LOOK;
    memcpy(request, &head, sizeof(head));
    return request;
}

void jc_look_at_script(jc_exchange_t *c, jc_reason_t *why)
{
    jc_exchange_t *look;

    if (!may_have_more_to_say(c, why)) {
        return;
    }
    jc_channel_release(c);
    look = jc_exchange_create(c->r, c->conf);
    look->is_look = 1;
    look->log = NULL;
    look->body.expected = 0;
    look->owner_uid = c->owner_uid;
    look->owner_gid = c->owner_gid;
    look->jail_path = c->jail_path;
    look->request = request_of(c);
    look->request_len = c->request_len;
    look->sends = UINT_MAX; /* it is not sent again */
    if (jc_channel_reuse(look)) {
        jc_pump_end(look, LOOK_WAIT_MS);
    }
    if (explains(c, &look->why)) {
        *why = look->why;
        why->has_run = 1;
    }
    (void) jc_exchange_end(look, NULL);
}
