/*
 * Reads /proc/self/mountinfo (proc_pid_mountinfo(5)).
 *
 * Runs in:   httpd parent, keeper
 * Privilege: root in both
 * Trusts:    as mountinfo.h says
 * Never:     guesses: it leaves out a line that is not as the manual page
 *            describes, and what is mounted there is then unknown
 */
#include "mountinfo.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_LEN 16384

/* Cuts off the field before the next blank. A field may be empty: somebody can
 * mount with the source "". Returns NULL if none is left. */
static char *next_field(char **at)
{
    char *field = *at;
    char *blank = field ? strchr(field, ' ') : NULL;

    *at = blank ? blank + 1 : NULL;
    if (blank) {
        *blank = 0;
    }
    return field;
}

/* Reads digits that are followed by the character `end`. Returns NULL for
 * anything else. */
static const char *read_number(const char *at, char end, uint32_t *number)
{
    uint64_t value = 0;
    const char *digit = at;

    for (; *digit >= '0' && *digit <= '9' && value <= UINT32_MAX; digit++) {
        value = value * 10 + (uint64_t) (*digit - '0');
    }
    *number = (uint32_t) value;
    return digit == at || *digit != end || value > UINT32_MAX ? NULL
                                                              : digit + 1;
}

static int is_octal(char c)
{
    return c >= '0' && c <= '7';
}

/* Decodes blanks, newlines, # and \, which the kernel writes as \ and three
 * octal digits. */
static int unescape(char *text)
{
    char *out = text;

    for (const char *in = text; *in; in++) {
        if (*in != '\\') {
            *out++ = *in;
            continue;
        }
        if (in[1] < '0' || in[1] > '3' || !is_octal(in[2]) ||
            !is_octal(in[3])) {
            return -1;
        }
        *out = (char) ((in[1] - '0') * 64 + (in[2] - '0') * 8 + (in[3] - '0'));
        if (*out++ == 0) {
            return -1;
        }
        in += 3;
    }
    *out = 0;
    return 0;
}

/* Cuts the next word off a comma-separated list. Returns NULL if none is
 * left. */
static const char *next_option(char **at)
{
    char *option = *at;

    if (option) {
        *at = strchr(option, ',');
        if (*at) {
            *(*at)++ = 0;
        }
    }
    return option;
}

static int has_option(char *options, const char *wanted)
{
    const char *option;

    while ((option = next_option(&options))) {
        if (strcmp(option, wanted) == 0) {
            return 1;
        }
    }
    return 0;
}

/* fusermount3, which mounts for everybody, writes for whom in user_id=. The
 * option may occur several times, one of them from elsewhere, so each must be
 * readable and root's. */
static int is_of_root(char *options)
{
    const char *option;
    uint32_t uid;
    int found = 0;

    while ((option = next_option(&options))) {
        if (strncmp(option, "user_id=", 8) == 0) {
            if (!read_number(option + 8, 0, &uid) || uid != 0) {
                return 0;
            }
            found = 1;
        }
    }
    return found;
}

/* The kernel writes ro or rw first, both for the mount and for its file
 * system. */
static int begins_read_only(const char *options)
{
    return strncmp(options, "ro", 2) == 0 &&
           (options[2] == ',' || options[2] == 0);
}

int jc_mountinfo_parse(char *line, jc_mountinfo_t *mount)
{
    char *at = line;
    const char *id = next_field(&at), *parent = next_field(&at);
    const char *dev = next_field(&at), *root = next_field(&at);
    char *point = next_field(&at), *options = next_field(&at);
    const char *field = options;
    uint32_t major, minor, unused;

    while (field && strcmp(field, "-") != 0) {
        field = next_field(&at); /* any number of optional fields */
    }
    const char *type = next_field(&at), *source = next_field(&at);
    char *super = next_field(&at);
    if (!super || at || !source || !root || !read_number(id, 0, &mount->id) ||
        !read_number(parent, 0, &unused) ||
        !(dev = read_number(dev, ':', &major)) ||
        !read_number(dev, 0, &minor) || point[0] != '/' || unescape(point)) {
        return -1;
    }
    mount->dev = (uint64_t) major << 32 | minor;
    mount->point = point;
    mount->by_user = 0;
    mount->is_read_only = begins_read_only(options) || begins_read_only(super);
    mount->fs = has_option(options, "nosuid") ? JC_FS_NOSUID : JC_FS_VOUCHED;
    /* fuse, fuse.NAME and fuseblk */
    if (strncmp(type, "fuse", 4) == 0) {
        mount->fs = JC_FS_FUSE;
        mount->by_user = !is_of_root(super);
    }
    return 0;
}

/* Returns the whole table, followed by a 0. The caller frees it. Returns NULL
 * with errno. */
static char *read_table(void)
{
    int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    char *text = NULL, *larger;
    size_t len = 0;
    ssize_t got = fd < 0 ? -1 : 1;

    while (got > 0) {
        larger = realloc(text, len + READ_LEN + 1);
        got = larger ? read(fd, larger + len, READ_LEN) : -1;
        text = larger ? larger : text;
        len += got > 0 ? (size_t) got : 0;
    }
    if (fd >= 0) {
        close(fd);
    }
    if (got < 0) {
        free(text);
        return NULL;
    }
    text[len] = 0; /* the kernel writes no NUL */
    return text;
}

int jc_mountinfo_each(int (*take)(void *data, const jc_mountinfo_t *mount),
                      void *data)
{
    char *text = read_table(), *line = text, *end;
    jc_mountinfo_t mount;
    int result = text ? 0 : -1;

    while (result == 0 && (end = strchr(line, '\n'))) {
        *end = 0;
        result = jc_mountinfo_parse(line, &mount) ? 0 : take(data, &mount);
        line = end + 1;
    }
    free(text);
    return result;
}
