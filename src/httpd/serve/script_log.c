/*
 * Writes mod_cgi's ScriptLog: everything about a script that failed, in one
 * file.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user, who opens the file, as with mod_cgi
 * Trusts:    the configured path, and nothing that a tenant may have put there;
 *            nothing that is written
 * Never:     waits for the file; follows a symbolic link that does not belong
 *            to root; writes to anything but an ordinary file with one name;
 *            leaves an entry out silently
 *
 * Control panels keep the log in the tenant's home. There the tenant can lock
 * it, lease it, or put a FIFO, a socket or a link to another tenant's log in
 * its place.
 *
 * Each entry is one write to a file opened with O_APPEND, so that the entries
 * of several httpd children do not mix. There is no lock around it, because
 * anybody who can read the file could hold one. As with mod_cgi, an entry is
 * written whole if the file is not longer than ScriptLogLength. Children that
 * write at the same moment can exceed it by an entry each.
 */
#include "notes.h"
#include "reason.h"
#include "script_log.h"

#include "http_protocol.h"
#include "apr_strings.h"
#include "apr_time.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The complaints of one host in one httpd child come no faster than this. */
#define COMPLAINT_S 60

void jc_script_log_keep(jc_kept_t *kept, apr_pool_t *p, const char *data,
                        size_t len, size_t most)
{
    if (kept->len + len > most) {
        len = kept->len < most ? most - kept->len : 0;
    }
    if (len == 0) {
        return;
    }
    if (kept->len + len > kept->size) {
        size_t size = 2 * (kept->len + len);
        char *bytes = apr_palloc(p, size);

        if (kept->len > 0) {
            memcpy(bytes, kept->bytes, kept->len);
        }
        kept->bytes = bytes;
        kept->size = size;
    }
    memcpy(kept->bytes + kept->len, data, len);
    kept->len += len;
}

typedef struct {
    jc_kept_t text;
    apr_pool_t *pool;
} entry_t;

static void add(entry_t *entry, const char *data, size_t len)
{
    jc_script_log_keep(&entry->text, entry->pool, data, len, SIZE_MAX / 4);
}

static void add_string(entry_t *entry, const char *string)
{
    add(entry, string, strlen(string));
}

static int add_header(void *entry, const char *name, const char *value)
{
    add_string(entry, name);
    add_string(entry, ": ");
    add_string(entry, value);
    add_string(entry, "\n");
    return 1;
}

static void add_kept(entry_t *entry, const char *title, const jc_kept_t *kept)
{
    if (kept->len > 0) {
        add_string(entry, title);
        add(entry, kept->bytes, kept->len);
        if (kept->bytes[kept->len - 1] != '\n') {
            add_string(entry, "\n");
        }
    }
}

static void describe(entry_t *entry, request_rec *r, int status,
                     const jc_script_log_t *log)
{
    const char *reason = apr_table_get(r->notes, JC_NOTE_REASON);
    char when[APR_CTIME_LEN];

    apr_ctime(when, r->request_time);
    add_string(entry,
               apr_psprintf(r->pool, "%%%% [%s] %s %s%s%s %s\n%%%% %d %s\n",
                            when, r->method, ap_escape_logitem(r->pool, r->uri),
                            r->args ? "?" : "", r->args ? r->args : "",
                            r->protocol, status, r->filename));
    if (reason) {
        add_string(entry, apr_pstrcat(r->pool, "%error\n", reason, "\n", NULL));
    }
    if (!log) {
        return;
    }
    add_string(entry, "%request\n");
    apr_table_do(add_header, entry, r->headers_in, NULL);
    add_kept(entry, "\n", &log->body);
    add_string(entry, "%response\n");
    apr_table_do(add_header, entry, r->err_headers_out, NULL);
    add_kept(entry, "%stdout\n", &log->out);
    add_kept(entry, "%stderr\n", &log->err);
}

/*
 * Enters one component of the path. O_PATH opens nothing, so a FIFO or a device
 * does not notice. A symbolic link counts only if root made it, as /var/log may
 * be one.
 */
static int enter(int at_fd, const char *name)
{
    int fd = openat(at_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    int link_fd;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISLNK(st.st_mode)) {
        return fd;
    }
    link_fd = st.st_uid == 0 ? openat(at_fd, name, O_PATH | O_CLOEXEC) : -1;
    close(fd);
    if (link_fd < 0 && st.st_uid != 0) {
        errno = ELOOP;
    }
    return link_fd;
}

/* Opens the directory of `path`, and returns it. Writes to `path`, and sets
 * *name to its last component. */
static int open_directory(char *path, char **name)
{
    int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    char *slash;

    for (*name = path; fd >= 0; *name = slash + 1) {
        int next_fd;

        slash = strchr(*name, '/');
        if (!slash) {
            break;
        }
        *slash = '\0';
        if (slash == *name) {
            continue; /* the first slash, or two of them */
        }
        next_fd = enter(fd, *name);
        close(fd);
        fd = next_fd;
    }
    return fd;
}

/* The mode is 0600, because an entry has the visitor's cookies and passwords in
 * it. */
static int open_log(request_rec *r, const char *path)
{
    char *name;
    int fd, dir_fd = open_directory(apr_pstrdup(r->pool, path), &name);

    if (dir_fd < 0) {
        return -1;
    }
    fd = openat(dir_fd, name,
                O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOFOLLOW |
                    O_NOCTTY | O_CLOEXEC,
                0600);
    close(dir_fd);
    return fd;
}

static const char *explain_errno(apr_pool_t *p, int errnum)
{
    char buf[120];

    switch (errnum) {
    case ELOOP:
        return "it, or a directory above it, is a symbolic link; remedy: name "
               "the file itself in ScriptLog";
    case ENXIO:
    case EISDIR:
        return "it is not a regular file; remedy: remove it";
    case EAGAIN: /* fcntl(2), F_SETLEASE */
        return "its owner holds a lease on it; remedy: keep it in a directory "
               "that only root can write";
    case ENOSPC:
    case EDQUOT:
        return "the disk or a quota is full; remedy: make room";
    default:
        return apr_pstrcat(p, apr_strerror(errnum, buf, sizeof(buf)),
                           "; remedy: let httpd's User write the file and "
                           "search its directories",
                           NULL);
    }
}

/* Returns NULL, or why nothing may be written to the log. */
static const char *check_log(apr_pool_t *p, int fd, int64_t most)
{
    struct stat st;

    if (fstat(fd, &st) < 0) {
        return explain_errno(p, errno);
    }
    if (!S_ISREG(st.st_mode)) {
        return "it is not a regular file; remedy: remove it, or remove the "
               "ScriptLog line";
    }
    /* A tenant can also give this name to another file that httpd writes. */
    if (st.st_nlink != 1) {
        return "it has another name besides this one, or none; remedy: remove "
               "it";
    }
    if ((int64_t) st.st_size > most) {
        return "it is longer than ScriptLogLength; remedy: rotate it, or raise "
               "ScriptLogLength";
    }
    return NULL;
}

/* Returns NULL, or why the entry is not in the log. */
static const char *append(request_rec *r, const jc_server_conf_t *conf,
                          const jc_kept_t *text)
{
    int fd = open_log(r, conf->script_log);
    const char *wrong;

    if (fd < 0) {
        return explain_errno(r->pool, errno);
    }
    wrong = check_log(r->pool, fd, conf->script_log_len);
    if (!wrong) {
        ssize_t n = write(fd, text->bytes, text->len);

        if (n < 0 || (size_t) n < text->len) {
            wrong = explain_errno(r->pool, n < 0 ? errno : ENOSPC);
        }
    }
    close(fd);
    return wrong;
}

/* Complains once a minute, because requests that fail come as often as a client
 * likes. */
static void complain(request_rec *r, const char *path, const char *wrong)
{
    int64_t *next = &jc_config_of(r->server)->script_log_complain_s;
    int64_t now = apr_time_sec(apr_time_now());
    int64_t due = __atomic_load_n(next, __ATOMIC_RELAXED);

    if (now < due ||
        !__atomic_compare_exchange_n(next, &due, now + COMPLAINT_S, 0,
                                     __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
        return;
    }
    ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                  "ScriptLog %s: entries are left out: %s", path, wrong);
}

void jc_script_log_write(request_rec *r, const jc_server_conf_t *conf,
                         int status, const jc_script_log_t *log)
{
    entry_t entry = {.pool = r->pool};
    const char *wrong;

    if (!conf->script_log) {
        return;
    }
    describe(&entry, r, status, log);
    wrong = append(r, conf, &entry.text);
    if (wrong) {
        complain(r, conf->script_log, wrong);
    }
}
