/*
 * Decides how a request first waits: it sleeps until its end, if such naps have
 * lately paid.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    nobody: tenants decide what is in the records, and the records
 *            decide only how long a request sleeps, JC_NAP_MS at most
 */
#include "exchange.h"
#include "pump.h"

#include "apr_hash.h"

#include <poll.h>
#include <stdint.h>

#define RECORDS     1024 /* of scripts, by hash */
#define SKIP_FIRST  64   /* requests without a nap, after a bad one */
#define SKIP_FACTOR 4    /* times, for each further bad one */
#define SKIP_MOST   4096
#define FORGIVEN    255 /* good naps in a row */

/*
 * Records what became of a script's naps. A good one saves a few wake-ups, some
 * ten microseconds. A bad one, which runs out while output is waiting, makes
 * the request up to JC_NAP_MS slower: the pipe of a script with a large page is
 * full and holds the script up, and a page that comes slowly begins later.
 * After one bad nap there is therefore none for many requests of that script,
 * and then one that finds out whether the script has changed. A nap that runs
 * out without output costs nothing that could be seen.
 *
 * The records belong to this process. Scripts may share one, and threads
 * overwrite each other's marks. Naps are then less well chosen, and nothing
 * else happens.
 */
typedef union {
    struct {
        uint16_t skip; /* requests still to go without a nap */
        uint8_t bad;   /* bad naps that are not forgiven */
        uint8_t good;  /* in a row */
    } is;
    uint32_t word;
} record_t;

static uint32_t records[RECORDS];

static uint32_t *record_of(const jc_exchange_t *c)
{
    apr_ssize_t len = APR_HASH_KEY_STRING;
    uintptr_t site = (uintptr_t) c->conf / sizeof(*c->conf);

    return &records[(apr_hashfunc_default(c->jail_path, &len) + site) %
                    RECORDS];
}

static void was_good(record_t *record)
{
    if (record->is.good < FORGIVEN) {
        record->is.good++;
    } else {
        record->is.bad = 0;
    }
}

static void was_bad(record_t *record)
{
    unsigned skip = SKIP_FIRST;

    if (record->is.skip > 0) {
        return; /* another thread has noticed it at the same time */
    }
    for (unsigned i = 0; i < record->is.bad && skip < SKIP_MOST; i++) {
        skip *= SKIP_FACTOR;
    }
    record->is.skip = (uint16_t) skip;
    record->is.bad += skip < SKIP_MOST;
    record->is.good = 0;
}

/* Returns whether output waits, also of stderr: either can hold a script up. */
static int output_waits(jc_exchange_t *c)
{
    struct pollfd p[2] = {{.events = POLLIN}, {.events = POLLIN}};

    jc_control_read(c); /* the pipes may only now be known */
    p[0].fd = c->stdout_fd;
    p[1].fd = c->stderr_fd;
    return poll(p, 2, 0) > 0;
}

void jc_nap_first(jc_exchange_t *c)
{
    uint32_t *word;
    record_t record;

    if (c->body.expected) {
        return;
    }
    word = record_of(c);
    record.word = __atomic_load_n(word, __ATOMIC_RELAXED);
    if (record.is.skip > 0) {
        record.is.skip--;
    } else {
        jc_pump_nap(c, JC_NAP_MS);
        record.word = __atomic_load_n(word, __ATOMIC_RELAXED);
        if (c->ended_in_nap) {
            was_good(&record);
        } else if (output_waits(c)) {
            was_bad(&record);
        }
    }
    __atomic_store_n(word, record.word, __ATOMIC_RELAXED);
}
