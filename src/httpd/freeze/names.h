/*
 * Declares the look-ups in the user database.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    the machine's user database
 */
#ifndef JC_NAMES_H
#define JC_NAMES_H

#include "freeze.h"

#include "apr_hash.h"

/* The groups of a user, together with one that is the primary group. */
typedef struct jc_names_groups_t {
    struct jc_names_groups_t *next;
    const char *problem;
    uint32_t gid;
    uint32_t count;
    const uint32_t *ids;
    const char *const *names; /* NULL: not needed yet */
} jc_names_groups_t;

/* A user or a group as it is configured, with what the look-up has found. */
typedef struct {
    const char *problem; /* why there is no number, or NULL */
    uint32_t id;
    const char *name; /* NULL: a number was configured that has no name,
                       * or (for groups) any number */
    int has_entry;    /* users: the fields below are valid */
    uint32_t gid;
    const char *home;
    jc_names_groups_t *lists;
} jc_names_entry_t;

struct jc_identity_names_t {
    apr_pool_t *p;
    apr_hash_t *users;  /* as configured -> jc_names_entry_t */
    apr_hash_t *groups; /* the same for groups */
    apr_hash_t *by_gid; /* gid -> gid_name_t */
};

/* Each looks up what a directive has: a name, or # and a number. The entry
 * lives as long as `names`. */
jc_names_entry_t *jc_names_user(jc_identity_names_t *names, const char *user);
jc_names_entry_t *jc_names_group(jc_identity_names_t *names, const char *group);
/* Returns NULL if the group has no name. */
const char *jc_names_gid(jc_identity_names_t *names, uint32_t gid);
/* Returns the groups that a login of this user with that primary group would
 * have, or a list with a problem. */
jc_names_groups_t *jc_names_groups(jc_identity_names_t *names,
                                   jc_names_entry_t *user, uint32_t gid);
/* Returns the names of these groups in their order, NULL for one without. */
const char *const *jc_names_of_groups(jc_identity_names_t *names,
                                      jc_names_groups_t *groups);

#endif
