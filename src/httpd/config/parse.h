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

#include <stdint.h>

/* What jc_parse_ms takes, for a sentence that says so. */
#define JC_PARSE_TIMES "seconds, or a number with ms, s, min or h"

/* Sets *number to a whole number from `least` to `most`, which may have a sign
 * only if `least` is negative. Returns 1, or 0 if it is none. */
int jc_parse_number(const char *text, int64_t least, int64_t most,
                    int64_t *number);
/* The same in octal, from 0 on. */
int jc_parse_mode(const char *text, uint32_t most, uint32_t *mode);
/* Bytes, with or without K, M or G, up to INT64_MAX. UINT64_MAX: it is none. */
uint64_t jc_parse_size(const char *text);
/* Sets *amount to a number; if it is of bytes it may end in K, M or G. Returns
 * NULL, or what is wrong with `text`, to follow it in a sentence. */
const char *jc_parse_amount(const char *text, int is_bytes, uint64_t *amount);
/* Milliseconds, from 1 to what an int holds of them, which is 24 days; -1: it
 * is none. */
int64_t jc_parse_ms(const char *text);
/* Sets *clean to `path` without doubled and trailing slashes, in p. Returns
 * NULL, or what is wrong with it, to follow it in a sentence. */
const char *jc_parse_path(apr_pool_t *p, const char *path, const char **clean);
/* Adds a string to a list, which is NULL before the first. The string must live
 * as long as p. */
void jc_parse_add_string(apr_pool_t *p, apr_array_header_t **strings,
                         const char *string);

#endif
