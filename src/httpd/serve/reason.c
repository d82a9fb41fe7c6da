/*
 * Turns a reason into one line in the site's error log and an HTTP status.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    nothing in the reason: text and numbers may come from the tenant
 * Never:     writes more than one line; shows the client more than a status
 *            unless JailErrorDetail is On
 *
 * Words in braces in the table:
 *   {found} {expected}  what the check saw and wanted: texts or numbers
 *   {mode}              found, as permission bits
 *   {fs}                the kind of file system that found says (jc_fs_t)
 *   {unsafe}            the same if expected is the code of that; otherwise
 *                       found, as an octal number
 *   {type}              the kind of file that found says, as an st_mode
 *   {denied}            what found says of a file that cannot be executed
 *   {close}             how to take the directory's write permission away
 *   {permit}            how to let the file be executed, by what found says
 *   {advice}            what to do about the signal that found says
 *   {limit}             the name that JailLimit has for found
 *   {text}              the reason's text
 *   {name}              the same if it is a path; otherwise the script's path;
 *                       a remedy quotes it as a word of a shell command
 *   {path}              {name}, and the jail in which to look for it
 */
#include "notes.h"
#include "once.h"
#include "reason.h"

#include "http_core.h"
#include "http_protocol.h"
#include "http_request.h"
#include "mod_core.h"
#include "apr_lib.h"
#include "apr_strings.h"

#include <string.h>
#include <sys/stat.h>

#define TEXT_MAX 600

typedef struct {
    apr_pool_t *pool;
    const jc_server_conf_t *conf;
    const jc_reason_t *why;
    const char *text;   /* printable and bounded; "" if there is none */
    const char *script; /* its path inside the jail */
    int is_remedy;      /* somebody may copy it into a shell */
} words_t;

/* httpd escapes control characters too, but this does not depend on it. */
static const char *printable(apr_pool_t *p, const char *text)
{
    char *copy;

    if (!text) {
        return "";
    }
    copy = apr_pstrndup(p, text, TEXT_MAX);
    for (char *s = copy; *s; s++) {
        if (apr_iscntrl(*s)) {
            *s = '?';
        }
    }
    return copy;
}

static const char *name_of(const words_t *w)
{
    return *w->text ? w->text : w->script;
}

/* Quotes a file name for a shell, because a tenant may have chosen it. */
static const char *quoted(apr_pool_t *p, const char *name)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
        "0123456789/._-+,@%:=";
    const char *result = "", *quote;

    if (name[strspn(name, plain)] == '\0') {
        return name;
    }
    while ((quote = strchr(name, '\''))) {
        result = apr_pstrcat(p, result, apr_pstrmemdup(p, name, quote - name),
                             "'\\''", NULL);
        name = quote + 1;
    }
    return apr_pstrcat(p, "'", result, name, "'", NULL);
}

/* Returns the word of a command. "/" in a jail is its root on the machine. */
static const char *command_path(const words_t *w)
{
    const char *name = name_of(w);

    if (strcmp(name, "/") == 0 && w->conf->root_kind == JC_ROOT_PATH) {
        name = w->conf->root;
    }
    return quoted(w->pool, name);
}

/* A directory with the sticky bit, as /tmp, is one for all, and must stay
 * that. */
static const char *close_to_others(const words_t *w)
{
    if (w->why->found & S_ISVTX) {
        return "put the script below a directory of the site's own: this one "
               "is for all users";
    }
    return apr_pstrcat(w->pool, "chmod go-w ", command_path(w), NULL);
}

/* What refuses to execute a file decides what helps. */
static const char *permit(const words_t *w)
{
    switch (w->why->found) {
    case JC_EXEC_NOEXEC:
        return "put it on a file system that is not mounted noexec";
    case JC_EXEC_MODE:
        return apr_pstrcat(w->pool, "chmod a+rx ", command_path(w),
                           " in the jail if everybody may run it; otherwise "
                           "see with getfacl who may",
                           NULL);
    default:
        return "see with ls -lZ, getfacl and the audit log what forbids it";
    }
}

/* The paths of 14xx are those of the keeper while it still sees the host's
 * root. */
static const char *path_of(const words_t *w)
{
    if (w->conf->root_kind != JC_ROOT_PATH || w->why->code < 1500 ||
        (w->why->code >= 1700 && w->why->code != JC_CODE_32_BIT)) {
        return name_of(w);
    }
    return apr_psprintf(w->pool, "%s (inside the jail %s)", name_of(w),
                        w->conf->root);
}

static const char *number(const words_t *w, const char *text, uint64_t value)
{
    return text ? printable(w->pool, text)
                : apr_psprintf(w->pool, "%" APR_UINT64_T_FMT,
                               (apr_uint64_t) value);
}

static int is_word(const char *s, size_t len, const char *word)
{
    return strlen(word) == len && strncmp(s, word, len) == 0;
}

static const char *value_of(const words_t *w, const char *s, size_t len)
{
    const jc_reason_t *why = w->why;

    if (is_word(s, len, "found")) {
        return number(w, why->refusal ? why->refusal->found : NULL, why->found);
    }
    if (is_word(s, len, "expected")) {
        return number(w, why->refusal ? why->refusal->expected : NULL,
                      why->expected);
    }
    if (is_word(s, len, "mode")) {
        return apr_psprintf(w->pool, "%04o", (unsigned) (why->found & 07777));
    }
    if (is_word(s, len, "unsafe") && why->expected != JC_CODE_FILE_SYSTEM) {
        return apr_psprintf(w->pool, "0%o", (unsigned) why->found);
    }
    if (is_word(s, len, "unsafe") || is_word(s, len, "fs")) {
        return jc_reason_words_file_system(why->found);
    }
    if (is_word(s, len, "type")) {
        return jc_reason_words_type(why->found);
    }
    if (is_word(s, len, "denied")) {
        return jc_reason_words_denied(why->found);
    }
    if (is_word(s, len, "close")) {
        return close_to_others(w);
    }
    if (is_word(s, len, "permit")) {
        return permit(w);
    }
    if (is_word(s, len, "advice")) {
        return jc_reason_words_signal(why->found);
    }
    if (is_word(s, len, "limit")) {
        return jc_limits_name(why->found);
    }
    if (is_word(s, len, "name")) {
        return w->is_remedy ? command_path(w) : name_of(w);
    }
    if (is_word(s, len, "path")) {
        return path_of(w);
    }
    return w->text; /* {text} */
}

static const char *expand(const words_t *w, const char *sentence)
{
    const char *result = "";
    const char *brace;

    while ((brace = strchr(sentence, '{'))) {
        const char *end = strchr(brace, '}');

        result = apr_pstrcat(w->pool, result,
                             apr_pstrmemdup(w->pool, sentence,
                                            (size_t) (brace - sentence)),
                             value_of(w, brace + 1, (size_t) (end - brace - 1)),
                             NULL);
        sentence = end + 1;
    }
    return apr_pstrcat(w->pool, result, sentence, NULL);
}

/* A value that the check never saw would only mislead. */
static int has_values(const jc_reason_t *why, const jc_reason_row_t *row)
{
    if (!row->values) {
        return 0;
    }
    if (strstr(row->values, "{text}")) {
        return why->text && *why->text != '\0' && *why->text != '/';
    }
    return (why->refusal && why->refusal->found) || why->found != 0 ||
           why->expected != 0;
}

/* Some sentences already say what the kernel said, and say it better. */
static int errno_says_more(const jc_reason_t *why)
{
    switch (why->code) {
    case JC_CODE_ROOT_MISSING:
    case JC_CODE_NOT_IN_JAIL:
    case JC_CODE_INTERPRETER_MISSING:
    case JC_CODE_LOADER_MISSING:
    case JC_CODE_CRLF:
    case JC_CODE_NO_FORMAT:
    case JC_CODE_WRONG_MACHINE:
    case JC_CODE_EXEC_TOO_BIG:
    case JC_CODE_SCRIPT_BUSY:
    case JC_CODE_NOT_EXECUTABLE:
    case JC_CODE_FIRST_LINE_LONG:
    case JC_CODE_INTERPRETER_CHAIN:
    case JC_CODE_INTERPRETER_NAME:
    case JC_CODE_INTERPRETER_LINK:
    case JC_CODE_INTERPRETER_KIND:
    case JC_CODE_CLIENT_GONE:
        return 0;
    default:
        return why->errnum != 0;
    }
}

static const char *error_name(apr_pool_t *p, const jc_reason_t *why)
{
    char buf[120];

    if (!errno_says_more(why)) {
        return "";
    }
    return apr_pstrcat(p, " (", apr_strerror(why->errnum, buf, sizeof(buf)),
                       ")", NULL);
}

static const char *sentence(request_rec *r, const jc_server_conf_t *conf,
                            const jc_reason_t *why, const jc_reason_row_t *row)
{
    words_t w = {.pool = r->pool,
                 .conf = conf,
                 .why = why,
                 .text = printable(r->pool, why->text),
                 .script = jc_jail_path(r->pool, conf, r->filename)};
    const char *line = apr_pstrcat(r->pool, expand(&w, row->wrong),
                                   error_name(r->pool, why), NULL);

    if (has_values(why, row)) {
        line = apr_pstrcat(r->pool, line, ": ", expand(&w, row->values), NULL);
    }
    w.is_remedy = 1;
    if (row->remedy) {
        line = apr_pstrcat(r->pool, line, "; remedy: ", expand(&w, row->remedy),
                           NULL);
    }
    return apr_psprintf(r->pool, "JCGI%d: script %s%s%s", why->code,
                        r->filename,
                        why->code < 1700 && !why->has_run &&
                                row->http_status != HTTP_OK
                            ? " not run: "
                            : ": ",
                        line);
}

/*
 * Shows the reason in the error page, where the administrator has asked for
 * that. An ErrorDocument of the administrator stays, and finds the reason in
 * REDIRECT_ERROR_NOTES.
 */
static void show(request_rec *r, int status, const char *line)
{
    const char *shown = ap_escape_html(r->pool, line);
    const char *title = ap_get_status_line(status);

    apr_table_setn(r->notes, "error-notes", shown);
    if (!ap_response_code_string(r, ap_index_of_response(status))) {
        ap_custom_response(
            r, status,
            apr_psprintf(r->pool,
                         "<!DOCTYPE html>\n<html><head>\n<title>%s</title>\n"
                         "</head><body>\n<h1>%s</h1>\n<p>%s</p>\n"
                         "</body></html>\n",
                         title, title, shown));
    }
}

/* What a jail takes is worth a warning once; after that it is information. */
static int level_of(const jc_server_conf_t *conf, const jc_reason_row_t *row)
{
    return row->level == APLOG_WARNING && !jc_once_take(conf, row->code)
               ? APLOG_INFO
               : row->level;
}

void jc_reason_note(request_rec *r, const jc_server_conf_t *conf,
                    const jc_reason_t *why)
{
    const jc_reason_row_t *row = jc_reason_table_row(why->code);
    int level = level_of(conf, row);

    if (APLOG_R_IS_LEVEL(r, level)) {
        ap_log_rerror(APLOG_MARK, level, 0, r, "%s",
                      sentence(r, conf, why, row));
    }
}

int jc_reason_log(request_rec *r, const jc_server_conf_t *conf,
                  const jc_reason_t *why)
{
    const jc_reason_row_t *row = jc_reason_table_row(why->code);
    int status = why->http_status ? why->http_status : row->http_status;
    int level = level_of(conf, row);
    const char *line;

    apr_table_setn(r->notes, JC_NOTE_CODE,
                   apr_psprintf(r->pool, "JCGI%d", why->code));
    if (!APLOG_R_IS_LEVEL(r, level) && !conf->script_log &&
        conf->error_detail != 1) {
        return status;
    }
    line = sentence(r, conf, why, row);
    apr_table_setn(r->notes, JC_NOTE_REASON, line);
    ap_log_rerror(APLOG_MARK, level, 0, r, "%s", line);
    if (conf->error_detail == 1 && ap_is_HTTP_ERROR(status)) {
        show(r, status, line);
    }
    return status;
}
