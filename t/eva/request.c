/*
 * Eva's driver: the decoder of the request and the environment made from it,
 * for every request of up to LEN_MAX bytes.
 *
 * Runs in:   nowhere; Eva reads it
 * Privilege: none
 */
#include "src/keeper/launch/launch.h"

#include "t/eva/stubs.h"

#ifndef STRINGS
#define STRINGS 6
#endif
#define ROOM (2 * STRINGS + 4)

typedef union {
    jc_request_head_t head;
    char bytes[sizeof(jc_request_head_t) + STRINGS];
} request_t;

static request_t made;
static char *vectors[ROOM];
static const char own[] = "PATH=/bin\0LD_BIND_NOW=1";
int main(void)
{
    static jc_policy_rec_t rec = {.env_count = 2};
    jc_policy_view_t policy = {.rec = &rec, .env = own};
    jc_request_t request;

    /* Any bytes of any length pass this without harm ... */
    Frama_C_make_unknown(made.bytes, sizeof(made));
    (void) jc_decode_vectors(made.bytes,
                             (size_t) Frama_C_interval(0, sizeof(made)), 2);
    /* ... and what it lets through has these counts, each of which is looked
     * at by itself, as is every place of the NULs. */
    size_t strings = (size_t) one_of(1, STRINGS);
    made.head.strings_len = strings;
    made.head.argc = (uint32_t) one_of(0, STRINGS + 1);
    made.head.envc = (uint32_t) one_of(0, STRINGS + 1);
    for (size_t i = 0; i < strings; i++) {
        char *at = made.bytes + sizeof(made.head) + i;
        *at = 0;
        if (Frama_C_interval(0, 1)) {
            *at = (char) (one_of(0, 1) ? Frama_C_interval(1, 127)
                                       : Frama_C_interval(-128, -1));
        }
    }
    size_t len = sizeof(made.head) + strings;
    size_t need = jc_decode_vectors(made.bytes, len, rec.env_count);
    if (need == 0) {
        return 0;
    }
    char **exact = vectors + ROOM - need; /* one more is an alarm */
    if (jc_decode_request(made.bytes, len, exact, &request) == 0) {
        jc_environment_apply(&policy, &request);
    }
    return 0;
}
