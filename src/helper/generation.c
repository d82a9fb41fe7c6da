/*
 * The policy tables of the live generations. Each table is mapped, checked and
 * taken apart; its policies are kept until the last httpd child of its
 * generation has gone.
 *
 * Runs in:   helper
 * Privilege: root
 * Trusts:    the parent, for the table's meaning; not for its shape
 * Never:     maps anything but a sealed table from the parent
 */
#include "helper.h"
#include "policies.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void *map_table(int table_fd, size_t *len)
{
    struct stat st;
    int seals = fcntl(table_fd, F_GET_SEALS);

    if (seals < 0 || (seals & JC_SEALS) != JC_SEALS || fstat(table_fd, &st) ||
        st.st_size <= 0 || st.st_size > (off_t) JC_TABLE_LEN_MAX) {
        return NULL;
    }
    *len = (size_t) st.st_size;
    void *data = mmap(NULL, *len, PROT_READ, MAP_PRIVATE, table_fd, 0);
    return data == MAP_FAILED ? NULL : data;
}

static void take_policies(jc_generation_t *generation,
                          const jc_table_head_t *table)
{
    uint32_t commons = table->common_count;
    uint32_t accounts = commons + table->policy_count;
    uint32_t count = accounts + table->account_count;
    jc_policy_t **parts = calloc(count + (size_t) 1, sizeof(*parts));

    if (!parts) {
        jc_log_bug("no memory for the policies");
    }
    for (uint32_t i = 0; i < count; i++) {
        parts[i] = jc_policies_intern(jc_policy_part(table, i),
                                      i < commons || i >= accounts
                                          ? NULL
                                          : parts[table->entries[i].common]);
    }
    generation->parts = parts;
    generation->part_count = count;
    generation->policies = parts + commons;
    generation->policy_count = table->policy_count;
    generation->accounts = parts + accounts;
    generation->account_count = table->account_count;
}

jc_policy_t *jc_generation_account(const jc_generation_t *generation,
                                   uint32_t uid)
{
    uint32_t from = 0, to = generation->account_count;

    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        jc_policy_t *account = generation->accounts[middle];
        if (account->account.uid == uid) {
            return account;
        }
        if (account->account.uid < uid) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return NULL;
}

/* Takes ownership of sock_fd, not of table_fd. The table is unmapped again. */
jc_generation_t *jc_generation_open(const jc_msg_generation_t *msg, int sock_fd,
                                    int table_fd)
{
    size_t len = 0;
    void *data = map_table(table_fd, &len);
    const jc_table_head_t *table =
        data ? jc_policy_check_table(data, len) : NULL;
    jc_generation_t *generation = NULL;

    if (table && table->generation == msg->generation) {
        generation = calloc(1, sizeof(*generation));
    }
    if (generation) {
        take_policies(generation, table);
        generation->number = msg->generation;
        generation->web_uid = msg->web_uid;
        generation->sock_fd = sock_fd;
    }
    if (data) {
        munmap(data, len);
    }
    return generation;
}

void jc_generation_close(jc_generation_t *generation)
{
    for (uint32_t i = 0; i < generation->part_count; i++) {
        jc_policies_unref(generation->parts[i]);
    }
    jc_dispose(&generation->sock_fd, 1); /* with everything in its queue */
    free(generation->parts);
    free(generation);
}
