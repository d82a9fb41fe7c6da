/*
 * Declares the state of the parent, in memory that outlives a configuration.
 *
 * Runs in:   httpd parent (root)
 * Privilege: that of the parent
 * Trusts:    the configuration; of the helper only its pid and exit status
 */
#ifndef JC_RETAINED_H
#define JC_RETAINED_H

#include "generations.h"
#include "helper_process.h"

#include "apr_tables.h"
#include "apr_thread_proc.h"

/* The state of the parent, in memory that outlives a configuration. */
typedef struct {
    pid_t parent_pid;
    uint64_t last_generation;
    int children_end_fd; /* of the newest generation */
    int old_end_fd;      /* of the one before, during a restart */
    jc_generations_t generations;

    apr_proc_t helper; /* pid 0: none runs */
    int helper_fd;
    uint64_t helper_caps;
    apr_time_t started;
    jc_helper_file_t helper_file;
    unsigned short_lives; /* in a row */
    int is_forking_helper;
    uint64_t pinged_ms; /* 0: not since something else was sent */

    apr_pool_t *plog;
    apr_array_header_t *left; /* in plog, from configuration `left_by` */
    int left_by;

    /* These belong to the present configuration. */
    apr_pool_t *pconf;
    server_rec *server;
    const char *path;
} jc_retained_t;

/* Returns the state that an earlier configuration has left, or an empty one.
 * Call it as soon as the module is loaded: from then on the state is kept from
 * other processes that httpd forks. */
jc_retained_t *jc_retained_load(void);
/* Hands the descriptors over to httpd when a configuration ends. httpd closes
 * them before it serves with the next one, unless that one loads the module. */
void jc_retained_leave(void);
/* Closes everything that lets a process command the helper, or be taken for
 * it. */
void jc_retained_close(void);

/*
 * heartbeat.c: returns 1 if a running helper has not read for seconds what the
 * parent has sent. Otherwise returns 0, and sends something that must have been
 * read some seconds later. httpd may call twice within a moment, when many of
 * its children end. Anything that is sent after it would look the same, so it
 * takes the proof away: then set pinged_ms to 0.
 */
int jc_heartbeat_has_stopped(jc_retained_t *state);

#endif
