/*
 * Notices that the client has gone while its script runs, and ends the script
 * or lets it finish (JailAbort).
 *
 * A client that closes its sending side has not gone: it still reads (RFC 9112,
 * 9.6), as `nc -N` and socat do with a request from a pipe. TCP says the same,
 * a FIN, of a client that has closed its socket altogether. The two differ only
 * when such a client's kernel is sent something. It answers with RST to data,
 * and to a keep-alive probe once it has forgotten the socket, which Linux does
 * after net.ipv4.tcp_fin_timeout, a minute (tcp(7)). A FIN therefore ends
 * nothing. From then on the kernel probes that connection, and what ends a
 * script is a reset, an error, or a host that no longer answers.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    nothing that the client does
 * Never:     takes a half-closed connection for one that was given up
 */
#include "client.h"
#include "exchange.h"
#include "notes.h"

#include "http_core.h"
#include "apr_portable.h"

#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

/* Probes after a FIN: a client that has gone is noticed this long after its
 * kernel has forgotten it, and a host that has gone after all of them. */
#define PROBE_S 5
#define PROBES  12

#define GONE (POLLHUP | POLLERR)

/* Returns the client's socket, or -1. HTTP/2 runs each stream on a connection
 * of its own. All streams share one socket, so its events do not show what has
 * become of one stream. */
static int client_socket(conn_rec *conn)
{
    apr_socket_t *sock = conn->master ? NULL : ap_get_conn_socket(conn);
    apr_os_sock_t fd;

    if (!sock || apr_os_sock_get(&fd, sock) != APR_SUCCESS) {
        return -1;
    }
    return fd;
}

/* The kernel reports a FIN at every poll(), so it is asked for it once in each
 * connection. */
void jc_client_init(jc_exchange_t *c)
{
    conn_rec *conn = c->r->connection;

    c->client_fd = client_socket(conn);
    c->half_closed = apr_table_get(conn->notes, JC_NOTE_HALF_CLOSED) != NULL;
}

/*
 * When the body is complete, only what happens to the client's socket counts:
 * what else it sends is the next, pipelined request. While the body waits in
 * the socket, it is the input filters that report its end. poll() reports a
 * reset without being asked.
 */
short jc_client_events(const jc_exchange_t *c)
{
    const jc_body_t *body = &c->body;

    if (body->done || body->eos) {
        return c->half_closed ? 0 : POLLRDHUP;
    }
    return jc_exchange_has_started(c) && body->want_client ? POLLIN | POLLRDHUP
                                                           : 0;
}

void jc_client_gone(jc_exchange_t *c)
{
    c->r->connection->aborted = 1;
    if (c->finish_ms == 0) {
        jc_exchange_fail(c, JC_CODE_CLIENT_GONE, 0);
    } else if (!c->gone_at) {
        c->gone_at = apr_time_now();
        c->client_fd = -1; /* poll() would report it again and again */
    }
}

int jc_client_left_ms(const jc_exchange_t *c, apr_time_t now)
{
    apr_time_t left;

    if (!c->gone_at || c->finish_ms == JC_NO_MAX) {
        return INT_MAX;
    }
    left = c->gone_at + apr_time_from_msec(c->finish_ms) - now;
    return left <= 0 ? 0 : (int) apr_time_as_msec(left) + 1;
}

/* A socket that cannot be probed is as good as one whose client stays: its
 * script is ended by its time-outs. */
static void probe(int fd)
{
    static const struct {
        int level, option, value;
    } options[] = {
        {IPPROTO_TCP, TCP_KEEPIDLE, PROBE_S},
        {IPPROTO_TCP, TCP_KEEPINTVL, PROBE_S},
        {IPPROTO_TCP, TCP_KEEPCNT, PROBES},
        {SOL_SOCKET, SO_KEEPALIVE, 1},
    };

    for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
        (void) setsockopt(fd, options[i].level, options[i].option,
                          &options[i].value, sizeof(options[i].value));
    }
}

static void on_complete_client(jc_exchange_t *c, short revents)
{
    if (revents & GONE) {
        jc_client_gone(c);
    } else if ((revents & POLLRDHUP) && !c->half_closed) {
        c->half_closed = 1;
        /* This counts for everything else that the connection runs. */
        apr_table_setn(c->r->connection->notes, JC_NOTE_HALF_CLOSED, "1");
        probe(c->client_fd);
    } /* POLLIN was dealt with since the poll */
}

/*
 * The body may have moved on since the poll, so that what was waited for has
 * been read already. POLLIN then means nothing, and the end of a body that is
 * still in the socket is no hang-up yet.
 */
void jc_client_look(jc_exchange_t *c, short revents)
{
    jc_body_t *body = &c->body;

    if (body->done || body->eos) {
        on_complete_client(c, revents);
    } else if (body->want_client) {
        body->hangups += (revents & (POLLRDHUP | GONE)) != 0;
        jc_body_step(c);
    } else if (revents & GONE) {
        jc_client_gone(c);
    }
}
