/*
 * Declares the functions that mod_jailcgi.c registers as hooks, which httpd
 * calls for a request, for a connection and for a new child.
 *
 * Runs in:   httpd parent (those that register), httpd child
 * Privilege: that of the process
 * Trusts:    httpd
 */
#ifndef JC_HOOKS_H
#define JC_HOOKS_H

#include "httpd.h"
#include "apr_buckets.h"

/* ssi.c: hooks for `exec` of mod_include. The first runs before the
 * configuration is read, and the second after it. */
int jc_ssi_watch(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp);
void jc_ssi_register(void);

/* once.c: makes memory that the httpd children share. It lives as long as
 * pconf. */
void jc_once_prepare(apr_pool_t *pconf, server_rec *s);

/* origin.c: hooks, which note what a request brought. */
int jc_origin_read(request_rec *r);
int jc_origin_fixup(request_rec *r);

/* channel_pool.c: runs in an httpd child before it serves. The pool lives as
 * long as p. */
void jc_channel_pool_child_init(apr_pool_t *p);

/* network.c: hook. Puts the bucket that reads the socket into `bb`. */
apr_status_t jc_network_insert(conn_rec *conn, apr_bucket_brigade *bb,
                               apr_socket_t *socket);

/* length.c: registers the output filter. */
void jc_length_register(void);
void jc_broken_register(void);

/* handler.c: the content handler. */
int jc_handler(request_rec *r);

#endif
