/*
 * Decides by its name whether an environment variable may reach a script.
 *
 * Runs in:   httpd parent and httpd child (what JailPassEnv may name; which
 *            names a log line lists), script's child (enforces)
 * Privilege: none of its own
 *
 * A pattern is a name, or the beginning of one followed by '*'.
 */
#ifndef JC_NAMES_H
#define JC_NAMES_H

#include <stddef.h>

/* 1: `pattern` covers the name, the `len` bytes at `name`. */
int jc_names_match(const char *pattern, const char *name, size_t len);

/* 1: no request brings this name into any jail: its value alone makes a common
 * program load or run what the setter likes. */
int jc_names_are_denied(const char *name, size_t len);

/* 1: with JailUser owner a request may bring this name. */
int jc_names_are_allowed(const char *name, size_t len);

#endif
