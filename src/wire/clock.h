/*
 * The clock for all time-outs. It neither jumps nor stops while the machine is
 * awake.
 *
 * Runs in:   every process of the project
 * Privilege: the caller's
 */
#ifndef JC_CLOCK_H
#define JC_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Returns milliseconds since some moment before this process began. */
static inline uint64_t jc_clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t) now.tv_sec * 1000 + (uint64_t) now.tv_nsec / 1000000;
}

#endif
