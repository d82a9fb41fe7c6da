/*
 * Why execve refused. Its errno alone names the script whatever is missing:
 * the kernel opens the #! interpreter and the ELF interpreter itself.
 *
 * Runs in:   script's child, after execve has failed
 * Privilege: none, it is the tenant and reads its own files
 * Trusts:    nothing in the file
 */
#define _GNU_SOURCE
#include "keeper.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

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
#define THIS_MACHINE EM_NONE /* cannot tell */
#endif

#define HEAD 4096

typedef struct {
    char bytes[HEAD + 1];
    size_t len;
} head_t;

static char named[JC_TEXT_MAX]; /* what failure->text points to */

static int read_head(const char *path, head_t *head)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    ssize_t len = fd < 0 ? -1 : read(fd, head->bytes, HEAD);

    if (fd >= 0) {
        close(fd);
    }
    head->len = len < 0 ? 0 : (size_t) len;
    head->bytes[head->len] = 0;
    return len < 0 ? -1 : 0;
}

static int is_elf(const head_t *head)
{
    return head->len >= sizeof(Elf64_Ehdr) &&
           memcmp(head->bytes, ELFMAG, SELFMAG) == 0;
}

/* Copies the PT_INTERP string of a 64-bit ELF file into `named`. */
static int find_loader(const head_t *head)
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
        if (elf.e_phoff > HEAD || at + sizeof(segment) > head->len) {
            return -1;
        }
        memcpy(&segment, head->bytes + at, sizeof(segment));
        if (segment.p_type != PT_INTERP) {
            continue;
        }
        if (segment.p_offset >= head->len || segment.p_filesz == 0 ||
            segment.p_filesz > sizeof(named) ||
            segment.p_filesz > head->len - segment.p_offset) {
            return -1;
        }
        memcpy(named, head->bytes + segment.p_offset, segment.p_filesz);
        named[segment.p_filesz - 1] = 0;
        return 0;
    }
    return -1;
}

/* Copies the interpreter of the #! line into `named`; returns 1 if a carriage
 * return is its last character, 0 if not, -1 if there is no such line. */
static int find_interpreter(const head_t *head)
{
    const char *at = head->bytes + 2;
    size_t len;

    if (head->len < 3 || memcmp(head->bytes, "#!", 2) != 0) {
        return -1;
    }
    at += strspn(at, " \t");
    len = strcspn(at, " \t\n");
    if (len == 0 || len >= sizeof(named)) {
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

static void set(jc_failure_t *failure, jc_code_t code)
{
    failure->code = code;
    failure->text = named;
}

static int lacks_loader(const head_t *head, jc_failure_t *failure)
{
    if (!is_elf(head) || find_loader(head) || access(named, F_OK) == 0) {
        return 0;
    }
    set(failure, JC_CODE_LOADER_MISSING);
    return 1;
}

static void diagnose_missing(const head_t *head, jc_failure_t *failure)
{
    static head_t interpreter;

    if (lacks_loader(head, failure)) {
        return;
    }
    switch (find_interpreter(head)) {
    case 1:
        set(failure, JC_CODE_CRLF);
        return;
    case 0:
        if (access(named, F_OK) != 0) {
            set(failure, JC_CODE_INTERPRETER_MISSING);
        } else if (read_head(named, &interpreter) == 0) {
            lacks_loader(&interpreter, failure);
        }
    }
}

static void diagnose_format(const head_t *head, jc_failure_t *failure)
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
        failure->text = "a byte order mark";
    } else if (head->len == 0) {
        failure->text = "an empty file";
    }
}

static void diagnose_denied(const char *path, const head_t *head,
                            jc_failure_t *failure)
{
    struct stat st;

    if (find_interpreter(head) >= 0 && access(named, X_OK) != 0) {
        set(failure, JC_CODE_INTERPRETER_DENIED);
        return;
    }
    if (stat(path, &st) == 0 && !(st.st_mode & 0111)) {
        failure->code = JC_CODE_NOT_EXECUTABLE;
        failure->found = st.st_mode & 07777;
        return;
    }
    failure->code = JC_CODE_EXEC_DENIED;
}

void jc_diagnose_exec(const char *path, int errnum, jc_failure_t *failure)
{
    static head_t head;
    int readable = read_head(path, &head) == 0;

    *failure = (jc_failure_t){.code = JC_CODE_EXEC_OTHER,
                              .errnum = errnum,
                              .text = path};
    switch (errnum) {
    case ENOENT:
    case ENOTDIR:
        if (readable) {
            diagnose_missing(&head, failure);
        }
        break;
    case ENOEXEC:
        if (readable) {
            diagnose_format(&head, failure);
        }
        break;
    case EACCES:
    case EPERM:
        diagnose_denied(path, &head, failure);
        break;
    case E2BIG:
        failure->code = JC_CODE_EXEC_TOO_BIG;
        break;
    case ETXTBSY:
        failure->code = JC_CODE_SCRIPT_BUSY;
        break;
    case EAGAIN:
        failure->code = JC_CODE_FORK_NPROC;
        break;
    }
}
