/*
 * Says how an httpd child reaches the helper. The parent fills it in, and the
 * httpd children read it.
 *
 * Runs in:   httpd parent, httpd child
 * Privilege: that of the process
 * Trusts:    nothing
 */
#ifndef JC_LINK_H
#define JC_LINK_H

#include <stdint.h>

/* Says how an httpd child reaches the helper. */
typedef struct {
    int socket_fd; /* the children's end of this generation's socket, or -1 */
    uint64_t generation;
} jc_link_t;

/* mod_jailcgi.c sets it in post_config, and the httpd children read it. */
extern jc_link_t jc_link;

#endif
