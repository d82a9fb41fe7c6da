/*
 * The requests that wait for a place in their jail.
 *
 * Runs in:   keeper
 * Privilege: none; it is the tenant
 * Trusts:    nothing
 */
#ifndef JC_QUEUE_H
#define JC_QUEUE_H

#include "run.h"

/* queue.c: appends the run, which may wait for wait_ms. */
void jc_queue_add(jc_run_t *run, uint32_t wait_ms);
uint32_t jc_queue_count(void);
/* Removes and returns the first run, or NULL. */
jc_run_t *jc_queue_take(void);
jc_run_t *jc_queue_take_overdue(void); /* if its wait is over */
void jc_queue_leave(jc_run_t *run);    /* frees it: its client has gone */
int jc_queue_sleep_ms(void);           /* until one is overdue; -1: for ever */

#endif
