/*
 * Makes the rows of JailMail: a directory with sendmail over /usr/sbin, and for
 * scripts that empty their environment the address of the server in a file.
 *
 * A layer (overlayfs) and not a mount over the file: the machine may have no
 * sendmail at all, and Debian's exim4 has a link there.
 *
 * Runs in:   httpd parent (root), while it reads its configuration
 * Privilege: that of the parent
 * Trusts:    the configuration, the resolver
 * Never:     keeps a jail from being made because a name is not found: the
 *            scripts run, and mail is refused with the reason
 */
#include "mount_rows.h"

#include "apr_network_io.h"
#include "apr_strings.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DOMAIN_MAX 253

static int is_domain(const char *name)
{
    return name[0] && name[strspn(name, "abcdefghijklmnopqrstuvwxyz"
                                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                        "0123456789.-")] == '\0';
}

/* Returns the domain for addresses that have none: that of /etc/mailname, which
 * Debian's mail servers use, or the name of the machine. */
static const char *domain_of(apr_pool_t *p)
{
    char name[DOMAIN_MAX + 2] = "";
    apr_file_t *file;

    if (apr_file_open(&file, "/etc/mailname", APR_READ, 0, p) == APR_SUCCESS) {
        (void) apr_file_gets(name, sizeof(name), file);
        (void) apr_file_close(file);
        name[strcspn(name, " \t\r\n")] = '\0';
    }
    if (!is_domain(name) &&
        (gethostname(name, sizeof(name) - 1) != 0 || !is_domain(name))) {
        return "localhost";
    }
    return apr_pstrdup(p, name);
}

/* Returns ADDRESS PORT DOMAIN, or with ? for the address if there is none. */
static const char *server_of(apr_pool_t *p, const char *setting)
{
    const char *port = strchr(setting, ' ');
    const char *host =
        apr_pstrmemdup(p, setting, (apr_size_t) (port - setting));
    apr_sockaddr_t *found;
    char *address;

    if (apr_sockaddr_info_get(&found, host, APR_UNSPEC, 0, 0, p) !=
            APR_SUCCESS ||
        apr_sockaddr_ip_get(&address, found) != APR_SUCCESS) {
        address = NULL;
    }
    return apr_pstrcat(p, address ? address : "?", port, " ", domain_of(p),
                       NULL);
}

const char *jc_mail_rows_server(jc_mount_rows_t *mounts,
                                const jc_server_conf_t *conf)
{
    const char *server;

    if (!jc_mount_lines_have_mail(conf)) {
        return NULL;
    }
    if (!mounts->mail_servers) {
        mounts->mail_servers = apr_hash_make(mounts->p);
    }
    server =
        apr_hash_get(mounts->mail_servers, conf->mail, APR_HASH_KEY_STRING);
    if (!server) {
        server = server_of(mounts->p, conf->mail);
        apr_hash_set(mounts->mail_servers, conf->mail, APR_HASH_KEY_STRING,
                     server);
    }
    return server;
}

/* The directory is beside the helper, and has nothing but sendmail in it. */
static const char *directory_of(const jc_mount_rows_t *mounts)
{
    const char *helper = mounts->helper;

    return apr_pstrcat(mounts->p,
                       apr_pstrmemdup(mounts->p, helper,
                                      (apr_size_t) (strrchr(helper, '/') -
                                                    helper)),
                       "/jailcgi-mail", NULL);
}

void jc_mail_rows_add(jc_mount_rows_t *mounts, apr_array_header_t *rows,
                      const jc_server_conf_t *conf)
{
    const char *server = jc_mail_rows_server(mounts, conf);
    struct stat st;

    if (!server) {
        return;
    }
    if (!mounts->mail) {
        mounts->mail = directory_of(mounts);
        /* Another program is another policy. */
        mounts->mail_ino =
            stat(apr_pstrcat(mounts->p, mounts->mail, "/sendmail", NULL),
                 &st) == 0
                ? st.st_ino
                : 0;
    }
    jc_mount_row_layer(rows, mounts->mail, "/usr/sbin", mounts->mail_ino);
    if (conf->root_kind == JC_ROOT_HOST) {
        jc_mount_row_file(rows, server, "/etc/jailcgi-mail");
    }
}

const char *jc_mail_rows_problem(jc_mount_rows_t *mounts, apr_pool_t *p,
                                 const jc_server_conf_t *conf)
{
    const char *server = jc_mail_rows_server(mounts, conf);

    return server && server[0] == '?'
               ? apr_psprintf(p,
                              "JailMail: no address was found for '%.*s', and "
                              "sendmail in the jail refuses each message; "
                              "correct the name, or reload when it resolves",
                              (int) strcspn(conf->mail, " "), conf->mail)
               : NULL;
}
