/*
 * A CGI program that takes ports: WHAT+PORT in the query.
 *
 *   ipv4, ipv6, any   binds and listens on TCP: 127.0.0.1, ::1, both kinds
 *   unspecified       the same with an address that names no family
 *   i386              the same by int 0x80
 *   mptcp, smc        with a protocol that answers TCP clients as well
 *   unbound           listens without a bind: the kernel chooses the port
 *   range             the same, with this port as the kernel's only choice
 *   udp               binds
 *   connect           to 127.0.0.1, as a client
 *   source            the same, after it has bound its own address
 *   unix              a socket that is a file
 *
 * Runs in:   a jail, as a CGI program
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "t/probe/i386.h"

#define OPTION_PORT_RANGE 51 /* IP_LOCAL_PORT_RANGE, Linux 6.3 */
#define PROTOCOL_SMC      256
#define PROTOCOL_MPTCP    262

static uint16_t port;

static struct sockaddr_in local(uint16_t number)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons(number),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static int take(int fd, const void *address, socklen_t len)
{
    int one = 1;

    if (fd < 0) {
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    return bind(fd, address, len) || listen(fd, 5) ? -1 : 0;
}

static int take_ipv4(int protocol)
{
    struct sockaddr_in address = local(port);

    return take(socket(AF_INET, SOCK_STREAM, protocol), &address,
                sizeof(address));
}

static int ipv4(void)
{
    return take_ipv4(0);
}

static int mptcp(void)
{
    return take_ipv4(PROTOCOL_MPTCP);
}

static int smc(void)
{
    return take_ipv4(PROTOCOL_SMC);
}

static int take_ipv6(struct in6_addr host)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6,
                                   .sin6_port = htons(port),
                                   .sin6_addr = host};

    return take(socket(AF_INET6, SOCK_STREAM, 0), &address, sizeof(address));
}

static int ipv6(void)
{
    return take_ipv6(in6addr_loopback);
}

static int any(void)
{
    return take_ipv6(in6addr_any);
}

/* The kernel takes it for the IPv4 address 0.0.0.0. */
static int unspecified(void)
{
    struct sockaddr_in address = {.sin_family = AF_UNSPEC,
                                  .sin_port = htons(port)};

    return take(socket(AF_INET, SOCK_STREAM, 0), &address, sizeof(address));
}

static int bind_i386(void)
{
    struct sockaddr_in *address =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    *address = local(port);
    if (i386(361 /* bind */, fd, (long) address, sizeof(*address), 0) < 0) {
        return -1;
    }
    return listen(fd, 5);
}

static int unbound(void)
{
    return listen(socket(AF_INET, SOCK_STREAM, 0), 5);
}

static int range(void)
{
    struct sockaddr_in address;
    socklen_t len = sizeof(address);
    uint32_t only = (uint32_t) port << 16 | port;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (setsockopt(fd, IPPROTO_IP, OPTION_PORT_RANGE, &only, sizeof(only)) ||
        listen(fd, 5) || getsockname(fd, (void *) &address, &len)) {
        return -1;
    }
    errno = ERANGE;
    return ntohs(address.sin_port) == port ? 0 : -1;
}

static int udp(void)
{
    struct sockaddr_in address = local(port);

    return bind(socket(AF_INET, SOCK_DGRAM, 0), (void *) &address,
                sizeof(address));
}

static int reach(int fd)
{
    struct sockaddr_in address = local(port);

    return connect(fd, (void *) &address, sizeof(address));
}

static int as_client(void)
{
    return reach(socket(AF_INET, SOCK_STREAM, 0));
}

static int source(void)
{
    struct sockaddr_in address = local(0);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    return bind(fd, (void *) &address, sizeof(address)) ? -1 : reach(fd);
}

static int unix_file(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX,
                                  .sun_path = "listening"};
    int result =
        take(socket(AF_UNIX, SOCK_STREAM, 0), &address, sizeof(address));

    return result ? -1 : unlink(address.sun_path);
}

static const struct {
    const char *name;
    int (*try)(void);
} attempts[] = {
    {"ipv4", ipv4},         {"ipv6", ipv6},
    {"any", any},           {"unspecified", unspecified},
    {"i386", bind_i386},    {"mptcp", mptcp},
    {"smc", smc},           {"unbound", unbound},
    {"range", range},       {"udp", udp},
    {"connect", as_client}, {"source", source},
    {"unix", unix_file},
};

int main(void)
{
    char query[256];
    const char *given = getenv("QUERY_STRING");

    snprintf(query, sizeof(query), "%s", given ? given : "");
    char *number = query + strcspn(query, "+");
    if (*number) {
        *number++ = 0;
    }
    port = (uint16_t) atoi(number);
    printf("Content-Type: text/plain\n\n");
    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
        if (strcmp(query, attempts[i].name) == 0) {
            int result = attempts[i].try();
            puts(result < 0 ? strerrorname_np(errno) : "done");
        }
    }
    return 0;
}
