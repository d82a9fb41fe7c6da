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

/* Identifies the file that was executed, to notice that a new one was
 * installed. */
typedef struct {
    dev_t dev;
    ino_t ino;
    struct timespec changed;
} jc_helper_file_t;

/* Returns NULL if root may execute this file as the helper, or a sentence for
 * the administrator. */
const char *jc_helper_process_check(apr_pool_t *p, const char *path);
/* Executes the helper with these capabilities (a mask of 1 << CAP_*), which
 * waits delay_ms before it begins. Sets *pid, *sock_fd (the parent's end of its
 * socket, which the caller closes) and *file. Returns NULL, or a sentence for
 * the administrator. */
const char *jc_helper_process_start(apr_pool_t *p, const char *path,
                                    uint64_t caps, unsigned delay_ms,
                                    pid_t *pid, int *sock_fd,
                                    jc_helper_file_t *file);
/* Asks the child `pid` to end, and kills it after a second. Waits for its end,
 * but about a second more at most. */
void jc_helper_process_stop(pid_t pid);
/* Kills the child `pid` without asking it to end. Waits for its end, about a
 * second at most. */
void jc_helper_process_kill(pid_t pid);
/* Returns whether `path` is still the file that was executed. */
int jc_helper_process_is_file(const char *path, const jc_helper_file_t *file);
/* Returns in words how the helper ended, from the status of an other-child
 * callback. Allocates from p. */
const char *jc_helper_process_describe_end(apr_pool_t *p, int status);
/* Returns whether it was killed from outside, by a person or because memory was
 * short. */
int jc_helper_process_was_killed(int status);
/* Returns the milliseconds of --delay-ms for the next helper. Counts the short
 * lives in a row in *short_lives. */
unsigned jc_helper_process_delay(int status, apr_interval_time_t lived,
                                 unsigned *short_lives);
/* Returns whether a successor would most likely die as fast, before it reads
 * how long it must wait. */
int jc_helper_process_is_hopeless(int status, apr_interval_time_t lived,
                                  unsigned short_lives);
/* Returns whether the log needs a line about the end of yet another one. */
int jc_helper_process_is_worth_a_line(unsigned short_lives);

#endif
