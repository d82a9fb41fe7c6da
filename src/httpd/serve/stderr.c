/*
 * Writes the script's stderr, line by line, into the virtual host's own error
 * log.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    nothing: the bytes come from the tenant. httpd escapes control
 *            characters of every log line, so none can forge a line
 * Never:     makes the script wait: what is too much is read and counted
 */
#include "exchange.h"
#include "stderr.h"

#include "apr_strings.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define STDERR_LINE_MAX 4000   /* httpd's own lines end at 8 KB */
#define STDERR_LINES    1000   /* logged for one request */
#define STDERR_BYTES    262144 /* the same, in bytes */

/* One turn reads at most this much, so that a flood cannot keep the pump from
 * stdout. */
#define TURN_BYTES 262144

/*
 * These are the words of the dynamic loader (glibc's elf/dl-*.c, musl's
 * ldso/dynlink.c). It ends with 127, and with 1 if a version is missing.
 * Programs that load their libraries themselves, as interpreters do, repeat the
 * words and end with a status of their own. So the words count if the script
 * fails without a page.
 */
static const struct {
    const char *words;
    jc_code_t code;
} loader_words[] = {
    {"error while loading shared libraries", JC_CODE_LIBRARY_MISSING},
    {"Error loading shared library", JC_CODE_LIBRARY_MISSING},
    {"symbol lookup error", JC_CODE_SYMBOL_MISSING},
    {"relocation error", JC_CODE_SYMBOL_MISSING},
    {"Error relocating ", JC_CODE_SYMBOL_MISSING},
    {": version `", JC_CODE_SYMBOL_MISSING},
    {": undefined symbol: ", JC_CODE_SYMBOL_MISSING},
    {": cannot open shared object file", JC_CODE_LIBRARY_MISSING},
};

static void look_for_loader(jc_exchange_t *c, const char *line)
{
    jc_stderr_t *e = &c->err;

    if (e->loader_code != JC_CODE_NONE) {
        return;
    }
    for (size_t i = 0; i < sizeof(loader_words) / sizeof(*loader_words); i++) {
        if (strstr(line, loader_words[i].words)) {
            e->loader_code = loader_words[i].code;
            e->loader_line = apr_pstrdup(c->r->pool, line);
            return;
        }
    }
}

static void end_line(jc_exchange_t *c)
{
    jc_stderr_t *e = &c->err;

    if (e->line_len > 0 && e->line[e->line_len - 1] == '\r') {
        e->line_len--;
    }
    if (e->line_len == 0) {
        return;
    }
    if (e->lines >= STDERR_LINES || e->bytes >= STDERR_BYTES) {
        e->dropped_lines++;
        e->dropped_bytes += e->line_len;
        e->line_len = 0;
        return;
    }
    /* A NUL would end the log line unnoticed. */
    for (size_t i = 0; i < e->line_len; i++) {
        if (e->line[i] == '\0') {
            e->line[i] = ' ';
        }
    }
    e->line[e->line_len] = '\0';
    e->lines++;
    e->bytes += e->line_len;
    look_for_loader(c, e->line);
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, c->r, "%s: %s", c->r->filename,
                  e->line);
    jc_absent_look(c, e->line);
    e->line_len = 0;
}

static void feed(jc_exchange_t *c, const char *data, size_t len)
{
    jc_stderr_t *e = &c->err;

    if (!e->line) {
        e->line = apr_palloc(c->r->pool, STDERR_LINE_MAX + 1);
    }
    while (len > 0) {
        const char *nl = memchr(data, '\n', len);
        size_t n = nl ? (size_t) (nl - data) : len;
        size_t room = STDERR_LINE_MAX - e->line_len;

        if (n > room) {
            memcpy(e->line + e->line_len, data, room);
            e->line_len += room;
            data += room;
            len -= room;
            end_line(c);
            continue;
        }
        memcpy(e->line + e->line_len, data, n);
        e->line_len += n;
        data += n;
        len -= n;
        if (nl) {
            end_line(c);
            data++;
            len--;
        }
    }
}

void jc_stderr_read(jc_exchange_t *c)
{
    char buf[16384];
    size_t total = 0;

    while (c->stderr_fd >= 0 && total < TURN_BYTES) {
        ssize_t n = read(c->stderr_fd, buf, sizeof(buf));

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            return;
        }
        if (n <= 0) {
            close(c->stderr_fd);
            c->stderr_fd = -1;
            return;
        }
        if (c->log) {
            jc_script_log_keep(&c->log->err, c->r->pool, buf, (size_t) n,
                               JC_LOG_OUTPUT_MAX);
        }
        feed(c, buf, (size_t) n);
        total += (size_t) n;
        if ((size_t) n < sizeof(buf)) {
            return;
        }
    }
}

void jc_stderr_finish(jc_exchange_t *c)
{
    jc_stderr_t *e = &c->err;

    if (e->line_len > 0) {
        end_line(c);
    }
    if (e->dropped_lines > 0) {
        jc_reason_t why = {.code = JC_CODE_STDERR_DROPPED,
                           .found = e->dropped_lines,
                           .expected = e->dropped_bytes};

        jc_reason_log(c->r, c->conf, &why);
        e->dropped_lines = 0;
        e->dropped_bytes = 0;
    }
}
