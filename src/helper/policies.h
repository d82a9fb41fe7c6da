/*
 * The policies of all generations, each stored once.
 *
 * Runs in:   helper
 * Privilege: root, least capabilities
 */
#ifndef JC_POLICIES_H
#define JC_POLICIES_H

#include "helper.h"

/* policies.c: the one with these bytes, whose length is the first word, and
 * with this common part; which is NULL for such a part itself. */
jc_policy_t *jc_policies_intern(const void *bytes, jc_policy_t *common);
void jc_policies_unref(jc_policy_t *policy);
/* Frees it if no table and no jail needs it any more. */
void jc_policies_release(jc_policy_t *policy);
/* The record and behind it its common part, for a process that is about to be
 * made and will not have the original. The caller's, until it gives it back to
 * _wipe: what is freed is the next process's to find, and may hold secrets.
 * NULL with errno: memory is short. */
char *jc_policies_copy(const jc_policy_t *policy);
void jc_policies_wipe(const jc_policy_t *policy, char *copy);

#endif
