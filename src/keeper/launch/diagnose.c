/*
 * Finds out why execve failed. Its errno seems to be about the script whatever
 * is wrong, because the kernel itself opens the #! interpreter, which may be a
 * script again, and the ELF interpreter. Also looks for what makes a program
 * end at once although execve succeeds.
 *
 * Runs in:   script's child, after execve has failed, or in place of it; in the
 *            keeper's memory (src/keeper/serve/spawn.c)
 * Privilege: none; it is the tenant and reads its own files
 * Trusts:    nothing in the files
 *
 * failure.text is the file that is looked at, and `named` the interpreter or
 * loader that it names.
 */
#include "diagnose.h"
#include "sys.h"

#include <elf.h>
#include <string.h>

#if defined(__x86_64__)
#define THIS_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define THIS_MACHINE EM_AARCH64
#elif defined(__riscv)
#define THIS_MACHINE EM_RISCV
#elif defined(__powerpc64__)
#define THIS_MACHINE EM_PPC64
#elif defined(__s390x__)
#define THIS_MACHINE EM_S390
#else
#define THIS_MACHINE EM_NONE /* unknown */
#endif

/* The kernel goes from a script to its interpreter five times at most
 * (exec_binprm in fs/exec.c). The sixth file must be a program. */
#define LAST_LEVEL 5

#define ST_NOEXEC_FLAG                                                         \
    8 /* ST_NOEXEC of statvfs(3), which needs _GNU_SOURCE                      \
       */

static int read_head(const char *path, jc_head_t *head)
{
    int fd = jc_sys_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    long len = fd < 0 ? fd : jc_sys_read(fd, head->bytes, JC_HEAD_LEN);

    if (fd >= 0) {
        jc_sys_close(fd);
    }
    head->len = len < 0 ? 0 : (size_t) len;
    head->bytes[head->len] = 0;
    return len < 0 ? -1 : 0;
}

/* The fault is in the file that is looked at. Returns 1. */
static int blame(jc_diagnosis_t *d, jc_code_t code, uint64_t found)
{
    d->failure.code = code;
    d->failure.found = found;
    return 1;
}

/* The fault is in what that file names. Returns 1. */
static int blame_named(jc_diagnosis_t *d, jc_code_t code, uint64_t found)
{
    jc_wire_set_text(&d->failure, d->named);
    return blame(d, code, found);
}

static int is_noexec(const char *path)
{
    struct statfs fs;

    return jc_sys_statfs(path, &fs) == 0 && (fs.f_flags & ST_NOEXEC_FLAG);
}

/* Nothing is at the end of an interpreter's path. It may be a symbolic link
 * whose target is not in the jail, as alternatives are. */
static int blame_missing(jc_diagnosis_t *d, int level)
{
    char target[JC_TEXT_MAX];
    long len = jc_sys_readlinkat(AT_FDCWD, d->named, target, JC_TEXT_MAX - 1);

    if (len > 0) {
        target[len] = 0;
        jc_wire_set_text(&d->failure, d->named);
        return blame(d, JC_CODE_INTERPRETER_LINK, 0);
    }
    return blame_named(d,
                       level > 0 ? JC_CODE_INTERPRETER_CHAIN
                                 : JC_CODE_INTERPRETER_MISSING,
                       0);
}

/* Sees whether the kernel can execute what the first line names. Returns 1 with
 * the fault, or 0. */
static int check_named(jc_diagnosis_t *d, const jc_first_line_t *line,
                       int level)
{
    struct stat st;
    size_t len = strlen(d->named);
    int result = jc_sys_stat(d->named, &st);

    if (result == -ENOENT || result == -ENOTDIR || result == -ELOOP) {
        if (!line->argument && jc_first_line_has_cr(d->named, len)) {
            return blame(d, JC_CODE_CRLF, 0);
        }
        return d->named[0] == '/' ? blame_missing(d, level)
                                  : blame_named(d, JC_CODE_INTERPRETER_NAME, 0);
    }
    if (result == 0 && !S_ISREG(st.st_mode)) {
        return blame_named(d, JC_CODE_INTERPRETER_KIND, st.st_mode);
    }
    if (result == 0 && is_noexec(d->named)) {
        return blame_named(d, JC_CODE_EXEC_DENIED, JC_EXEC_NOEXEC);
    }
    if (result < 0 || jc_sys_access(d->named, X_OK) != 0) {
        return blame_named(d, JC_CODE_INTERPRETER_DENIED, 0);
    }
    return 0;
}

static int check_program(jc_diagnosis_t *d, const jc_head_t *head, int errnum)
{
    unsigned machine = jc_elf_head_machine(head);

    if (errnum == ENOEXEC && THIS_MACHINE != EM_NONE &&
        machine != THIS_MACHINE) {
        d->failure.expected = THIS_MACHINE;
        return blame(d, JC_CODE_WRONG_MACHINE, machine);
    }
    if (jc_elf_head_loader(head, d->named)) {
        return 0;
    }
    if (jc_sys_access(d->named, F_OK) != 0) {
        return blame_named(d, JC_CODE_LOADER_MISSING,
                           jc_elf_head_class(head) == 32 ? 32 : 0);
    }
    if (is_noexec(d->named)) {
        return blame_named(d, JC_CODE_EXEC_DENIED, JC_EXEC_NOEXEC);
    }
    if (jc_sys_access(d->named, X_OK) != 0) {
        return blame_named(d, JC_CODE_INTERPRETER_DENIED, 0);
    }
    return errnum == ELIBBAD ? blame_named(d, JC_CODE_INTERPRETER_KIND, S_IFREG)
                             : 0;
}

/* The file is no script. The text says what it looks like instead. */
static int check_format(jc_diagnosis_t *d, const jc_head_t *head, int errnum,
                        int level)
{
    const char *looks = "";

    if (jc_elf_head_class(head) && check_program(d, head, errnum)) {
        return 1;
    }
    if (level > 0 && !jc_elf_head_class(head)) {
        return blame(d, JC_CODE_INTERPRETER_KIND, S_IFREG);
    }
    if (errnum != ENOEXEC || level > 0) {
        return 0;
    }
    if (jc_elf_head_class(head)) {
        looks = "a program that is damaged or incomplete";
    } else if (memcmp(head->bytes, "\xef\xbb\xbf", 3) == 0) {
        looks = "a byte order mark";
    } else if (head->len == 0) {
        looks = "an empty file";
    } else if (head->bytes[0] == '#' && head->bytes[1] == '!') {
        looks = "#! without an interpreter";
    }
    if (*looks) {
        jc_wire_set_text(&d->failure, looks);
    }
    return blame(d, JC_CODE_NO_FORMAT, 0);
}

/* Goes from the script to its interpreter and on, as execve does. Returns 1
 * with the fault, or 0. */
static int find_fault(jc_diagnosis_t *d, const char *path, int errnum)
{
    const jc_head_t *head = &d->script;
    jc_first_line_t line;

    if (read_head(path, &d->script)) {
        return 0;
    }
    for (int level = 0; level <= LAST_LEVEL; level++) {
        switch (jc_first_line_read(head, d->named, &line)) {
        case JC_FIRST_LINE_TOO_LONG:
            return blame(d, JC_CODE_FIRST_LINE_LONG, line.len);
        case JC_FIRST_LINE_OK:
            break;
        default:
            return check_format(d, head, errnum, level);
        }
        if (check_named(d, &line, level)) {
            return 1;
        }
        if (level == LAST_LEVEL) {
            break;
        }
        jc_wire_set_text(&d->failure, d->named);
        if (read_head(d->named, &d->interpreter)) {
            return 0; /* it can be executed and not read */
        }
        head = &d->interpreter;
    }
    return blame(d, JC_CODE_INTERPRETER_KIND, JC_INTERPRETER_SIXTH);
}

/* The script itself cannot be executed, or the kernel's reason is unknown. */
static void diagnose_denied(const char *path, jc_diagnosis_t *d)
{
    struct stat st;

    if (is_noexec(path)) {
        blame(d, JC_CODE_EXEC_DENIED, JC_EXEC_NOEXEC);
        return;
    }
    if (jc_sys_stat(path, &st) == 0 && !(st.st_mode & 0111)) {
        blame(d, JC_CODE_NOT_EXECUTABLE, st.st_mode & 07777);
        return;
    }
    blame(d, JC_CODE_EXEC_DENIED,
          jc_sys_access(path, X_OK) != 0 ? JC_EXEC_MODE : 0);
}

static void begin(jc_diagnosis_t *d, const char *path, int errnum)
{
    d->failure = (jc_failure_t){.code = JC_CODE_EXEC_OTHER, .errnum = errnum};
    jc_wire_set_text(&d->failure, path);
}

void jc_diagnose_exec(const char *path, int errnum, jc_diagnosis_t *d)
{
    begin(d, path, errnum);
    switch (errnum) {
    case ENOENT:
    case ENOTDIR:
    case ENOEXEC:
    case ELOOP:
    case ELIBBAD:
        if (!find_fault(d, path, errnum)) {
            jc_wire_set_text(&d->failure, path);
        }
        break;
    case EACCES:
    case EPERM:
        if (is_noexec(path) || !find_fault(d, path, errnum)) {
            jc_wire_set_text(&d->failure, path);
            diagnose_denied(path, d);
        }
        break;
    case E2BIG:
        d->failure.code = JC_CODE_EXEC_TOO_BIG;
        break;
    case ETXTBSY:
        d->failure.code = JC_CODE_SCRIPT_BUSY;
        break;
    case EAGAIN:
        d->failure.code = JC_CODE_FORK_NPROC;
        break;
    }
}

static const char *name_in(const char *path)
{
    const char *slash;

    while ((slash = strchr(path, '/'))) {
        path = slash + 1;
    }
    return path;
}

/* A line that the kernel takes, and that its interpreter does not understand.
 * perl and env -S take a carriage return for a space. */
static int check_argument(jc_diagnosis_t *d, const jc_first_line_t *line)
{
    const char *name = name_in(d->named);

    if (line->is_cut) {
        return blame(d, JC_CODE_FIRST_LINE_LONG, line->len);
    }
    if (strcmp(name, "env") == 0 && jc_first_line_env(line, d->named) == 0) {
        return blame_named(d, JC_CODE_ENV_MISSING, 0);
    }
    return jc_first_line_has_cr(line->argument, line->argument_len) &&
                   strncmp(name, "perl", 4) != 0
               ? blame(d, JC_CODE_CRLF, 0)
               : 0;
}

void jc_diagnose_end(const char *path, jc_diagnosis_t *d)
{
    const jc_head_t *head = &d->script;
    jc_first_line_t line;

    begin(d, path, 0);
    if (read_head(path, &d->script)) {
        return;
    }
    for (int level = 0; level <= LAST_LEVEL; level++) {
        if (jc_first_line_read(head, d->named, &line) != JC_FIRST_LINE_OK) {
            break;
        }
        if (check_argument(d, &line)) {
            return;
        }
        jc_wire_set_text(&d->failure, d->named);
        if (read_head(d->named, &d->interpreter)) {
            return;
        }
        head = &d->interpreter;
    }
    if (jc_elf_head_class(head) == 32) {
        d->failure.code = JC_CODE_32_BIT;
    }
}
