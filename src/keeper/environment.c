/*
 * The last word on the environment.
 *
 * Runs in:   script's child, in the keeper's memory: see spawn.c
 * Privilege: none, it is the tenant
 * Trusts:    the policy's strings; not those of the request, which may come
 *            from a hijacked child of httpd
 */
#define _GNU_SOURCE
#include "keeper.h"

#include <string.h>

/*
 * Names by which the loader, the C library or an interpreter loads code or
 * files of the setter's choice. Those of the C library are what glibc itself
 * removes for set-user-ID programs (sysdeps/generic/unsecvars.h, ld.so(8)).
 * A name that ends in '*' stands for all that begin so. The administrator can
 * still set any of them by JailEnv.
 */
static const char dangerous[][20] = {
    "LD_*",
    "GLIBC_TUNABLES",
    "GCONV_PATH",
    "GETCONF_DIR",
    "HOSTALIASES",
    "LOCALDOMAIN",
    "LOCPATH",
    "MALLOC_*",
    "NIS_PATH",
    "NLSPATH",
    "RESOLV_HOST_CONF",
    "RES_OPTIONS",
    "TZDIR",
    "HTTP_PROXY",
    /* shells */
    "BASH_ENV",
    "BASH_FUNC_*",
    "BASHOPTS",
    "CDPATH",
    "ENV",
    "FPATH",
    "IFS",
    "KSH_ENV",
    "PS4",
    "SHELLOPTS",
    "ZDOTDIR",
    /* interpreters */
    "CLASSPATH",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "LUA_*",
    "NODE_*",
    "PERL5*",
    "PERLIO*",
    "PERLLIB",
    "PERL_*",
    "PHPRC",
    "PHP_INI_SCAN_DIR",
    "PYTHON*",
    "RUBYLIB",
    "RUBYOPT",
    "TCLLIBPATH",
    "_JAVA_OPTIONS",
};

static int matches(const char *pattern, const char *string, size_t name_len)
{
    size_t len;

    if (pattern[0] != string[0]) { /* nearly always */
        return 0;
    }
    len = strlen(pattern);
    if (pattern[len - 1] == '*') {
        return name_len >= len - 1 && strncmp(pattern, string, len - 1) == 0;
    }
    return name_len == len && strncmp(pattern, string, len) == 0;
}

static int is_dangerous(const char *string, size_t name_len)
{
    for (size_t i = 0; i < sizeof(dangerous) / sizeof(dangerous[0]); i++) {
        if (matches(dangerous[i], string, name_len)) {
            return 1;
        }
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

void jc_environment_apply(const jc_policy_view_t *policy, jc_request_t *request)
{
    const char *own = policy->env;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < request->envc; i++) {
        char *string = request->envp[i];
        const char *equals = strchr(string, '=');
        size_t name_len = equals ? (size_t) (equals - string) : 0;
        if (name_len > 0 && !is_dangerous(string, name_len) &&
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
