/*
 * Helpers of the mount steps: the table of mounts, detached mount trees, and
 * paths below the new root.
 *
 * Runs in:   keeper; the helper's self-test
 * Privilege: root
 * Trusts:    the policy record
 */
#ifndef JC_TREES_H
#define JC_TREES_H

#include "src/keeper/keeper.h"

/*
 * mounted.c: reads the table of what is mounted, of which begin() finds what
 * JailTrustMount names and has to come before the first mount; note() takes all
 * that there is by then, where the policy needs it; nosuid() notes, and then
 * makes this tree nosuid, which nobody could see any more afterwards; end() is
 * for a keeper that sees the machine's own mounts: it keeps what JailTrustMount
 * names and no more. 0, or -1 with errno.
 */
int jc_mounted_begin(jc_jail_t *jail);
int jc_mounted_note(const jc_jail_t *jail);
int jc_mounted_nosuid(int tree_fd);
int jc_mounted_end(jc_jail_t *jail);
/* Of what the keeper has open as root; notes what it does not know yet. */
jc_fs_t jc_mounted_file_system(const jc_jail_t *jail, int fd);

/*
 * tree.c: a new file system with up to three options; a copy of what is mounted
 * at and below a directory; MOUNT_ATTR_*, with AT_RECURSIVE for all of it.
 * Each -1 with errno, or the tree's descriptor, or 0.
 */
int jc_tree_new(const char *type, const char *const options[][2],
                unsigned attributes);
int jc_tree_clone(int fd);
int jc_tree_set(int tree_fd, unsigned attributes, unsigned flags);

/*
 * place.c: what lies at `path` beneath the root, as O_PATH and with no symbolic
 * link on the way; and making it: a directory, a file with that content or a
 * link to it, where none but root may. -1 with errno.
 */
int jc_place_open(int root_fd, const char *path, int flags);
int jc_place_make(const jc_jail_t *jail, const char *path, jc_mount_kind_t kind,
                  const char *content);

#endif
