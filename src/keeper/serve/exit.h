/*
 * What EXIT says to httpd: how the leader of a request has ended, and what the
 * jail takes from it.
 *
 * Runs in:   keeper
 * Privilege: none; it is the tenant
 * Trusts:    the kernel
 */
#ifndef JC_EXIT_H
#define JC_EXIT_H

#include "run.h"

#include <sys/resource.h>

/*
 * exit.c: jc_exit_note() notes how the leader has ended, and jc_exit_tell()
 * says it to httpd; `is_over`: nothing of the request is left. jc_exit_amend()
 * says it again if the keeper ends what the leader has left, with the reason.
 */
void jc_exit_note(const jc_jail_t *jail, jc_run_t *run, int status,
                  const struct rusage *usage);
void jc_exit_tell(jc_run_t *run, int is_over);
void jc_exit_amend(jc_run_t *run);

/* refused.c: answers one system call that the filter refuses, after epoll has
 * reported it. */
void jc_refused_answer(const jc_jail_t *jail);

/* own_log.c: takes a message from the jail's own /dev/log, after epoll has
 * reported it. */
void jc_own_log_hear(void);

/* own_tmp.c: jc_own_tmp_watch() finds the jail's own /tmp before the keeper
 * serves. jc_own_tmp_taken() returns what is to be said of it (JC_TAKEN_*),
 * each once. */
void jc_own_tmp_watch(const jc_jail_t *jail);
uint32_t jc_own_tmp_taken(void);

#endif
