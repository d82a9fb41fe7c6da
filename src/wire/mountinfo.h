/*
 * The mounts that the kernel lists in /proc/self/mountinfo, and whether the
 * machine's root vouches for the owners that a file system shows.
 *
 * Runs in:   httpd parent, keeper
 * Privilege: root in both
 * Trusts:    the kernel for the division into fields; nothing in a field,
 *            because a tenant may have chosen mount points, types and options
 * Never:     asks a file system, whose server may not answer
 */
#ifndef JC_MOUNTINFO_H
#define JC_MOUNTINFO_H

#include <stdint.h>

/* Who says whose a file is. */
typedef enum {
    JC_FS_VOUCHED = 0, /* a file system that root vouches for */
    JC_FS_FUSE = 1,    /* a process, which may be a tenant's */
    /* Whoever made what is on it: nosuid says that its owners do not count. */
    JC_FS_NOSUID = 2,
    JC_FS_UNKNOWN = 3, /* not in the table: mounted after that was read */
} jc_fs_t;

typedef struct {
    uint32_t id;
    uint64_t dev; /* of the file system, whatever is bound of it where */
    jc_fs_t fs;
    int is_read_only;  /* here, or the file system as a whole */
    int by_user;       /* a FUSE file system that not root has mounted */
    const char *point; /* below the reader's root; lies in the line */
} jc_mountinfo_t;

/* Takes a line without its newline apart, and changes it. Returns 0, or -1 if
 * it is malformed. */
int jc_mountinfo_parse(char *line, jc_mountinfo_t *mount);

/*
 * Calls take() with each mount that the process sees, until it returns other
 * than 0. A malformed line is left out. Returns 0, what take() has returned, or
 * -1 with errno: the table could not be read.
 */
int jc_mountinfo_each(int (*take)(void *data, const jc_mountinfo_t *mount),
                      void *data);

#endif
