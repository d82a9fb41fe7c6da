/*
 * Decides the final environment of the script: which names a request may bring
 * (src/wire/env_names.c), and the variables of the policy.
 *
 * Runs in:   script's child, in the keeper's memory (src/keeper/serve/spawn.c)
 * Privilege: none; it is the tenant
 * Trusts:    the policy's strings; not those of the request, which may come
 *            from a compromised httpd child
 */
#include "launch.h"
#include "sys.h"
#include "src/wire/env_names.h"

#include <string.h>

/* With JC_POLICY_OWNER the user who sets a name need not be the tenant whose
 * script gets it, so the name must be known to be harmless. */
static int may_pass(const jc_policy_view_t *policy, const char *name,
                    size_t len)
{
    const char *pattern = policy->pass;

    if (jc_env_names_are_denied(name, len)) {
        return 0;
    }
    if (!(policy->rec->flags & JC_POLICY_OWNER) ||
        jc_env_names_are_allowed(name, len)) {
        return 1;
    }
    for (uint32_t i = 0; i < policy->rec->pass_count; i++) {
        if (jc_env_names_match(pattern, name, len)) {
            return 1;
        }
        pattern = jc_policy_next(pattern);
    }
    return 0;
}

static int is_policys(const jc_policy_view_t *policy, const char *string,
                      size_t name_len)
{
    const char *own = policy->env;

    for (uint32_t i = 0; i < policy->rec->env_count; i++) {
        if (own[0] == string[0] &&
            strncmp(own, string, name_len + 1) == 0) { /* with the '=' */
            return 1;
        }
        own = jc_policy_next(own);
    }
    return 0;
}

/*
 * With JC_POLICY_OWNER the request names the home of the tenant, and programs
 * take commands from the files of a home (.gitconfig, .curlrc). It must
 * therefore be a directory that only root and the tenant can have put there or
 * filled.
 */
void jc_environment_check_home(const jc_jail_t *jail, jc_request_t *request,
                               jc_walk_t *walk)
{
    static const char head[] = "HOME=";
    static const char nowhere[] = "HOME=/";
    jc_walk_rule_t rule = {.owner = jail->start.uid};

    if (!(jail->policy.rec->flags & JC_POLICY_OWNER)) {
        return;
    }
    for (uint32_t i = 0; i < request->envc; i++) {
        if (strncmp(request->envp[i], head, sizeof(head) - 1) != 0) {
            continue;
        }
        if (jc_walk(request->envp[i] + sizeof(head) - 1, &rule, JC_WALK_DIR,
                    walk) == 0) {
            jc_sys_close(walk->dir_fd);
        } else {
            request->envp[i] = (char *) nowhere;
        }
    }
}

void jc_environment_apply(const jc_policy_view_t *policy, jc_request_t *request)
{
    const char *own = policy->env;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < request->envc; i++) {
        char *string = request->envp[i];
        const char *equals = strchr(string, '=');
        size_t name_len = equals ? (size_t) (equals - string) : 0;
        if (name_len > 0 && may_pass(policy, string, name_len) &&
            !is_policys(policy, string, name_len)) {
            request->envp[kept++] = string;
        }
    }
    for (uint32_t i = 0; i < policy->rec->env_count; i++) {
        request->envp[kept++] = (char *) own;
        own = jc_policy_next(own);
    }
    request->envp[kept] = NULL;
    request->envc = kept;
}
