/*
 * The request: arguments, environment, script. The httpd child puts it into its
 * end of a channel's control socket: the first before it sends JC_MSG_SPAWN,
 * each later one after EXIT has said that the channel is free. A request is one
 * record of at most JC_REQUEST_INLINE_MAX bytes. A longer one is a record of
 * one byte with a memfd that has all seals and contains the request. The
 * script's child receives it, and is the tenant by then. The helper and the
 * keeper never read from that socket.
 *
 * Runs in:   httpd child (writes), script's child (reads)
 * Privilege: none; no process that is root reads it
 */
#ifndef JC_REQUEST_H
#define JC_REQUEST_H

#include <stdint.h>

#define JC_REQUEST_MAGIC 0x4a435251u
/* execve takes at most 6 MB of strings and their pointers (MAX_ARG_STRLEN,
 * _STK_LIM / 4 * 3 in the kernel's fs/exec.c). */
#define JC_REQUEST_LEN_MAX     (8u << 20)
#define JC_REQUEST_STRINGS_MAX (6u << 17) /* arguments and variables */
#define JC_REQUEST_INLINE_MAX  16384u

/* The request has a body, and the script gets a pipe for it. */
#define JC_REQUEST_BODY 0x1u
/* The file is a page with server-side includes. The jail's /bin/sh is executed
 * with these arguments, but only where the policy has JC_POLICY_SHELL. */
#define JC_REQUEST_SHELL 0x2u
/* The script has run and ended at once. It is looked at and not executed, and
 * JC_MSG_FAILED says what was seen. */
#define JC_REQUEST_LOOK  0x4u
#define JC_REQUEST_FLAGS 0x7u

/* RLimitCPU, RLimitMEM and RLimitNPROC of the directory. They lower the limits
 * of the jail and never raise them. RLIM_INFINITY: no limit is set. */
enum { JC_REQUEST_CPU, JC_REQUEST_AS, JC_REQUEST_NPROC, JC_REQUEST_LIMITS };

typedef struct {
    uint64_t soft;
    uint64_t hard;
} jc_request_limit_t;

/*
 * The head is followed by strings_len bytes: the script's path inside the jail,
 * then argc arguments (argv[0] first), then envc strings NAME=VALUE, each with
 * its NUL. The path is absolute. Nothing else may follow.
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
    jc_request_limit_t limits[JC_REQUEST_LIMITS];
} jc_request_head_t;

#endif
