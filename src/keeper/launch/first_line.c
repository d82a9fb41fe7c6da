/*
 * Reads the #! line of a script as the kernel does (fs/binfmt_script.c).
 *
 * Runs in:   script's child, in the keeper's memory (src/keeper/serve/spawn.c)
 * Privilege: none; it is the tenant and reads its own files
 * Trusts:    nothing in the file
 */
#include "diagnose.h"

#include <string.h>

/* The kernel reads BINPRM_BUF_SIZE (256) bytes. The last one may be the end of
 * the line, but no part of it. */
#define LINE_MAX 255

static int is_space(char c)
{
    return c == ' ' || c == '\t';
}

jc_first_line_kind_t jc_first_line_read(const jc_head_t *head, char *named,
                                        jc_first_line_t *line)
{
    const char *at = head->bytes;
    size_t end, name, after;

    memset(line, 0, sizeof(*line));
    if (head->len < 2 || at[0] != '#' || at[1] != '!') {
        return JC_FIRST_LINE_NONE;
    }
    line->len = strcspn(at, "\n");
    line->is_cut = line->len > LINE_MAX;
    end = line->is_cut ? LINE_MAX : line->len;
    while (end > 2 && is_space(at[end - 1])) {
        end--;
    }
    name = 2 + strspn(at + 2, " \t");
    after = name < end ? name + strcspn(at + name, " \t\n") : end;
    if (line->is_cut && after > LINE_MAX) {
        return JC_FIRST_LINE_TOO_LONG;
    }
    if (after == name || name >= end) {
        return JC_FIRST_LINE_EMPTY;
    }
    memcpy(named, at + name, after - name);
    named[after - name] = 0;
    after += strspn(at + after, " \t");
    if (after < end) {
        line->argument = at + after;
        line->argument_len = end - after;
    }
    return JC_FIRST_LINE_OK;
}

int jc_first_line_has_cr(const char *text, size_t len)
{
    return len > 0 && text[len - 1] == '\r';
}

static size_t word_len(const char *at, size_t left)
{
    size_t len = 0;

    while (len < left && !is_space(at[len]) && at[len] != '\r') {
        len++;
    }
    return len;
}

/* Returns the first word of the argument of env -S that is neither an option
 * nor a variable. Options with a word of their own are not known here. */
static const char *split_name(const jc_first_line_t *line, size_t *len)
{
    const char *at = line->argument, *end = at + line->argument_len;

    for (;;) {
        *len = word_len(at, (size_t) (end - at));
        if (*len > 0 && at[0] != '-' && !memchr(at, '=', *len)) {
            return at;
        }
        at += *len;
        if (at == end) {
            return NULL;
        }
        at++;
    }
}

int jc_first_line_env(const jc_first_line_t *line, char *named)
{
    const char *at = line->argument;
    size_t len = line->argument_len;

    /* Without -S the argument is one word, whatever is in it. */
    if (len > 0 && at[0] == '-') {
        at = split_name(line, &len);
    } else if (len == 0 || jc_first_line_has_cr(at, len)) {
        return -1;
    }
    if (!at || len >= JC_TEXT_MAX) {
        return -1;
    }
    memcpy(named, at, len);
    named[len] = 0;
    return 0;
}
