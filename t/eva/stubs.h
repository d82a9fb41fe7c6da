/*
 * What the drivers for Frama-C's Eva share: bytes that may be anything.
 *
 * Runs in:   nowhere; Eva reads it
 * Privilege: none
 */
#ifndef JC_EVA_H
#define JC_EVA_H

#include <stddef.h>

int Frama_C_interval(int min, int max);
void Frama_C_make_unknown(char *p, size_t l);

/* Each of these numbers in a state of its own. */
static int one_of(int min, int max)
{
    for (int i = min; i < max; i++) {
        if (Frama_C_interval(0, 1)) {
            return i;
        }
    }
    return max;
}

#endif
