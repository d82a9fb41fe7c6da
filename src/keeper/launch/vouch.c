/*
 * Decides whether the owner of a file counts. It counts only where the
 * machine's root vouches for the file system that reports it. Otherwise the
 * server of that file system (a tenant's FUSE process, the maker of a disk
 * image) could choose the user as whom a script runs.
 *
 * Runs in:   script's child, in the keeper's memory (src/keeper/serve/spawn.c);
 *            keeper
 * Privilege: the caller's
 * Trusts:    the kernel's id of a mount, and the table of mounts that was read
 *            while this jail was built (src/keeper/build/mounted.c)
 * Never:     vouches for a mount that is not in that table
 */
#include "launch.h"
#include "sys.h"

#include <linux/magic.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

uint32_t jc_vouch_position(const jc_mounted_table_t *table, uint32_t id)
{
    uint32_t from = 0, to = table->count;

    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (table->list[middle].id < id) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

/* Asks the file system itself, where the mounts are the machine's own: these
 * come and go, and their ids are reused. This may have to ask a server, as the
 * walk has done already. */
static jc_fs_t ask(int fd)
{
    struct statfs st;

    if (jc_sys_fstatfs(fd, &st)) {
        return JC_FS_UNKNOWN;
    }
    if ((uint32_t) st.f_type == FUSE_SUPER_MAGIC) {
        return JC_FS_FUSE;
    }
    return st.f_flags & ST_NOSUID ? JC_FS_NOSUID : JC_FS_VOUCHED;
}

const jc_mounted_t *jc_vouch_find(const jc_mounted_table_t *table, uint32_t id)
{
    uint32_t at = jc_vouch_position(table, id);

    return at < table->count && table->list[at].id == id ? &table->list[at]
                                                         : NULL;
}

jc_fs_t jc_vouch_file_system(const jc_jail_t *jail, int fd)
{
    const jc_mounted_t *mounted;
    uint32_t id;

    if (jc_sys_mount_id(fd, &id)) {
        return JC_FS_UNKNOWN;
    }
    mounted = jc_vouch_find(jail->mounted, id);
    if (mounted) {
        return mounted->fs;
    }
    return jc_jail_has(jail, JC_NS_MOUNT) ? JC_FS_UNKNOWN : ask(fd);
}
