/*
 * The diagnosis of a failed execve, and that of a program that ended at once,
 * with any script and interpreter. The target imitates both files and the
 * system calls on them. The interpreter of the interpreter is itself.
 *
 * Input: errno; answers of the system calls; where the interpreter begins (2);
 * the script; the interpreter.
 *
 * Runs in:   the tests
 * Privilege: none
 */
#define JC_SYS_H /* the system calls are those below */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "t/fuzz/fuzz.h"

#define SCRIPT_FD  3
#define OPENED_MAX 8

static struct {
    const uint8_t *bytes[2]; /* script, interpreter */
    size_t size[2];
    int opened;
    unsigned answers;
} files;

static int jc_sys_open(const char *path, int flags)
{
    return files.opened < OPENED_MAX ? SCRIPT_FD + files.opened++ : -EACCES;
}

static int jc_sys_close(int fd)
{
    return 0;
}

static long jc_sys_read(int fd, void *to, size_t most)
{
    int which = fd > SCRIPT_FD;
    size_t len = files.size[which] < most ? files.size[which] : most;

    memcpy(to, files.bytes[which], len);
    return (long) len;
}

static int answer(const char *path)
{
    files.answers >>= 1;
    /* All of the path is looked at, as the kernel does. */
    return strlen(path) > 0 && (files.answers & 1) ? 0 : -ENOENT;
}

static int jc_sys_statfs(const char *path, struct statfs *st)
{
    st->f_flags = files.answers;
    return answer(path);
}

static long jc_sys_readlinkat(int fd, const char *path, char *target,
                              size_t size)
{
    memset(target, 'x', size);
    return answer(path) ? -EINVAL : (long) size;
}

static int jc_sys_access(const char *path, int mode)
{
    return answer(path);
}

static int jc_sys_stat(const char *path, struct stat *st)
{
    st->st_mode = files.answers;
    return answer(path);
}

#include "src/keeper/launch/diagnose.c"
#include "src/keeper/launch/elf_head.c"
#include "src/keeper/launch/first_line.c"

static void check(const jc_diagnosis_t *d)
{
    if (!d->failure.code || d->script.len > JC_HEAD_LEN ||
        d->script.bytes[d->script.len] != 0 ||
        !memchr(d->failure.text, 0, sizeof(d->failure.text))) {
        abort();
    }
}

static void parse(uint8_t *bytes, size_t size)
{
    static const int errors[] = {ENOENT, ENOTDIR, ENOEXEC, EACCES,
                                 EPERM,  E2BIG,   ETXTBSY, EAGAIN,
                                 EIO,    ELOOP,   ELIBBAD};
    static jc_diagnosis_t *d;

    if (size < 4) {
        return;
    }
    d = d ? d : malloc(sizeof(*d));
    d->script.len = 0; /* it is not always read */
    d->script.bytes[0] = 0;
    size_t cut = bytes[2] | (size_t) bytes[3] << 8;
    cut = cut < size - 4 ? cut : size - 4;
    files.bytes[0] = bytes + 4;
    files.size[0] = cut;
    files.bytes[1] = bytes + 4 + cut;
    files.size[1] = size - 4 - cut;
    files.opened = 0;
    files.answers = bytes[1];
    /* Without an end, so that one has to be written. */
    memset(d->named, 0xa5, sizeof(d->named));
    jc_diagnose_exec("/cgi-bin/x", errors[bytes[0] % 11], d);
    check(d);
    files.opened = 0;
    files.answers = bytes[1];
    memset(d->named, 0xa5, sizeof(d->named));
    jc_diagnose_end("/cgi-bin/x", d);
    check(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_each(data, size, parse);
}
