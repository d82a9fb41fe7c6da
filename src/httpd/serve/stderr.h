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

/* The state of the script's stderr on its way to the error log. */
typedef struct {
    char *line; /* a line and its NUL; NULL until data comes */
    size_t line_len;
    unsigned lines;
    size_t bytes;
    uint64_t dropped_lines;
    uint64_t dropped_bytes;
    jc_code_t loader_code; /* the loader's complaint, if there was one */
    const char *loader_line;
} jc_stderr_t;

/* stderr.c: jc_stderr_read logs what the pipe holds, a bounded part of it in
 * one call. jc_stderr_finish logs the last line and the count of dropped
 * ones. */
void jc_stderr_read(jc_exchange_t *c);
void jc_stderr_finish(jc_exchange_t *c);
/* absent.c: notes in the log if a line says that something is missing which the
 * jail may be the reason of. */
void jc_absent_look(jc_exchange_t *c, const char *line);

#endif
