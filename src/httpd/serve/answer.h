/*
 * Declares how the answer of a script is read, and passed on to the client.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    nothing that the script says
 */
#ifndef JC_ANSWER_H
#define JC_ANSWER_H

#include "src/wire/codes.h"

#include "httpd.h"
#include "apr_buckets.h"

typedef struct jc_exchange jc_exchange_t; /* exchange.h */

/*
 * header.c: reads the header block out of `bb`, whose last bucket is that of
 * bucket.c, and applies it to the request. What follows the block stays in
 * `bb`. Returns JC_CODE_NONE, and sets *status to what ap_meets_conditions said
 * (mostly OK). Otherwise applies nothing, and sets *line to the offending line
 * or NULL. If c->why says what failed, its code is returned.
 */
jc_code_t jc_header_read(jc_exchange_t *c, apr_bucket_brigade *bb, int *status,
                         const char **line);

/* Calls `each` for every line of the next block in `bb`, without the end of the
 * line, which `each` may change. Any result but JC_CODE_NONE ends the block.
 * Returns and sets *line as jc_header_read does. */
typedef jc_code_t jc_header_line_t(void *to, char *line);
jc_code_t jc_header_block(jc_exchange_t *c, apr_bucket_brigade *bb,
                          jc_header_line_t *each, void *to, const char **line);
/* header_field.c: ends the line after the field's name. Returns the value, or
 * NULL if the line is no header field. */
char *jc_header_field_split(char *line);
/* Returns whether httpd would send this value: it has no control characters
 * except tabs. */
int jc_header_field_is_printable(const char *value);
/* Returns whether a field only says something about the connection, which
 * belongs to httpd. */
int jc_header_field_is_of_connection(const char *name);

/* nph.c: the head of the answer of an nph- script, as it is sent. */
typedef struct {
    const char *text;   /* all of it, with interim answers before it */
    apr_int64_t length; /* bytes of the body; -1: as many as come */
    int has_body;
} jc_nph_head_t;
/* Fills *head, which lives as long as the request. Returns and sets *line as
 * jc_header_read does. */
jc_code_t jc_nph_read(jc_exchange_t *c, apr_bucket_brigade *bb,
                      jc_nph_head_t *head, const char **line);

/*
 * length.c: limits how much of an answer leaves. jc_length_is_trusted returns
 * whether the script may name the length of its page. jc_length_guard takes
 * away what the page's header says about its length, unless the script may name
 * it, and holds the script to it. jc_length_limit holds an nph- script to the
 * length of its body in bytes; -1 sets no limit.
 */
int jc_length_is_trusted(request_rec *r);
void jc_length_guard(jc_exchange_t *c);
void jc_length_limit(jc_exchange_t *c, apr_int64_t length);

/* broken.c: jc_broken_bucket returns the bucket that says to httpd that the
 * answer is broken off. jc_broken_mark closes the client's connection after the
 * answer, and makes sure that the bucket reaches the end of the filters. */
apr_bucket *jc_broken_bucket(request_rec *r);
void jc_broken_mark(request_rec *r);

/* page.c: reads the answer and passes it on; `raw` is for an nph- script.
 * Returns what the handler returns. */
int jc_page_answer(jc_exchange_t *c, int raw);

#endif
