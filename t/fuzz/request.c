/*
 * The decoder of the request, and the environment made from it, with
 * whatever a hijacked child of httpd may write there.
 *
 * Runs in:   the tests
 * Privilege: none
 */
#define _GNU_SOURCE
#include "src/keeper/keeper.h"

#include "t/fuzz/fuzz.h"

static const char own[] = "PATH=/bin\0LD_BIND_NOW=1";
static const jc_policy_rec_t rec = {.env_count = 2};

static int count_of(char **strings, const char *wanted)
{
    int count = 0;

    for (int i = 0; strings[i]; i++) {
        count += strncmp(strings[i], wanted, strlen(wanted)) == 0;
    }
    return count;
}

static void parse(uint8_t *bytes, size_t size)
{
    jc_policy_view_t policy = {.rec = &rec, .env = own};
    jc_request_t request;
    size_t need = jc_request_vectors(bytes, size, rec.env_count);
    /* Exactly as many, and not of sizes that only a promise of strings has */
    char **vectors = need && need <= size + 3 + rec.env_count
                         ? malloc(need * sizeof(char *))
                         : NULL;

    if (vectors && jc_request_decode(bytes, size, vectors, &request) == 0) {
        jc_environment_apply(&policy, &request);
        if (request.script[0] != '/' || !request.argv[0] ||
            count_of(request.envp, "LD_") != 1 ||
            count_of(request.envp, "LD_BIND_NOW=1") != 1 ||
            count_of(request.envp, "PATH=") != 1 ||
            count_of(request.envp, "PYTHONPATH=") != 0) {
            abort();
        }
    }
    free(vectors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_each(data, size, parse);
}
