/*
 * Finds out from the table of mounts whether a directory may be written. It
 * does not ask the file system, because the server of that may not answer.
 *
 * Runs in:   helper's self-test
 * Privilege: root
 * Trusts:    the kernel's table
 * Never:     asks a file system
 */
#include "helper.h"
#include "src/wire/mountinfo.h"

#include <errno.h>
#include <string.h>

/* The mount that contains this directory; of several at one point the last. */
typedef struct {
    const char *path;
    size_t len; /* of the longest mount point on its path */
    int is_read_only;
} place_t;

static int look_at_mount(void *data, const jc_mountinfo_t *mount)
{
    place_t *place = data;
    size_t len = strlen(mount->point);

    len = len == 1 ? 0 : len; /* "/" */
    if (len >= place->len && strncmp(mount->point, place->path, len) == 0 &&
        (place->path[len] == 0 || place->path[len] == '/')) {
        place->len = len;
        place->is_read_only = mount->is_read_only;
    }
    return 0;
}

int jc_writes_at(const char *path)
{
    place_t place = {.path = path};

    if (jc_mountinfo_each(look_at_mount, &place) || !place.is_read_only) {
        return 0;
    }
    errno = EROFS;
    return -1;
}
