/*
 * The policies of all generations, each stored once.
 *
 * Runs in:   helper
 * Privilege: root, least capabilities
 */
#ifndef JC_POLICIES_H
#define JC_POLICIES_H

#include "helper.h"

/* policies.c: finds or stores the policy with these bytes, whose first word is
 * their length, and with this common part; NULL: the bytes are a common part.
 * Counts one reference. */
jc_policy_t *jc_policies_intern(const void *bytes, jc_policy_t *common);
/* Drops one reference, and frees the policy as _release does. */
void jc_policies_unref(jc_policy_t *policy);
/* Frees the policy if no table and no jail needs it any more. */
void jc_policies_release(jc_policy_t *policy);
/* Returns a copy of the record, followed by its common part and by `account`,
 * which may be NULL, for a process that is about to be forked and will not have
 * the originals. The caller gives it back to _wipe. NULL with errno: memory is
 * short. */
char *jc_policies_copy(const jc_policy_t *policy, const jc_policy_t *account);
/* Returns where the account is in such a copy, or NULL if there is none. */
const void *jc_policies_account_in(const jc_policy_t *policy,
                                   const jc_policy_t *account,
                                   const char *copy);
/* Wipes the copy and frees it. Wipe before freeing: the next keeper is forked
 * from this heap, and the record may hold JailEnv secrets. */
void jc_policies_wipe(const jc_policy_t *policy, char *copy);

#endif
