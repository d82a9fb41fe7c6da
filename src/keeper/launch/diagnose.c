/*
 * Finds out why execve failed. Its errno seems to be about the script whatever
 * is missing, because the kernel itself opens the #! interpreter and the ELF
 * interpreter.
 *
 * Runs in:   script's child, after execve has failed; in the keeper's memory
 *            (src/keeper/serve/spawn.c)
 * Privilege: none; it is the tenant and reads its own files
 * Trusts:    nothing in the file
 */
#include "launch.h"
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

static int is_elf(const jc_head_t *head)
{
    return head->len >= sizeof(Elf64_Ehdr) &&
           memcmp(head->bytes, ELFMAG, SELFMAG) == 0;
}

/* Copies the PT_INTERP string of a 64-bit ELF file into `named`. */
static int find_loader(const jc_head_t *head, char *named)
{
    Elf64_Ehdr elf;
    Elf64_Phdr segment;

    memcpy(&elf, head->bytes, sizeof(elf));
    if (elf.e_ident[EI_CLASS] != ELFCLASS64 ||
        elf.e_phentsize != sizeof(segment)) {
        return -1;
    }
    for (unsigned i = 0; i < elf.e_phnum; i++) {
        uint64_t at = elf.e_phoff + (uint64_t) i * sizeof(segment);
        if (elf.e_phoff > JC_HEAD_LEN || at + sizeof(segment) > head->len) {
            return -1;
        }
        memcpy(&segment, head->bytes + at, sizeof(segment));
        if (segment.p_type != PT_INTERP) {
            continue;
        }
        if (segment.p_offset >= head->len || segment.p_filesz == 0 ||
            segment.p_filesz > JC_TEXT_MAX ||
            segment.p_filesz > head->len - segment.p_offset) {
            return -1;
        }
        memcpy(named, head->bytes + segment.p_offset, segment.p_filesz);
        named[segment.p_filesz - 1] = 0;
        return 0;
    }
    return -1;
}

/* Copies the interpreter of the #! line into `named`. Returns 1 if its last
 * character is a carriage return, 0 if not, -1 if there is no such line. */
static int find_interpreter(const jc_head_t *head, char *named)
{
    const char *at = head->bytes + 2;
    size_t len;

    if (head->len < 3 || memcmp(head->bytes, "#!", 2) != 0) {
        return -1;
    }
    at += strspn(at, " \t");
    len = strcspn(at, " \t\n");
    if (len == 0 || len >= JC_TEXT_MAX) {
        return -1;
    }
    memcpy(named, at, len);
    named[len] = 0;
    if (named[len - 1] == '\r') {
        named[len - 1] = 0;
        return 1;
    }
    return 0;
}

static void set(jc_diagnosis_t *d, jc_code_t code)
{
    d->failure.code = code;
    jc_wire_set_text(&d->failure, d->named);
}

static int lacks_loader(const jc_head_t *head, jc_diagnosis_t *d)
{
    if (!is_elf(head) || find_loader(head, d->named) ||
        jc_sys_access(d->named, F_OK) == 0) {
        return 0;
    }
    set(d, JC_CODE_LOADER_MISSING);
    return 1;
}

static void diagnose_missing(jc_diagnosis_t *d)
{
    if (lacks_loader(&d->script, d)) {
        return;
    }
    switch (find_interpreter(&d->script, d->named)) {
    case 1:
        set(d, JC_CODE_CRLF);
        return;
    case 0:
        if (jc_sys_access(d->named, F_OK) != 0) {
            set(d, JC_CODE_INTERPRETER_MISSING);
        } else if (read_head(d->named, &d->interpreter) == 0) {
            lacks_loader(&d->interpreter, d);
        }
    }
}

static void diagnose_format(const jc_head_t *head, jc_failure_t *failure)
{
    Elf64_Ehdr elf;

    failure->code = JC_CODE_NO_FORMAT;
    if (is_elf(head)) {
        memcpy(&elf, head->bytes, sizeof(elf));
        if (THIS_MACHINE != EM_NONE && elf.e_machine != THIS_MACHINE) {
            failure->code = JC_CODE_WRONG_MACHINE;
            failure->found = elf.e_machine;
            failure->expected = THIS_MACHINE;
        }
    } else if (memcmp(head->bytes, "\xef\xbb\xbf", 3) == 0) {
        jc_wire_set_text(failure, "a byte order mark");
    } else if (head->len == 0) {
        jc_wire_set_text(failure, "an empty file");
    }
}

static void diagnose_denied(const char *path, jc_diagnosis_t *d)
{
    struct stat st;

    if (find_interpreter(&d->script, d->named) >= 0 &&
        jc_sys_access(d->named, X_OK) != 0) {
        set(d, JC_CODE_INTERPRETER_DENIED);
        return;
    }
    if (jc_sys_stat(path, &st) == 0 && !(st.st_mode & 0111)) {
        d->failure.code = JC_CODE_NOT_EXECUTABLE;
        d->failure.found = st.st_mode & 07777;
        return;
    }
    d->failure.code = JC_CODE_EXEC_DENIED;
}

void jc_diagnose_exec(const char *path, int errnum, jc_diagnosis_t *d)
{
    int readable = read_head(path, &d->script) == 0;

    d->failure = (jc_failure_t){.code = JC_CODE_EXEC_OTHER, .errnum = errnum};
    jc_wire_set_text(&d->failure, path);
    switch (errnum) {
    case ENOENT:
    case ENOTDIR:
        if (readable) {
            diagnose_missing(d);
        }
        break;
    case ENOEXEC:
        if (readable) {
            diagnose_format(&d->script, &d->failure);
        }
        break;
    case EACCES:
    case EPERM:
        diagnose_denied(path, d);
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
