/*
 * Says which modules are loaded.
 *
 * Runs in:   httpd parent (root)
 * Privilege: that of the parent
 * Trusts:    httpd
 */
#include "config.h"

/* A stand-in has a name and nothing else. */
int jc_loaded(const char *file)
{
    const module *found = ap_find_linked_module(file);

    return found && found->register_hooks;
}
