/*
 * What the targets share: the count of the decoder's calls, which is told at
 * the end, and variants of an input made here, because the fuzzer itself makes
 * only some 100,000 a second and a decoder takes millions.
 *
 * Runs in:   the tests
 * Privilege: none
 */
#ifndef JC_FUZZ_H
#define JC_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHANGES_MAX 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
    int is_ready;
    uint64_t calls;
    long variants; /* FUZZ_VARIANTS: of each input beside itself */
    uint64_t random;
} fuzz;

static void fuzz_tell(void)
{
    fprintf(stderr, "calls: %llu\n", (unsigned long long) fuzz.calls);
}

static uint64_t fuzz_random(void)
{
    fuzz.random ^= fuzz.random << 13;
    fuzz.random ^= fuzz.random >> 7;
    return fuzz.random ^= fuzz.random << 17;
}

/* Another value for one byte: any, one bit, near, or that of another one. */
static uint8_t fuzz_other(const uint8_t *bytes, size_t size, size_t at)
{
    uint64_t random = fuzz_random();

    switch (random & 3) {
    case 0:
        return (uint8_t) (random >> 8);
    case 1:
        return bytes[at] ^ (uint8_t) (1u << (random >> 8 & 7));
    case 2:
        return (uint8_t) (bytes[at] + (random >> 8 & 7) - 3);
    }
    return bytes[(random >> 8) % size];
}

/*
 * Calls `parse` for the input, in memory that is exactly as long, and for its
 * variants: a few bytes are other ones. They depend on the input alone, so a
 * file that has crashed crashes again with as many FUZZ_VARIANTS.
 */
static int fuzz_each(const uint8_t *data, size_t size,
                     void (*parse)(uint8_t *bytes, size_t size))
{
    uint8_t *bytes = malloc(size ? size : 1), before[CHANGES_MAX];
    size_t at[CHANGES_MAX];

    if (!fuzz.is_ready) {
        fuzz.is_ready = 1;
        const char *variants = getenv("FUZZ_VARIANTS");
        fuzz.variants = variants ? strtol(variants, NULL, 10) : 0;
        atexit(fuzz_tell);
    }
    memcpy(bytes, data, size);
    fuzz.random = 0x9e3779b97f4a7c15u + size;
    for (size_t i = 0; i < size; i++) {
        fuzz.random = (fuzz.random ^ data[i]) * 0x100000001b3u;
    }
    fuzz.random |= 1;
    fuzz.calls++;
    parse(bytes, size);
    for (long i = 0; size > 0 && i < fuzz.variants; i++) {
        int changes = 1 + (int) (fuzz_random() % CHANGES_MAX);

        for (int k = 0; k < changes; k++) {
            at[k] = fuzz_random() % size;
            before[k] = bytes[at[k]];
            bytes[at[k]] = fuzz_other(bytes, size, at[k]);
        }
        fuzz.calls++;
        parse(bytes, size);
        while (changes-- > 0) {
            bytes[at[changes]] = before[changes];
        }
    }
    free(bytes);
    return 0;
}

#endif
