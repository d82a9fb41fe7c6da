/*
 * Moves the request's body to the script's stdin.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    httpd's input filters to bound what they return
 * Never:     waits for the client or for the script; holds more than one piece
 *            of the body; writes before the script has started
 */
#include "exchange.h"
#include "notes.h"

#include "http_protocol.h"
#include "http_request.h"
#include "util_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* The next piece of a body is looked for at once, and then ever less often.
 * mod_http2 has a window of 64 KB filled again within 200 us, so a longer wait
 * at the beginning would slow a fast upload down. A wait grows by a quarter: of
 * a pause, no more than that is lost. */
#define QUIET_US_MIN 10
#define QUIET_US_MAX 20000

#define BODY_IOVECS 16
/* One turn moves at most this many pieces, so that a fast upload leaves stdout
 * its share. */
#define BODY_TURNS 4

/* The size of the pipe, once a body has filled it. */
#define BODY_PIPE_BYTES 262144

/*
 * A body that another script has had, in full or in part, is not given again.
 * An ErrorDocument would get what that script left, with the length of the
 * whole.
 */
static int is_given(const request_rec *r)
{
    while ((r = r->prev)) {
        if (apr_table_get(r->notes, JC_NOTE_BODY_GIVEN)) {
            return 1;
        }
    }
    return 0;
}

/*
 * The headers alone decide, because httpd takes those of the main request's
 * body away from a subrequest of SSI. HTTP/2 without a length shows as chunked.
 */
static int has_body(request_rec *r)
{
    const char *length = apr_table_get(r->headers_in, "Content-Length");

    return (apr_table_get(r->headers_in, "Transfer-Encoding") ||
            (length && strcmp(length, "0") != 0)) &&
           !is_given(r);
}

void jc_body_none(jc_exchange_t *c)
{
    c->body.expected = 0;
    c->body.done = 1;
    c->body.eos = 1;
}

void jc_body_init(jc_exchange_t *c)
{
    jc_body_t *body = &c->body;

    body->expected = has_body(c->r);
    if (body->expected) {
        body->pending =
            apr_brigade_create(c->r->pool, c->r->connection->bucket_alloc);
    } else {
        jc_body_none(c);
    }
}

int jc_body_is_inflated(request_rec *r)
{
    const char *coding = apr_table_get(r->headers_in, "Content-Encoding");

    if (!coding || !ap_is_initial_req(r) ||
        (ap_cstr_casecmp(coding, "gzip") != 0 &&
         ap_cstr_casecmp(coding, "x-gzip") != 0)) {
        return 0;
    }
    for (const ap_filter_t *f = r->input_filters; f; f = f->next) {
        if (strcmp(f->frec->name, "deflate") == 0) {
            return 1;
        }
    }
    return 0;
}

/* The script gets no more. What is left stays with httpd, which discards it
 * after the response. stdin stays open, because closing it would say that the
 * body was whole. */
void jc_body_stop(jc_exchange_t *c)
{
    c->body.done = 1;
    c->body.want_client = 0;
    if (c->body.pending) {
        apr_brigade_cleanup(c->body.pending);
    }
}

/* A body that breaks off must not look to the script as if it had ended. */
void jc_body_broken(jc_exchange_t *c, apr_status_t rv)
{
    jc_exchange_fail(c, JC_CODE_BODY_BROKEN, 0);
    if (c->why.code == JC_CODE_BODY_BROKEN) {
        c->why.http_status = ap_map_http_request_error(rv, HTTP_BAD_REQUEST);
        /* AP_FILTER_ERROR has no name: a filter has refused the body and
         * answered. */
        c->why.errnum = rv == AP_FILTER_ERROR ? 0 : rv;
    }
    jc_body_stop(c);
}

/*
 * Non-blocking reads do not make httpd send "100 Continue", for which a client
 * may wait a second or for ever. Once the final status is on its way it is too
 * late, and the client sends by itself or not at all.
 */
static void ask_for_body(request_rec *r)
{
    int status = r->status;
    const char *status_line = r->status_line;

    if (!r->expecting_100 || r->bytes_sent || r->eos_sent) {
        return;
    }
    r->status = HTTP_CONTINUE;
    r->status_line = NULL;
    ap_send_interim_response(r, 0);
    r->status = status;
    r->status_line = status_line;
}

/* Takes the next piece from the filters. Returns 1 if there is something. */
static int fetch(jc_exchange_t *c)
{
    jc_body_t *body = &c->body;
    apr_status_t rv;

    rv = jc_network_read(c->r, body->pending, APR_NONBLOCK_READ);
    if (APR_STATUS_IS_EAGAIN(rv) ||
        (rv == APR_SUCCESS && APR_BRIGADE_EMPTY(body->pending))) {
        /* The filters return APR_EOF only at the read after the last one. */
        if (body->hangups > 8) {
            jc_body_broken(c, APR_INCOMPLETE);
        }
        body->want_client = 1;
        body->quiet_us = body->quiet_us
                             ? body->quiet_us + body->quiet_us / 4 + 1
                             : QUIET_US_MIN;
        if (body->quiet_us > QUIET_US_MAX) {
            body->quiet_us = QUIET_US_MAX;
        }
        ask_for_body(c->r);
        return 0;
    }
    if (rv != APR_SUCCESS) {
        jc_body_broken(c, rv);
        return 0;
    }
    c->active = apr_time_now();
    body->hangups = 0;
    body->want_client = 0;
    body->quiet_us = 0;
    /* The client has not waited for "100 Continue" (RFC 9110, 10.1.1), and
     * httpd would close a connection on which it is still to be sent. */
    c->r->expecting_100 = 0;
    return 1;
}

/*
 * Points iovecs at the data of the first buckets. Removes buckets without data.
 * EOS ends the search and sets body->eos. Returns the count, or -1.
 */
static int gather(jc_exchange_t *c, struct iovec *iov)
{
    apr_bucket_brigade *bb = c->body.pending;
    apr_bucket *b = APR_BRIGADE_FIRST(bb);
    int count = 0;

    while (b != APR_BRIGADE_SENTINEL(bb) && count < BODY_IOVECS) {
        apr_bucket *next;
        const char *data;
        apr_size_t len = 0;

        if (APR_BUCKET_IS_EOS(b)) {
            c->body.eos = 1;
            break;
        }
        if (!APR_BUCKET_IS_METADATA(b)) {
            apr_status_t rv = apr_bucket_read(b, &data, &len, APR_BLOCK_READ);

            if (rv != APR_SUCCESS) {
                jc_body_broken(c, rv);
                return -1;
            }
        }
        next = APR_BUCKET_NEXT(b);
        if (len > 0) {
            iov[count].iov_base = (void *) (uintptr_t) data;
            iov[count].iov_len = len;
            count++;
        } else {
            apr_bucket_delete(b);
        }
        b = next;
    }
    return count;
}

/* Removes the first `len` bytes, all of which gather() has read. */
static void consume(apr_bucket_brigade *bb, size_t len)
{
    while (len > 0) {
        apr_bucket *b = APR_BRIGADE_FIRST(bb);

        if (b->length > len) {
            apr_bucket_split(b, len);
        }
        len -= b->length;
        apr_bucket_delete(b);
    }
}

/* Gives a body that fills the pipe a larger one, once, for fewer wake-ups of
 * either side. Returns whether there is room now. The kernel refuses a size
 * above its limit for the user, and then the pipe stays as it is. */
static int enlarge_pipe(jc_exchange_t *c)
{
    if (c->body.has_filled_pipe) {
        return 0;
    }
    c->body.has_filled_pipe = 1;
    return fcntl(c->stdin_fd, F_SETPIPE_SZ, BODY_PIPE_BYTES) > 0;
}

/* Writes what is pending. Returns 1 when all of it is gone. */
static int drain(jc_exchange_t *c)
{
    struct iovec iov[BODY_IOVECS];

    for (;;) {
        int count = gather(c, iov);
        ssize_t n;

        if (count <= 0) {
            return count == 0;
        }
        n = writev(c->stdin_fd, iov, count);
        if (n < 0 && (errno == EINTR || (errno == EAGAIN && enlarge_pipe(c)))) {
            continue;
        }
        if (n < 0) {
            if (errno != EAGAIN) {
                jc_body_stop(c);
            }
            return 0;
        }
        if (c->log) {
            jc_script_log_keep(&c->log->body, c->r->pool, iov[0].iov_base,
                               iov[0].iov_len < (size_t) n ? iov[0].iov_len
                                                           : (size_t) n,
                               (size_t) c->conf->script_log_buffer);
        }
        consume(c->body.pending, (size_t) n);
    }
}

void jc_body_step(jc_exchange_t *c)
{
    jc_body_t *body = &c->body;

    for (int turn = 0; turn < BODY_TURNS && !body->done; turn++) {
        if (APR_BRIGADE_EMPTY(body->pending) && !body->eos && !fetch(c)) {
            return;
        }
        if (!drain(c)) {
            return;
        }
        if (body->eos) {
            jc_exchange_close_fd(&c->stdin_fd);
            jc_body_stop(c);
        }
    }
}
