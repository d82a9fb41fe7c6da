/*
 * Implements the pump: one poll for the body, stdout, stderr, control and the
 * client.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    nothing that comes out of the pipes
 * Never:     blocks in anything but that poll
 *
 * STARTED brings the pipes. If a script ends soon, its STARTED is read together
 * with EXIT (jc_pump_nap), which comes over a socket of its own for that
 * reason.
 */
#include "client.h"
#include "exchange.h"
#include "pump.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/prctl.h>

#define DUPLEX_MS      1000 /* wait for more while a body comes in */
#define ORPHAN_MS      5000 /* silence after the leader's end */
#define ABORT_CHECK_MS 250  /* HTTP/2: look for a reset this often */
#define REQTIMEOUT_MS  1000 /* let mod_reqtimeout see a stalled body */

enum { STDIN, STDOUT, STDERR, CONTROL, ENDED, CLIENT, SLOTS };

static void watch(struct pollfd *p, int fd, short events)
{
    p->fd = fd;
    p->events = events;
    p->revents = 0;
}

/* Watches ENDED and CONTROL. FAILED may still follow STARTED, but only before
 * EXIT. */
static void watch_channel(const jc_exchange_t *c, struct pollfd *ended,
                          struct pollfd *control)
{
    int over = jc_exchange_is_over(c);

    watch(ended, over ? -1 : c->ended_fd, POLLIN | POLLRDHUP);
    watch(control, over ? -1 : c->control_fd,
          jc_exchange_has_started(c) ? POLLRDHUP : POLLIN | POLLRDHUP);
}

static void arm(const jc_exchange_t *c, struct pollfd *p)
{
    const jc_body_t *body = &c->body;
    int writing = !body->done && jc_exchange_has_started(c);

    /* Without POLLOUT, POLLERR still says that the script has closed it. */
    watch(&p[STDIN], writing ? c->stdin_fd : -1,
          body->want_client ? 0 : POLLOUT);
    watch(&p[STDOUT], c->output == JC_OUTPUT_EOF ? -1 : c->stdout_fd, POLLIN);
    watch(&p[STDERR], c->stderr_fd, POLLIN);
    watch_channel(c, &p[ENDED], &p[CONTROL]);
    watch(&p[CLIENT], c->client_fd, jc_client_events(c));
}

/* The caller handles stdout last, because that ends the pump's wait. */
static void dispatch(jc_exchange_t *c, const struct pollfd *p)
{
    if (p[CONTROL].revents || p[ENDED].revents) {
        jc_control_read(c);
        if (c->body.expected && !c->body.done && jc_exchange_has_started(c)) {
            jc_body_step(c);
        }
    }
    if (p[STDIN].revents & POLLERR) {
        jc_body_stop(c);
    } else if (p[STDIN].revents) {
        jc_body_step(c);
    }
    /* After a resend the descriptors are other ones. Reading them loses
     * nothing, because they do not block. */
    if (p[STDERR].revents) {
        jc_stderr_read(c);
    }
    if (p[CLIENT].revents) {
        jc_client_look(c, p[CLIENT].revents);
    }
}

static void expired(jc_exchange_t *c)
{
    jc_control_read(c);
    if (jc_exchange_has_exit(c)) {
        c->output = JC_OUTPUT_EOF; /* with a Timeout below ORPHAN_MS */
    }
    if (c->why.code != JC_CODE_NONE || c->output == JC_OUTPUT_EOF) {
        return;
    }
    if (!jc_exchange_has_started(c)) {
        jc_exchange_fail(c, JC_CODE_NO_ANSWER, 0);
    } else if (c->body.want_client) {
        jc_exchange_fail(c, JC_CODE_BODY_BROKEN, 0);
        c->why.http_status = HTTP_REQUEST_TIME_OUT;
    } else {
        jc_exchange_fail(c,
                         c->have_headers ? JC_CODE_OUTPUT_TIMEOUT
                                         : JC_CODE_HEADER_TIMEOUT,
                         0);
    }
}

/* Returns how long nothing may be heard. A script that has not been started may
 * have to wait for others of its jail, and the keeper says when that has been
 * too long. */
static int silence_ms(const jc_exchange_t *c)
{
    int64_t ms = c->timeout_ms;

    if (!jc_exchange_has_started(c)) {
        ms += jc_concurrency_wait_ms(c->conf);
    }
    return ms < INT_MAX ? (int) ms : INT_MAX;
}

/* poll() has returned without an event. Looks for what does not report
 * itself. */
static void on_quiet(jc_exchange_t *c, apr_time_t now)
{
    apr_time_t silent;

    if (c->r->connection->aborted && !c->gone_at) {
        jc_client_gone(c);
        return;
    }
    if (c->body.want_client && jc_exchange_has_started(c)) {
        jc_body_step(c);
    }
    silent = now - c->active;
    /* The leader may have gone, while something that it left behind holds
     * stdout. EXIT then waits in the channel, which is not at its end yet. */
    if (silent >= apr_time_from_msec(ORPHAN_MS)) {
        jc_control_read(c);
        if (jc_exchange_has_exit(c)) {
            c->output = JC_OUTPUT_EOF;
            return;
        }
    }
    if (silent >= apr_time_from_msec(silence_ms(c))) {
        expired(c);
    }
}

static int lesser(int a, int b)
{
    return a < b ? a : b;
}

/* Returns how long poll() may sleep before on_quiet has something to look
 * at. */
static int slice_ms(const jc_exchange_t *c, apr_time_t now)
{
    int limit = jc_exchange_has_exit(c) ? lesser(ORPHAN_MS, c->timeout_ms)
                                        : silence_ms(c);
    apr_time_t left = c->active + apr_time_from_msec(limit) - now;
    int slice = left <= 0 ? 0 : (int) apr_time_as_msec(left) + 1;

    slice = lesser(slice, jc_client_left_ms(c, now));
    if (c->client_fd < 0 && !c->gone_at) {
        slice = lesser(slice, ABORT_CHECK_MS);
    } else if (c->body.want_client) {
        slice = lesser(slice, REQTIMEOUT_MS);
    }
    return slice;
}

/* There is something in stdout's pipe, or its end: the next look is a read. */
static void read_next(jc_exchange_t *c)
{
    if (c->output != JC_OUTPUT_EOF) {
        c->output = JC_OUTPUT_READ;
    }
}

/* poll() of all slots. A stream of HTTP/2 has no descriptor that says when
 * bytes of its body come, so it is looked at after a while, which begins short.
 * The kernel would add up to 50 us to each wait (PR_SET_TIMERSLACK in
 * prctl(2)); 0 restores that. */
static int poll_all(const jc_exchange_t *c, struct pollfd *p, int slice)
{
    struct timespec quiet = {.tv_nsec = c->body.quiet_us * 1000L};
    int n;

    if (c->client_fd >= 0 || !c->body.want_client ||
        slice <= c->body.quiet_us / 1000) {
        return poll(p, SLOTS, slice);
    }
    (void) prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    n = ppoll(p, SLOTS, &quiet, NULL);
    (void) prctl(PR_SET_TIMERSLACK, 0UL, 0UL, 0UL, 0UL);
    return n;
}

void jc_pump_nap(jc_exchange_t *c, int wait_ms)
{
    struct pollfd p;

    if (c->body.expected || c->ended_in_nap) {
        return;
    }
    if (!jc_exchange_is_over(c)) {
        watch(&p, c->ended_fd, POLLIN | POLLRDHUP);
        if (poll(&p, 1, wait_ms) <= 0) {
            return;
        }
        jc_control_read(c); /* may send it again: all is open then */
    }
    c->ended_in_nap = jc_exchange_is_over(c);
    if (c->ended_in_nap) {
        read_next(c);
    }
}

apr_status_t jc_pump(jc_exchange_t *c, int wait_ms)
{
    struct pollfd p[SLOTS];
    apr_time_t now = apr_time_now();
    apr_time_t until = wait_ms > 0 ? now + apr_time_from_msec(wait_ms) : now;

    c->streak = 0;
    while (c->why.code == JC_CODE_NONE && c->output != JC_OUTPUT_EOF) {
        int slice = slice_ms(c, now);
        int n;

        if (jc_client_left_ms(c, now) == 0) {
            jc_exchange_fail(c, JC_CODE_UNFINISHED, 0);
            c->why.found = (uint64_t) c->finish_ms;
            break;
        }
        if (wait_ms >= 0) {
            /* Round up: with 0 the rest of a millisecond would be spent
             * polling, on the processor that the script may need. */
            apr_time_t left = until - now + APR_TIME_C(999);
            slice = lesser(slice, left > 0 ? (int) apr_time_as_msec(left) : 0);
        }
        arm(c, p);
        n = poll_all(c, p, slice);
        now = apr_time_now();
        if (n > 0) {
            c->active = now;
            dispatch(c, p);
            if (p[STDOUT].revents && c->why.code == JC_CODE_NONE) {
                read_next(c);
                return APR_SUCCESS;
            }
        } else if (n == 0) {
            on_quiet(c, now);
        } else if (errno != EINTR) {
            jc_exchange_fail(c, JC_CODE_NO_RESOURCES, errno);
        }
        if (wait_ms >= 0 && now >= until) {
            break;
        }
    }
    if (c->why.code != JC_CODE_NONE) {
        return APR_EGENERAL;
    }
    return c->output == JC_OUTPUT_EOF ? APR_SUCCESS : APR_TIMEUP;
}

apr_status_t jc_pump_beside_body(jc_exchange_t *c)
{
    apr_time_t moved;
    apr_status_t rv;
    do {
        moved = c->active;
        rv = jc_pump(c, DUPLEX_MS);
    } while (APR_STATUS_IS_TIMEUP(rv) && c->active != moved);
    return rv;
}

void jc_pump_end(jc_exchange_t *c, int wait_ms)
{
    apr_time_t now = apr_time_now();
    apr_time_t until = now + apr_time_from_msec(wait_ms);
    struct pollfd p[3];

    jc_body_stop(c);
    while (!jc_exchange_is_over(c) && now < until) {
        watch(&p[0], c->stderr_fd, POLLIN);
        watch_channel(c, &p[1], &p[2]);
        if (poll(p, 3, (int) apr_time_as_msec(until - now) + 1) > 0) {
            if (p[0].revents) {
                jc_stderr_read(c);
            }
            if (p[1].revents || p[2].revents) {
                jc_control_read(c);
            }
        }
        now = apr_time_now();
    }
    jc_control_read(c);
    jc_stderr_read(c);
}
