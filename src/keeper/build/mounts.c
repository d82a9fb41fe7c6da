/*
 * Builds what the jail contains: a root of its own, and mounts that only this
 * keeper and its scripts see. The policy lists them in order. The httpd parent
 * has made that list from JailRoot and JailMount
 * (src/httpd/freeze/mount_rows.c).
 *
 * Every name is used once, to open a file; everything after that is done by
 * descriptor. A source is walked to from the host's root, and a symbolic link
 * counts only where nobody but root could have made it. A target is opened
 * beneath the new root, under the same condition.
 *
 * Runs in:   keeper
 * Privilege: root
 * Trusts:    the policy record; nothing in a file system that a tenant may
 *            change, and no owner where the tenant may be the server
 * Never:     makes or changes anything that another process can see, except the
 *            new root's own files
 */
#include "build.h"
#include "trees.h"
#include "src/keeper/launch/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef struct {
    const jc_mount_t *mount;
    const char *source;
    const char *target;
    const jc_jail_t *jail;
    jc_failure_t *failure;
} row_t;

static int fail(const row_t *row, jc_code_t code)
{
    row->failure->code = code;
    row->failure->errnum = errno;
    jc_wire_set_text(row->failure, row->target);
    return -1;
}

int jc_mounts_fail_walk(jc_failure_t *failure, const jc_walk_t *walk,
                        jc_code_t missing, jc_code_t unsafe, jc_code_t other)
{
    *failure = walk->failure;
    switch (failure->code) {
    case JC_CODE_NOT_IN_JAIL:
        failure->code = missing;
        break;
    case JC_CODE_DIR_WRITABLE:
    case JC_CODE_DIR_OWNER:
    case JC_CODE_SYMLINK_LOOP:
    case JC_CODE_FILE_SYSTEM:
        failure->expected = failure->code;
        failure->code = unsafe;
        break;
    case JC_CODE_AUTOMOUNT:
        failure->code = JC_CODE_MOUNT_AUTOMOUNT;
        break;
    default:
        failure->code = other;
    }
    return -1;
}

/* Opens the target, and makes it if it is missing and JC_MOUNT_MAKE permits. */
static int open_target(const row_t *row, int is_dir)
{
    int fd = jc_place_target(row->jail, row->target, is_dir);

    if (fd >= 0 || errno != ENOENT || !(row->mount->flags & JC_MOUNT_MAKE) ||
        jc_place_make(row->jail, row->target,
                      is_dir ? JC_MOUNT_DIR : JC_MOUNT_FILE, "")) {
        return fd;
    }
    return jc_place_target(row->jail, row->target, is_dir);
}

/* Returns whether all mounts of the jail become nosuid at the end. That is not
 * only for set-id programs: a program with file capabilities runs without them,
 * while no_new_privs and the empty bounding set alone let the kernel refuse to
 * execute it (capabilities(7), "Safety checking for capability-dumb binaries").
 * Without no_new_privs root's programs may be set-id. */
static int is_nosuid_at_last(const jc_jail_t *jail)
{
    return !(jail->policy.rec->flags & JC_POLICY_PRIVS);
}

static int must_be_nosuid(const row_t *row)
{
    return !is_nosuid_at_last(row->jail) &&
           (!(row->jail->policy.rec->flags & JC_POLICY_PRIVS) ||
            !(row->mount->flags & JC_MOUNT_READ_ONLY));
}

static int attach(const row_t *row, int mount_fd, int is_dir)
{
    int fd = open_target(row, is_dir);

    if (fd < 0) {
        return fail(row, JC_CODE_MOUNT_TARGET);
    }
    int result = move_mount(mount_fd, "", fd, "",
                            MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
    if (result == 0 && must_be_nosuid(row)) {
        result = jc_mounted_nosuid(mount_fd);
    }
    if (result) {
        fail(row, JC_CODE_STEP_MOUNTS);
    }
    close(fd);
    return result;
}

static unsigned attributes_of(const row_t *row)
{
    uint32_t flags = row->mount->flags;

    return (flags & JC_MOUNT_DEVICES ? 0 : MOUNT_ATTR_NODEV) |
           (flags & JC_MOUNT_NOEXEC ? MOUNT_ATTR_NOEXEC : 0) |
           (flags & JC_MOUNT_READ_ONLY ? MOUNT_ATTR_RDONLY : 0);
}

/* Returns 1 if the source is missing and optional. */
static int open_source(const row_t *row, jc_walk_t *walk)
{
    uint32_t flags = row->mount->flags;
    jc_walk_rule_t rule = {.owner = row->jail->start.uid,
                           .any_directory = !(flags & JC_MOUNT_HOME),
                           .links_need_root = 1,
                           .file_system = jc_mounted_file_system,
                           .jail = row->jail};

    if (!jc_walk(row->source, &rule, JC_WALK_ANY, walk)) {
        return 0;
    }
    if ((flags & JC_MOUNT_OPTIONAL) &&
        walk->failure.code == JC_CODE_NOT_IN_JAIL) {
        return 1;
    }
    return jc_mounts_fail_walk(row->failure, walk, JC_CODE_MOUNT_SOURCE,
                               JC_CODE_MOUNT_UNSAFE, JC_CODE_STEP_MOUNTS);
}

static int bind_source(const row_t *row)
{
    jc_walk_t walk;
    int result =
        row->mount->flags & JC_MOUNT_OWN
            ? jc_own_dir_open(row->jail, row->source, &walk, row->failure)
            : open_source(row, &walk);
    if (result) {
        return result > 0 ? 0 : -1;
    }
    int is_dir = walk.file_fd < 0;
    int mount_fd = jc_tree_clone(is_dir ? walk.dir_fd : walk.file_fd);
    if (mount_fd < 0 ||
        (!(row->mount->flags & JC_MOUNT_SLAVE) && jc_tree_private(mount_fd)) ||
        jc_tree_set(mount_fd, attributes_of(row), AT_RECURSIVE)) {
        result = fail(row, JC_CODE_STEP_MOUNTS);
    } else {
        result = attach(row, mount_fd, is_dir);
        if (result == 0 && is_dir && (row->mount->flags & JC_MOUNT_MAKE) &&
            strcmp(row->source, row->target) == 0) {
            result = jc_alias_note(row->target, walk.path);
        }
    }
    close(mount_fd);
    close(walk.dir_fd);
    close(walk.file_fd);
    return result;
}

static int mount_made(const row_t *row)
{
    /* It becomes read-only only when everything is in it. */
    unsigned attributes = attributes_of(row) & ~MOUNT_ATTR_RDONLY;
    int mount_fd = jc_made_new(row->mount, attributes);
    int result = mount_fd < 0 ? fail(row, JC_CODE_STEP_MOUNTS)
                              : attach(row, mount_fd, 1);

    close(mount_fd);
    return result;
}

static int lay_over(const row_t *row)
{
    jc_walk_t walk = {.dir_fd = -1, .file_fd = -1};
    int result = open_source(row, &walk);
    int under_fd = jc_place_open(row->jail->root_fd, row->target, O_DIRECTORY);
    int mount_fd = jc_made_layer(walk.dir_fd, under_fd, attributes_of(row));

    if (result || mount_fd < 0) {
        errno = result ? walk.failure.errnum : errno;
        result = fail(row, JC_CODE_MAIL_PLACE);
    } else {
        result = attach(row, mount_fd, 1);
    }
    close(mount_fd);
    close(under_fd);
    close(walk.dir_fd);
    return result;
}

/* The directory may exist already, because a mount has brought it. */
static int make_row(const row_t *row)
{
    int fd = row->mount->kind == JC_MOUNT_DIR
                 ? jc_place_target(row->jail, row->target, 1)
                 : -1;

    if (fd >= 0) {
        close(fd);
        return 0;
    }
    if (row->mount->flags & JC_MOUNT_OPTIONAL) {
        jc_place_offer(row->jail, row->target,
                       (jc_mount_kind_t) row->mount->kind, row->source);
        return 0;
    }
    return jc_place_make(row->jail, row->target,
                         (jc_mount_kind_t) row->mount->kind, row->source)
               ? fail(row, JC_CODE_MOUNT_TARGET)
               : 0;
}

static int apply(const row_t *row)
{
    switch (row->mount->kind) {
    case JC_MOUNT_BIND:
        return bind_source(row);
    case JC_MOUNT_TMPFS:
    case JC_MOUNT_PROC:
    case JC_MOUNT_PTY:
        return mount_made(row);
    case JC_MOUNT_LAYER:
        return lay_over(row);
    default:
        return make_row(row);
    }
}

static int is_slave(const row_t *row)
{
    return (row->mount->flags & JC_MOUNT_SLAVE) != 0;
}

/* Makes a tmpfs read-only that was filled after it was mounted. */
static int close_tmpfs(const row_t *row)
{
    if (row->mount->kind != JC_MOUNT_TMPFS ||
        !(row->mount->flags & JC_MOUNT_READ_ONLY)) {
        return 0;
    }
    int fd = open_target(row, 1);
    int result = fd < 0 ? -1 : jc_tree_set(fd, MOUNT_ATTR_RDONLY, 0);

    close(fd);
    return result ? fail(row, JC_CODE_STEP_MOUNTS) : 0;
}

static int for_each(const jc_jail_t *jail, const jc_rows_t *rows,
                    int (*what)(const row_t *row), jc_failure_t *failure)
{
    const char *at = rows->strings;

    for (uint32_t i = 0; i < rows->count; i++) {
        row_t row = {.mount = &rows->mounts[i],
                     .source = at,
                     .target = jc_policy_next(at),
                     .jail = jail,
                     .failure = failure};
        if (what(&row)) {
            return -1;
        }
        at = jc_policy_next(row.target);
    }
    return 0;
}

static int for_all(const jc_jail_t *jail, int (*what)(const row_t *row),
                   jc_failure_t *failure)
{
    return for_each(jail, &jail->policy.common_rows, what, failure) ||
           for_each(jail, &jail->policy.account_rows, what, failure) ||
           for_each(jail, &jail->policy.rows, what, failure);
}

int jc_mounts_make(jc_jail_t *jail, jc_failure_t *failure)
{
    uint32_t flags = jail->policy.rec->flags;
    int is_changed = (flags & (JC_POLICY_HOST | JC_POLICY_CHROOT)) != 0;

    if (!jc_jail_has(jail, JC_NS_MOUNT)) {
        return jc_mounted_begin(jail);
    }
    /* First, so that no mount made here appears in the host's own table. What
     * autofs mounts in the host's, because the walk to a source needs it, must
     * appear here. Each tree that the jail gets becomes private. */
    if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) ||
        jc_mounted_begin(jail)) {
        return -1;
    }
    if (!is_changed) {
        jail->root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    } else if (jc_root_mount(jail, failure)) {
        return -1;
    }
    if (jail->root_fd < 0 || for_all(jail, apply, failure)) {
        return -1;
    }
    jc_alias_make(jail);
    jc_dev_log_make(jail);
    /* The jail keeps the machine's own tree. Nothing may appear in it between
     * its table and its flags. */
    if (!is_changed && !for_all(jail, is_slave, failure) &&
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) {
        return -1;
    }
    if (for_all(jail, close_tmpfs, failure) || jc_mounted_note(jail) ||
        (is_nosuid_at_last(jail) &&
         jc_tree_set(jail->root_fd, MOUNT_ATTR_NOSUID, AT_RECURSIVE))) {
        return -1;
    }
    if ((flags & JC_POLICY_HOST) &&
        jc_tree_set(jail->root_fd, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, 0)) {
        return -1;
    }
    if (!is_changed) {
        close(jail->root_fd);
        jail->root_fd = -1;
    }
    return 0;
}
