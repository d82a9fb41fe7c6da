/*
 * Declares the rows of JailSeccomp, which say what system calls the scripts of
 * a jail may not make.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    the configuration
 */
#ifndef JC_SECCOMP_H
#define JC_SECCOMP_H

#include "config.h"

#include <seccomp.h>

/* A row is one reason to refuse one call. Where its arguments decide, all tests
 * must hold. A call may have several rows, and one of them is enough. */
typedef struct {
    const char *name;
    int error;        /* errno of the call, as EPERM or ENOSYS */
    const char *when; /* the tests in words; NULL: always */
    const char *why;  /* NULL: this and `when` are those of the row above */
    unsigned tests;
    struct scmp_arg_cmp test[2];
    int number; /* of a call that libseccomp may not know yet; 0: it knows it */
} jc_seccomp_row_t;

/* seccomp_table.c: the calls that `default` refuses. */
extern const jc_seccomp_row_t jc_seccomp_table[];
extern const unsigned jc_seccomp_rows;

/* seccomp_file.c: changes `rows` (jc_seccomp_row_t), which are the default
 * list, as the FILE says. Returns NULL, or a sentence for the administrator. */
const char *jc_seccomp_file_read(apr_pool_t *p, const char *file,
                                 apr_array_header_t *rows);

#endif
