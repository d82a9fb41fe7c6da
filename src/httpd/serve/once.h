/*
 * Declares what a site's log has once until the next restart or reload.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    nothing in the shared memory
 */
#ifndef JC_ONCE_H
#define JC_ONCE_H

#include "src/httpd/config/config.h"
#include "src/wire/codes.h"

/* once.c: returns 1 to the first request of this host that asks with a bit that
 * is not set yet, and sets the bits: those of withheld names. */
int jc_once_names(const jc_server_conf_t *conf, uint64_t bits);
/* Does the same for a system call that was refused. */
int jc_once_call(const jc_server_conf_t *conf, uint32_t call);
/* Returns 1 if the log does not have this code yet. */
int jc_once_is_due(const jc_server_conf_t *conf, jc_code_t code);
/* Returns 1 to the first request of this host that asks with this code, and to
 * each one that asks with a code that is logged each time. */
int jc_once_take(const jc_server_conf_t *conf, jc_code_t code);

#endif
