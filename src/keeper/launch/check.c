/*
 * The checks of suexec, made on open descriptors. suexec's demand for one and
 * the same group everywhere is not among them (doc/trust.md says why).
 *
 * Runs in:   script's child, in the keeper's memory (src/keeper/serve/spawn.c)
 * Privilege: none; it is the tenant, and can read where root may not: a
 *            root-squashed NFS home, or a FUSE mount of the tenant
 * Trusts:    the policy; the result of fstat, and with JailUser owner and
 *            JailTrust only on file systems that root vouches for
 */
#include "launch.h"

#include <string.h>

static int fail(jc_failure_t *failure, jc_code_t code, uint64_t found,
                uint64_t expected)
{
    failure->code = code;
    failure->errnum = 0;
    failure->found = found;
    failure->expected = expected;
    return -1;
}

/* A trusted path is a file, or a directory with everything below it. The name
 * by which a request asks counts as well, since alternatives are links, but
 * only as a whole: in a longer one, ".." or a link could lead anywhere. */
static int is_trusted(const jc_policy_view_t *policy, const char *path,
                      int is_exact)
{
    const char *trust = policy->trust;

    for (uint32_t i = 0; i < policy->rec->trust_count; i++) {
        size_t len = strlen(trust);
        if (strncmp(path, trust, len) == 0 &&
            (path[len] == 0 || (path[len] == '/' && !is_exact))) {
            return 1;
        }
        trust = jc_policy_next(trust);
    }
    return 0;
}

/*
 * The walk has checked each directory: root or the tenant owns it, and nobody
 * else may write it. Its group does not matter then. A group without write
 * permission changes nothing, and an access control list has none either where
 * the mode shows none, because the mode shows its mask. Only with
 * JC_POLICY_DIR_OWNER does the directory decide something: the uid, and without
 * an account the gid.
 */
static int check_directory(const jc_jail_t *jail, const jc_walk_t *walk,
                           jc_failure_t *failure)
{
    uint32_t uid = jail->start.uid;
    uint32_t gid = jail->start.gid;

    if (!(jail->policy.rec->flags & JC_POLICY_DIR_OWNER)) {
        return 0;
    }
    if (walk->dir.st_uid != uid) {
        return fail(failure, JC_CODE_SCRIPT_DIR_OWNER, walk->dir.st_uid, uid);
    }
    if (walk->dir.st_gid != gid && !jail->policy.account) {
        return fail(failure, JC_CODE_SCRIPT_DIR_GROUP, walk->dir.st_gid, gid);
    }
    return 0;
}

static int check_file(const jc_jail_t *jail, const struct stat *file,
                      jc_failure_t *failure)
{
    uint32_t flags = jail->policy.rec->flags;
    uint32_t uid = jail->start.uid;
    uint32_t gid = jail->start.gid;

    /* With JC_POLICY_DIR_OWNER the directory decides, and a file that root has
     * put there is as good. */
    if (file->st_uid == 0 && (flags & JC_POLICY_DIR_OWNER)) {
        return 0;
    }
    if (file->st_uid != uid) {
        return fail(failure, JC_CODE_SCRIPT_OWNER, file->st_uid, uid);
    }
    /* With JC_POLICY_OWNER alone, and an owner without an account, the group of
     * the file is the proof that the httpd child proposed the right one.
     * Otherwise it gives nobody the right to write (see check_directory). */
    if (file->st_gid != gid && (flags & JC_POLICY_OWNER) &&
        !(flags & JC_POLICY_DIR_OWNER) && !jail->policy.account) {
        return fail(failure, JC_CODE_SCRIPT_GROUP, file->st_gid, gid);
    }
    return 0;
}

/* A set-id bit that would give the script the ids that it has anyway grants
 * nothing. dpkg-statoverride installs programs with it. */
static int is_foreign_setid(const jc_jail_t *jail, const struct stat *file)
{
    return ((file->st_mode & S_ISUID) && file->st_uid != jail->start.uid) ||
           ((file->st_mode & S_ISGID) && file->st_gid != jail->start.gid);
}

static int check(const jc_jail_t *jail, const jc_request_t *request,
                 const jc_walk_t *walk, jc_failure_t *failure)
{
    const struct stat *file = &walk->file;
    unsigned mode = file->st_mode & 07777;

    if (!S_ISREG(file->st_mode)) {
        return fail(failure, JC_CODE_NOT_REGULAR, file->st_mode, 0);
    }
    if (file->st_dev != request->script_dev ||
        file->st_ino != request->script_ino) {
        return fail(failure, JC_CODE_OTHER_FILE, file->st_ino,
                    request->script_ino);
    }
    if (is_foreign_setid(jail, file)) {
        return fail(failure, JC_CODE_SCRIPT_SETID, mode, mode & 01777);
    }
    if (mode & (S_IWGRP | S_IWOTH)) {
        return fail(failure, JC_CODE_SCRIPT_WRITABLE, mode, mode & 07755);
    }
    /* JailTrust does not apply with JailUser owner: there the owner of the file
     * is the only proof that the httpd child proposed the right ids. */
    if (file->st_uid == 0 && !(jail->policy.rec->flags & JC_POLICY_OWNER) &&
        (is_trusted(&jail->policy, walk->path, 0) ||
         is_trusted(&jail->policy, request->script, 1))) {
        /* The walk has checked that root or the tenant owns its directories. */
        jc_fs_t fs = jc_vouch_file_system(jail, walk->file_fd);
        return fs == JC_FS_VOUCHED ? 0
                                   : fail(failure, JC_CODE_FILE_SYSTEM, fs, 0);
    }
    if (check_directory(jail, walk, failure) ||
        check_file(jail, file, failure)) {
        return -1;
    }
    /* A page is read and not executed. */
    if (!(mode & S_IXUSR) && !(request->flags & JC_REQUEST_SHELL)) {
        return fail(failure, JC_CODE_NOT_EXECUTABLE, mode, mode | 0100);
    }
    return 0;
}

int jc_check_script(const jc_jail_t *jail, const jc_request_t *request,
                    const jc_walk_t *walk, jc_failure_t *failure)
{
    int result = check(jail, request, walk, failure);

    if (result) {
        jc_wire_set_text(failure, walk->path);
    }
    return result;
}
