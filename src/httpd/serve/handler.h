/*
 * Declares what the handler checks before it runs anything of a host.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    the configuration
 */
#ifndef JC_HANDLER_H
#define JC_HANDLER_H

#include "src/httpd/config/config.h"

/* handler.c: returns OK, or the status with which the host refuses, and logs
 * the reason. */
int jc_handler_check_host(request_rec *r, const jc_server_conf_t *conf);

#endif
