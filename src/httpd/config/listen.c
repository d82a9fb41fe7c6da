/*
 * Implements JailListen: the TCP ports that scripts may listen on.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    nothing; every argument is checked
 */
#include "directives.h"
#include "parse.h"

#include "apr_strings.h"

#include <string.h>

/* Keeps the ports in ascending order, and each once, so that the same ports
 * make the same policy. */
static void add_port(jc_listen_t *listen, uint32_t port)
{
    uint32_t i = 0;

    while (i < listen->count && listen->ports[i] < port) {
        i++;
    }
    if (i < listen->count && listen->ports[i] == port) {
        return;
    }
    memmove(&listen->ports[i + 1], &listen->ports[i],
            (listen->count - i) * sizeof(listen->ports[0]));
    listen->ports[i] = port;
    listen->count++;
}

const char *jc_listen_set(cmd_parms *cmd, void *unused, int argc,
                          char *const argv[])
{
    jc_listen_t *listen = apr_pcalloc(cmd->pool, sizeof(*listen));

    listen->is_any = argc == 1 && strcasecmp(argv[0], "on") == 0;
    if (argc == 0 || argc > (int) JC_PORTS_MAX) {
        return apr_psprintf(cmd->pool,
                            "JailListen: %d arguments were given; write Off, "
                            "On, or up to %u numbers of TCP ports",
                            argc, JC_PORTS_MAX);
    }
    for (int i = 0; i < argc && !listen->is_any; i++) {
        int64_t port;

        if (argc == 1 && strcasecmp(argv[i], "off") == 0) {
            break;
        }
        if (!jc_parse_number(argv[i], 0, UINT16_MAX, &port)) {
            return apr_psprintf(cmd->pool,
                                "JailListen: '%s' is not understood; write Off "
                                "or On alone, or numbers of TCP ports from 1 "
                                "to 65535, and 0 for ports that the kernel "
                                "chooses",
                                argv[i]);
        }
        add_port(listen, (uint32_t) port);
    }
    jc_config_of(cmd->server)->listen = listen;
    return NULL;
}
