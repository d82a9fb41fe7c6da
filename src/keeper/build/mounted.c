/*
 * The table of the mounts in the jail, by the ids that the kernel gives them.
 * It is read before the keeper makes its own mounts nosuid, because nobody can
 * see afterwards which of the machine's mounts were nosuid.
 *
 * Runs in:   keeper
 * Privilege: root
 * Trusts:    the kernel's table of mounts; JailTrustMount in the policy
 * Never:     asks a file system
 */
#include "build.h"
#include "trees.h"
#include "src/keeper/launch/launch.h"
#include "src/keeper/launch/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static struct {
    jc_mounted_table_t table;
    /* Devices of the file systems that JailTrustMount names. */
    uint64_t *trusted;
    uint32_t trusted_count;
} state;

/* Doubles the room of an array when it is full: when count is 0 or a power of
 * 2. */
static void *grow(void *array, uint32_t count, size_t size)
{
    if (count & (count - 1)) {
        return array;
    }
    return realloc(array, (count ? 2 * (size_t) count : 1) * size);
}

/* Keeps the first entry of a mount: a later look may see the keeper's own
 * nosuid. */
static int add(uint32_t id, jc_fs_t fs)
{
    jc_mounted_table_t *table = &state.table;
    uint32_t at = jc_vouch_position(table, id);

    if (at < table->count && table->list[at].id == id) {
        return 0;
    }
    jc_mounted_t *list = grow(table->list, table->count, sizeof(*list));
    if (!list) {
        return -1;
    }
    memmove(list + at + 1, list + at, (table->count - at) * sizeof(*list));
    list[at] = (jc_mounted_t){.id = id, .fs = fs};
    table->list = list;
    table->count++;
    return 0;
}

/* A mount that a user has put over root's at the same point does not count. */
static int is_named(const jc_jail_t *jail, const jc_mountinfo_t *mount)
{
    const char *point = jail->policy.trust_mounts;

    for (uint32_t i = 0; i < jail->policy.rec->trust_mount_count; i++) {
        if (strcmp(point, mount->point) == 0) {
            return !mount->by_user;
        }
        point = jc_policy_next(point);
    }
    return 0;
}

static int take_trusted(void *data, const jc_mountinfo_t *mount)
{
    if (!is_named(data, mount)) {
        return 0;
    }
    uint64_t *trusted =
        grow(state.trusted, state.trusted_count, sizeof(*trusted));
    if (!trusted) {
        return -1;
    }
    trusted[state.trusted_count++] = mount->dev;
    state.trusted = trusted;
    return 0;
}

static int take_mounted(void *data, const jc_mountinfo_t *mount)
{
    for (uint32_t i = 0; i < state.trusted_count && !mount->by_user; i++) {
        if (state.trusted[i] == mount->dev) {
            return add(mount->id, JC_FS_VOUCHED);
        }
    }
    return add(mount->id, mount->fs);
}

int jc_mounted_begin(jc_jail_t *jail)
{
    jail->mounted = &state.table;
    return jail->policy.rec->trust_mount_count > 0
               ? jc_mountinfo_each(take_trusted, jail)
               : 0;
}

int jc_mounted_note(const jc_jail_t *jail)
{
    const jc_policy_rec_t *rec = jail->policy.rec;

    /* For other policies an owner only shows that a script is the tenant's
     * own. */
    return (rec->flags & JC_POLICY_OWNER) || rec->trust_count > 0
               ? jc_mountinfo_each(take_mounted, NULL)
               : 0;
}

int jc_mounted_nosuid(int tree_fd)
{
    return jc_mountinfo_each(take_mounted, NULL) ||
                   jc_tree_set(tree_fd, MOUNT_ATTR_NOSUID, AT_RECURSIVE)
               ? -1
               : 0;
}

jc_fs_t jc_mounted_file_system(const jc_jail_t *jail, int fd)
{
    const jc_mounted_t *mounted;
    uint32_t id;

    for (int tries = 0; tries < 2; tries++) {
        if (jc_sys_mount_id(fd, &id)) {
            break;
        }
        mounted = jc_vouch_find(&state.table, id);
        if (mounted) {
            return mounted->fs;
        }
        if (jc_mountinfo_each(take_mounted, NULL)) {
            break;
        }
    }
    return JC_FS_UNKNOWN;
}

/* Keeps the mount open, because its id cannot become another mount's
 * meanwhile. */
static int take_pinned(void *data, const jc_mountinfo_t *mount)
{
    uint32_t id;
    int fd;

    if (!is_named(data, mount)) {
        return 0;
    }
    fd = open(mount->point, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || jc_sys_mount_id(fd, &id) || id != mount->id) {
        close(fd);
        return 0; /* something else is mounted over it */
    }
    int kept_fd = fcntl(fd, F_DUPFD_CLOEXEC, 64);
    close(fd);
    return kept_fd < 0 ? -1 : add(id, JC_FS_VOUCHED);
}

int jc_mounted_end(jc_jail_t *jail)
{
    if (jc_jail_has(jail, JC_NS_MOUNT)) {
        return 0;
    }
    state.table.count = 0;
    return jail->policy.rec->trust_mount_count > 0
               ? jc_mountinfo_each(take_pinned, jail)
               : 0;
}
