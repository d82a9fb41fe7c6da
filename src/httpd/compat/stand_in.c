/*
 * Defines modules that have a name and nothing else. Configurations guard
 * blocks with <IfModule mod_cgid.c>, <IfModule cgid_module> and similar lines.
 * Where mod_jailcgi takes the place of these modules, the stand-in is loaded
 * under their name, and keeps such blocks in force:
 *
 *   LoadModule cgid_module modules/mod_jailcgi_compat.so
 *
 * The stand-in is a file of its own, and is never loaded beside the module that
 * it replaces: the dynamic linker would bind the name of that module to this
 * one.
 *
 * Runs in:   httpd parent, httpd child
 * Privilege: that of the process
 * Trusts:    nothing
 * Never:     does anything
 */
#include "httpd.h"
#include "http_config.h"

#define STAND_IN(symbol, file)                                                 \
    module AP_MODULE_DECLARE_DATA __attribute__((visibility("default")))       \
    symbol = {                                                                 \
        .version = MODULE_MAGIC_NUMBER_MAJOR,                                  \
        .minor_version = MODULE_MAGIC_NUMBER_MINOR,                            \
        .module_index = -1,                                                    \
        .name = file,                                                          \
        .magic = MODULE_MAGIC_COOKIE,                                          \
    }

STAND_IN(cgi_module, "mod_cgi.c");
STAND_IN(cgid_module, "mod_cgid.c");
STAND_IN(suexec_module, "mod_suexec.c");
