/*
 * Declares what finds out why a script could not be executed, or why it ended
 * at once: the files that the kernel opens for it, and what their heads say.
 *
 * Runs in:   script's child
 * Privilege: none
 * Trusts:    nothing in a file
 */
#ifndef JC_DIAGNOSE_H
#define JC_DIAGNOSE_H

#include "src/wire/codes.h"
#include "src/wire/wire.h"

#include <stddef.h>
#include <stdint.h>

#define JC_HEAD_LEN 4096
typedef struct {
    char bytes[JC_HEAD_LEN + 1]; /* with a NUL after the last one */
    size_t len;
} jc_head_t;

typedef struct {
    jc_failure_t failure;
    char named[JC_TEXT_MAX];
    jc_head_t script;
    jc_head_t interpreter;
} jc_diagnosis_t;

/* diagnose.c: finds out why execve of `path` failed with `errnum`, and sets
 * d->failure. */
void jc_diagnose_exec(const char *path, int errnum, jc_diagnosis_t *d);
/* Looks for what makes a program end at once although execve succeeds. Sets
 * d->failure, to JC_CODE_EXEC_OTHER if nothing is to be seen. */
void jc_diagnose_end(const char *path, jc_diagnosis_t *d);

/* elf_head.c: returns 64 or 32, or 0 if it is no ELF file. */
int jc_elf_head_class(const jc_head_t *head);
/* Returns e_machine. Only for what has a class. */
unsigned jc_elf_head_machine(const jc_head_t *head);
/* Copies the string of PT_INTERP into `named` (JC_TEXT_MAX bytes). Returns -1
 * if there is none. Only for what has a class. */
int jc_elf_head_loader(const jc_head_t *head, char *named);

/* first_line.c */
typedef enum {
    JC_FIRST_LINE_NONE,     /* no #! */
    JC_FIRST_LINE_EMPTY,    /* no interpreter after it */
    JC_FIRST_LINE_TOO_LONG, /* the kernel does not see the interpreter's end */
    JC_FIRST_LINE_OK,
} jc_first_line_kind_t;

typedef struct {
    size_t len;           /* bytes without the newline, as far as was read */
    int is_cut;           /* the kernel does not see all of it */
    const char *argument; /* what the interpreter gets; NULL: nothing */
    size_t argument_len;
} jc_first_line_t;

/* Copies the interpreter into `named` (JC_TEXT_MAX bytes), if there is one. */
jc_first_line_kind_t jc_first_line_read(const jc_head_t *head, char *named,
                                        jc_first_line_t *line);
/* Returns whether a carriage return ends it. */
int jc_first_line_has_cr(const char *text, size_t len);
/* Copies the name of the program that env(1) looks for into `named`. Returns -1
 * if a carriage return belongs to that name, or if there is none. */
int jc_first_line_env(const jc_first_line_t *line, char *named);

#endif
