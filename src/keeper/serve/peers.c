/*
 * The httpd children that have channels to this jail. The right to send
 * requests belongs to one child. An end of a channel can be passed on, and
 * would then let its holder run scripts of this tenant for as long as the
 * keeper lives. All channels of a child are therefore closed when the child has
 * ended, even if somebody else still holds copies of their ends.
 *
 * Runs in:   keeper
 * Privilege: none; it is the tenant
 * Trusts:    the helper, that the pidfd is that of the child which sent SPAWN
 * Never:     signals an httpd child
 */
#include "channels.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

static struct {
    jc_peer_t *first;
    int have_died;
    int have_left; /* one has no channel any more */
} peers;

/* The pid may be another child's by now. */
static int has_ended(const jc_peer_t *peer)
{
    struct pollfd end = {.fd = peer->pidfd, .events = POLLIN};

    return peer->is_dead || poll(&end, 1, 0) != 0;
}

static jc_peer_t *make(int pidfd, int32_t pid)
{
    jc_peer_t *peer = calloc(1, sizeof(*peer));
    struct epoll_event event = {.events = EPOLLIN};

    if (!peer) {
        return NULL;
    }
    *peer = (jc_peer_t){.source = JC_SOURCE_PEER, .pidfd = pidfd, .pid = pid};
    event.data.ptr = peer;
    if (epoll_ctl(JC_KEEPER_EPOLL_FD, EPOLL_CTL_ADD, pidfd, &event)) {
        free(peer);
        return NULL;
    }
    peer->next = peers.first;
    peers.first = peer;
    return peer;
}

jc_peer_t *jc_peers_find(int *pidfd, int32_t pid)
{
    jc_peer_t *peer = peers.first;

    while (peer && (peer->pid != pid || has_ended(peer))) {
        peer = peer->next;
    }
    if (peer) {
        close(*pidfd);
    } else {
        peer = make(*pidfd, pid);
    }
    if (peer) {
        *pidfd = -1; /* now the record's */
        peer->channels++;
    }
    return peer;
}

void jc_peers_unref(jc_peer_t *peer)
{
    peers.have_left |= --peer->channels == 0;
}

void jc_peers_tidy(void)
{
    jc_peer_t **link = &peers.first;

    while (peers.have_left && *link) {
        jc_peer_t *peer = *link;
        if (peer->channels > 0) {
            link = &peer->next;
            continue;
        }
        *link = peer->next;
        epoll_ctl(JC_KEEPER_EPOLL_FD, EPOLL_CTL_DEL, peer->pidfd, NULL);
        close(peer->pidfd);
        free(peer);
    }
    peers.have_left = 0;
}

void jc_peers_on_death(jc_peer_t *peer)
{
    peer->is_dead = 1;
    peers.have_died = 1;
    epoll_ctl(JC_KEEPER_EPOLL_FD, EPOLL_CTL_DEL, peer->pidfd, NULL);
}

int jc_peers_have_died(void)
{
    int have_died = peers.have_died;

    peers.have_died = 0;
    return have_died;
}
