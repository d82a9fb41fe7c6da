/*
 * Declares why a request failed: a code of codes.h becomes one log line and a
 * status.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    the configuration; texts that came from elsewhere are quoted
 */
#ifndef JC_REASON_H
#define JC_REASON_H

#include "src/httpd/config/config.h"
#include "src/wire/codes.h"

/* Says why a request failed, with what the sentence needs. */
typedef struct {
    jc_code_t code;
    int errnum;
    int http_status; /* 0: that of the table */
    int has_run;     /* it was started, whatever the group of the code */
    uint64_t found;
    uint64_t expected;
    const char *text;            /* path, name or line; untrusted */
    const jc_refusal_t *refusal; /* texts that say more; NULL: none */
} jc_reason_t;

/* A row of the table of reasons. reason.c explains the words in braces. */
typedef struct {
    jc_code_t code;
    int level; /* APLOG_* */
    int http_status;
    const char *wrong;
    const char *values; /* added if something was found; NULL: none */
    const char *remedy; /* NULL: nothing is wrong */
} jc_reason_row_t;

/* reason.c: logs one line, sets the notes and returns the HTTP status. */
int jc_reason_log(request_rec *r, const jc_server_conf_t *conf,
                  const jc_reason_t *why);
/* Logs the reason of a request that goes on. */
void jc_reason_note(request_rec *r, const jc_server_conf_t *conf,
                    const jc_reason_t *why);
/* reason_table.c: returns the row of a code, and never NULL: an unknown code
 * has a row of its own. */
const jc_reason_row_t *jc_reason_table_row(uint32_t code);

/* reason_words.c: say what kind of file an st_mode is (or
 * JC_INTERPRETER_SIXTH), what kind of file system a jc_fs_t, why a file cannot
 * be executed (JC_EXEC_*), and what to do about a signal. */
const char *jc_reason_words_type(uint64_t mode);
const char *jc_reason_words_file_system(uint64_t fs);
const char *jc_reason_words_denied(uint64_t found);
const char *jc_reason_words_signal(uint64_t signum);

/* jail_path.c: returns the path that `path` has in the jail: without conf->root
 * if it is below that. Allocates nothing. */
const char *jc_jail_path(apr_pool_t *p, const jc_server_conf_t *conf,
                         const char *path);

#endif
