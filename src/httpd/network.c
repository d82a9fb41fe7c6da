/*
 * The bucket at the bottom of a connection's input, which reads the socket. It
 * does what APR's does, 8,000 bytes a time, until a script's body is read: then
 * JC_READ_BYTES. A fast upload takes about a third less time so, most of which
 * is fewer wake-ups of the client and the script (bench/NOTES.md).
 *
 * Runs in:   httpd child
 * Privilege: the web user's
 * Trusts:    nothing of what it reads, at which it does not look
 * Never:     reads more than was asked for at a time when no body of ours is
 *            read; keeps a large buffer for little data
 */
#include "child.h"

#include "http_core.h"
#include "scoreboard.h"

#include <string.h>

/* A part of the buffer, below which it is not kept. */
#define LITTLE 4

/* One for each connection, in its pool and its conn_config. */
typedef struct {
    apr_socket_t *socket;
    apr_size_t read_bytes;
} network_t;

static apr_bucket *create(network_t *net, apr_bucket_alloc_t *list);

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

/* A client that sends byte by byte would have a large buffer for each. */
static char *shrink(char *large, apr_size_t len, apr_bucket_alloc_t *list)
{
    char *small = apr_bucket_alloc(len, list);

    memcpy(small, large, len);
    apr_bucket_free(large);
    return small;
}

/* What came becomes a bucket of the heap before this one. At the end of the
 * input this becomes an empty one, and nothing is left that reads. */
static apr_status_t network_read(apr_bucket *b, const char **data,
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
    if (size > APR_BUCKET_BUFF_SIZE && *len < size / LITTLE) {
        buf = shrink(buf, *len, b->list);
    }
    apr_bucket_heap_make(b, buf, *len, apr_bucket_free);
    APR_BUCKET_INSERT_AFTER(b, create(net, b->list));
    *data = buf;
    return APR_SUCCESS;
}

static const apr_bucket_type_t network_type = {
    "JAILCGI_NETWORK",
    5,
    APR_BUCKET_DATA,
    apr_bucket_destroy_noop,
    network_read,
    apr_bucket_setaside_notimpl,
    apr_bucket_split_notimpl,
    apr_bucket_copy_notimpl,
};

static apr_bucket *create(network_t *net, apr_bucket_alloc_t *list)
{
    apr_bucket *b = apr_bucket_alloc(sizeof(*b), list);

    APR_BUCKET_INIT(b);
    b->free = apr_bucket_free;
    b->list = list;
    b->type = &network_type;
    b->data = net;
    b->start = 0;
    b->length = (apr_size_t) -1;
    return b;
}

apr_status_t jc_network_insert(conn_rec *conn, apr_bucket_brigade *bb,
                               apr_socket_t *socket)
{
    network_t *net;

    /* No script is run here, or it is mod_proxy's connection to a server. */
    if (jc_link.socket_fd < 0 || !conn->sbh) {
        return AP_DECLINED;
    }
    net = apr_palloc(conn->pool, sizeof(*net));
    net->socket = socket;
    net->read_bytes = APR_BUCKET_BUFF_SIZE;
    ap_set_module_config(conn->conn_config, &jailcgi_module, net);
    APR_BRIGADE_INSERT_TAIL(bb, create(net, conn->bucket_alloc));
    return APR_SUCCESS;
}

void jc_network_set_large(conn_rec *conn, int is_large)
{
    network_t *net = ap_get_module_config(conn->conn_config, &jailcgi_module);

    if (net) { /* HTTP/2's streams have none */
        net->read_bytes = is_large ? JC_READ_BYTES : APR_BUCKET_BUFF_SIZE;
    }
}
