/*
 * Implements JailNamespaces, which says what namespaces a jail has of its own.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    nothing; every argument is checked
 */
#include "directives.h"
#include "src/wire/table.h"

#include "apr_strings.h"

#include <string.h>

static const struct {
    const char *name;
    uint32_t namespace;
} namespaces[] = {
    {"mount", JC_NS_MOUNT}, {"pid", JC_NS_PID}, {"ipc", JC_NS_IPC},
    {"uts", JC_NS_UTS},     {"net", JC_NS_NET}, {"cgroup", JC_NS_CGROUP},
};

static uint32_t find_namespace(const char *name)
{
    for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++) {
        if (strcasecmp(name, namespaces[i].name) == 0) {
            return namespaces[i].namespace;
        }
    }
    return 0;
}

const char *jc_namespaces_set(cmd_parms *cmd, void *unused, int argc,
                              char *const argv[])
{
    jc_server_conf_t *conf = jc_config_of(cmd->server);
    uint32_t all = 0;

    if (argc == 1 && strcasecmp(argv[0], "none") == 0) {
        conf->namespaces = 0;
        return NULL;
    }
    if (argc == 1 && strcasecmp(argv[0], "default") == 0) {
        conf->namespaces = JC_NS_DEFAULT;
        return NULL;
    }
    for (int i = 0; i < argc; i++) {
        uint32_t one = find_namespace(argv[i]);

        if (one == 0) {
            return apr_psprintf(cmd->pool,
                                "JailNamespaces: '%s' is not understood; "
                                "write some of mount, pid, ipc, uts, net and "
                                "cgroup, or none, or default (mount pid ipc "
                                "uts)",
                                argv[i]);
        }
        all |= one;
    }
    if (all == 0) {
        return "JailNamespaces: nothing is named; write some of mount, pid, "
               "ipc, uts, net and cgroup, or none, or default";
    }
    conf->namespaces = all;
    return NULL;
}
