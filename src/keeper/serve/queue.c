/*
 * JailConcurrency: the requests that wait for a place in their jail, the oldest
 * first. The keeper has sent nothing for them, so httpd considers none of them
 * started. If the client of one goes away, no script has run.
 *
 * Runs in:   keeper
 * Privilege: none; it is the tenant
 * Never:     looks at more than the ends of the queue: all requests wait
 *            equally long, so the first in it is also the first that is overdue
 */
#include "queue.h"
#include "runs.h"

static struct {
    jc_run_t *first;
    jc_run_t *last;
    uint32_t count;
} queue;

uint32_t jc_queue_count(void)
{
    return queue.count;
}

void jc_queue_add(jc_run_t *run, uint32_t wait_ms)
{
    run->state = JC_RUN_QUEUED;
    run->until_ms = jc_clock_ms() + wait_ms;
    run->next = NULL;
    run->before = queue.last;
    if (queue.last) {
        queue.last->next = run;
    } else {
        queue.first = run;
    }
    queue.last = run;
    queue.count++;
}

static void take_out(jc_run_t *run)
{
    if (run->before) {
        run->before->next = run->next;
    } else {
        queue.first = run->next;
    }
    if (run->next) {
        run->next->before = run->before;
    } else {
        queue.last = run->before;
    }
    run->before = run->next = NULL;
    run->state = JC_RUN_RUNNING;
    queue.count--;
}

jc_run_t *jc_queue_take(void)
{
    jc_run_t *run = queue.first;

    if (run) {
        take_out(run);
    }
    return run;
}

jc_run_t *jc_queue_take_overdue(void)
{
    return queue.first && jc_clock_ms() >= queue.first->until_ms
               ? jc_queue_take()
               : NULL;
}

void jc_queue_leave(jc_run_t *run)
{
    take_out(run);
    jc_runs_let_go(run);
    jc_run_free(run);
}

int jc_queue_sleep_ms(void)
{
    uint64_t now;

    if (!queue.first) {
        return -1;
    }
    now = jc_clock_ms();
    return queue.first->until_ms > now ? (int) (queue.first->until_ms - now)
                                       : 0;
}
