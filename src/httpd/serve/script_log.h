/*
 * Declares what is kept for mod_cgi's ScriptLog, and how it is written.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    nothing that comes out of the pipes
 */
#ifndef JC_SCRIPT_LOG_H
#define JC_SCRIPT_LOG_H

#include "src/httpd/config/config.h"

#define JC_LOG_OUTPUT_MAX 65536 /* bytes of stdout and of stderr */

/* Holds what a ScriptLog is made of, only where one is configured. */
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

/* script_log.c: keeps a piece of the body, of stdout or of stderr, allocated
 * from p. At most `most` bytes are kept, and the rest is dropped. */
void jc_script_log_keep(jc_kept_t *kept, apr_pool_t *p, const char *data,
                        size_t len, size_t most);
/* Appends what is known about a failed request to the host's ScriptLog, if it
 * has one. `log` is NULL if nothing was run. */
void jc_script_log_write(request_rec *r, const jc_server_conf_t *conf,
                         int status, const jc_script_log_t *log);

#endif
