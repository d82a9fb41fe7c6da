/*
 * Declares the helper as a process: how it starts and ends, and what its end
 * means.
 *
 * Runs in:   httpd parent (root)
 * Privilege: that of the parent
 * Trusts:    the configuration; of the helper only its pid and exit status
 */
#ifndef JC_HELPER_PROCESS_H
#define JC_HELPER_PROCESS_H

#include "src/httpd/config/config.h"

#include <sys/stat.h>
#include <sys/types.h>

/* The file that was executed, to notice that a new one was installed. */
typedef struct {
    dev_t dev;
    ino_t ino;
    struct timespec changed;
} jc_helper_file_t;

/* NULL if root may execute this file as the helper, or a sentence. */
const char *jc_helper_process_check(apr_pool_t *p, const char *path);
/* Executes the helper. Sets *pid, *sock_fd (the parent's end of its socket)
 * and *file. Returns NULL or a sentence. */
const char *jc_helper_process_start(apr_pool_t *p, const char *path,
                                    uint64_t caps, unsigned delay_ms,
                                    pid_t *pid, int *sock_fd,
                                    jc_helper_file_t *file);
/* Ends the child `pid` and waits for its end: about a second at most. */
void jc_helper_process_stop(pid_t pid);
/* Likewise, without asking it to. */
void jc_helper_process_kill(pid_t pid);
int jc_helper_process_is_file(const char *path, const jc_helper_file_t *file);
/* How it ended, as an other-child callback is told; allocates from p. */
const char *jc_helper_process_describe_end(apr_pool_t *p, int status);
/* Whether it was killed from outside, by a person or for want of memory. */
int jc_helper_process_was_killed(int status);
/* What --delay-ms the next one gets; counts in *short_lives, in a row. */
unsigned jc_helper_process_delay(int status, apr_interval_time_t lived,
                                 unsigned *short_lives);
/* Whether a successor would most likely die as fast, before it reads how long
 * it shall wait. */
int jc_helper_process_is_hopeless(int status, apr_interval_time_t lived,
                                  unsigned short_lives);
/* Whether to tell of the end of another one. */
int jc_helper_process_is_worth_a_line(unsigned short_lives);

#endif
