/*
 * Decodes the request.
 *
 * Runs in:   script's child, in the keeper's memory (src/keeper/serve/spawn.c)
 * Privilege: none; it is the tenant
 * Trusts:    nothing in the data
 */
#include "launch.h"

#include <string.h>

size_t jc_decode_vectors(const void *data, size_t len, uint32_t env_room)
{
    const jc_request_head_t *head = data;

    if (len < sizeof(*head) || len > JC_REQUEST_LEN_MAX ||
        head->magic != JC_REQUEST_MAGIC || head->version != JC_WIRE_VERSION ||
        (head->flags & ~JC_REQUEST_FLAGS) || head->reserved ||
        head->strings_len != len - sizeof(*head) || head->argc == 0 ||
        head->argc > JC_REQUEST_STRINGS_MAX ||
        head->envc > JC_REQUEST_STRINGS_MAX - head->argc ||
        /* every string has at least its NUL */
        head->argc + head->envc > head->strings_len) {
        return 0;
    }
    return (size_t) head->argc + 1 + head->envc + env_room + 1;
}

/* Sets vector[0..count-1] to the strings from *at on, and moves *at past
 * them. */
static int take(char **vector, uint32_t count, char **at, char *end)
{
    for (uint32_t i = 0; i < count; i++) {
        char *nul = *at < end ? memchr(*at, 0, (size_t) (end - *at)) : NULL;
        if (!nul) {
            return -1;
        }
        vector[i] = *at;
        *at = nul + 1;
    }
    return 0;
}

int jc_decode_request(const void *data, size_t len, char **vectors,
                      jc_request_t *request)
{
    const jc_request_head_t *head = data;
    char *at = (char *) data + sizeof(*head);
    char *end = (char *) data + len;
    char *script;

    request->argv = vectors;
    request->envp = vectors + head->argc + 1;
    if (take(&script, 1, &at, end) ||
        take(request->argv, head->argc, &at, end) ||
        take(request->envp, head->envc, &at, end) || at != end ||
        script[0] != '/') {
        return -1;
    }
    request->argv[head->argc] = NULL;
    request->envp[head->envc] = NULL;
    request->script = script;
    request->envc = head->envc;
    request->flags = head->flags;
    request->script_dev = head->script_dev;
    request->script_ino = head->script_ino;
    request->limits = head->limits;
    return 0;
}
