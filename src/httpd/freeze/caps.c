/*
 * The capabilities that the helper needs for a host.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    the configuration
 */
#include "mount_rows.h"
#include "src/wire/table.h"

#include <linux/capability.h>

#define CAP_BIT(cap) (UINT64_C(1) << (cap))
/* Every keeper needs these: to become the tenant with all its groups and
 * without any capability, to be killed, to make namespaces, and to walk to a
 * root below directories that are closed to it. */
#define CAPS_ALWAYS                                                            \
    (CAP_BIT(CAP_SETUID) | CAP_BIT(CAP_SETGID) | CAP_BIT(CAP_SETPCAP) |        \
     CAP_BIT(CAP_KILL) | CAP_BIT(CAP_SYS_ADMIN) |                              \
     CAP_BIT(CAP_DAC_READ_SEARCH))

uint64_t jc_caps_of(const jc_server_conf_t *conf, uint32_t namespaces,
                    const uint64_t *inherited)
{
    uint64_t caps = CAPS_ALWAYS;

    if (conf->root_kind == JC_ROOT_PATH && !(namespaces & JC_NS_MOUNT)) {
        caps |= CAP_BIT(CAP_SYS_CHROOT);
    }
    if (jc_mount_lines_have_tmp(conf) || jc_mount_lines_have_sessions(conf)) {
        caps |= CAP_BIT(CAP_CHOWN); /* own_dir.c of the keeper */
    }
    if (conf->nice_is_set && conf->nice < 0) {
        caps |= CAP_BIT(CAP_SYS_NICE);
    }
    for (int i = 0; conf->limits && i < JC_RLIMITS; i++) {
        if (conf->limits[i].is_set && conf->limits[i].hard > inherited[i]) {
            caps |= CAP_BIT(CAP_SYS_RESOURCE);
        }
    }
    return caps;
}
