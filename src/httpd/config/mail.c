/*
 * Implements JailMail, which puts a sendmail into jails that hands messages to
 * a mail server. src/httpd/freeze/mail_rows.c makes rows of it.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    nothing; the argument is checked
 * Never:     looks up the name
 */
#include "mount_directives.h"

#include "apr_network_io.h"
#include "apr_strings.h"

#include <strings.h>

const char *jc_mail_set(cmd_parms *cmd, void *unused, const char *arg)
{
    jc_server_conf_t *conf = jc_config_of(cmd->server);
    char *host, *scope;
    apr_port_t port;

    if (strcasecmp(arg, "none") == 0) {
        conf->mail = "";
        return NULL;
    }
    if (apr_parse_addr_port(&host, &scope, &port, arg, cmd->pool) !=
            APR_SUCCESS ||
        !host || scope ||
        host[strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                          "0123456789.:-_")]) {
        return apr_psprintf(cmd->pool,
                            "JailMail: '%s' is not the address of a mail "
                            "server; write HOST or HOST:PORT, such as "
                            "127.0.0.1 or [::1]:25, or none",
                            arg);
    }
    conf->mail = apr_psprintf(cmd->pool, "%s %u", host, port ? port : 25);
    return NULL;
}
