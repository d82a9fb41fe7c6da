/*
 * JailSeccomp, JailBackground and JailListen: what they say.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: the parent's
 * Trusts:    nothing; every argument is checked
 */
#include "config.h"
#include "src/wire/table.h"
#include "src/wire/wire.h"

#include "apr_lib.h"
#include "apr_strings.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *jc_confine_seccomp(cmd_parms *cmd, void *unused, const char *arg)
{
    const char *setting = arg;

    if (strcasecmp(arg, "default") != 0 && strcasecmp(arg, "off") != 0) {
        setting = ap_server_root_relative(cmd->pool, arg);
        if (!setting) {
            return apr_psprintf(cmd->pool,
                                "JailSeccomp: '%s' is not the path of a file; "
                                "write one, or default or off",
                                arg);
        }
    }
    return jc_seccomp_find(cmd->pool, setting,
                           &jc_config_of(cmd->server)->filter);
}

const char *jc_confine_background(cmd_parms *cmd, void *unused,
                                  const char *what, const char *max)
{
    jc_server_conf_t *conf = jc_config_of(cmd->server);
    int is_allowed = strcasecmp(what, "allow") == 0;
    int64_t time_ms = JC_NO_MAX;

    if (max) {
        time_ms =
            strncasecmp(max, "max=", 4) == 0 ? jc_config_parse_ms(max + 4) : -1;
    }
    if ((!is_allowed && strcasecmp(what, "deny") != 0) || time_ms < 0 ||
        (!is_allowed && max)) {
        return apr_psprintf(cmd->pool,
                            "JailBackground: '%s%s%s' is not understood; write "
                            "deny, allow, or allow max=TIME with a time from "
                            "1ms to 24 days (seconds, or a number with ms, s, "
                            "min or h)",
                            what, max ? " " : "", max ? max : "");
    }
    conf->background_ms = is_allowed ? time_ms : 0;
    return NULL;
}

/* -1: it is none. */
static int64_t parse_port(const char *arg)
{
    char *end;
    long port = strtol(arg, &end, 10);

    return apr_isdigit(arg[0]) && *end == '\0' && port <= UINT16_MAX ? port
                                                                     : -1;
}

/* In ascending order, each once: the same ports are then the same policy. */
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

const char *jc_confine_listen(cmd_parms *cmd, void *unused, int argc,
                              char *const argv[])
{
    jc_listen_t *listen = apr_pcalloc(cmd->pool, sizeof(*listen));

    listen->is_any = argc == 1 && strcasecmp(argv[0], "on") == 0;
    if (argc == 0 || argc > (int) JC_PORTS_MAX) {
        return apr_psprintf(cmd->pool,
                            "JailListen: %d arguments; write Off, On, or up to "
                            "%u numbers of TCP ports",
                            argc, JC_PORTS_MAX);
    }
    for (int i = 0; i < argc && !listen->is_any; i++) {
        int64_t port = parse_port(argv[i]);

        if (argc == 1 && strcasecmp(argv[i], "off") == 0) {
            break;
        }
        if (port < 0) {
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
