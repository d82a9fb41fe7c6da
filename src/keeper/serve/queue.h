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

/* queue.c: puts it at the end, for wait_ms. */
void jc_queue_add(jc_run_t *run, uint32_t wait_ms);
uint32_t jc_queue_count(void);
/* The first one, now the caller's; or NULL. */
jc_run_t *jc_queue_take(void);
jc_run_t *jc_queue_take_overdue(void); /* likewise, if its time is over */
void jc_queue_leave(jc_run_t *run);    /* its client has gone */
int jc_queue_sleep_ms(void);           /* until one is overdue; -1: for ever */

#endif
