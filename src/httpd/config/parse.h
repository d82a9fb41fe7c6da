/*
 * Declares the parsers of numbers, sizes, times and paths in directives.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    nothing
 */
#ifndef JC_PARSE_H
#define JC_PARSE_H

#include "apr_tables.h"
#include "httpd.h"
#include "http_config.h"

#include <stdint.h>

/* Says in a sentence what jc_parse_ms takes. */
#define JC_PARSE_TIMES "seconds, or a number with ms, s, min or h"

/* Sets *number to the whole number in `text`, if it is from `least` to `most`.
 * It may have a sign only if `least` is negative. Returns 1, or 0 if there is
 * no such number. */
int jc_parse_number(const char *text, int64_t least, int64_t most,
                    int64_t *number);
/* Does the same for a number in octal, from 0 on. */
int jc_parse_mode(const char *text, uint32_t most, uint32_t *mode);
/* Returns a number of bytes up to INT64_MAX, which may end in K, M or G.
 * Returns UINT64_MAX if there is no such number. */
uint64_t jc_parse_size(const char *text);
/* Sets *amount to a number, which may end in K, M or G if it is one of bytes.
 * Returns NULL, or what is wrong with `text`, to follow it in a sentence. */
const char *jc_parse_amount(const char *text, int is_bytes, uint64_t *amount);
/* Returns milliseconds, from 1 to what an int can hold of them, which is 24
 * days. Returns -1 if there is no such time. */
int64_t jc_parse_ms(const char *text);
/* Reads the arguments NEVER, or WORD [max=TIME], of a directive. `max` is NULL
 * if there is no second one. Sets *ms to 0 for NEVER, and to JC_NO_MAX for WORD
 * alone. Returns NULL or a sentence. */
const char *jc_parse_word_max(cmd_parms *cmd, const char *never,
                              const char *word, const char *arg,
                              const char *max, int64_t *ms);
/* Sets *clean to `path` without doubled and trailing slashes, allocated from p.
 * Returns NULL, or what is wrong with it, to follow it in a sentence. */
const char *jc_parse_path(apr_pool_t *p, const char *path, const char **clean);
/* Adds a string to a list, which is NULL before the first one and is allocated
 * from p. The string is not copied, and must live as long as p. */
void jc_parse_add_string(apr_pool_t *p, apr_array_header_t **strings,
                         const char *string);

/* Reads `none` of a directive whose lines form a list: it discards the lines
 * before it and all that is inherited. Returns 1, or 0 if `arg` is not `none`.
 */
int jc_parse_none(const char *arg, apr_array_header_t **list, int *is_reset);

#endif
