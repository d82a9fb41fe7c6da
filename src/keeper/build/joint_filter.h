/*
 * The keeper's own filter and JailSeccomp as one program (joint_filter.c).
 *
 * Runs in:   keeper
 * Privilege: the tenant, still with its capabilities
 */
#ifndef JC_JOINT_FILTER_H
#define JC_JOINT_FILTER_H

#include "own_filter.h"

#define JC_JOINT_FILTER_MAX BPF_MAXINSNS

typedef struct {
    struct sock_filter steps[JC_JOINT_FILTER_MAX];
    unsigned count;
} jc_joint_filter_t;

/* Makes the program of `own` and of `second` (`count` steps; 0: none). Returns
 * 0, or -1 if it is longer than JC_JOINT_FILTER_MAX. */
int jc_joint_filter_make(jc_joint_filter_t *joint, const jc_own_filter_t *own,
                         const struct sock_filter *second, unsigned count);

#endif
