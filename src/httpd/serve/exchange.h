/*
 * Declares the exchange: what is known about one run of a script, from the
 * handler to the last byte. The other headers of this folder have its parts.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    the shape of what the channel brings; nothing from stdout and
 *            stderr
 */
#ifndef JC_EXCHANGE_H
#define JC_EXCHANGE_H

#include "body.h"
#include "reason.h"
#include "script_log.h"
#include "stderr.h"
#include "src/httpd/config/config.h"
#include "src/httpd/link.h"
#include "src/wire/request.h"
#include "src/wire/wire.h"

#include "apr_buckets.h"

#include <unistd.h>

#define JC_EXIT_WAIT_MS 100 /* for EXIT, after the end of stdout */

/*
 * Says how far an exchange has come, by what the channel has brought.
 * jc_control_spawn() begins it, and STARTED leads to RUNNING. From either of
 * these, EXIT or the end of the channel leads to one of the last four, as soon
 * as everything was read.
 */
typedef enum {
    JC_EXCHANGE_SENT,    /* nothing was heard of it yet */
    JC_EXCHANGE_RUNNING, /* STARTED: the pipes are here */
    JC_EXCHANGE_ENDED,   /* STARTED, then EXIT */
    JC_EXCHANGE_LOST,    /* STARTED, then the end of the channel: no status */
    JC_EXCHANGE_KILLED,  /* EXIT alone: killed before it could start */
    JC_EXCHANGE_REFUSED, /* FAILED, or the end of the channel alone */
} jc_exchange_state_t;

/* Says what the next look at stdout is. */
typedef enum {
    JC_OUTPUT_POLL, /* a poll: there may be nothing */
    JC_OUTPUT_READ, /* a read: there is something, or its end */
    JC_OUTPUT_EOF,  /* none: it is at its end */
} jc_output_t;

/* One run of a script. */
typedef struct jc_exchange {
    request_rec *r;
    const jc_server_conf_t *conf;
    const char *jail_path; /* the script's path inside the jail */
    const char *command;   /* of SSI's exec cmd; otherwise NULL */
    uid_t owner_uid;       /* JailUser owner: the user that it must run as */
    gid_t owner_gid;       /* and the group; the script's child compares */
    jc_script_log_t *log;  /* NULL: there is none */

    char *request;      /* see request.h */
    size_t request_len; /* bytes */

    int stdin_fd;   /* write end; this and the next two come with STARTED */
    int stdout_fd;  /* read end */
    int stderr_fd;  /* read end */
    int control_fd; /* closing it is the order to kill */
    int ended_fd;   /* for EXIT; -1: the other end has closed it */
    int client_fd;  /* httpd's own socket; -1 if it may not be polled */

    uint64_t request_id;
    unsigned sends;
    jc_exchange_state_t state;
    int ended_in_nap; /* before any of its output was read */
    int is_look;      /* nothing is run (look.h), so it leaves no notes */
    jc_msg_exit_t exit;

    apr_table_t *headers_before; /* headers_out, err_headers_out as they were */
    apr_table_t *err_headers_before;

    int timeout_ms;
    apr_time_t active; /* when something last moved */
    int have_headers;

    char *read_buffer; /* JC_READ_BYTES, from the connection's allocator */
    jc_output_t output;
    unsigned streak;          /* reads since the last poll */
    int pipe_stage;           /* how often stdout's pipe was enlarged */
    uint64_t body_sent;       /* bytes of the page, without its header block */
    apr_int64_t declared_len; /* the script's own Content-Length, or -1 */
    int length_is_sent;       /* and the header for the client has it */

    int half_closed;    /* the client has closed its sending side */
    apr_time_t gone_at; /* when the client went; 0: it is there, or the script
                           is ended */
    int64_t finish_ms;  /* how long the script may run after that; 0: not at
                           all; JC_NO_MAX: no limit */

    jc_reason_t why; /* code JC_CODE_NONE while all is well */
    jc_body_t body;
    jc_stderr_t err;
} jc_exchange_t;

/* Notes a failure. The first one counts; later ones are its consequences. */
static inline void jc_exchange_fail(jc_exchange_t *c, jc_code_t code,
                                    int errnum)
{
    if (c->why.code == JC_CODE_NONE) {
        c->why.code = code;
        c->why.errnum = errnum;
    }
}

/* Closes *fd if it is open, and sets it to -1. */
static inline void jc_exchange_close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

/* Returns whether STARTED has come. */
static inline int jc_exchange_has_started(const jc_exchange_t *c)
{
    return c->state == JC_EXCHANGE_RUNNING || c->state == JC_EXCHANGE_ENDED ||
           c->state == JC_EXCHANGE_LOST;
}

/* Returns whether c->exit is filled in. */
static inline int jc_exchange_has_exit(const jc_exchange_t *c)
{
    return c->state == JC_EXCHANGE_ENDED || c->state == JC_EXCHANGE_KILLED;
}

/* Returns whether nothing more will come over the channel. */
static inline int jc_exchange_is_over(const jc_exchange_t *c)
{
    return c->state > JC_EXCHANGE_RUNNING;
}

/* exchange.c: returns a new exchange, allocated from r->pool, and registers a
 * cleanup that ends it. */
jc_exchange_t *jc_exchange_create(request_rec *r, const jc_server_conf_t *conf);
/*
 * Ends the exchange; no other function does. If `why`
 * has a code, it is logged and the script is ended. If it has none, what the
 * script has left behind may stay where JailBackground says so. If `why` is
 * NULL, the request is torn down, and somebody else has logged the reason.
 * Closes all descriptors. Returns the HTTP status, or OK if nothing was logged.
 * A second call does nothing more.
 */
int jc_exchange_end(jc_exchange_t *c, const jc_reason_t *why);
/* Call it after the end of stdout, or after a failure in c->why. Waits a
 * moment for the end of the script, and ends the request as that says. Returns
 * the code of what was wrong, or JC_CODE_NONE. Sets *status to what
 * jc_exchange_end returned. */
jc_code_t jc_exchange_finish(jc_exchange_t *c, int *status);

/* control.c: sends the request to the keeper of its jail. Returns 0, or -1 with
 * c->why filled in. */
int jc_control_spawn(jc_exchange_t *c);
/* Reads what the channel holds. At its end, decides whether to send the request
 * again. */
void jc_control_read(jc_exchange_t *c);
/* After EXIT, reads whether the keeper had to end what the script has left. */
void jc_control_read_again(jc_exchange_t *c);

/* taken.c: reports at the end of a request what the jail takes from the script.
 * `why` is the reason for its end. */
void jc_taken_report(jc_exchange_t *c, const jc_reason_t *why);

/* verdict.c: sets *why to how the script ended, after the end of stdout. The
 * code is JC_CODE_NONE if it ended as it should. */
void jc_verdict_of(jc_exchange_t *c, jc_reason_t *why);
/* Returns a status of wait(2) in words, as "exit 3". Allocates from p. */
const char *jc_verdict_in_words(apr_pool_t *p, int status);

#endif
