/*
 * Keeps the generations of httpd children that may still live: for each one the
 * helper's end of its socket, and its policy table.
 *
 * Runs in:   httpd parent (root); closed in each process that it forks
 * Privilege: that of the parent
 * Trusts:    nothing that comes through these sockets: it reads none of it
 */
#include "generations.h"

#include "apr_strings.h"

#include "mpm_common.h"
#include "unixd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

const char *jc_generations_open(apr_pool_t *p, jc_generations_t *all,
                                int table_fd, uint64_t number, uint64_t caps,
                                int *children_end_fd)
{
    int pair[2] = {-1, -1};
    int on = 1;

    /* With SO_PASSCRED the kernel reports who has sent a message. */
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0 ||
        setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) != 0) {
        const char *reason = strerror(errno);

        jc_wire_close_fds(pair, 2);
        jc_wire_close_fds(&table_fd, 1);
        return apr_psprintf(p,
                            "No socket can be made over which httpd children "
                            "reach jailcgi-helper: %s",
                            reason);
    }
    all->list[all->count++] = (jc_parent_generation_t){.number = number,
                                                       .caps = caps,
                                                       .helper_end_fd = pair[1],
                                                       .table_fd = table_fd};
    *children_end_fd = pair[0];
    return NULL;
}

const jc_parent_generation_t *jc_generations_newest(const jc_generations_t *all)
{
    return &all->list[all->count - 1];
}

/* Returns 0 in this process. Returns 1 in a process that is nobody's child,
 * when the other end of the pipe is closed. */
static int leave_behind(int ready_fd, int other_fd)
{
    pid_t pid = fork();
    char byte;

    if (pid > 0) {
        (void) waitpid(pid, NULL, 0);
    }
    if (pid != 0) {
        return 0;
    }
    close(other_fd);
    if (fork() != 0) {
        _exit(0);
    }
    return read(ready_fd, &byte, 1) <= 0;
}

/*
 * The last close of the socket also closes what is in it unread, and that can
 * block for as long as its maker likes. If anything is unread, the last process
 * to close the socket is therefore one that may be lost.
 */
static void close_with_queue(int *sock_fd)
{
    int ready[2] = {-1, -1};
    int copy_fd = -1;

    (void) shutdown(*sock_fd, SHUT_RD); /* nothing more comes from now on */
    if (jc_wire_has_unread(*sock_fd) && pipe(ready) == 0) {
        /* This is a copy, because ours is closed in each process that we
         * fork. */
        copy_fd = fcntl(*sock_fd, F_DUPFD_CLOEXEC, 0);
        if (leave_behind(ready[0], ready[1])) {
            _exit(0);
        }
    }
    jc_wire_close_fds(&copy_fd, 1);
    jc_wire_close_fds(sock_fd, 1);
    jc_wire_close_fds(ready, 2);
}

static void close_one(jc_parent_generation_t *generation)
{
    jc_wire_close_fds(&generation->helper_end_fd, 1);
    jc_wire_close_fds(&generation->table_fd, 1);
    free(generation->children);
    generation->children = NULL;
    generation->child_count = 0;
}

void jc_generations_drop(jc_generations_t *all, unsigned i)
{
    close_with_queue(&all->list[i].helper_end_fd);
    close_one(&all->list[i]);
    all->count--;
    memmove(&all->list[i], &all->list[i + 1],
            (all->count - i) * sizeof(all->list[0]));
}

/* A generation whose children's end is open nowhere has no child left. */
void jc_generations_drop_dead(jc_generations_t *all)
{
    unsigned i = 0;

    while (i < all->count) {
        struct pollfd peer = {.fd = all->list[i].helper_end_fd};

        if (poll(&peer, 1, 0) > 0 && (peer.revents & POLLHUP) != 0) {
            jc_generations_drop(all, i);
        } else {
            i++;
        }
    }
}

/*
 * The newest generation's socket is whole as long as this process has its
 * children's end, unless a child has shut it down for all of them.
 */
void jc_generations_check_newest(const jc_generations_t *all, server_rec *s)
{
    struct pollfd peer = {.fd = -1, .events = POLLRDHUP};

    if (all->count > 0) {
        peer.fd = jc_generations_newest(all)->helper_end_fd;
    }
    if (poll(&peer, 1, 0) > 0 && (peer.revents & (POLLHUP | POLLRDHUP)) != 0) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s,
                     "an httpd child has shut down the socket to "
                     "jailcgi-helper, which only a compromised one does; httpd "
                     "restarts gracefully to make a new socket");
        kill(getpid(), AP_SIG_GRACEFUL);
    }
}

void jc_generations_close(jc_generations_t *all)
{
    for (unsigned i = 0; i < all->count; i++) {
        close_one(&all->list[i]);
    }
    all->count = 0;
}

uint64_t jc_generations_caps(const jc_generations_t *all)
{
    uint64_t caps = 0;

    for (unsigned i = 0; i < all->count; i++) {
        caps |= all->list[i].caps;
    }
    return caps;
}

jc_wire_result_t
jc_generations_announce(int helper_fd, const jc_parent_generation_t *generation)
{
    jc_msg_generation_t msg = {.generation = generation->number,
                               .web_uid = ap_unixd_config.user_id};
    const int fds[JC_GENERATION_FDS] = {
        [JC_GENERATION_SOCKET] = generation->helper_end_fd,
        [JC_GENERATION_TABLE] = generation->table_fd,
        [JC_GENERATION_LOG] = STDERR_FILENO,
    };

    return jc_wire_send(helper_fd, JC_MSG_GENERATION, &msg, fds,
                        JC_GENERATION_FDS, MSG_DONTWAIT);
}
