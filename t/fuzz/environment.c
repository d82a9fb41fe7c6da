/*
 * The final environment, for strings of any kind: each string of the policy is
 * there once and last, nothing is invented, and names that load code are
 * dropped.
 *
 * Input: strings, each with its NUL.
 *
 * Runs in:   the tests
 * Privilege: none
 */
#include "src/keeper/launch/launch.h"

#include "t/fuzz/fuzz.h"

#define OWN         3u
#define STRINGS_MAX 256u

static const char own[] = "PATH=/bin\0LD_BIND_NOW=1\0EMPTY=";
static const jc_policy_rec_t rec = {.env_count = OWN};
static const char *const bad[] = {
    "LD_PRELOAD=", "LD_LIBRARY_PATH=", "BASH_ENV=", "PERL5LIB=",
    "PERL5OPT=",   "PYTHONPATH=",      "RUBYOPT=",  "GCONV_PATH="};

static void check_kept(const char *string)
{
    const char *equals = strchr(string, '=');

    if (!equals || equals == string || strncmp(string, "PATH=", 5) == 0 ||
        strncmp(string, "LD_BIND_NOW=", 12) == 0 ||
        strncmp(string, "EMPTY=", 6) == 0) {
        abort();
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        if (strncmp(string, bad[i], strlen(bad[i])) == 0) {
            abort();
        }
    }
}

static void parse(uint8_t *bytes, size_t size)
{
    jc_policy_view_t policy = {.rec = &rec, .env = own};
    char *at = (char *) bytes, *end = at + size, *nul;
    char *strings[STRINGS_MAX + OWN + 1], *before[STRINGS_MAX];
    uint32_t count = 0, from = 0;

    while (count < STRINGS_MAX && at < end &&
           (nul = memchr(at, 0, (size_t) (end - at)))) {
        strings[count] = before[count] = at;
        count++;
        at = nul + 1;
    }
    /* Exactly as many as jc_decode_vectors makes. */
    char **envp = malloc((count + OWN + 1) * sizeof(*envp));
    memcpy(envp, strings, count * sizeof(*envp));
    envp[count] = NULL;
    jc_request_t request = {.envp = envp, .envc = count};
    jc_environment_apply(&policy, &request);
    if (request.envc < OWN || request.envc > count + OWN ||
        envp[request.envc] != NULL) {
        abort();
    }
    for (uint32_t i = 0; i < request.envc - OWN; i++) {
        while (from < count && before[from] != envp[i]) {
            from++;
        }
        if (from++ >= count) {
            abort(); /* not one that came, or out of its order */
        }
        check_kept(envp[i]);
    }
    const char *next = own;
    for (uint32_t i = request.envc - OWN; i < request.envc; i++) {
        if (envp[i] != next) {
            abort();
        }
        next = jc_policy_next(next);
    }
    free(envp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_each(data, size, parse);
}
