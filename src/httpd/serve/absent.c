/*
 * Looks in the lines of a script's stderr for what only the jail can be the
 * reason of: a path of the machine that JailRoot host does not show, and a
 * pseudo-terminal that cannot be had. The site's log then says so, once for
 * each host and code.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    nothing in the line, which comes from the tenant
 * Never:     asks whether the machine has the path: the answer would tell a
 *            tenant about files of others
 */
#include "exchange.h"
#include "once.h"
#include "src/httpd/shown.h"

#include "http_core.h"
#include "apr_strings.h"

#include <string.h>

#define PATH_LONGEST 200

/* Places in which the jail shows what the machine has, or has its own. */
static const char *const elsewhere[] = {"/dev",       "/home",   "/proc",
                                        "/sys",       "/tmp",    "/etc/passwd",
                                        "/etc/group", "/var/tmp"};

/* Words of Python, expect, script(1), ssh, screen, Perl, C programs. */
static const char *const no_terminal[] = {"out of pty devices",
                                          "no more ptys",
                                          "pseudo-terminal",
                                          "openpty",
                                          "forkpty",
                                          "posix_openpt",
                                          "/dev/ptmx",
                                          "PTY allocation",
                                          "No more PTYs",
                                          "pty_allocate",
                                          "Cannot open a pty"};

static int is_below(const char *path, const char *directory, size_t len)
{
    return len > 1 && strncmp(path, directory, len) == 0 &&
           (path[len] == '/' || path[len] == '\0');
}

static const char *script_directory(const request_rec *r)
{
    const char *slash = r->filename ? strrchr(r->filename, '/') : NULL;

    return slash ? apr_pstrmemdup(r->pool, r->filename,
                                  (size_t) (slash - r->filename))
                 : NULL;
}

/* What is beside a directory of the site is the site's too, as its home is. */
static int is_beside(const char *path, const char *directory)
{
    const char *slash = directory ? strrchr(directory, '/') : NULL;

    return slash && is_below(path, directory, (size_t) (slash - directory));
}

static int is_of_site(const jc_exchange_t *c, const char *path)
{
    for (size_t i = 0; i < sizeof(elsewhere) / sizeof(*elsewhere); i++) {
        if (is_below(path, elsewhere[i], strlen(elsewhere[i]))) {
            return 1;
        }
    }
    for (int i = 0; c->conf->mounts && i < c->conf->mounts->nelts; i++) {
        const char *target =
            APR_ARRAY_IDX(c->conf->mounts, i, jc_mount_conf_t).target;

        if (is_below(path, target, strlen(target))) {
            return 1;
        }
    }
    return is_beside(path, ap_document_root(c->r)) ||
           is_beside(path, script_directory(c->r));
}

/* A blank may be part of a name; Ruby has " (Errno::ENOENT)" after it. */
static int is_end(const char *at)
{
    return *at == '\0' || strchr("'\"`:),;>]", *at) ||
           strncmp(at, " (", 2) == 0;
}

/* Returns the first path of the line that the jail does not show, or NULL. A
 * path with other characters than these would need quotes in the remedy. */
static const char *find_path(const jc_exchange_t *c, const char *line)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+";
    const char *at = line;

    while ((at = strchr(at, '/'))) {
        size_t len = strspn(at, plain);
        const char *path;

        if ((at == line || strchr(" \t'\"`(=:<[", at[-1])) && len > 1 &&
            len <= PATH_LONGEST && is_end(at + len)) {
            path = apr_pstrmemdup(c->r->pool, at, len);
            if (!strstr(path, "..") && !is_of_site(c, path) &&
                !jc_shown_has(path)) {
                return path;
            }
        }
        at += len;
    }
    return NULL;
}

static void note(jc_exchange_t *c, jc_code_t code, const char *text)
{
    const jc_reason_t why = {.code = code, .text = text};

    jc_reason_note(c->r, c->conf, &why);
}

void jc_absent_look(jc_exchange_t *c, const char *line)
{
    const char *path;

    if (c->conf->root_kind == JC_ROOT_NONE) {
        return;
    }
    if (jc_once_is_due(c->conf, JC_CODE_NO_TERMINAL)) {
        for (size_t i = 0; i < sizeof(no_terminal) / sizeof(*no_terminal);
             i++) {
            if (strstr(line, no_terminal[i])) {
                note(c, JC_CODE_NO_TERMINAL, NULL);
                return;
            }
        }
    }
    if (c->conf->root_kind == JC_ROOT_HOST && strstr(line, "No such file") &&
        jc_once_is_due(c->conf, JC_CODE_PATH_ABSENT) &&
        (path = find_path(c, line))) {
        note(c, JC_CODE_PATH_ABSENT, path);
    }
}
