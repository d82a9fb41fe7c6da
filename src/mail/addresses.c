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
    size_t end;    /* where it ends in the list; beyond it: in an open quote */
    int has_angle; /* it was in < > */
} item_t;

/* Takes one address of a list. Returns NULL, or what is wrong. */
typedef const char *taker_t(jc_mail_t *mail, const item_t *item, void *data);

static const char *add(jc_mail_t *mail, const item_t *item, void *data)
{
    char *clean = jc_addresses_clean(mail, item->text, item->len);

    (void) data;
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

static const char *finish(jc_mail_t *mail, item_t *item, taker_t *take,
                          void *data)
{
    const char *wrong = NULL;

    while (item->len > 0 && item->text[item->len - 1] == ' ') {
        item->len--;
    }
    if (item->len > 0 || item->has_angle) { /* not between two commas */
        wrong = take(mail, item, data);
    }
    item->len = 0;
    item->has_angle = 0;
    return wrong;
}

static const char *walk(jc_mail_t *mail, const char *list, size_t len,
                        taker_t *take, void *data)
{
    item_t item = {.len = 0};
    const char *wrong = NULL;
    int in_angle = 0, is_over = 0;

    for (size_t i = 0; i < len && !wrong; i++) {
        char c = list[i];
        size_t before = item.len;

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
            wrong = finish(mail, &item, take, data);
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
        if (item.len > before && item.text[item.len - 1] != ' ') {
            item.end = i + 1;
        }
    }
    if (in_angle && !wrong) {
        return "has an address without its >";
    }
    return wrong ? wrong : finish(mail, &item, take, data);
}

const char *jc_addresses_add(jc_mail_t *mail, const char *list, size_t len)
{
    return walk(mail, list, len, add, NULL);
}

/* A list that is being copied, with domains. */
typedef struct {
    const char *list;
    size_t len;
    size_t at; /* what is before it is copied */
    FILE *out;
} copy_t;

static const char *add_domain(jc_mail_t *mail, const item_t *item, void *data)
{
    copy_t *copy = data;
    char *clean = jc_addresses_clean(mail, item->text, item->len);

    if (clean && clean[item->len] && item->end <= copy->len) {
        fwrite(copy->list + copy->at, 1, item->end - copy->at, copy->out);
        fputs(clean + item->len, copy->out);
        copy->at = item->end;
    }
    free(clean);
    return NULL; /* what is no address stays as it is */
}

char *jc_addresses_qualify(jc_mail_t *mail, const char *list, size_t len,
                           size_t *new_len)
{
    char *text = NULL;
    copy_t copy = {.list = list,
                   .len = len,
                   .out = open_memstream(&text, new_len)};

    if (!copy.out) {
        return NULL;
    }
    (void) walk(mail, list, len, add_domain, &copy);
    fwrite(list + copy.at, 1, len - copy.at, copy.out);
    return fclose(copy.out) == 0 ? text : NULL;
}
