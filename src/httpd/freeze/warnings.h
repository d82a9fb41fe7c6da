/*
 * Declares the warnings about virtual hosts that freezing collects.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    the configuration
 */
#ifndef JC_WARNINGS_H
#define JC_WARNINGS_H

#include "src/wire/codes.h"

#include "apr_pools.h"
#include "httpd.h"

typedef struct jc_warnings_t jc_warnings_t;

/* Returns an empty collection, which lives as long as p. */
jc_warnings_t *jc_warnings_create(apr_pool_t *p);
/* Adds a sentence about `host`, the name by which other lines call it. Both
 * must live as long as the collection. */
void jc_warnings_add(jc_warnings_t *warnings, jc_code_t code, const char *host,
                     const char *sentence);
/* Logs a line for each host, or one for all hosts with the same code if they
 * are many. `s` and `level` are those of ap_log_error. */
void jc_warnings_log(const jc_warnings_t *warnings, int level, server_rec *s);

#endif
