/*
 * Declares the rows of JailMount pty.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    the configuration
 */
#ifndef JC_PTY_ROWS_H
#define JC_PTY_ROWS_H

#include "mount_rows.h"

/* pty_rows.c: appends the rows of pseudo-terminals; has_own_dev: the jail has a
 * /dev of its own. jc_pty_rows_exist() returns whether a host has them. */
void jc_pty_rows_add(apr_array_header_t *rows, const jc_server_conf_t *conf,
                     int has_own_dev);
int jc_pty_rows_exist(const jc_isolation_t *isolation);

#endif
