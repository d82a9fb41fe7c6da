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
#include "src/keeper/launch/launch.h"

/*
 * root.c: attaches the mount that becomes the root of the jail, and sets
 * jail->root_fd, which stays open. Returns 0, or -1 with *failure or errno.
 */
int jc_root_mount(jc_jail_t *jail, jc_failure_t *failure);

/* mounts.c: turns the failure of a walk into the code for a source or for
 * JailRoot. Returns -1. */
int jc_mounts_fail_walk(jc_failure_t *failure, const jc_walk_t *walk,
                        jc_code_t missing, jc_code_t unsafe, jc_code_t other);

/*
 * mounted.c: the table of mounts. Each function returns 0, or -1 with errno.
 * begin() finds the file systems that JailTrustMount names, and must be called
 * before the first mount. note() adds all mounts that exist by then, if the
 * policy needs them. nosuid() adds them and then makes this tree nosuid,
 * because nobody could see afterwards which mounts were nosuid before. end() is
 * for a keeper that sees the machine's own mounts: it keeps those that
 * JailTrustMount names, and drops all others.
 */
int jc_mounted_begin(jc_jail_t *jail);
int jc_mounted_note(const jc_jail_t *jail);
int jc_mounted_nosuid(int tree_fd);
int jc_mounted_end(jc_jail_t *jail);
/* Returns whether owners count on the file system of `fd`, which the keeper has
 * opened as root. Reads the table of mounts again if it does not know the
 * mount. */
jc_fs_t jc_mounted_file_system(const jc_jail_t *jail, int fd);

/*
 * tree.c: detached trees of mounts.
 * jc_tree_new() makes a file system with up to three options. jc_tree_clone()
 * copies the mounts at and below a directory. jc_tree_set() sets MOUNT_ATTR_*,
 * on the whole tree with AT_RECURSIVE. The first two return the descriptor of
 * the tree, which the caller closes, or -1 with errno; the third returns 0, or
 * -1 with errno.
 */
int jc_tree_new(const char *type, const char *const options[][2],
                unsigned attributes);
int jc_tree_clone(int fd);
int jc_tree_set(int tree_fd, unsigned attributes, unsigned flags);
/* Lets nothing that the machine mounts later appear in the tree. Returns 0, or
 * -1 with errno. */
int jc_tree_private(int tree_fd);

/*
 * made.c: new file systems, as detached mounts with MOUNT_ATTR_*: a tmpfs,
 * procfs or devpts, as the kind of the row says; and one that shows the names
 * of both directories, of which the first one's win. Each returns a descriptor,
 * which the caller closes, or -1 with errno.
 */
int jc_made_new(const jc_mount_t *mount, unsigned attributes);
int jc_made_layer(int over_fd, int under_fd, unsigned attributes);

/*
 * place.c: jc_place_open() opens `path` beneath the root as O_PATH, through no
 * symbolic link. jc_place_target() also goes through those in the jail's root
 * that only root can have made. The caller closes what they return.
 * jc_place_make() makes a directory, a file with that content, or a symbolic
 * link to it, and refuses if anybody but root could change names there. All
 * return -1 with errno.
 */
int jc_place_open(int root_fd, const char *path, int flags);
int jc_place_target(const jc_jail_t *jail, const char *path, int is_dir);
int jc_place_make(const jc_jail_t *jail, const char *path, jc_mount_kind_t kind,
                  const char *content);
/* Makes the same where that is in the root's own file system, which nobody but
 * the jail sees, and nothing has that name. Otherwise it does nothing. */
void jc_place_offer(const jc_jail_t *jail, const char *path,
                    jc_mount_kind_t kind, const char *content);

/*
 * alias.c: jc_alias_note() remembers that a directory was mounted at `target`
 * that the walk has found at `found`; returns 0, or -1 with errno.
 * jc_alias_make() then makes each `found` a symbolic link to its `target` in a
 * root that is made of mounts.
 */
int jc_alias_note(const char *target, const char *found);
void jc_alias_make(const jc_jail_t *jail);

#endif
