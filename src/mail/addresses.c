/*
 * Finds the addresses in a list (RFC 5322, 3.4): names, comments, groups and
 * quoted strings around them are left out.
 *
 * Runs in:   jail, as jailcgi-mail/sendmail
 * Privilege: the tenant's
 * Trusts:    nothing: the text is of a message
 * Never:     lets an address hold what could end a command of SMTP
 */
#include "mail.h"

#include <stdlib.h>
#include <string.h>

char *jc_addresses_clean(const jc_mail_t *mail, const char *address, size_t len)
{
    int is_quoted = 0, is_escaped = 0, has_at = 0;
    char *clean;

    if (len == 0 || len > JC_MAIL_ADDRESS_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char) address[i];

        if (c < ' ' || c == 0x7f || c == '<' || c == '>' ||
            (!is_quoted && (c == ' ' || c == ',' || c == ';')) ||
            (i == 0 && c == '-')) {
            return NULL;
        }
        if (is_escaped) {
            is_escaped = 0;
        } else if (c == '\\' && is_quoted) {
            is_escaped = 1;
        } else if (c == '"') {
            is_quoted = !is_quoted;
        } else if (c == '@' && !is_quoted) {
            has_at = 1;
        }
    }
    clean = is_quoted ? NULL : malloc(len + strlen(mail->domain) + 2);
    if (clean) {
        memcpy(clean, address, len);
        clean[len] = 0;
        if (!has_at) {
            clean[len] = '@';
            strcpy(clean + len + 1, mail->domain);
        }
    }
    return clean;
}

/* One address of a list, without what surrounds it. */
typedef struct {
    char text[JC_MAIL_ADDRESS_MAX + 2];
    size_t len;
    int has_angle; /* it was in < > */
} item_t;

static const char *finish(jc_mail_t *mail, item_t *item)
{
    char *clean;
    size_t len = item->len;
    int is_empty;

    while (len > 0 && item->text[len - 1] == ' ') {
        len--;
    }
    is_empty = len == 0 && !item->has_angle;
    clean = jc_addresses_clean(mail, item->text, len);
    item->len = 0;
    item->has_angle = 0;
    if (is_empty) {
        return NULL; /* as between two commas */
    }
    if (!clean) {
        return "has an address that is not valid";
    }
    if (mail->recipient_count == JC_MAIL_RECIPIENT_MAX) {
        free(clean);
        return "has more recipients than 1000";
    }
    mail->recipients[mail->recipient_count++] = clean;
    return NULL;
}

static void keep(item_t *item, char c)
{
    if (item->len < sizeof(item->text)) { /* one too many makes it invalid */
        item->text[item->len++] = c;
    }
}

/* Passes over a comment, which may hold others. */
static size_t skip_comment(const char *list, size_t len, size_t i)
{
    int depth = 0;

    for (; i < len; i++) {
        if (list[i] == '\\') {
            i++;
        } else if (list[i] == '(') {
            depth++;
        } else if (list[i] == ')' && --depth == 0) {
            break;
        }
    }
    return i;
}

/* Keeps a quoted string: it may be a local part, or a name that < discards. */
static size_t keep_quoted(item_t *item, const char *list, size_t len, size_t i)
{
    keep(item, '"');
    for (i++; i < len && list[i] != '"'; i++) {
        if (list[i] == '\\' && i + 1 < len) {
            keep(item, list[i++]);
        }
        keep(item, list[i]);
    }
    keep(item, '"');
    return i;
}

const char *jc_addresses_add(jc_mail_t *mail, const char *list, size_t len)
{
    item_t item = {.len = 0};
    const char *wrong = NULL;
    int in_angle = 0, is_over = 0;

    for (size_t i = 0; i < len && !wrong; i++) {
        char c = list[i];

        if (c == '(' && !in_angle) {
            i = skip_comment(list, len, i);
        } else if (c == '"' && !is_over) {
            i = keep_quoted(&item, list, len, i);
        } else if (c == '<' && !in_angle) {
            item.len = 0; /* it was a name */
            item.has_angle = in_angle = 1;
            is_over = 0;
        } else if (c == '>' && in_angle) {
            in_angle = 0;
            is_over = 1;
        } else if ((c == ',' || c == ';') && !in_angle) {
            wrong = finish(mail, &item);
            is_over = 0;
        } else if (c == ':' && !in_angle && !memchr(item.text, '@', item.len)) {
            item.len = 0; /* it was the name of a group */
        } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            if (item.len > 0 && !is_over && item.text[item.len - 1] != ' ') {
                keep(&item, ' ');
            }
        } else if (!is_over) {
            keep(&item, c);
        }
    }
    if (in_angle && !wrong) {
        return "has an address without its >";
    }
    return wrong ? wrong : finish(mail, &item);
}
