/*
 * Implements the bucket at the bottom of a connection's input, which reads the
 * socket. It does the same as that of APR, which reads 8,000 bytes at a time,
 * but reads JC_READ_BYTES while a script's body is asked for. A fast upload
 * then takes about a third less time (bench/history/NOTES.md).
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    nothing that it reads, and does not look at it
 * Never:     reads more at a time than APR's bucket for anybody else; keeps a
 *            buffer of which less than a quarter is used
 */
#include "body.h"
#include "hooks.h"
#include "pump.h"
#include "src/httpd/config/config.h"
#include "src/httpd/link.h"

#include "http_core.h"
#include "util_filter.h"

#include <string.h>

#define KEPT_PART 4 /* a large buffer is kept if this part is used */

/* There is one for each connection, in its pool and its conn_config. */
typedef struct {
    apr_socket_t *socket;
    apr_size_t read_bytes;
} network_t;

static apr_status_t receive(apr_socket_t *socket, char *buf, apr_size_t *len,
                            apr_read_type_e block)
{
    apr_interval_time_t timeout;
    apr_status_t rv;

    if (block == APR_BLOCK_READ) {
        return apr_socket_recv(socket, buf, len);
    }
    apr_socket_timeout_get(socket, &timeout);
    apr_socket_timeout_set(socket, 0);
    rv = apr_socket_recv(socket, buf, len);
    apr_socket_timeout_set(socket, timeout);
    return rv;
}

/* A client that sends byte by byte would otherwise have a large buffer for
 * each. */
static char *shrink(char *large, apr_size_t len, apr_bucket_alloc_t *list)
{
    char *small = apr_bucket_alloc(len, list);

    memcpy(small, large, len);
    apr_bucket_free(large);
    return small;
}

/* Turns the bucket into a heap bucket of what came, with a new reading one
 * after it. At the end of the input it becomes an empty one, and nothing is
 * left that reads. */
static apr_status_t read_socket(apr_bucket *b, const char **data,
                                apr_size_t *len, apr_read_type_e block)
{
    network_t *net = b->data;
    apr_size_t size = net->read_bytes;
    char *buf = apr_bucket_alloc(size, b->list);
    apr_status_t rv;

    *data = NULL;
    *len = size;
    rv = receive(net->socket, buf, len, block);
    if (rv != APR_SUCCESS && rv != APR_EOF) {
        apr_bucket_free(buf);
        return rv;
    }
    if (*len == 0) {
        apr_bucket_free(buf);
        apr_bucket_immortal_make(b, "", 0);
        *data = b->data;
        return APR_SUCCESS;
    }
    if (size > APR_BUCKET_BUFF_SIZE && *len < size / KEPT_PART) {
        buf = shrink(buf, *len, b->list);
        size = *len;
    }
    jc_source_turn(b, buf, size, *len);
    *data = buf;
    return APR_SUCCESS;
}

static const apr_bucket_type_t network_type = {
    "JAILCGI_NETWORK",
    5,
    APR_BUCKET_DATA,
    apr_bucket_destroy_noop,
    read_socket,
    apr_bucket_setaside_notimpl,
    apr_bucket_split_notimpl,
    apr_bucket_copy_notimpl,
};

apr_status_t jc_network_insert(conn_rec *conn, apr_bucket_brigade *bb,
                               apr_socket_t *socket)
{
    network_t *net;

    /* Either no script is run here, or the connection is not to a client, as
     * most of those of mod_proxy. */
    if (jc_link.socket_fd < 0 || !conn->sbh) {
        return AP_DECLINED;
    }
    net = apr_palloc(conn->pool, sizeof(*net));
    net->socket = socket;
    net->read_bytes = APR_BUCKET_BUFF_SIZE;
    ap_set_module_config(conn->conn_config, &jailcgi_module, net);
    APR_BRIGADE_INSERT_TAIL(bb, jc_source_create(&network_type, net,
                                                 conn->bucket_alloc));
    return APR_SUCCESS;
}

apr_status_t jc_network_read(request_rec *r, apr_bucket_brigade *bb,
                             apr_read_type_e block)
{
    network_t *net =
        ap_get_module_config(r->connection->conn_config, &jailcgi_module);
    apr_status_t rv;

    if (net) { /* streams of HTTP/2 have none */
        net->read_bytes = JC_READ_BYTES;
    }
    rv = ap_get_brigade(r->input_filters, bb, AP_MODE_READBYTES, block,
                        JC_READ_BYTES);
    if (net) {
        net->read_bytes = APR_BUCKET_BUFF_SIZE;
    }
    return rv;
}
