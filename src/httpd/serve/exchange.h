/*
 * One run of a script at the keeper of its jail: what is known of it, from the
 * handler to the last byte. The other headers of this folder have its parts.
 *
 * Runs in:   httpd child
 * Privilege: the web user's
 * Trusts:    of the channel only the shape of what it brings, of stdout and
 * stderr nothing
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

#define JC_EXIT_WAIT_MS 100 /* for EXIT, after stdout's end */

/* One request at the helper. */
typedef struct jc_exchange {
    request_rec *r;
    const jc_server_conf_t *conf;
    const char *jail_path; /* the script's path inside the jail */
    const char *command;   /* of SSI's exec cmd; else NULL */
    uid_t owner_uid;       /* JailUser owner: whom the script is to run as, */
    gid_t owner_gid;       /* which the script's child compares */
    jc_script_log_t *log;  /* NULL: there is none */

    char *request;      /* see request.h */
    size_t request_len; /* in bytes */

    int stdin_fd;   /* write end; this and the next two come with STARTED */
    int stdout_fd;  /* read end */
    int stderr_fd;  /* read end */
    int control_fd; /* closing it is the order to kill */
    int ended_fd;   /* for EXIT; -1: closed by its other end */
    int client_fd;  /* httpd's own socket; -1 if it may not be polled */

    uint64_t request_id;
    unsigned sends;
    int started;
    int exited;
    int hung_up; /* EXIT has come, or the channel's end, and all was read */
    int control_ended; /* and that was so before anything else was read */
    jc_msg_exit_t exit;

    apr_table_t *headers_before; /* headers_out, err_headers_out as they were */
    apr_table_t *err_headers_before;

    int timeout_ms;
    apr_time_t active; /* when something last moved */
    int have_headers;

    char *read_buffer; /* JC_READ_BYTES of the connection's allocator */
    int stdout_eof;
    int read_first;           /* the next read needs no poll before it */
    unsigned streak;          /* reads since the last poll */
    int pipe_stage;           /* how often stdout's pipe was enlarged */
    uint64_t body_sent;       /* bytes of the page, without its header block */
    apr_int64_t declared_len; /* the script's own Content-Length, or -1 */
    int length_is_sent;       /* and it is in the header that the client gets */

    apr_time_t asked; /* when the client had sent all of its request */
    int half_closed;  /* it closed its sending side with that */

    jc_reason_t why; /* code JC_CODE_NONE while all is well */
    jc_body_t body;
    jc_stderr_t err;
} jc_exchange_t;

/*
 * exchange.c. jc_exchange_create allocates from r->pool and registers a cleanup
 * that closes all descriptors; jc_exchange_spawn sends the request to the
 * helper and returns 0, or -1 with c->why filled in.
 */
jc_exchange_t *jc_exchange_create(request_rec *r, const jc_server_conf_t *conf);
int jc_exchange_spawn(jc_exchange_t *c);
/* Reads what control holds; at its end decides whether to send again. */
void jc_exchange_on_control(jc_exchange_t *c);
/* verdict.c. After stdout's end: how the script ended. Code JC_CODE_NONE: as it
 * should. */
void jc_verdict_of(jc_exchange_t *c, jc_reason_t *why);
/* A status as wait(2) gives it: "exit 3". */
const char *jc_verdict_in_words(apr_pool_t *p, int status);
void jc_exchange_close_stdin(jc_exchange_t *c);
void jc_exchange_close(jc_exchange_t *c);
/* The same at the end of the output: a byte tells the keeper that the request
 * is not given up, and what it has left behind may stay (JailBackground). */
void jc_exchange_leave(jc_exchange_t *c);
/* The first failure counts; later ones are its consequences. */
void jc_exchange_fail(jc_exchange_t *c, jc_code_t code, int errnum);

/* verdict.c: nothing of the output is waited for any more, which has ended or
 * failed: says why in the log, and closes the client. */
void jc_page_finish(jc_exchange_t *c);
/* verdict.c: logs why there is no page, or only a part; ends the script. */
int jc_page_fail(jc_exchange_t *c, const jc_reason_t *why);

#endif
