/*
 * The decoder of the request, and the environment made from it, with anything
 * that a compromised httpd child may write there.
 *
 * Runs in:   the tests
 * Privilege: none
 */
#include "src/keeper/launch/launch.h"
#include "src/wire/env_names.h"

#include "t/fuzz/fuzz.h"

static const char own[] = "PATH=/bin\0LD_BIND_NOW=1";
static const char pass[] = "MARK_*\0B";
static const jc_policy_rec_t recs[] = {
    {.env_count = 2},
    {.env_count = 2, .flags = JC_POLICY_OWNER, .pass_count = 2},
};

static int count_of(char **strings, const char *wanted)
{
    int count = 0;

    for (int i = 0; strings[i]; i++) {
        count += strncmp(strings[i], wanted, strlen(wanted)) == 0;
    }
    return count;
}

static int is_known(const char *string)
{
    size_t len = strcspn(string, "=");

    return jc_env_names_are_allowed(string, len) ||
           jc_env_names_match("MARK_*", string, len) ||
           jc_env_names_match("B", string, len) ||
           jc_env_names_match("PATH", string, len) ||
           jc_env_names_match("LD_BIND_NOW", string, len);
}

static void look_at(const jc_policy_view_t *policy, const jc_request_t *request)
{
    char **envp = request->envp;

    if (request->script[0] != '/' || !request->argv[0] ||
        count_of(envp, "LD_") != 1 || count_of(envp, "LD_BIND_NOW=1") != 1 ||
        count_of(envp, "PATH=") != 1 || count_of(envp, "PYTHONPATH=") != 0 ||
        count_of(envp, "OPENSSL_CONF=") != 0) {
        abort();
    }
    for (int i = 0; envp[i]; i++) {
        if ((policy->rec->flags & JC_POLICY_OWNER) && !is_known(envp[i])) {
            abort();
        }
    }
}

static void try(const void *data, size_t size, const jc_policy_rec_t *rec)
{
    jc_policy_view_t policy = {.rec = rec, .env = own, .pass = pass};
    jc_request_t request;
    size_t need = jc_decode_vectors(data, size, rec->env_count);
    /* Exactly as many, and not of sizes that only a promise of strings has */
    char **vectors = need && need <= size + 3 + rec->env_count
                         ? malloc(need * sizeof(char *))
                         : NULL;

    if (vectors && jc_decode_request(data, size, vectors, &request) == 0) {
        jc_environment_apply(&policy, &request);
        look_at(&policy, &request);
    }
    free(vectors);
}

static void parse(uint8_t *bytes, size_t size)
{
    try(bytes, size, &recs[0]);
    try(bytes, size, &recs[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_each(data, size, parse);
}
