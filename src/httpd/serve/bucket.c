/*
 * Implements the bucket whose read runs the pump and returns the script's
 * output.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    nothing that comes out of the pipes
 * Never:     holds more than one read; copies a large one
 */
#include "exchange.h"
#include "pump.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* This many full reads may follow each other before the other descriptors get
 * their turn. */
#define MAX_STREAK 8

#define SMALL_BYTES (JC_READ_BYTES / 8)

/* A pipe is full when all of its pages are in use, and each write may leave one
 * that is not full. A header block and then a large piece never fill a read. */
#define FULL_BYTES (JC_READ_BYTES / 2)

/* Gives a script that fills its pipe a larger one, for fewer wake-ups. The
 * second step is for a script that fills whole reads of that. The kernel
 * refuses a size above its limit for the user, and then the pipe stays as it
 * is. */
static void enlarge_pipe(jc_exchange_t *c, ssize_t n)
{
    static const int sizes[] = {262144, 1048576};
    ssize_t full = c->pipe_stage == 0 ? FULL_BYTES : JC_READ_BYTES;

    if (c->pipe_stage < 2 && n >= full && !c->ended_in_nap) {
        fcntl(c->stdout_fd, F_SETPIPE_SZ, sizes[c->pipe_stage]);
        c->pipe_stage++;
    }
}

/* Returns the number of bytes read, 0 at the end of output, or -1 if there are
 * none yet. */
static ssize_t read_stdout(jc_exchange_t *c, char *buf)
{
    ssize_t n;

    if (c->output == JC_OUTPUT_EOF) {
        return 0;
    }
    if (c->stdout_fd < 0) { /* it has not started */
        c->output = JC_OUTPUT_POLL;
        return -1;
    }
    do {
        n = read(c->stdout_fd, buf, JC_READ_BYTES);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN) {
        c->output = JC_OUTPUT_POLL;
        return -1;
    }
    if (n <= 0) {
        c->output = JC_OUTPUT_EOF;
        return 0;
    }
    if (c->log) {
        jc_script_log_keep(&c->log->out, c->r->pool, buf, (size_t) n,
                           JC_LOG_OUTPUT_MAX);
    }
    /* If the script ended in the nap, all processes that had the pipe have
     * gone: what follows is data or the end. */
    c->output =
        n >= FULL_BYTES || c->ended_in_nap ? JC_OUTPUT_READ : JC_OUTPUT_POLL;
    enlarge_pipe(c, n);
    return n;
}

/* Reads first and polls later after a full read, or when the pump has just said
 * that there is something. */
static ssize_t next_piece(jc_exchange_t *c, char *buf, apr_status_t *rv,
                          apr_read_type_e block)
{
    for (;;) {
        ssize_t n = -1;

        if (c->output == JC_OUTPUT_READ && c->streak++ < MAX_STREAK) {
            n = read_stdout(c, buf);
        }
        if (n < 0) {
            *rv = jc_pump(c, block == APR_NONBLOCK_READ ? 0 : -1);
            if (*rv != APR_SUCCESS) {
                return -1;
            }
            n = read_stdout(c, buf);
        }
        if (c->why.code != JC_CODE_NONE) {
            *rv = APR_EGENERAL;
            return -1;
        }
        if (n >= 0) {
            *rv = APR_SUCCESS;
            return n;
        }
    }
}

static const apr_bucket_type_t bucket_type;

apr_bucket *jc_bucket_create(jc_exchange_t *c, apr_bucket_alloc_t *list)
{
    return jc_source_create(&bucket_type, c, list);
}

/*
 * Makes *b a heap bucket of the n bytes in the read buffer. A small piece is
 * copied to memory of its size, because filters may keep thousands of them, and
 * each would hold 64 KB.
 */
static void make_heap(jc_exchange_t *c, apr_bucket *b, apr_size_t n)
{
    char *data = c->read_buffer;
    apr_size_t size = JC_READ_BYTES;

    if (n <= SMALL_BYTES) {
        data = apr_bucket_alloc(n, b->list);
        memcpy(data, c->read_buffer, n);
        size = n;
    } else {
        c->read_buffer = NULL;
    }
    jc_source_turn(b, data, size, n);
}

static apr_status_t bucket_read(apr_bucket *b, const char **data,
                                apr_size_t *len, apr_read_type_e block)
{
    jc_exchange_t *c = b->data;
    apr_status_t rv;
    ssize_t n;

    *data = NULL;
    *len = 0;
    if (!c->read_buffer) {
        c->read_buffer = apr_bucket_alloc(JC_READ_BYTES, b->list);
    }
    n = next_piece(c, c->read_buffer, &rv, block);
    if (n < 0 && APR_STATUS_IS_TIMEUP(rv)) {
        return APR_EAGAIN;
    }
    /* In the middle of somebody else's page a failure is an end like any
     * other. */
    if (c->command && n <= 0) {
        int status;

        (void) jc_exchange_finish(c, &status);
        n = 0;
    }
    if (n < 0) {
        return rv;
    }
    if (n == 0) {
        apr_bucket_immortal_make(b, "", 0);
        *data = b->data;
        return APR_SUCCESS;
    }
    make_heap(c, b, (apr_size_t) n);
    *data = ((apr_bucket_heap *) b->data)->base;
    *len = (apr_size_t) n;
    return APR_SUCCESS;
}

static const apr_bucket_type_t bucket_type = {
    "JAILCGI",
    5,
    APR_BUCKET_DATA,
    apr_bucket_destroy_noop,
    bucket_read,
    apr_bucket_setaside_notimpl,
    apr_bucket_split_notimpl,
    apr_bucket_copy_notimpl,
};
