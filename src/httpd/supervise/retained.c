/*
 * Keeps the state of the parent from one configuration to the next, and gives
 * it up if this module is not loaded again.
 *
 * Theory of operation. httpd unloads this module together with its
 * configuration, and loads it again only if the next one says so. In between,
 * none of its code can be called, so httpd itself must take care of the
 * descriptors. plog is the pool that httpd clears at each restart, after it has
 * read the new configuration, and before it opens a log or forks
 * (server/main.c). At the end of a configuration each descriptor gets a cleanup
 * in plog that is code of libapr. If the module is loaded again, which happens
 * while the configuration is read, it removes the cleanups and has its
 * descriptors back. If it is not, they are closed: no httpd child inherits
 * them, and the helper sees end of file and ends.
 *
 * Runs in:   httpd parent (root); closes in each process that it forks
 * Privilege: that of the parent
 * Trusts:    nothing but its own memory
 * Never:     has the number of a descriptor while httpd takes care of it
 */
#include "retained.h"

#include "http_core.h"

#include "apr_file_io.h"
#include "apr_portable.h"
#include "apr_tables.h"

#include <pthread.h>

/* A new layout of jc_retained_t needs a new number. After an upgrade and a
 * graceful restart, the new module finds what the old one has left. */
#define STATE_KEY "mod_jailcgi-supervise-4"

typedef struct {
    int *place; /* in the retained memory; -1 meanwhile */
    apr_file_t *file;
} left_t;

static jc_retained_t *retained;

/* This must be libapr's: a function of this module would be called when it is
 * no longer there. */
typedef apr_status_t cleanup_t(void *);
static cleanup_t *const close_file = (cleanup_t *) apr_file_close;

static void leave(int *place)
{
    left_t *left;

    if (*place < 0) {
        return;
    }
    left = apr_array_push(retained->left);
    left->place = place;
    /* Without flags this cannot fail. */
    (void) apr_os_file_put(&left->file, place, 0, retained->plog);
    apr_pool_cleanup_register(retained->plog, left->file, close_file,
                              apr_pool_cleanup_null);
    *place = -1;
}

void jc_retained_leave(void)
{
    retained->left = apr_array_make(retained->plog, 2, sizeof(left_t));
    retained->left_by = ap_state_query(AP_SQ_CONFIG_GEN);
    leave(&retained->helper_fd);
    leave(&retained->old_end_fd);
    leave(&retained->children_end_fd);
    for (unsigned i = 0; i < retained->generations.count; i++) {
        leave(&retained->generations.list[i].helper_end_fd);
        leave(&retained->generations.list[i].table_fd);
    }
}

/*
 * httpd counts the configurations that it reads, and clears plog after each.
 * What any of them but the one just before this has left is closed, and the
 * list does not exist any more. That helper is no longer ours: httpd reaps it
 * as it does all children that nobody knows, and another process may have its
 * pid by now.
 */
static void take_back(void)
{
    apr_array_header_t *all = retained->left;

    retained->left = NULL;
    if (!all) {
        return;
    }
    if (ap_state_query(AP_SQ_CONFIG_GEN) != retained->left_by + 1) {
        retained->generations.count = 0;
        retained->helper.pid = 0;
        retained->short_lives = 0;
        return;
    }
    for (int i = 0; i < all->nelts; i++) {
        left_t *left = &APR_ARRAY_IDX(all, i, left_t);

        apr_pool_cleanup_kill(retained->plog, left->file, close_file);
        (void) apr_os_file_get(left->place, left->file);
    }
}

void jc_retained_close(void)
{
    jc_wire_close_fds(&retained->helper_fd, 1);
    jc_wire_close_fds(&retained->old_end_fd, 1);
    jc_generations_close(&retained->generations);
    retained->helper.pid = 0;
}

/*
 * The parent does not only fork httpd children. mod_cgid and mod_fcgid fork
 * daemons that execute nothing, run no child_init and become the web user. If
 * one of these were compromised, it could give the helper a policy table of its
 * own through the parent's socket.
 */
static void on_any_fork(void)
{
    if (!retained->is_forking_helper) {
        jc_retained_close();
    }
}

jc_retained_t *jc_retained_load(void)
{
    if (!retained) {
        retained = ap_retained_data_get(STATE_KEY);
        if (!retained) {
            retained = ap_retained_data_create(STATE_KEY, sizeof(*retained));
            retained->children_end_fd = -1;
            retained->old_end_fd = -1;
            retained->helper_fd = -1;
        }
        /* This belongs to the loaded module: dlclose removes it again. */
        (void) pthread_atfork(NULL, NULL, on_any_fork);
    } /* otherwise it is linked into httpd, and is not loaded again */
    take_back();
    return retained;
}
