/*
 * Walks from the root to a file, one component at a time, by descriptor.
 *
 * Runs in:   keeper as root (JailRoot, JailMount); script's child as the tenant
 *            (script), in the keeper's memory (src/keeper/serve/spawn.c)
 * Privilege: root for JailRoot and JailMount, otherwise the tenant's
 * Trusts:    no name: it checks exactly what it has opened
 * Never:     opens more than one component at once; follows a magic link
 */
#include "launch.h"
#include "sys.h"

#include <limits.h>
#include <string.h>

#define LINKS_MAX 40 /* the kernel's own maximum */

typedef struct {
    const jc_walk_rule_t *rule;
    jc_walk_t *walk;
    int fds[JC_WALK_DEPTH];     /* the directories from the root down */
    size_t ends[JC_WALK_DEPTH]; /* length of walk->path at each */
    struct stat top;            /* of the last directory */
    int depth;
    int links;
    int is_script;    /* JC_WALK_FILE */
    const char *rest; /* what remains to be walked */
} state_t;

static int fail(state_t *s, jc_code_t code, int errnum, uint64_t found,
                uint64_t expected)
{
    s->walk->failure = (jc_failure_t){.code = code,
                                      .errnum = errnum,
                                      .found = found,
                                      .expected = expected};
    jc_wire_set_text(&s->walk->failure, s->walk->path[0] ? s->walk->path : "/");
    return -1;
}

static int fail_errno(state_t *s, long result)
{
    int errnum = (int) -result;

    switch (errnum) {
    case ENOENT:
    case ENOTDIR:
        return fail(s, JC_CODE_NOT_IN_JAIL, errnum, 0, 0);
    case EACCES:
        return fail(s, JC_CODE_PATH_DENIED, errnum, 0, 0);
    case ELOOP:
        return fail(s, JC_CODE_SYMLINK_LOOP, errnum, 0, 0);
    case EMFILE:
    case ENFILE: /* the path is not at fault */
        return fail(s, JC_CODE_SCRIPT_SETUP, errnum, 0, 0);
    default:
        return fail(s, JC_CODE_PATH_OTHER, errnum, 0, 0);
    }
}

static int is_last(const state_t *s)
{
    return s->rest[strspn(s->rest, "/")] == 0;
}

/*
 * Opens one component below the last directory. If it is a symbolic link, opens
 * the link itself. Where autofs has to mount a directory first, O_PATH alone
 * opens the empty place (openat2(2) follows automounts only for O_DIRECTORY).
 * A directory is what the component is most often.
 */
static int open_component(const state_t *s, const char *name)
{
    struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    int dir_fd = s->fds[s->depth - 1];

    if (!s->is_script || !is_last(s)) {
        how.flags |= O_DIRECTORY;
        int fd = jc_sys_openat2(dir_fd, name, &how);
        if (fd != -ENOTDIR) {
            return fd;
        }
        how.flags &= ~(uint64_t) O_DIRECTORY;
    }
    return jc_sys_openat2(dir_fd, name, &how);
}

static int check_directory(state_t *s, const struct stat *st)
{
    if (s->rule->any_directory) {
        return 0;
    }
    if (st->st_uid != 0 && st->st_uid != s->rule->owner) {
        return fail(s, JC_CODE_DIR_OWNER, 0, st->st_uid, s->rule->owner);
    }
    if (st->st_mode & (S_IWGRP | S_IWOTH)) {
        return fail(s, JC_CODE_DIR_WRITABLE, 0, st->st_mode & 07777, 0);
    }
    return 0;
}

/* Checks that root vouches for the file system, before an owner on it
 * counts. */
static int check_file_system(state_t *s, int fd)
{
    const jc_walk_rule_t *rule = s->rule;
    jc_fs_t fs =
        rule->file_system ? rule->file_system(rule->jail, fd) : JC_FS_VOUCHED;

    return fs == JC_FS_VOUCHED ? 0 : fail(s, JC_CODE_FILE_SYSTEM, 0, fs, 0);
}

/* Adds a directory to the walk. Takes ownership of fd, also on failure. */
static int push(state_t *s, int fd, const struct stat *st)
{
    if ((!s->rule->links_need_root && check_file_system(s, fd)) ||
        check_directory(s, st)) {
        jc_sys_close(fd);
        return -1;
    }
    if (s->depth == JC_WALK_DEPTH) {
        jc_sys_close(fd);
        return fail(s, JC_CODE_PATH_OTHER, ENAMETOOLONG, 0, 0);
    }
    s->ends[s->depth] = strlen(s->walk->path);
    s->fds[s->depth++] = fd;
    s->top = *st;
    return 0;
}

static void pop(state_t *s)
{
    jc_sys_close(s->fds[--s->depth]);
}

static int push_root(state_t *s)
{
    struct stat st;
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    int fd = s->rule->root_fd ? jc_sys_openat2(*s->rule->root_fd, ".", &how)
                              : jc_sys_open("/", (int) how.flags);
    int result = fd < 0 ? fd : jc_sys_fstat(fd, &st);

    s->walk->path[0] = 0;
    return result < 0 ? fail_errno(s, result) : push(s, fd, &st);
}

/* ".." of the root is the root. The parent was checked on the way down. */
static int go_up(state_t *s)
{
    if (s->depth > 1) {
        pop(s);
        s->walk->path[s->ends[s->depth - 1]] = 0;
        int result = jc_sys_fstat(s->fds[s->depth - 1], &s->top);
        if (result < 0) {
            return fail_errno(s, result);
        }
    }
    return 0;
}

/* The path itself names a link, and what it leads to is in another directory.
 * While the last component of the path is still in the rest, no component of a
 * link is the last one. Therefore the first link that is last is the one that
 * was named. */
static int keep_named_directory(state_t *s)
{
    if (!s->is_script || !is_last(s) || s->walk->named_dir_fd >= 0) {
        return 0;
    }
    int fd = jc_sys_dup_from(s->fds[s->depth - 1], JC_SCRIPT_CONTROL_FD + 1);
    if (fd < 0) {
        return fail_errno(s, fd);
    }
    s->walk->named_dir_fd = fd;
    return 0;
}

/* Puts the target of the link before the rest, which is in the other buffer. */
static int follow(state_t *s, int link_fd)
{
    char *joined = s->walk->rest[s->links % 2];
    size_t rest_len = strlen(s->rest);
    long len = jc_sys_readlinkat(link_fd, "", joined, PATH_MAX);

    jc_sys_close(link_fd);
    if (len <= 0) {
        return fail_errno(s, len);
    }
    if (keep_named_directory(s)) {
        return -1;
    }
    if (++s->links > LINKS_MAX || len == PATH_MAX ||
        (size_t) len + 1 + rest_len >= JC_WALK_REST) {
        return fail(s, JC_CODE_SYMLINK_LOOP, ELOOP, 0, 0);
    }
    if (s->rule->links_need_root &&
        (s->top.st_uid != 0 || (s->top.st_mode & (S_IWGRP | S_IWOTH)))) {
        return fail(s, JC_CODE_SYMLINK_LOOP, 0, s->top.st_uid, 0);
    }
    if (s->rule->links_need_root &&
        check_file_system(s, s->fds[s->depth - 1])) {
        return -1;
    }
    joined[len] = '/';
    memcpy(joined + len + 1, s->rest, rest_len + 1);
    s->rest = joined;
    if (joined[0] == '/') {
        while (s->depth > 0) {
            pop(s);
        }
        return push_root(s);
    }
    s->walk->path[s->ends[s->depth - 1]] = 0;
    return 0;
}

/* Cuts the next component off the rest. Returns 1, 0 at the end, or -1. */
static int next_component(state_t *s, char *name)
{
    const char *at = s->rest + strspn(s->rest, "/");
    size_t len = strcspn(at, "/");

    if (len == 0 || len > NAME_MAX) {
        return len ? fail_errno(s, -ENAMETOOLONG) : 0;
    }
    memcpy(name, at, len);
    name[len] = 0;
    s->rest = at + len;
    return 1;
}

/* Returns 1 when the walk has arrived at a file, 0 to continue, -1 on
 * failure. */
static int enter(state_t *s, const char *name, jc_walk_want_t want)
{
    jc_walk_t *walk = s->walk;
    size_t len = strlen(walk->path);
    struct stat st;

    if (len + 1 + strlen(name) >= sizeof(walk->path)) {
        return fail(s, JC_CODE_PATH_OTHER, ENAMETOOLONG, 0, 0);
    }
    walk->path[len] = '/';
    memcpy(walk->path + len + 1, name, strlen(name) + 1);
    int fd = open_component(s, name);
    if (fd == -ELOOP) {
        /* No link is followed here. autofs says so where what it mounts does
         * not reach this mount namespace. */
        return fail(s, JC_CODE_AUTOMOUNT, ELOOP, 0, 0);
    }
    if (fd == -EACCES) { /* the directory may not be searched */
        walk->path[len] = 0;
    }
    if (fd < 0) {
        return fail_errno(s, fd);
    }
    int result = jc_sys_fstat(fd, &st);
    if (result < 0) {
        jc_sys_close(fd);
        return fail_errno(s, result);
    }
    if (S_ISLNK(st.st_mode)) {
        return follow(s, fd);
    }
    if (S_ISDIR(st.st_mode) && (want != JC_WALK_FILE || !is_last(s))) {
        return push(s, fd, &st);
    }
    if (!is_last(s) || want == JC_WALK_DIR) {
        jc_sys_close(fd);
        return fail_errno(s, -ENOTDIR);
    }
    if (!s->rule->links_need_root && check_file_system(s, fd)) {
        jc_sys_close(fd);
        return -1;
    }
    walk->file_fd = fd;
    walk->file = st;
    return 1;
}

static int run(state_t *s, jc_walk_want_t want)
{
    char name[NAME_MAX + 1];
    int result = push_root(s);

    while (result == 0) {
        int more = next_component(s, name);
        if (more <= 0) {
            return more;
        }
        if (strcmp(name, ".") == 0) {
            continue;
        }
        result = strcmp(name, "..") == 0 ? go_up(s) : enter(s, name, want);
    }
    return result;
}

int jc_walk(const char *path, const jc_walk_rule_t *rule, jc_walk_want_t want,
            jc_walk_t *walk)
{
    /* The arrays are not cleared: for every request, the kernel would have to
     * copy each page that is touched here. */
    state_t s;
    int result;

    s.rule = rule;
    s.walk = walk;
    s.depth = s.links = 0;
    s.is_script = want == JC_WALK_FILE;
    walk->dir_fd = walk->file_fd = walk->named_dir_fd = -1;
    walk->path[0] = 0;
    if (path[0] != '/' || strlen(path) >= PATH_MAX) {
        return fail_errno(&s, -ENAMETOOLONG);
    }
    s.rest = path;
    result = run(&s, want);
    if (result == 0 && want == JC_WALK_FILE) { /* it ended at a directory */
        result = fail(&s, JC_CODE_NOT_REGULAR, 0, s.top.st_mode, 0);
    }
    if (result >= 0) {
        walk->dir = s.top;
        walk->dir_fd = s.fds[--s.depth];
        result = 0;
    } else if (walk->named_dir_fd >= 0) {
        jc_sys_close(walk->named_dir_fd);
        walk->named_dir_fd = -1;
    }
    while (s.depth > 0) {
        pop(&s);
    }
    return result;
}
