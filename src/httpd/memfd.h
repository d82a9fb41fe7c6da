/*
 * Declares how sealed memfds are made, for the policy table and for requests
 * that are too long for a record.
 *
 * Runs in:   httpd parent, httpd child
 * Privilege: that of the process
 * Trusts:    nothing
 */
#ifndef JC_MEMFD_H
#define JC_MEMFD_H

#include <sys/uio.h>

/* Returns a memfd with all JC_SEALS that holds these parts, one after the
 * other, and which the caller closes. Returns -1 with errno if it fails. */
int jc_memfd_sealed(const char *name, const struct iovec *parts, int count);

#endif
