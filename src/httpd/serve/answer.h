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
/* header_field.c: ends the line after the field's name. Returns the value, or
 * NULL if the line is no header field. */
char *jc_header_field_split(char *line);
int jc_header_field_is_printable(const char *value);
/* A field that only says something about the connection, which is httpd's. */
int jc_header_field_is_of_connection(const char *name);

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

#endif
