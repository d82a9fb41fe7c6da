/*
 * Makes the script's child, which runs in the keeper's memory until it executes
 * the script.
 *
 * fork would copy the keeper's memory, make the kernel copy each page that
 * either process writes, and remove the copy at exec. That is a fifth of the
 * cost of a small script (bench/history/NOTES.md). vfork would stop the keeper
 * until exec, and with it the whole jail, while a file system is slow or a
 * process of the tenant has stopped the child. The two therefore share the
 * memory, and both continue (clone(2), CLONE_VM). Sharing has four conditions:
 *
 * - The child has a stack of its own in a slot, with a guard page below it that
 *   cannot be touched. All other memory that it writes is in the slot too.
 * - The child calls no function of the C library that has a state (sys.h).
 * - The keeper learns when the child has left, so that it can use the slot
 *   again: the kernel clears slot->busy at exec and at exit
 *   (CLONE_CHILD_CLEARTID). The kernel would not clear it for a child that
 *   dumps core, and kernels before 5.16 would also kill the keeper then; but
 *   neither may be dumped (src/keeper/build/jail.c, "undumpable").
 * - A child that is killed, as the tenant may do at any moment, leaves no
 *   mapping behind: it maps only into a range that the slot reserves for that.
 *
 * A child could do nothing to the keeper by this that the tenant's scripts may
 * not do anyway. Keeper and child are the same user, in the same jail, without
 * a privilege, and the child runs none of the tenant's code before exec.
 *
 * Runs in:   keeper
 * Privilege: none; it is the tenant
 * Trusts:    the child, which runs this same program
 * Never:     touches a slot that is busy
 */
#include "serve.h"
#include "src/keeper/launch/launch.h"
#include "src/keeper/launch/sys.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#define GUARD_LEN 65536u /* whole pages, whatever their size */
#define STACK_LEN 131072u
/* A policy has at most JC_POLICY_LEN_MAX bytes of strings to add. */
#define RESERVE_LEN                                                            \
    (JC_REQUEST_LEN_MAX +                                                      \
     (JC_REQUEST_STRINGS_MAX + JC_POLICY_LEN_MAX) * sizeof(char *))

static jc_slot_t *slots; /* all of them, the last one used first */

static int is_busy(const jc_slot_t *slot)
{
    return __atomic_load_n(&slot->busy, __ATOMIC_ACQUIRE) != 0;
}

/* The slot is above its stack, which grows down to the guard. */
static char *stack_top(jc_slot_t *slot)
{
    return (char *) slot;
}

/* Covers the range with a mapping that cannot be touched and takes no
 * memory. */
static char *cover(void *at)
{
    return mmap(at, RESERVE_LEN, PROT_NONE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
                    (at ? MAP_FIXED : 0),
                -1, 0);
}

static jc_slot_t *make_slot(void)
{
    size_t len = GUARD_LEN + STACK_LEN + sizeof(jc_slot_t);
    char *reserve = cover(NULL);
    char *at = mmap(NULL, len, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (reserve != MAP_FAILED && at != MAP_FAILED &&
        mprotect(at, GUARD_LEN, PROT_NONE) == 0) {
        jc_slot_t *slot = (jc_slot_t *) (at + GUARD_LEN + STACK_LEN);
        slot->reserve = reserve;
        return slot;
    }
    if (at != MAP_FAILED) {
        munmap(at, len);
    }
    if (reserve != MAP_FAILED) {
        munmap(reserve, RESERVE_LEN);
    }
    return NULL;
}

/* Moves a free slot to the head of the list and returns it. NULL: no memory. */
static jc_slot_t *take_slot(void)
{
    jc_slot_t **link = &slots;
    jc_slot_t *slot;

    while (*link && is_busy(*link)) {
        link = &(*link)->next;
    }
    slot = *link;
    if (slot) {
        *link = slot->next;
    } else {
        slot = make_slot();
    }
    if (slot) {
        slot->next = slots;
        slots = slot;
    }
    return slot;
}

/* If the range cannot be covered again it stays as it is, and a later call
 * tries again. */
static void give_back(jc_slot_t *slot)
{
    if (slot->is_mapped && cover(slot->reserve) != MAP_FAILED) {
        slot->is_mapped = 0;
    }
}

void jc_spawn_tidy(void)
{
    for (jc_slot_t *slot = slots; slot; slot = slot->next) {
        if (!is_busy(slot)) {
            give_back(slot);
        }
    }
}

#if JC_CHILD_SHARES_MEMORY

static int enter(void *slot)
{
    jc_launch(slot);
}

static pid_t make_child(jc_slot_t *slot)
{
    return clone(enter, stack_top(slot),
                 CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, slot, NULL, NULL,
                 &slot->busy);
}

#else

/* The child's slot is a copy, so the keeper's is free at once. */
static pid_t make_child(jc_slot_t *slot)
{
    pid_t pid = _Fork();

    (void) stack_top;
    if (pid == 0) {
        jc_launch(slot);
    }
    slot->busy = 0;
    return pid;
}

#endif

pid_t jc_spawn(const jc_jail_t *jail, uint64_t request_id, int control_fd,
               uint32_t web_uid)
{
    jc_slot_t *slot = take_slot();

    if (!slot) {
        errno = ENOMEM;
        return -1;
    }
    give_back(slot);
    slot->jail = jail;
    slot->request_id = request_id;
    slot->control_fd = control_fd;
    slot->web_uid = web_uid;
    slot->busy = 1;
    pid_t pid = make_child(slot);
    if (pid < 0) {
        slot->busy = 0;
    }
    return pid;
}
