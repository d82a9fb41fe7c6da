/*
 * The places of JailConcurrency. A jail can have several keepers, because a new
 * one may be made while an older one still runs scripts. The limit holds for
 * all of them together. The count is therefore in a page that all keepers of
 * the jail have mapped, with a slot for each. Only keepers can reach the page:
 * scripts never get its descriptor. The helper reads nothing in it; it assigns
 * the slots, and clears the slot of a keeper that has ended.
 *
 * Runs in:   keeper
 * Privilege: root in jc_tally_open(), otherwise the tenant
 * Trusts:    other keepers of the same jail
 * Never:     lets more scripts run than the policy permits: it raises its own
 *            slot first, and lowers it again if the sum is too high
 */
#include "serve.h"

#include <sys/mman.h>
#include <unistd.h>

static struct {
    uint32_t *slots; /* NULL: JailConcurrency sets no limit */
    uint32_t *own;
} tally;

int jc_tally_open(jc_jail_t *jail, jc_failure_t *failure)
{
    int fd = jail->start.tally_fd;

    if (fd < 0) {
        return 0;
    }
    void *page = mmap(NULL, JC_TALLY_SLOTS * sizeof(uint32_t),
                      PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED) {
        return -1;
    }
    tally.slots = page;
    tally.own = &tally.slots[jail->start.tally_slot];
    jail->start.tally_fd = -1;
    return close(fd);
}

static uint64_t sum(void)
{
    uint64_t running = 0;

    for (unsigned i = 0; i < JC_TALLY_SLOTS; i++) {
        running += __atomic_load_n(&tally.slots[i], __ATOMIC_SEQ_CST);
    }
    return running;
}

int jc_tally_take(uint32_t most)
{
    if (!tally.slots) {
        return 1;
    }
    __atomic_add_fetch(tally.own, 1, __ATOMIC_SEQ_CST);
    if (sum() <= most) {
        return 1;
    }
    jc_tally_give(1);
    return 0;
}

void jc_tally_give(uint32_t places)
{
    if (tally.slots) {
        __atomic_sub_fetch(tally.own, places, __ATOMIC_SEQ_CST);
    }
}

int jc_tally_has_others(void)
{
    return tally.slots && sum() > __atomic_load_n(tally.own, __ATOMIC_SEQ_CST);
}
