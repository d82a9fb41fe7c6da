/*
 * Reads the head of an ELF file, of 64 and of 32 bits.
 *
 * Runs in:   script's child, in the keeper's memory (src/keeper/serve/spawn.c)
 * Privilege: none; it is the tenant and reads its own files
 * Trusts:    nothing in the file
 */
#include "diagnose.h"

#include <elf.h>
#include <string.h>

/* Where the program headers are, for both classes. */
typedef struct {
    uint64_t table; /* offset of the program headers */
    unsigned count;
    size_t size; /* of one of them */
} headers_t;

/* The class is at the same place in both, and so is the machine. */
int jc_elf_head_class(const jc_head_t *head)
{
    if (head->len < sizeof(Elf32_Ehdr) ||
        memcmp(head->bytes, ELFMAG, SELFMAG) != 0) {
        return 0;
    }
    return head->bytes[EI_CLASS] == ELFCLASS32 ? 32 : 64;
}

unsigned jc_elf_head_machine(const jc_head_t *head)
{
    Elf32_Ehdr elf;

    memcpy(&elf, head->bytes, sizeof(elf));
    return elf.e_machine;
}

static int find_headers(const jc_head_t *head, headers_t *h)
{
    Elf32_Ehdr narrow;
    Elf64_Ehdr wide;

    if (jc_elf_head_class(head) == 32) {
        memcpy(&narrow, head->bytes, sizeof(narrow));
        *h = (headers_t){narrow.e_phoff, narrow.e_phnum, sizeof(Elf32_Phdr)};
        return narrow.e_phentsize == h->size ? 0 : -1;
    }
    if (head->len < sizeof(wide)) {
        return -1;
    }
    memcpy(&wide, head->bytes, sizeof(wide));
    *h = (headers_t){wide.e_phoff, wide.e_phnum, sizeof(Elf64_Phdr)};
    return wide.e_phentsize == h->size ? 0 : -1;
}

/* Returns one program header as that of 64 bits. */
static Elf64_Phdr segment_at(const jc_head_t *head, size_t at)
{
    Elf32_Phdr narrow;
    Elf64_Phdr wide = {0};

    if (jc_elf_head_class(head) == 32) {
        memcpy(&narrow, head->bytes + at, sizeof(narrow));
        wide.p_type = narrow.p_type;
        wide.p_offset = narrow.p_offset;
        wide.p_filesz = narrow.p_filesz;
    } else {
        memcpy(&wide, head->bytes + at, sizeof(wide));
    }
    return wide;
}

int jc_elf_head_loader(const jc_head_t *head, char *named)
{
    headers_t h;

    if (find_headers(head, &h)) {
        return -1;
    }
    for (unsigned i = 0; i < h.count; i++) {
        uint64_t at = h.table + (uint64_t) i * h.size;
        if (h.table > JC_HEAD_LEN || at + h.size > head->len) {
            return -1;
        }
        Elf64_Phdr segment = segment_at(head, (size_t) at);
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
