/*
 * What the files of the httpd child share: one CGI request from the handler to
 * the last byte.
 *
 * Runs in:   httpd child, one thread for each request
 * Privilege: the web user's
 * Trusts:    the configuration; of the control socket only the shape of what
 *            it brings, of stdout and stderr nothing
 * Never:     chooses a user, a root or a limit
 *
 *   handler.c   checks, then the order of events
 *   page.c      what the script says: page, nph-, redirect, or a failure
 *   request.c   arguments and environment into one piece of memory
 *   owner.c     JailUser owner: whom it will run as, and his account
 *   handover.c  and from there to the script's child
 *   channel.c   to the keeper of its jail, by way of the helper or directly
 *   channel_pool.c      the channels that wait for their next request
 *   exchange.c    from there: what comes back, and the end
 *   verdict.c   how the script ended
 *   pump.c      one poll for everything that can happen
 *   nap.c       or first a wait for the end alone
 *   bucket.c    the bucket that reads stdout on top of it
 *   body.c      the request's body into the script's stdin
 *   network.c   by large reads of the socket
 *   source.c    what this bucket and stdout's have in common
 *   header.c    the script's header block
 *   nph.c       that of an nph- script, which is HTTP
 *   length.c    no more and no less than the length that is sent
 *   stderr.c    the script's stderr into the site's error log
 *   reason.c    a code of codes.h into one log line and an HTTP status
 *   spool.c     a body of unknown length, read before the script starts
 *   script_log.c mod_cgi's ScriptLog
 *   ssi.c       exec cgi and exec cmd of mod_include
 */
#ifndef JC_CHILD_H
#define JC_CHILD_H

#include "hooks.h"
#include "src/httpd/config/config.h"
#include "src/httpd/link.h"
#include "src/wire/request.h"
#include "src/wire/wire.h"

#include "apr_buckets.h"

/* Notes of the request, for LogFormat's %{JAILCGI_PID}n. */
#define JC_NOTE_PID       "JAILCGI_PID"
#define JC_NOTE_UID       "JAILCGI_UID"
#define JC_NOTE_GID       "JAILCGI_GID"
#define JC_NOTE_STATUS    "JAILCGI_STATUS" /* as wait(2) gives it */
#define JC_NOTE_UTIME     "JAILCGI_UTIME_US"
#define JC_NOTE_STIME     "JAILCGI_STIME_US"
#define JC_NOTE_MAXRSS    "JAILCGI_MAXRSS_KB"
#define JC_NOTE_THROTTLED "JAILCGI_THROTTLED" /* 1: by JailCgroup cpu= */
#define JC_NOTE_EXIT      "JAILCGI_EXIT"      /* the same in words: "exit 3" */
#define JC_NOTE_JAIL      "JAILCGI_JAIL"      /* JailRoot, or "-" */
#define JC_NOTE_SCRIPT    "JAILCGI_SCRIPT"    /* its path inside the jail */
#define JC_NOTE_CODE      "JAILCGI_CODE"      /* JCGInnnn of the last reason */
#define JC_NOTE_REASON    "JAILCGI_REASON"    /* its sentence */

/* A note too: the body is the script's that was started, and not any more that
 * of the page which the request is redirected to. */
#define JC_NOTE_BODY_GIVEN "jailcgi-body-given"

/* Of the connection: the client has closed its sending side and still reads. */
#define JC_NOTE_HALF_CLOSED "jailcgi-half-closed"

#define JC_READ_BYTES       65536   /* one read of stdout, or of a body */
#define JC_PASS_BYTES       262144  /* passed on to the filters at once */
#define JC_PASS_BUCKETS     64      /* likewise */
#define JC_GATHER_MS        2       /* wait for more before a flush */
#define JC_DUPLEX_BUCKETS   4096    /* likewise, while a body comes in */
#define JC_DUPLEX_MS        1000    /* the same while a body comes in */
#define JC_NAP_MS           20      /* for a script that ends soon */
#define JC_EXIT_WAIT_MS     100     /* for EXIT, after stdout's end */
#define JC_FAILED_WAIT_MS   1000    /* the same, if there was no page */
#define JC_ORPHAN_MS        5000    /* silence after the leader's end */
#define JC_HEADER_LINES_MAX 1000    /* in it */
#define JC_HEADER_LEN_MAX   1048576 /* the whole block; JailHeaderMax */
#define JC_STDERR_LINE_MAX  4000    /* httpd's own lines end at 8 KB */
#define JC_STDERR_LINES     1000    /* logged for one request */
#define JC_STDERR_BYTES     262144  /* likewise */
#define JC_LOG_OUTPUT_MAX   65536   /* of stdout and stderr in a ScriptLog */
#define JC_HALF_CLOSE_MS    20      /* see is_half_close in pump.c */
#define JC_MULTIPLEX_MS     20      /* HTTP/2: look for the body this often */
#define JC_ABORT_CHECK_MS   250     /* HTTP/2: look for a reset this often */
#define JC_REQTIMEOUT_MS    1000    /* let mod_reqtimeout see a stalled body */

/* Why a request failed, with what the sentence needs. */
typedef struct {
    jc_code_t code;
    int errnum;
    int http_status; /* 0: the one of the table */
    uint64_t found;
    uint64_t expected;
    const char *text;          /* path, name, line; untrusted */
    const char *found_text;    /* of the configuration's refusals */
    const char *expected_text; /* likewise */
} jc_reason_t;

/* A row of the table of reasons. See reason.c for the words in braces. */
typedef struct {
    jc_code_t code;
    int level; /* APLOG_* */
    int http_status;
    const char *wrong;
    const char *values; /* added if something was found; or NULL */
    const char *remedy; /* or NULL: nothing is wrong */
} jc_reason_row_t;

/* The request's body on its way to stdin. */
typedef struct {
    apr_bucket_brigade *pending;
    int expected;        /* the request has a body */
    int eos;             /* all of it was read from the client */
    int done;            /* nothing will be written any more; stdin is closed */
    int want_client;     /* the next step needs bytes from the client */
    int has_filled_pipe; /* and so it was enlarged */
    int hangups;         /* reads without result after the client's hang-up */
} jc_body_t;

/* The script's stderr on its way to the error log. */
typedef struct {
    char *line; /* JC_STDERR_LINE_MAX + 1; NULL until something comes */
    size_t line_len;
    unsigned lines;
    size_t bytes;
    uint64_t dropped_lines;
    uint64_t dropped_bytes;
    jc_code_t loader_code; /* the loader's complaint, if there was one */
    const char *loader_line;
} jc_stderr_t;

/* What a ScriptLog is made of; only where one is configured. */
typedef struct {
    char *bytes;
    size_t len;
    size_t size;
} jc_kept_t;

typedef struct {
    jc_kept_t body;
    jc_kept_t out;
    jc_kept_t err;
} jc_script_log_t;

/* One request at the helper. */
typedef struct {
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

/* withheld.c: the variables that a script does not get. */
typedef struct {
    apr_pool_t *pool;
    apr_array_header_t *names; /* const char *; NULL: none */
    uint64_t bits;             /* one for each name, of 64 */
    int denied;                /* some are denied to all scripts, */
    int unlisted;              /* and some to those of this host */
} jc_withheld_t;

/* `name` must live as long as the request. */
void jc_withheld_add(jc_withheld_t *withheld, const char *name);
/* Logs them, unless the site's log has them already. */
void jc_withheld_report(jc_exchange_t *c, const jc_withheld_t *withheld);

/* origin.c: who was authenticated for this request, and how; or NULL. */
const char *jc_origin_user(const request_rec *r, const char **type);
/* 1: not as it came from the client: included, redirected, or the index of a
 * directory. */
int jc_origin_is_derived(const request_rec *r);
/* The request's headers with the values that the client has sent. */
apr_table_t *jc_origin_headers(const request_rec *r);
/* What mod_unique_id has made, or NULL. */
const char *jc_origin_unique_id(const request_rec *r);

/* For a host whose user is fixed: takes from an included script's variables the
 * page's user and TLS, if its own request has none. */
void jc_origin_drop_inherited(const jc_exchange_t *c);

/* owner_env.c: the environment of a script that runs as its owner. Adds to
 * *withheld what it leaves out. */
apr_table_t *jc_owner_env_make(jc_exchange_t *c, jc_withheld_t *withheld);
/* 1: JailPassEnv has the name. */
int jc_owner_env_passes(const jc_server_conf_t *conf, const char *name);
/* What mod_ssl says of a variable for this connection; or NULL. */
const char *jc_owner_env_tls_value(request_rec *r, const char *name);

/* ssi.c: a query as QUERY_STRING_UNESCAPED has it. */
const char *jc_ssi_unescaped(apr_pool_t *p, const char *args);

/* owner.c: sets c->owner_uid and c->owner_gid from the script's file, or from
 * its directory. */
apr_status_t jc_owner_find(jc_exchange_t *c);
/* HOME, USER and LOGNAME of that user. With a user of the policy's own they
 * come from the policy table. */
void jc_owner_add_variables(const jc_exchange_t *c, apr_table_t *env);

/*
 * request.c: writes arguments and environment of `r` to c->request, allocated
 * from r->pool. Sets c->jail_path. Returns 0, or -1 with c->why filled in.
 */
int jc_request_build(jc_exchange_t *c);
/* HEAD; also of what is run for a page that is asked for so. */
int jc_request_is_head(const request_rec *r);
/* A name as ap_create_environment makes it; `key` itself if it is one. */
const char *jc_request_clean_name(apr_pool_t *p, const char *key);
/*
 * channel.c. jc_channel_open makes a channel and sends SPAWN: 0, or -1 with
 * c->why filled in. jc_channel_reuse has the request go over one that is idle:
 * 1, or 0 if there is none. jc_channel_keep takes the request's channel for the
 * next one if it is free for it: 1, or 0 and it is still the caller's to close.
 */
int jc_channel_open(jc_exchange_t *c);
int jc_channel_reuse(jc_exchange_t *c);
int jc_channel_is_free(const jc_exchange_t *c);
int jc_channel_keep(jc_exchange_t *c);
/* handover.c: puts it into a control socket. 0, or -1 with errno. */
int jc_handover(const jc_exchange_t *c, int control_fd);
/* The path as the jail has it: without conf->root if it lies below. */
const char *jc_request_jail_path(apr_pool_t *p, const jc_server_conf_t *conf,
                                 const char *path);

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

/*
 * pump.c. jc_pump moves body, stderr and control messages until stdout has
 * something (or its end): APR_SUCCESS. After wait_ms without: APR_TIMEUP; -1
 * waits as long as Timeout allows. APR_EGENERAL: c->why tells.
 * jc_pump_end waits for the script's end after that of its output.
 */
apr_status_t jc_pump(jc_exchange_t *c, int wait_ms);
/* Sleeps until the whole request has ended, wait_ms at most: a script that is
 * done as soon as that costs one wake-up, instead of one each for its output,
 * the ends of its pipes and its exit. A slow one loses wait_ms. Without effect
 * while there is a body to be written. */
void jc_pump_nap(jc_exchange_t *c, int wait_ms);
/*
 * While the request's body is on its way and something moves, the page waits
 * (up to JC_PASS_BYTES of it): there are clients, LWP among them, that stop
 * sending as soon as they see a response, and then wait for its end.
 */
apr_status_t jc_pump_beside_body(jc_exchange_t *c);
void jc_pump_end(jc_exchange_t *c, int wait_ms);

/* nap.c: jc_pump_nap for the first wait of a request, JC_NAP_MS at most, unless
 * that has lately held up the script's output. */
void jc_nap_first(jc_exchange_t *c);

/* source.c: a bucket of unknown length that reads `from`. */
apr_bucket *jc_source_create(const apr_bucket_type_t *type, void *from,
                             apr_bucket_alloc_t *list);
/* It becomes the n bytes in buf, which is of its allocator, has room for `size`
 * and is the bucket's now; one that reads on comes after it. */
void jc_source_turn(apr_bucket *b, char *buf, apr_size_t size, apr_size_t n);

/* bucket.c: a bucket of unknown length that reads the script's stdout. */
apr_bucket *jc_bucket_create(jc_exchange_t *c, apr_bucket_alloc_t *list);

/* handler.c: OK, or the status with which the host refuses, logged. */
int jc_handler_check_host(request_rec *r, const jc_server_conf_t *conf);

/* spool.c: reads a body of unknown length, if the host says so, and sets
 * CONTENT_LENGTH. Returns 0, or -1 with c->why filled in. */
int jc_spool_body(jc_exchange_t *c);

/* script_log.c: keeps a piece of the body, of stdout, of stderr. */
void jc_script_log_keep(jc_kept_t *kept, apr_pool_t *p, const char *data,
                        size_t len, size_t most);
/* Appends what is known of a request that failed to the host's ScriptLog, if it
 * has one. `log` may be NULL: nothing was run. */
void jc_script_log_write(request_rec *r, const jc_server_conf_t *conf,
                         int status, const jc_script_log_t *log);

/* body.c: sets up c->body; moves what can be moved without waiting. */
void jc_body_init(jc_exchange_t *c);
void jc_body_step(jc_exchange_t *c);
void jc_body_stop(jc_exchange_t *c);
/* There is none, whatever the request's headers say. */
void jc_body_none(jc_exchange_t *c);
/* mod_deflate will take the content coding off: what the headers say of length
 * and coding is not what the script reads. */
int jc_body_is_inflated(request_rec *r);
/* The request fails because of it: what ap_get_brigade said. */
void jc_body_broken(jc_exchange_t *c, apr_status_t rv);

/* network.c: the next piece of the body, JC_READ_BYTES at most, as
 * ap_get_brigade gives it. */
apr_status_t jc_network_read(request_rec *r, apr_bucket_brigade *bb,
                             apr_read_type_e block);

/*
 * header.c: reads the header block out of `bb`, whose last bucket is ours, and
 * applies it to the request. What follows the block stays in `bb`.
 * JC_CODE_NONE: done, *status is what ap_meets_conditions said (OK mostly).
 * Otherwise *line is the offending line or NULL, and nothing was applied, or
 * c->why tells (then the code is the same).
 */
jc_code_t jc_header_read(jc_exchange_t *c, apr_bucket_brigade *bb, int *status,
                         const char **line);

/* Calls `each` for every line of the next block in `bb`, without its end. The
 * line may be changed. What it returns but JC_CODE_NONE ends the block. */
typedef jc_code_t jc_header_line_t(void *to, char *line);
jc_code_t jc_header_block(jc_exchange_t *c, apr_bucket_brigade *bb,
                          jc_header_line_t *each, void *to, const char **line);
/* Ends the line after the field's name. Returns the value, or NULL if the line
 * is no header field. */
char *jc_header_split(char *line);
int jc_header_is_printable(const char *value);
/* A field that only says something about the connection, which is httpd's. */
int jc_header_is_of_connection(const char *name);

/* nph.c: the head of an nph- script's answer, as it is sent. */
typedef struct {
    const char *text;   /* all of it, with interim answers before it */
    apr_int64_t length; /* bytes of its body, or -1: as many as come */
    int has_body;
} jc_nph_head_t;
jc_code_t jc_nph_read(jc_exchange_t *c, apr_bucket_brigade *bb,
                      jc_nph_head_t *head, const char **line);

/*
 * length.c: how much of an answer leaves. jc_length_is_trusted: the script may
 * name the length of its page. jc_length_guard takes what the page's header
 * says of its length, unless the script may, and holds the script to it.
 * jc_length_limit does that with an nph- script's body.
 */
int jc_length_is_trusted(request_rec *r);
void jc_length_guard(jc_exchange_t *c);
void jc_length_limit(jc_exchange_t *c, apr_int64_t length);

/* page.c: reads the answer and passes it on (raw: nph-); returns what the
 * handler returns. */
int jc_page_answer(jc_exchange_t *c, int raw);
/* verdict.c: nothing of the output is waited for any more, which has ended or
 * failed: says why in the log, and closes the client. */
void jc_page_finish(jc_exchange_t *c);
/* verdict.c: logs why there is no page, or only a part; ends the script. */
int jc_page_fail(jc_exchange_t *c, const jc_reason_t *why);

/* stderr.c */
void jc_stderr_read(jc_exchange_t *c);   /* until it is empty */
void jc_stderr_finish(jc_exchange_t *c); /* last line, count of dropped ones */

/* reason.c: logs one line, sets the note, returns the HTTP status. */
int jc_reason_log(request_rec *r, const jc_server_conf_t *conf,
                  const jc_reason_t *why);
/* Logs it of a request that goes on. */
void jc_reason_note(request_rec *r, const jc_server_conf_t *conf,
                    const jc_reason_t *why);
/* reason_table.c; never NULL: an unknown code has a row of its own. */
const jc_reason_row_t *jc_reason_table_row(uint32_t code);

#endif
