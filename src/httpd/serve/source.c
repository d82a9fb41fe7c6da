/*
 * Implements what the buckets that read when they are asked have in common:
 * those of stdout (bucket.c) and of the connection (network.c). As with the
 * buckets of APR for pipes and sockets, one becomes what it has read, with a
 * new one after it.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    nothing that is read, and does not look at it
 */
#include "pump.h"

apr_bucket *jc_source_create(const apr_bucket_type_t *type, void *from,
                             apr_bucket_alloc_t *list)
{
    apr_bucket *b = apr_bucket_alloc(sizeof(*b), list);

    APR_BUCKET_INIT(b);
    b->free = apr_bucket_free;
    b->list = list;
    b->type = type;
    b->data = from;
    b->start = -1;
    b->length = (apr_size_t) -1;
    return b;
}

void jc_source_turn(apr_bucket *b, char *buf, apr_size_t size, apr_size_t n)
{
    const apr_bucket_type_t *type = b->type;
    void *from = b->data;
    apr_bucket_heap *heap;

    apr_bucket_heap_make(b, buf, n, apr_bucket_free);
    heap = b->data;
    heap->alloc_len = size;
    APR_BUCKET_INSERT_AFTER(b, jc_source_create(type, from, b->list));
}
