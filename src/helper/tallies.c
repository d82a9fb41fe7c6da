/*
 * The pages in which the keepers of one jail together count the scripts of
 * JailConcurrency (src/keeper/serve/tally.c). A page is made with the first of
 * these keepers and freed with the last.
 *
 * Runs in:   helper
 * Privilege: root
 * Never:     reads a page: keepers can write anything into it
 */
#include "helper.h"
#include "jails.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define LEN (JC_TALLY_SLOTS * sizeof(uint32_t))

struct jc_tally {
    struct jc_tally *next;
    const jc_policy_t *policy;
    uint32_t uid;
    uint32_t gid;
    int fd;
    uint64_t slots; /* a bit for each that is taken */
};

static jc_tally_t *tallies;

/* Makes a memfd that no keeper can truncate, because another keeper would get
 * SIGBUS from it. */
static int make_page(void)
{
    int fd = memfd_create("jailcgi-tally", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd >= 0 &&
        (ftruncate(fd, LEN) ||
         fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))) {
        close(fd);
        return -1;
    }
    return fd;
}

static jc_tally_t *find_or_make(const jc_jail_entry_t *jail)
{
    jc_tally_t *tally = tallies;

    while (tally && !jc_jail_is(jail, tally->policy, tally->uid, tally->gid)) {
        tally = tally->next;
    }
    if (tally) {
        return tally;
    }
    tally = calloc(1, sizeof(*tally));
    if (!tally || (tally->fd = make_page()) < 0) {
        free(tally);
        return NULL;
    }
    tally->policy = jail->policy;
    tally->uid = jail->uid;
    tally->gid = jail->gid;
    tally->next = tallies;
    tallies = tally;
    return tally;
}

static void forget(jc_tally_t *tally)
{
    jc_tally_t **link = &tallies;

    while (*link != tally) {
        link = &(*link)->next;
    }
    *link = tally->next;
    close(tally->fd);
    free(tally);
}

int jc_tallies_take(jc_jail_entry_t *jail)
{
    if (!jail->policy->rec.running_max) {
        return -1;
    }
    jc_tally_t *tally = find_or_make(jail);
    if (!tally) {
        return -1;
    }
    /* A slot is free, because one user has no more keepers than there are slots
     * (JC_JAILS_UID_MAX). */
    while (tally->slots & (UINT64_C(1) << jail->slot)) {
        jail->slot++;
    }
    tally->slots |= UINT64_C(1) << jail->slot;
    jail->tally = tally;
    return tally->fd;
}

void jc_tallies_give(jc_jail_entry_t *jail)
{
    jc_tally_t *tally = jail->tally;
    const uint32_t none = 0;

    if (!tally) {
        return;
    }
    if (pwrite(tally->fd, &none, sizeof(none),
               (off_t) (jail->slot * sizeof(none))) != sizeof(none)) {
        jc_log_bug("a slot of a tally cannot be cleared");
    }
    tally->slots &= ~(UINT64_C(1) << jail->slot);
    jail->tally = NULL;
    if (tally->slots == 0) {
        forget(tally);
    }
}
