/*
 * Fingerprints the root of a jail, so that the helper can see whether it was
 * replaced. A request for a file that the jail does not have proves nothing,
 * because anybody can make one. The keeper therefore remembers device and inode
 * of everything that its root was made of. The helper has an expendable process
 * look again (src/helper/looks.c).
 *
 * Runs in:   keeper; the helper's process that looks
 * Privilege: root
 * Trusts:    nothing that it finds: it only compares
 * Never:     keeps open what it opens
 */
#include "build.h"
#include "src/keeper/launch/launch.h"

#include <unistd.h>

static uint64_t mix(uint64_t print, uint64_t value)
{
    for (int i = 0; i < 8; i++) {
        print = (print ^ (value & 0xff)) * 0x100000001b3u; /* FNV-1a */
        value >>= 8;
    }
    return print;
}

/* Adds what the walk finds, by the same rules by which the jail is built. */
static uint64_t look(uint64_t print, const char *path,
                     const jc_walk_rule_t *rule, jc_walk_want_t want)
{
    static jc_walk_t walk;

    if (jc_walk(path, rule, want, &walk)) {
        return mix(print, walk.failure.code);
    }
    const struct stat *st = walk.file_fd < 0 ? &walk.dir : &walk.file;
    print = mix(mix(print, st->st_dev), st->st_ino);
    if (walk.file_fd >= 0) {
        close(walk.file_fd);
    }
    close(walk.dir_fd);
    return print;
}

static uint64_t look_at_rows(uint64_t print, const jc_rows_t *rows,
                             uint32_t uid)
{
    const char *source = rows->strings;

    for (uint32_t i = 0; i < rows->count; i++) {
        jc_walk_rule_t rule = {.owner = uid,
                               .any_directory =
                                   !(rows->mounts[i].flags & JC_MOUNT_HOME),
                               .links_need_root = 1};

        if (rows->mounts[i].kind == JC_MOUNT_BIND) {
            print = look(print, source, &rule, JC_WALK_ANY);
        }
        source = jc_policy_next(jc_policy_next(source));
    }
    return print;
}

uint64_t jc_print_of(const jc_policy_view_t *policy, uint32_t uid)
{
    jc_walk_rule_t rule = {.owner = uid, .links_need_root = 1};
    uint64_t print = 0xcbf29ce484222325u;

    if (policy->rec->flags & JC_POLICY_CHROOT) {
        print = look(print, policy->root, &rule, JC_WALK_DIR);
    }
    print = look_at_rows(print, &policy->common_rows, uid);
    print = look_at_rows(print, &policy->account_rows, uid);
    return look_at_rows(print, &policy->rows, uid);
}

/* The step comes before the mounts are made. A mount made a moment later can
 * only be of something newer, and then the next look finds a difference. */
int jc_print_take(jc_jail_t *jail, jc_failure_t *failure)
{
    jail->print = jc_print_of(&jail->policy, jail->start.uid);
    return 0;
}
