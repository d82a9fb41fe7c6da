/*
 * The messages that cross a trust boundary, and their maxima.
 *
 * Runs in:   all five kinds of process
 * Privilege: none of its own
 * Trusts:    nothing that it decodes
 * Never:     allocates, logs, knows a policy, includes APR or httpd headers
 *
 * Every message is one SOCK_SEQPACKET record of fixed length that begins with
 * jc_wire_head_t. doc/protocol.md says who sends each message to whom. All
 * integers are in host order, because both ends are on one machine and of one
 * build. JC_WIRE_VERSION proves the latter.
 */
#ifndef JC_WIRE_H
#define JC_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define JC_WIRE_MAGIC   0x4a434749u /* "JCGI" */
#define JC_WIRE_VERSION 10u

/* Seals required on any memfd passed between processes, so that it cannot
 * change while it is read (fcntl(2)). */
#define JC_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* Descriptors that the helper inherits from the httpd parent by exec. */
#define JC_FD_PARENT       3 /* SEQPACKET socket to the parent */
#define JC_FD_PARENT_PIDFD 4 /* pidfd of the parent: readable when it died */

/* The exit statuses of the helper that the parent distinguishes. Neither 7 nor
 * 15, because httpd gives these a meaning of its own (APEXIT_CHILDSICK,
 * APEXIT_CHILDFATAL). */
#define JC_EXIT_OK      0
#define JC_EXIT_USAGE   64
#define JC_EXIT_VERSION 65
#define JC_EXIT_START   66 /* cannot do its work here; stderr says why */

enum {
    JC_MSG_GENERATION = 1, /* parent -> helper */
    JC_MSG_SPAWN,          /* httpd child -> helper */
    JC_MSG_RUN,            /* helper -> keeper */
    JC_MSG_STARTED,        /* script's child -> httpd child, on control */
    JC_MSG_STARTED_STDIN,  /* STARTED for a request with a body */
    JC_MSG_FAILED,         /* helper, keeper, script's child -> httpd child */
    JC_MSG_EXIT,           /* keeper -> httpd child, on ended */
    JC_MSG_RETIRE,         /* parent -> helper */
    JC_MSG_READY,          /* keeper -> helper */
    JC_MSG_STALE,          /* keeper -> helper */
    JC_MSG_PING,           /* parent -> helper */
    JC_MSG_TYPES,          /* not a type: one more than the last */
};

/*
 * The descriptors of JC_MSG_SPAWN: a channel, which is two SEQPACKET sockets
 * whose peers the httpd child keeps. Requests come over it one after the other
 * (request.h), and the first is in control already. JC_MSG_RUN passes them on,
 * with a pidfd of the httpd child that has sent SPAWN. The channels of a child
 * are closed when it ends.
 */
enum {
    JC_SPAWN_CONTROL, /* request, STARTED, FAILED; closing ends the request */
    JC_SPAWN_ENDED,   /* EXIT alone, so that a handler can wait for it */
    JC_SPAWN_FDS,
    JC_RUN_CHILD = JC_SPAWN_FDS,
    JC_RUN_FDS
};

/* The descriptors of JC_MSG_STARTED and JC_MSG_STARTED_STDIN, in this order:
 * httpd's ends of pipes that the script's child has made. */
enum {
    JC_STARTED_STDOUT, /* read end */
    JC_STARTED_STDERR, /* read end */
    JC_STARTED_FDS,
    JC_STARTED_STDIN = JC_STARTED_FDS, /* write end; JC_MSG_STARTED_STDIN */
    JC_STARTED_STDIN_FDS
};

/* The descriptors of JC_MSG_GENERATION. */
enum {
    JC_GENERATION_SOCKET, /* the helper's end of this generation's socket */
    JC_GENERATION_TABLE,  /* sealed memfd, see table.h */
    JC_GENERATION_LOG,    /* httpd's current main error log */
    JC_GENERATION_FDS
};

#define JC_MAX_FDS  3
#define JC_TEXT_MAX 512 /* of jc_msg_failed_t.text, with its NUL */
#define JC_NO_ID    UINT32_MAX

typedef struct {
    uint32_t magic;
    uint16_t version;
    uint16_t type;
} jc_wire_head_t;

typedef struct {
    jc_wire_head_t head;
    uint64_t generation;
    uint32_t web_uid; /* the user of httpd children */
    uint32_t reserved;
} jc_msg_generation_t;

typedef struct {
    jc_wire_head_t head;
    uint64_t generation;
    /* The id of the first request; the next ones count up from there. The httpd
     * child chooses it. It is echoed and never trusted. */
    uint64_t request_id;
    uint32_t policy;
    uint32_t uid;   /* JC_NO_ID unless the policy is "owner" */
    uint32_t gid;   /* also JC_NO_ID unless "owner" */
    uint32_t flags; /* none is defined: must be 0 */
} jc_msg_spawn_t;

typedef struct {
    jc_wire_head_t head;
    uint64_t request_id;
    uint32_t web_uid; /* the only uid whose requests are taken */
    int32_t child;    /* pid of the httpd child, as the helper sees it */
} jc_msg_run_t;

/* All children of this generation have ended. Nobody may use its socket any
 * more, even with a copy of its end. */
typedef struct {
    jc_wire_head_t head;
    uint64_t generation;
} jc_msg_retire_t;

/* The jail is built. `print` identifies what its root was made of. */
typedef struct {
    jc_wire_head_t head;
    uint64_t print;
} jc_msg_ready_t;

/* A script that httpd has seen is not in the jail: its root may have been
 * replaced by another of the same name. */
typedef struct {
    jc_wire_head_t head;
} jc_msg_stale_t;

/* Sent before execve. From here on the request may have had effects. */
typedef struct {
    jc_wire_head_t head;
    uint64_t request_id;
    int32_t pid; /* in the jail's own PID namespace, if it has one */
    uint32_t uid;
    uint32_t gid;
    uint32_t reserved;
} jc_msg_started_t;

/* The script was not run, even if this comes after STARTED: then execve itself
 * failed. */
typedef struct {
    jc_wire_head_t head;
    uint64_t request_id;
    uint32_t code;  /* codes.h */
    int32_t errnum; /* errno, or 0 */
    uint64_t found; /* what the check saw: an id, a mode, an inode */
    uint64_t expected;
    char text[JC_TEXT_MAX]; /* a path or name; NUL-terminated */
} jc_msg_failed_t;

enum {
    JC_ENDED_NOT,   /* the keeper did not end it, or httpd ordered it */
    JC_ENDED_TOTAL, /* JailTimeout total */
    /* With JailCgroup: the kernel ended it, or it ended after the kernel had
     * refused it a fork. */
    JC_ENDED_MEMORY = 16,
    JC_ENDED_PIDS = 17,
    /* May be added to any of them: it had to wait for its share of the
     * processor. */
    JC_ENDED_THROTTLED = 256,
};

/* What a keeper says in EXIT, each once. */
#define JC_TAKEN_TMP_FILES 1u /* files are in the jail's own /tmp */
#define JC_TAKEN_TMP_FULL  2u /* it is full */
#define JC_TAKEN_SYSLOG    4u /* a message for syslog went nowhere */

/* The exit status of a script's child that has sent JC_MSG_FAILED. */
#define JC_FAILED_STATUS 127

typedef struct {
    jc_wire_head_t head;
    uint64_t request_id;
    int32_t status; /* as wait(2) returns it */
    uint32_t ended; /* why the keeper has ended it: JC_ENDED_* */
    uint64_t utime_us;
    uint64_t stime_us;
    uint64_t maxrss_kb;
    uint32_t is_free;   /* no process is left: the channel takes the next */
    uint32_t left;      /* at least so many processes are; 0 also: unknown */
    uint32_t taken;     /* JC_TAKEN_*: what else the jail takes */
    uint32_t call;      /* the first system call that was refused */
    uint32_t call_arch; /* AUDIT_ARCH_* of it; 0: none was, as far as known */
    uint32_t reserved;
} jc_msg_exit_t;

/* PING has no content. The parent sees that the helper works because the
 * message is taken out of the socket. */
typedef struct {
    jc_wire_head_t head;
} jc_msg_ping_t;

/* A buffer that has room for any message. */
typedef union {
    jc_wire_head_t head;
    jc_msg_generation_t generation;
    jc_msg_spawn_t spawn;
    jc_msg_run_t run;
    jc_msg_started_t started;
    jc_msg_failed_t failed;
    jc_msg_exit_t exit;
    jc_msg_retire_t retire;
    jc_msg_ready_t ready;
    jc_msg_stale_t stale;
    jc_msg_ping_t ping;
} jc_wire_any_t;

typedef enum {
    JC_WIRE_OK,
    JC_WIRE_EOF,       /* the peer has closed */
    JC_WIRE_AGAIN,     /* would block */
    JC_WIRE_MALFORMED, /* wrong length, version, type or descriptors; it was
                          consumed; errno EMFILE: no room here for its
                          descriptors */
    JC_WIRE_ERROR,     /* see errno */
} jc_wire_result_t;

/*
 * Sends one message of `type` with `fd_count` descriptors, without SIGPIPE.
 * `msg` points to the struct of that type, which determines the length;
 * msg->head is filled in. `flags` are those of send(2), for example
 * MSG_DONTWAIT. The caller still owns the descriptors.
 * Returns JC_WIRE_OK, _AGAIN, _EOF (peer gone) or _ERROR with errno set
 * (ETOOMANYREFS: too many descriptors of this user are in flight; try later).
 */
jc_wire_result_t jc_wire_send(int sock_fd, uint16_t type, void *msg,
                              const int *fds, unsigned fd_count, int flags);

/*
 * A message ready for sendmsg(2), for a sender that may not use the errno of
 * the C library. jc_wire_pack() does everything that jc_wire_send() does except
 * sending. The result points into itself and to *msg, so it must not be copied.
 * Returns 0, or -1 for an unknown type or for a number of descriptors that the
 * type does not carry.
 */
typedef struct {
    struct msghdr mh;
    struct iovec iov;
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * JC_MAX_FDS)];
    } ancillary;
} jc_wire_packed_t;

int jc_wire_pack(jc_wire_packed_t *packed, uint16_t type, void *msg,
                 const int *fds, unsigned fd_count);

/*
 * Receives one message into *any. Every received descriptor is close-on-exec.
 * On JC_WIRE_OK, `fds` (room for JC_MAX_FDS) has exactly the number of
 * descriptors that the type carries, and the caller closes them. any->head.type
 * and the length have been checked against each other, and messages with
 * MSG_TRUNC or MSG_CTRUNC are refused. On every other result no descriptor is
 * left open. Unused slots of `fds` are -1.
 */
jc_wire_result_t jc_wire_recv(int sock_fd, jc_wire_any_t *any, int *fds,
                              int flags);

/*
 * Does the same for a socket with SO_PASSCRED, and sets *sender to the sender
 * as the kernel reports it (unix(7)), or to pid 0 and uid JC_NO_ID where the
 * kernel reports none. `discard` closes the descriptors of a malformed message,
 * which may be of any kind.
 */
typedef void jc_wire_discard_t(int *fds, unsigned count);
jc_wire_result_t jc_wire_recv_from(int sock_fd, jc_wire_any_t *any, int *fds,
                                   int flags, jc_wire_discard_t *discard,
                                   struct ucred *sender);

/* The reason for which something was not done. */
typedef struct {
    uint32_t code; /* jc_code_t */
    int errnum;
    uint64_t found;
    uint64_t expected;
    char text[JC_TEXT_MAX]; /* a path or name; "": none */
} jc_failure_t;

/* Copies `text` into the failure, cut off where there is no more room. */
static inline void jc_wire_set_text(jc_failure_t *failure, const char *text)
{
    size_t len = strlen(text);

    if (len >= sizeof(failure->text)) {
        len = sizeof(failure->text) - 1;
    }
    memcpy(failure->text, text, len);
    failure->text[len] = 0;
}

/* Fills in the message that reports this failure. */
void jc_wire_failed(jc_msg_failed_t *msg, uint64_t request_id,
                    const jc_failure_t *failure);

/* Sends that message without blocking. If it cannot be sent it is lost, and the
 * httpd child then sees only that the control socket was closed. */
void jc_wire_send_failed(int control_fd, uint64_t request_id,
                         const jc_failure_t *failure);

/* Closes the descriptors >= 0 of fds[0..count-1] and sets them to -1. */
void jc_wire_close_fds(int *fds, unsigned count);

/* Returns whether this SEQPACKET socket contains a record, or 1 if that cannot
 * be determined. The answer stays true only if the socket was shut down before.
 * Leaves SO_PASSCRED on. */
int jc_wire_has_unread(int sock_fd);

/* Returns the bytes of a message of this type, or 0 for an unknown type. */
size_t jc_wire_length(uint16_t type);

/* Returns the number of descriptors that a message of this type carries. */
unsigned jc_wire_fd_count(uint16_t type);

#endif
