/*
 * The keeper's own seccomp filter (own_filter.c).
 *
 * Runs in:   keeper
 * Privilege: the tenant, still with its capabilities
 */
#ifndef JC_OWN_FILTER_H
#define JC_OWN_FILTER_H

#include <linux/filter.h>
#include <stdint.h>

#define JC_OWN_FILTER_MAX 384

typedef struct {
    struct sock_filter steps[JC_OWN_FILTER_MAX];
    unsigned count;
} jc_own_filter_t;

/* Makes the program. `secret` is the number with which setsid is allowed, or
 * NULL: to everybody. 0, or -1 with errno: the program is longer than that. */
int jc_own_filter_make(jc_own_filter_t *filter, const uint64_t *secret);

#endif
