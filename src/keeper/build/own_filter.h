/*
 * The keeper's own seccomp filter (own_filter.c).
 *
 * Runs in:   keeper
 * Privilege: the tenant, still with its capabilities
 */
#ifndef JC_OWN_FILTER_H
#define JC_OWN_FILTER_H

#include "src/keeper/keeper.h"

#include <linux/filter.h>
#include <stdint.h>

#define JC_OWN_FILTER_MAX 384

typedef struct {
    struct sock_filter steps[JC_OWN_FILTER_MAX];
    unsigned count;
} jc_own_filter_t;

/* Makes the program of the filter. Only a caller that passes *secret may call
 * setsid; without `secret` everybody may. Returns 0, or -1 with errno if the
 * program is longer than JC_OWN_FILTER_MAX. */
int jc_own_filter_make(jc_own_filter_t *filter, const uint64_t *secret);

#endif
