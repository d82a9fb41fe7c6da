/*
 * Declares generations. A generation is the httpd children of one
 * configuration, as long as one of them lives.
 *
 * Runs in:   httpd parent (root)
 * Privilege: that of the parent
 * Trusts:    the configuration; of the helper only its pid and exit status
 */
#ifndef JC_GENERATIONS_H
#define JC_GENERATIONS_H

#include "src/httpd/config/config.h"
#include "src/wire/wire.h"

#include <sys/types.h>

/* The helper has room for 64, and may not have seen the end of some of them
 * yet. */
#define JC_GENERATIONS_KEPT 60

/* The httpd children of one configuration. */
typedef struct {
    uint64_t number;
    uint64_t caps;     /* mask of 1 << CAP_* that the helper needs for it */
    int helper_end_fd; /* kept, with the requests in it, if the helper dies */
    int table_fd;
    pid_t *children; /* all that were started, also ended ones; of malloc */
    unsigned child_count;
} jc_parent_generation_t;

typedef struct {
    unsigned count;
    jc_parent_generation_t list[JC_GENERATIONS_KEPT]; /* oldest first */
} jc_generations_t;

/* Adds a generation, for which there must be room. Takes ownership of table_fd,
 * even if it fails. Sets *children_end_fd, which the caller closes. Returns
 * NULL, or a sentence for the administrator. */
const char *jc_generations_open(apr_pool_t *p, jc_generations_t *all,
                                int table_fd, uint64_t number, uint64_t caps,
                                int *children_end_fd);
/* Restarts httpd gracefully if a child has cut off its generation. */
void jc_generations_check_newest(const jc_generations_t *all, server_rec *s);
/* Returns the newest generation. There must be one. */
const jc_parent_generation_t *
jc_generations_newest(const jc_generations_t *all);
/* Closes and removes the generation with this index. Never waits, whatever its
 * socket still holds. */
void jc_generations_drop(jc_generations_t *all, unsigned i);
/* Drops each generation whose socket shows that it has no child left. */
void jc_generations_drop_dead(jc_generations_t *all);
/* Closes the descriptors of all generations in this process, and forgets
 * them. */
void jc_generations_close(jc_generations_t *all);
/* Returns the capabilities that the helper needs for all of them. */
uint64_t jc_generations_caps(const jc_generations_t *all);
/* retire.c: notes that httpd has started this child of the newest
 * generation. */
void jc_retire_note_child(jc_generations_t *all, pid_t pid);
/* Gives up each older generation whose children have all ended, and says so to
 * the helper. Its socket may not have hung up, because a child has passed its
 * end on to somebody. Returns whether there was one. */
int jc_retire_generations(jc_generations_t *all, int helper_fd);
/* Announces a generation to the helper, without blocking. */
jc_wire_result_t
jc_generations_announce(int helper_fd,
                        const jc_parent_generation_t *generation);

#endif
