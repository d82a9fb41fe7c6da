/*
 * Declares the second look at a script that has ended without a page.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    nothing that the jail answers
 */
#ifndef JC_LOOK_H
#define JC_LOOK_H

#include "exchange.h"

/* look.c: replaces *why, how the script has ended, by what explains that, if
 * something in its file does. Call it after the end of the script, and before
 * that of the exchange. */
void jc_look_at_script(jc_exchange_t *c, jc_reason_t *why);

#endif
