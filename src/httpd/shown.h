/*
 * Declares what of the machine is in a jail of JailRoot host.
 *
 * Runs in:   httpd parent, httpd child
 * Privilege: that of the process
 */
#ifndef JC_SHOWN_H
#define JC_SHOWN_H

/* Patterns of glob(7), with NULL at the end. What does not exist is left out,
 * and of the data also what not everybody may read. */
extern const char *const jc_shown[];
extern const char *const jc_shown_data[];

/* Returns whether the path is, or is below, one of them. */
int jc_shown_has(const char *path);

#endif
