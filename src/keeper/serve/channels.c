/*
 * The channels. Each is two sockets, over which an httpd child sends its
 * requests to this jail one after the other, without the helper.
 *
 * A channel lets the httpd child do nothing that it could not do with a new
 * channel for each request: it runs the scripts of this jail. Policy, uid and
 * gid are the keeper's, and the helper has checked that this child may name
 * them. Each request proves that it is still this child: the kernel reports who
 * has sent it (src/keeper/launch/launch.c), and the channels of a child that
 * has ended are closed (peers.c).
 *
 * Runs in:   keeper
 * Privilege: none; it is the tenant
 * Trusts:    the helper, that both are sockets of the right kind
 * Never:     reads from them
 */
#include "channels.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static struct {
    jc_channel_t *first;
    int draining;
} channels;

/* EPOLLET reports each request once. It stays in the socket until the script's
 * child has read it, and must not wake the keeper all that time (epoll(7)). */
static int watch(jc_channel_t *channel)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET,
                                .data.ptr = channel};

    return epoll_ctl(JC_KEEPER_EPOLL_FD, EPOLL_CTL_ADD, channel->control_fd,
                     &event);
}

/* The sender has set it before the first request. Without it the script's child
 * accepts no request. */
static int ask_who_sends(int fd)
{
    int on = 1;

    return setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
}

jc_channel_t *jc_channels_open(int *fds, const jc_msg_run_t *msg)
{
    jc_channel_t *channel = calloc(1, sizeof(*channel));

    if (!channel) {
        return NULL;
    }
    channel->source = JC_SOURCE_CHANNEL;
    channel->control_fd = fds[JC_SPAWN_CONTROL];
    channel->ended_fd = fds[JC_SPAWN_ENDED];
    channel->request_id = msg->request_id;
    channel->web_uid = msg->web_uid;
    channel->peer = jc_peers_find(&fds[JC_RUN_CHILD], msg->child);
    if (!channel->peer || ask_who_sends(channel->control_fd) ||
        watch(channel)) {
        if (channel->peer) {
            jc_peers_unref(channel->peer);
        }
        free(channel);
        return NULL;
    }
    fds[JC_SPAWN_CONTROL] = fds[JC_SPAWN_ENDED] = -1; /* now the channel's */
    channel->next = channels.first;
    if (channel->next) {
        channel->next->before = channel;
    }
    channels.first = channel;
    return channel;
}

/* Removes the sockets from epoll and shuts them down before it closes them,
 * because a child that was just forked has copies until it closes them. epoll
 * would still report a channel that is gone, and the peer would see no hang-up
 * (epoll(7)). */
void jc_channels_close(jc_channel_t *channel)
{
    epoll_ctl(JC_KEEPER_EPOLL_FD, EPOLL_CTL_DEL, channel->control_fd, NULL);
    shutdown(channel->control_fd, SHUT_RDWR);
    shutdown(channel->ended_fd, SHUT_RDWR);
    close(channel->control_fd);
    close(channel->ended_fd);
    if (channel->next) {
        channel->next->before = channel->before;
    }
    if (channel->before) {
        channel->before->next = channel->next;
    } else {
        channels.first = channel->next;
    }
    jc_peers_unref(channel->peer);
    free(channel);
}

void jc_channels_close_free(void)
{
    jc_channel_t *next;

    for (jc_channel_t *channel = channels.first; channel; channel = next) {
        next = channel->next;
        if (!channel->run) {
            jc_channels_close(channel);
        }
    }
}

jc_channel_t *jc_channels_of_dead(void)
{
    jc_channel_t *channel = channels.first;

    while (channel && !channel->peer->is_dead) {
        channel = channel->next;
    }
    return channel;
}

void jc_channels_drain(void)
{
    channels.draining = 1;
}

int jc_channels_draining(void)
{
    return channels.draining;
}
