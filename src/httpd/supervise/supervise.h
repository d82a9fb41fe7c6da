/*
 * What the files that keep the helper alive share.
 *
 * Runs in:   httpd parent (root)
 * Privilege: the parent's
 * Trusts:    the configuration; of the helper only its pid and exit status
 */
#ifndef JC_SUPERVISE_H
#define JC_SUPERVISE_H

#include "src/httpd/config/config.h"
#include "src/httpd/link.h"
#include "src/wire/wire.h"

#include "apr_tables.h"
#include "apr_thread_proc.h"

#include <sys/stat.h>
#include <sys/types.h>

/*
 * supervise.c: the helper's life. Runs in the parent.
 * jc_supervise_post_config opens a new generation with this table (takes
 * ownership of table_fd), starts the helper if none runs, replaces it if it
 * lacks a capability, and fills *link. Returns NULL or a sentence.
 */
const char *jc_supervise_post_config(apr_pool_t *pconf, apr_pool_t *plog,
                                     server_rec *s, int table_fd,
                                     uint64_t generation, uint64_t caps_needed,
                                     jc_link_t *link);
/* As soon as the module is loaded, before another module can fork: finds what
 * an earlier configuration has left, and keeps it from other processes. */
void jc_supervise_load(void);
uint64_t jc_supervise_next_generation(void);
/* NULL if root may execute this file as the helper, or a sentence. */
const char *jc_helper_process_check(apr_pool_t *p, const char *path);
/* Hook, about every ten seconds: starts a helper that could not be started. */
int jc_supervise_monitor(apr_pool_t *p, server_rec *s);
/* Hook: httpd has started a child, or one has ended. */
void jc_supervise_child_status(server_rec *s, pid_t pid, ap_generation_t gen,
                               int slot, mpm_child_status status);
/* In a child, before it serves: closes what only the parent may hold. */
void jc_supervise_child_init(void);

/* The file that was executed, to notice that a new one was installed. */
typedef struct {
    dev_t dev;
    ino_t ino;
    struct timespec changed;
} jc_helper_file_t;

/* generations.c */

/* The helper has room for 64, some of which it may not have seen end yet. */
#define JC_GENERATIONS_KEPT 60

/* The children of one configuration. */
typedef struct {
    uint64_t number;
    uint64_t caps;     /* that the helper needs for it */
    int helper_end_fd; /* kept, with the requests in it, if the helper dies */
    int table_fd;
    pid_t *children; /* all that were started, ended ones too; malloc's */
    unsigned child_count;
} jc_generation_t;

typedef struct {
    unsigned count;
    jc_generation_t list[JC_GENERATIONS_KEPT]; /* oldest first */
} jc_generations_t;

/* Adds one, for which there must be room. Takes table_fd. Sets
 * *children_end_fd, the caller's to close. Returns NULL or a sentence. */
const char *jc_generations_open(apr_pool_t *p, jc_generations_t *all,
                                int table_fd, uint64_t number, uint64_t caps,
                                int *children_end_fd);
/* Restarts httpd gracefully if a child has cut its generation off. */
void jc_generations_check_newest(const jc_generations_t *all, server_rec *s);
const jc_generation_t *jc_generations_newest(const jc_generations_t *all);
void jc_generations_drop(jc_generations_t *all, unsigned i);
void jc_generations_drop_dead(jc_generations_t *all);
void jc_generations_close(jc_generations_t *all);
uint64_t jc_generations_caps(const jc_generations_t *all);
/* retire.c: httpd has started this child of the newest generation. */
void jc_retire_note_child(jc_generations_t *all, pid_t pid);
/* Gives up each older generation whose children have all ended, and says so to
 * the helper: its socket may not have hung up, because a child has passed its
 * end on to somebody. Whether there was one. */
int jc_retire_generations(jc_generations_t *all, int helper_fd);
/* Tells the helper of it, without blocking. */
jc_wire_result_t jc_generations_announce(int helper_fd,
                                         const jc_generation_t *generation);

/* retained.c */

/* The state of the parent, in memory that outlives a configuration. */
typedef struct {
    pid_t parent_pid;
    uint64_t last_generation;
    int children_end_fd; /* of the newest generation */
    int old_end_fd;      /* of the one before, while httpd is between them */
    jc_generations_t generations;

    apr_proc_t helper; /* pid 0: none runs */
    int helper_fd;
    uint64_t helper_caps;
    apr_time_t started;
    jc_helper_file_t helper_file;
    unsigned short_lives; /* in a row */
    int is_forking_helper;
    uint64_t pinged_ms; /* 0: not since something else was sent to it */

    apr_pool_t *plog;
    apr_array_header_t *left; /* in plog, of the configuration `left_by` */
    int left_by;

    /* of the present configuration */
    apr_pool_t *pconf;
    server_rec *server;
    const char *path;
} jc_retained_t;

/* As soon as the module is loaded: what an earlier configuration has left, or
 * nothing. From then on it is kept from other processes that httpd forks. */
jc_retained_t *jc_retained_load(void);
/* When a configuration ends: httpd closes all descriptors before it serves
 * with the next one, unless that one loads the module. */
void jc_retained_leave(void);
/* All that lets a process command the helper, or be taken for it. */
void jc_retained_close(void);

/* helper_process.c */

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
