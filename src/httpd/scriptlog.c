/*
 * mod_cgi's ScriptLog: all about a script that failed, in one file.
 *
 * Runs in:   httpd child
 * Privilege: the web user's, with which the file is opened, as by mod_cgi
 * Trusts:    the configuration; nothing of what is written
 * Never:     lets the file grow beyond ScriptLogLength
 *
 * An entry is one write, so that those of several children do not mix.
 */
#include "child.h"

#include "http_protocol.h"
#include "apr_file_io.h"
#include "apr_strings.h"
#include "apr_time.h"

#include <string.h>

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

void jc_script_log_write(request_rec *r, const jc_server_conf_t *conf,
                         int status, const jc_script_log_t *log)
{
    entry_t entry = {.pool = r->pool};
    apr_file_t *file;
    apr_finfo_t info;

    if (!conf->script_log ||
        apr_file_open(&file, conf->script_log,
                      APR_APPEND | APR_WRITE | APR_CREATE, APR_OS_DEFAULT,
                      r->pool) != APR_SUCCESS) {
        return;
    }
    describe(&entry, r, status, log);
    /* Between the size and the write nobody else may add to it. */
    if (apr_file_lock(file, APR_FLOCK_EXCLUSIVE) == APR_SUCCESS &&
        apr_file_info_get(&info, APR_FINFO_SIZE, file) == APR_SUCCESS &&
        info.size + (apr_off_t) entry.text.len <= conf->script_log_len) {
        apr_file_write_full(file, entry.text.bytes, entry.text.len, NULL);
    }
    apr_file_close(file);
}
