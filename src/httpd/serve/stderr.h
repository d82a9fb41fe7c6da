/*
 * Declares how the script's stderr reaches the site's error log.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    nothing that comes out of the pipe
 */
#ifndef JC_STDERR_H
#define JC_STDERR_H

#include "src/wire/codes.h"

#include <stddef.h>
#include <stdint.h>

typedef struct jc_exchange jc_exchange_t; /* exchange.h */

/* The script's stderr on its way to the error log. */
typedef struct {
    char *line; /* a line and its end; NULL until something comes */
    size_t line_len;
    unsigned lines;
    size_t bytes;
    uint64_t dropped_lines;
    uint64_t dropped_bytes;
    jc_code_t loader_code; /* the loader's complaint, if there was one */
    const char *loader_line;
} jc_stderr_t;

/* stderr.c */
void jc_stderr_read(jc_exchange_t *c);   /* until it is empty */
void jc_stderr_finish(jc_exchange_t *c); /* last line, count of dropped ones */

#endif
