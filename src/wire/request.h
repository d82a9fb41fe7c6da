/*
 * The request: arguments, environment, script. The httpd child puts it into
 * its end of the control socket before it sends JC_MSG_SPAWN: as one record of
 * at most JC_REQUEST_INLINE_MAX bytes, or, if it is longer, as one byte with a
 * memfd that has all seals and holds the request. The script's child, which is
 * the tenant already, receives it; the helper and the keeper never read from
 * that socket.
 *
 * Runs in:   httpd child (writes), script's child (reads)
 * Privilege: none; no process that is root reads it
 */
#ifndef JC_REQUEST_H
#define JC_REQUEST_H

#include <stdint.h>

#define JC_REQUEST_MAGIC 0x4a435251u
#define JC_REQUEST_SEALS                                                       \
    (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define JC_REQUEST_LEN_MAX    (64u << 20) /* far above what execve takes */
#define JC_REQUEST_INLINE_MAX 16384u

/* It has a body: the script gets a pipe for it. */
#define JC_REQUEST_BODY  0x1u
#define JC_REQUEST_FLAGS 0x1u

/*
 * Followed by strings_len bytes: the script's path inside the jail, then argc
 * arguments (argv[0] first), then envc strings NAME=VALUE, each with its NUL.
 * The path is absolute. Nothing else may follow.
 */
typedef struct {
    uint32_t magic;
    uint32_t version; /* JC_WIRE_VERSION */
    uint32_t argc;
    uint32_t envc;
    uint32_t flags;
    uint32_t reserved; /* 0 */
    uint64_t strings_len;
    uint64_t script_dev; /* st_dev of the file that httpd authorised */
    uint64_t script_ino;
} jc_request_head_t;

#endif
