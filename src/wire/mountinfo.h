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

/* Who decides which owner a file has. */
typedef enum {
    JC_FS_VOUCHED = 0, /* a file system that root vouches for */
    JC_FS_FUSE = 1,    /* a process, which may be a tenant's */
    /* The maker of its content: nosuid says that its owners do not count. */
    JC_FS_NOSUID = 2,
    JC_FS_UNKNOWN = 3, /* not in the table: mounted after it was read */
} jc_fs_t;

typedef struct {
    uint32_t id;
    uint64_t dev; /* of the file system, also for bind mounts */
    jc_fs_t fs;
    int is_read_only;  /* this mount, or its file system */
    int by_user;       /* a FUSE file system not mounted by root */
    const char *point; /* from the reader's root; within the line */
} jc_mountinfo_t;

/* Parses a line without its newline, and changes it; mount->point refers to it.
 * Returns 0, or -1 if the line is malformed. */
int jc_mountinfo_parse(char *line, jc_mountinfo_t *mount);

/*
 * Calls take() with each mount that the process sees, until it returns
 * non-zero. Skips a malformed line. Returns 0, the result of take(), or -1 with
 * errno if the table cannot be read.
 */
int jc_mountinfo_each(int (*take)(void *data, const jc_mountinfo_t *mount),
                      void *data);

#endif
