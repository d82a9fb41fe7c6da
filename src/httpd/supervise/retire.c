/*
 * Retires generations whose children have all ended.
 *
 * Usually the socket of such a generation hangs up, because nobody else has an
 * end of it. But a compromised httpd child can have passed its end to a process
 * of a tenant that outlives it. The generation would then last for as long as
 * that process likes. Therefore the parent remembers which children it has
 * started, and asks the kernel which of them it still has.
 *
 * Runs in:   httpd parent (root)
 * Privilege: that of the parent
 * Trusts:    the MPM, for the pid of a child that it has just started; the
 *            kernel's list of children. Not the scoreboard, which httpd
 *            children can write
 * Never:     retires the newest generation
 */
#include "generations.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ROOM_STEP 64

void jc_retire_note_child(jc_generations_t *all, pid_t pid)
{
    jc_parent_generation_t *newest;
    pid_t *grown;

    if (all->count == 0) {
        return;
    }
    newest = &all->list[all->count - 1];
    if (newest->child_count % ROOM_STEP == 0) {
        grown = realloc(newest->children,
                        (newest->child_count + ROOM_STEP) * sizeof(*grown));
        if (!grown) {
            return; /* it then ends with its socket, or is never retired */
        }
        newest->children = grown;
    }
    newest->children[newest->child_count++] = pid;
}

static int contains(const pid_t *pids, unsigned count, pid_t pid)
{
    for (unsigned i = 0; i < count; i++) {
        if (pids[i] == pid) {
            return 1;
        }
    }
    return 0;
}

/* Returns how many children of the generation are in the kernel's list, at
 * most. Returns -1 if the list cannot be read, because then all of them may
 * live. */
static int living_of(const jc_parent_generation_t *generation)
{
    char path[64];
    int living = 0, pid, items;
    FILE *list;

    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int) getpid());
    list = fopen(path, "re");
    if (!list) {
        return -1;
    }
    while ((items = fscanf(list, "%d", &pid)) == 1) {
        living += contains(generation->children, generation->child_count, pid);
    }
    if (items != EOF || ferror(list)) {
        living = -1;
    }
    fclose(list);
    return living;
}

int jc_retire_generations(jc_generations_t *all, int helper_fd)
{
    unsigned i = 0;
    int retired = 0;

    while (i + 1 < all->count) {
        const jc_parent_generation_t *generation = &all->list[i];
        jc_msg_retire_t msg = {.generation = generation->number};

        /* If an MPM does not name its children, there are none to look for.
         * What cannot be sent now is sent the next time. */
        if (generation->child_count == 0 || living_of(generation) != 0 ||
            jc_wire_send(helper_fd, JC_MSG_RETIRE, &msg, NULL, 0,
                         MSG_DONTWAIT) != JC_WIRE_OK) {
            i++;
        } else {
            jc_generations_drop(all, i);
            retired = 1;
        }
    }
    return retired;
}
