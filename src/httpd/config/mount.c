/*
 * Implements JailMount, which says what is in a jail. mount_rows.c turns its
 * lines into the mounts of a virtual host.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    nothing; every argument is checked
 * Never:     looks at a file: a source may appear later, and then needs no
 *            reload
 */
#include "directives.h"
#include "parse.h"
#include "src/wire/table.h"

#include "apr_strings.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SIZE_MOST   (UINT64_MAX >> 20)
#define INODE_BYTES 4096 /* size of a tmpfs for each inode, by default */
#define PTY_MOST    4096 /* the kernel's own default for the whole machine */

/* Returns NULL, or what is wrong with one word after the paths. */
static const char *parse_option(apr_pool_t *p, jc_mount_conf_t *mount,
                                const char *word)
{
    if (strcasecmp(word, "noexec") == 0) {
        mount->flags |= JC_MOUNT_NOEXEC;
        return NULL;
    }
    if (strcasecmp(word, "optional") == 0 && mount->kind == JC_CONF_BIND) {
        mount->flags |= JC_MOUNT_OPTIONAL;
        return NULL;
    }
    if (strcasecmp(word, "slave") == 0 &&
        (mount->kind == JC_CONF_BIND || mount->kind == JC_CONF_HOME)) {
        if (mount->flags & JC_MOUNT_READ_ONLY) {
            return "does not go with ro, because what is mounted later has a "
                   "mode of its own";
        }
        mount->flags |= JC_MOUNT_SLAVE;
        return NULL;
    }
    if (strcasecmp(word, "ro") == 0 && mount->kind == JC_CONF_HOME) {
        if (mount->flags & JC_MOUNT_SLAVE) {
            return "does not go with slave";
        }
        mount->flags |= JC_MOUNT_READ_ONLY;
        return NULL;
    }
    if (strncasecmp(word, "max=", 4) == 0 && mount->kind == JC_CONF_PTY) {
        int64_t max;

        if (!jc_parse_number(word + 4, 1, PTY_MOST, &max)) {
            return "is not a number of pseudo-terminals from 1 to 4096";
        }
        mount->inodes = (uint32_t) max;
        return NULL;
    }
    if (mount->kind == JC_CONF_TMPFS) {
        if (strncasecmp(word, "size=", 5) == 0) {
            mount->size = jc_parse_size(word + 5);
            return mount->size >= 4096 && mount->size <= SIZE_MOST
                       ? NULL
                       : "is not a size from 4096 bytes up, "
                         "with or without K, M or G";
        }
        if (strncasecmp(word, "mode=", 5) == 0) {
            return jc_parse_mode(word + 5, 01777, &mount->mode)
                       ? NULL
                       : "is not an octal mode up to 1777";
        }
        if (strncasecmp(word, "inodes=", 7) == 0) {
            int64_t inodes;

            if (!jc_parse_number(word + 7, 2, INT32_MAX, &inodes)) {
                return "is not a number from 2 up";
            }
            mount->inodes = (uint32_t) inodes;
            return NULL;
        }
    }
    return apr_psprintf(p, "is not understood after %s",
                        mount->kind == JC_CONF_TMPFS  ? "tmpfs TARGET"
                        : mount->kind == JC_CONF_BIND ? "SOURCE TARGET"
                                                      : mount->target);
}

static const struct {
    const char *name;
    jc_mount_conf_kind_t kind;
    uint32_t flags;
    int paths; /* the most that may be given */
    const char *target;
} kinds[] = {
    {"bind", JC_CONF_BIND, 0, 2, NULL},
    {"ro", JC_CONF_BIND, JC_MOUNT_READ_ONLY, 2, NULL},
    {"tmpfs", JC_CONF_TMPFS, 0, 1, NULL},
    {"proc", JC_CONF_PROC, JC_MOUNT_NOEXEC, 0, "/proc"},
    {"dev", JC_CONF_DEV, 0, 0, "/dev"},
    {"home", JC_CONF_HOME, 0, 0, "home"},
    {"pty", JC_CONF_PTY, 0, 0, JC_PTY_DIRECTORY},
};

#define GRAMMAR                                                                \
    "write bind SOURCE [TARGET] [slave], ro SOURCE [TARGET], tmpfs TARGET "    \
    "[size=64M] [mode=1777] [inodes=N], proc, dev, pty [max=N], home [ro] "    \
    "[slave], or none"

/* A copy of the machine's own terminals could not be used, because mounts are
 * nodev. Lines that bring it mean terminals. */
static void take_for_pty(jc_mount_conf_t *mount)
{
    if (mount->kind == JC_CONF_BIND &&
        strcmp(mount->source, mount->target) == 0 &&
        (strcmp(mount->target, JC_PTY_DIRECTORY) == 0 ||
         strcmp(mount->target, "/dev/ptmx") == 0)) {
        mount->kind = JC_CONF_PTY;
        mount->target = JC_PTY_DIRECTORY;
    }
}

/* A tmpfs has an inode for each 4 KB. */
static uint32_t default_inodes(const jc_mount_conf_t *mount)
{
    uint64_t inodes = mount->size / INODE_BYTES;

    return mount->kind == JC_CONF_PTY ? JC_DEFAULT_PTYS
           : inodes < 16              ? 16
           : inodes > INT32_MAX       ? INT32_MAX
                                      : (uint32_t) inodes;
}

static const char *parse_paths(cmd_parms *cmd, jc_mount_conf_t *mount, int most,
                               int argc, char *const argv[], int *at)
{
    const char *paths[2] = {NULL, NULL};
    int count = 0;

    for (; count < most && *at < argc && argv[*at][0] == '/'; (*at)++) {
        const char *wrong = jc_parse_path(cmd->pool, argv[*at], &paths[count]);

        if (!wrong && paths[count][1] == '\0') {
            wrong = "is the whole root";
        }
        if (wrong) {
            return apr_psprintf(cmd->pool,
                                "JailMount: '%s' %s; give an absolute path "
                                "below /, without . and ..",
                                argv[*at], wrong);
        }
        count++;
    }
    if (most > 0 && count == 0) {
        return apr_psprintf(cmd->pool,
                            "JailMount %s: an absolute path must follow; %s",
                            argv[0], GRAMMAR);
    }
    if (most > 0) {
        mount->source = mount->kind == JC_CONF_BIND ? paths[0] : "";
        mount->target = paths[1] ? paths[1] : paths[0];
    }
    return NULL;
}

const char *jc_mount_set(cmd_parms *cmd, void *unused, int argc,
                         char *const argv[])
{
    jc_server_conf_t *conf = jc_config_of(cmd->server);
    jc_mount_conf_t mount = {.size = JC_DEFAULT_TMP_SIZE, .mode = 01777};
    const char *wrong;
    size_t i = 0;
    int at = 1;

    if (argc == 1 &&
        jc_parse_none(argv[0], &conf->mounts, &conf->mounts_are_reset)) {
        return NULL;
    }
    while (i < sizeof(kinds) / sizeof(kinds[0]) &&
           (argc == 0 || strcasecmp(argv[0], kinds[i].name) != 0)) {
        i++;
    }
    if (i == sizeof(kinds) / sizeof(kinds[0])) {
        return apr_psprintf(cmd->pool,
                            "JailMount: '%s' is not a kind of mount; %s",
                            argc > 0 ? argv[0] : "", GRAMMAR);
    }
    mount.kind = kinds[i].kind;
    mount.flags = kinds[i].flags;
    mount.target = kinds[i].target;
    wrong = parse_paths(cmd, &mount, kinds[i].paths, argc, argv, &at);
    if (wrong) {
        return wrong;
    }
    for (; at < argc; at++) {
        wrong = parse_option(cmd->pool, &mount, argv[at]);
        if (wrong) {
            return apr_psprintf(cmd->pool, "JailMount %s: '%s' %s; %s", argv[0],
                                argv[at], wrong, GRAMMAR);
        }
    }
    take_for_pty(&mount);
    if (mount.inodes == 0) {
        mount.inodes = default_inodes(&mount);
    }
    if (!conf->mounts) {
        conf->mounts = apr_array_make(cmd->pool, 2, sizeof(mount));
    }
    APR_ARRAY_PUSH(conf->mounts, jc_mount_conf_t) = mount;
    return NULL;
}
