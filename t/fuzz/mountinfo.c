/*
 * A line of the kernel's table of mounts: whatever the line contains, the
 * result points into it.
 *
 * Runs in:   the tests
 * Privilege: none
 */
#include "src/wire/mountinfo.h"

#include "fuzz.h"

static void parse(uint8_t *bytes, size_t size)
{
    char *line = malloc(size + 1);
    jc_mountinfo_t mount;

    memcpy(line, bytes, size);
    line[size] = 0;
    if (jc_mountinfo_parse(line, &mount) == 0 &&
        (mount.point < line ||
         mount.point + strlen(mount.point) > line + size ||
         mount.point[0] != '/' || mount.fs > JC_FS_NOSUID ||
         (mount.by_user && mount.fs != JC_FS_FUSE))) {
        abort();
    }
    free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_each(data, size, parse);
}
