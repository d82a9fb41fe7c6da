/*
 * Keeps channels for the next request. A server of thousands of tenants needs
 * one for each tenant that is busy, because requests without one go through the
 * helper. Therefore there are many, and a hash finds them.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    nothing; this process made what is kept here
 * Never:     takes more than a quarter of the descriptors
 */
#include "channel_pool.h"
#include "hooks.h"

#include "ap_mpm.h"
#include "apr_ring.h"
#include "apr_thread_mutex.h"

#include <sys/resource.h>
#include <unistd.h>

/* The pool may have one channel for this many descriptors of the process. Each
 * channel has two. */
#define SHARE 8
#define MOST  2048
/* This is the limit for each thread. Prefork has hundreds of httpd children
 * with one thread, whose channels add up. A channel takes some 9 KB of the
 * kernel's memory. */
#define OF_A_THREAD 32

typedef struct slot {
    APR_RING_ENTRY(slot) same; /* in its bucket, the newest first */
    APR_RING_ENTRY(slot) age;  /* of all kept ones, or of the free ones */
    jc_pooled_channel_t channel;
} slot_t;

typedef APR_RING_HEAD(ring, slot) ring_t;

static struct {
    apr_thread_mutex_t *mutex;
    ring_t *buckets; /* NULL: nothing is kept */
    unsigned mask;   /* their number, a power of two, minus one */
    ring_t age;      /* the newest first */
    ring_t free;
} idle;

static unsigned how_many(int threads)
{
    struct rlimit limit = {.rlim_cur = 1024};
    rlim_t most = (rlim_t) (threads > 0 ? threads : 1) * OF_A_THREAD;

    (void) getrlimit(RLIMIT_NOFILE, &limit);
    most = most < limit.rlim_cur / SHARE ? most : limit.rlim_cur / SHARE;
    return (unsigned) (most < MOST ? most : MOST);
}

void jc_channel_pool_child_init(apr_pool_t *p)
{
    int threads = 1;
    unsigned most, count = 1;
    slot_t *slots;

    (void) ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads);
    most = how_many(threads);
    /* mod_http2 has threads of its own, which this number does not count. */
    if (most == 0 ||
        apr_thread_mutex_create(&idle.mutex, APR_THREAD_MUTEX_DEFAULT, p)) {
        return; /* then each request has a channel of its own */
    }
    while (count < most) {
        count *= 2;
    }
    slots = apr_palloc(p, most * sizeof(*slots));
    idle.buckets = apr_palloc(p, count * sizeof(*idle.buckets));
    idle.mask = count - 1;
    for (unsigned i = 0; i < count; i++) {
        APR_RING_INIT(&idle.buckets[i], slot, same);
    }
    APR_RING_INIT(&idle.age, slot, age);
    APR_RING_INIT(&idle.free, slot, age);
    for (unsigned i = 0; i < most; i++) {
        APR_RING_INSERT_TAIL(&idle.free, &slots[i], slot, age);
    }
}

/* Policies are numbered one after the other. The uid counts too, because one
 * policy may have many. */
static ring_t *bucket_of(const jc_pooled_channel_t *channel)
{
    return &idle.buckets[(channel->policy + 31 * channel->uid) & idle.mask];
}

static slot_t *find(const jc_pooled_channel_t *wanted)
{
    ring_t *bucket = bucket_of(wanted);
    slot_t *slot;

    APR_RING_FOREACH(slot, bucket, slot, same)
    {
        const jc_pooled_channel_t *at = &slot->channel;
        if (at->policy == wanted->policy && at->uid == wanted->uid &&
            at->gid == wanted->gid) {
            return slot;
        }
    }
    return NULL;
}

static void take_out(slot_t *slot)
{
    APR_RING_REMOVE(slot, same);
    APR_RING_REMOVE(slot, age);
}

int jc_channel_pool_take(jc_pooled_channel_t *wanted)
{
    slot_t *slot;

    if (!idle.buckets) {
        return 0;
    }
    apr_thread_mutex_lock(idle.mutex);
    slot = find(wanted);
    if (slot) {
        take_out(slot);
        *wanted = slot->channel;
        APR_RING_INSERT_HEAD(&idle.free, slot, slot, age);
    }
    apr_thread_mutex_unlock(idle.mutex);
    return slot != NULL;
}

int jc_channel_pool_put(const jc_pooled_channel_t *channel)
{
    jc_pooled_channel_t old = {.control_fd = -1, .ended_fd = -1};
    slot_t *slot;

    if (!idle.buckets) {
        return 0;
    }
    apr_thread_mutex_lock(idle.mutex);
    if (APR_RING_EMPTY(&idle.free, slot, age)) {
        slot = APR_RING_LAST(&idle.age);
        take_out(slot);
        old = slot->channel;
    } else {
        slot = APR_RING_FIRST(&idle.free);
        APR_RING_REMOVE(slot, age);
    }
    slot->channel = *channel;
    APR_RING_INSERT_HEAD(bucket_of(channel), slot, slot, same);
    APR_RING_INSERT_HEAD(&idle.age, slot, slot, age);
    apr_thread_mutex_unlock(idle.mutex);
    if (old.control_fd >= 0) {
        close(old.control_fd);
        close(old.ended_fd);
    }
    return 1;
}
