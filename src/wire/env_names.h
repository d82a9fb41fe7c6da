/*
 * Decides by its name whether an environment variable may reach a script.
 *
 * Runs in:   httpd parent and httpd child (what JailPassEnv may name; which
 *            names a log line lists), script's child (enforces)
 * Privilege: none of its own
 *
 * A pattern is a name, or the beginning of one followed by '*'.
 */
#ifndef JC_ENV_NAMES_H
#define JC_ENV_NAMES_H

#include <stddef.h>

/* Returns 1 if `pattern` covers the name, which is the `len` bytes at
 * `name`. */
int jc_env_names_match(const char *pattern, const char *name, size_t len);

/* Returns 1 if no request may bring this name into any jail, because its value
 * alone makes a common program load or run what the setter chooses. */
int jc_env_names_are_denied(const char *name, size_t len);

/* Returns 1 if a request may bring this name with JailUser owner. */
int jc_env_names_are_allowed(const char *name, size_t len);

#endif
