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
#define JC_WIRE_VERSION 8u

/* Of a memfd that goes from one process to another: nobody changes it while it
 * is read (fcntl(2)). */
#define JC_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* Descriptors that the helper inherits from the httpd parent by exec. */
#define JC_FD_PARENT       3 /* SEQPACKET socket to the parent */
#define JC_FD_PARENT_PIDFD 4 /* pidfd of the parent: readable when it died */

/* Exit statuses of the helper that the parent tells apart. Not 7 and not 15:
 * httpd gives these a meaning of its own (APEXIT_CHILDSICK, _CHILDFATAL). */
#define JC_EXIT_OK      0
#define JC_EXIT_USAGE   64
#define JC_EXIT_VERSION 65
#define JC_EXIT_START   66 /* cannot do its work here; stderr says why */

enum {
    JC_MSG_GENERATION = 1, /* parent -> helper */
    JC_MSG_SPAWN,          /* httpd child -> helper */
    JC_MSG_RUN,            /* helper -> keeper */
    JC_MSG_STARTED,        /* script's child -> httpd child, on control */
    JC_MSG_STARTED_STDIN,  /* likewise, if the request has a body */
    JC_MSG_FAILED,         /* helper, keeper, script's child -> httpd child */
    JC_MSG_EXIT,           /* keeper -> httpd child, on ended */
    JC_MSG_RETIRE,         /* parent -> helper */
    JC_MSG_READY,          /* keeper -> helper */
    JC_MSG_STALE,          /* keeper -> helper */
    JC_MSG_PING,           /* parent -> helper */
    JC_MSG_TYPES,          /* no type: one more than the last */
};

/*
 * The descriptors of JC_MSG_SPAWN: a channel, two SEQPACKET sockets whose peers
 * the httpd child keeps. Requests come over it one after the other (request.h);
 * the first is in control already. JC_MSG_RUN passes them on, with a pidfd of
 * the httpd child that has sent SPAWN: its channels end with it.
 */
enum {
    JC_SPAWN_CONTROL, /* the request; STARTED, FAILED; its closing ends it */
    JC_SPAWN_ENDED,   /* EXIT and nothing else, so that it can be waited for */
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
    JC_GENERATION_LOG,    /* httpd's main error log as it is now */
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
    uint32_t web_uid; /* whom httpd's children run as */
    uint32_t reserved;
} jc_msg_generation_t;

typedef struct {
    jc_wire_head_t head;
    uint64_t generation;
    /* Of the first request, the next ones count on from there. Chosen by the
     * httpd child; echoed, never trusted. */
    uint64_t request_id;
    uint32_t policy;
    uint32_t uid;   /* JC_NO_ID unless the policy is "owner" */
    uint32_t gid;   /* likewise */
    uint32_t flags; /* none defined: must be 0 */
} jc_msg_spawn_t;

typedef struct {
    jc_wire_head_t head;
    uint64_t request_id;
    uint32_t web_uid; /* whose requests are taken from the channel */
    int32_t child;    /* pid of the httpd child, as the helper sees it */
} jc_msg_run_t;

/* All children of this generation have ended: nobody may use its socket any
 * more, whoever still has a copy. */
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

/* Sent before execve: from here on the request may have had effects. */
typedef struct {
    jc_wire_head_t head;
    uint64_t request_id;
    int32_t pid; /* in the jail's own PID namespace, if it has one */
    uint32_t uid;
    uint32_t gid;
    uint32_t reserved;
} jc_msg_started_t;

/* The script was not run (even after STARTED: then execve itself failed). */
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
    JC_ENDED_NOT,   /* it has not, or httpd has asked for it */
    JC_ENDED_TOTAL, /* JailTimeout total */
    /* Of JailCgroup: by the kernel, or after a fork that it refused. */
    JC_ENDED_MEMORY = 16,
    JC_ENDED_PIDS = 17,
    /* Beside any of them: it had to wait for its share of the processor. */
    JC_ENDED_THROTTLED = 256,
};

/* How the script's child ends that has sent JC_MSG_FAILED. */
#define JC_FAILED_STATUS 127

typedef struct {
    jc_wire_head_t head;
    uint64_t request_id;
    int32_t status; /* as wait(2) gives it */
    uint32_t ended; /* why the keeper has ended it: JC_ENDED_* */
    uint64_t utime_us;
    uint64_t stime_us;
    uint64_t maxrss_kb;
    uint32_t is_free; /* nothing of it is left: the channel takes the next */
    uint32_t reserved;
} jc_msg_exit_t;

/* Nothing: that it is taken out of the socket shows that the helper works. */
typedef struct {
    jc_wire_head_t head;
} jc_msg_ping_t;

/* A buffer that any message fits. */
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
    JC_WIRE_MALFORMED, /* wrong length, version, type, descriptors; consumed;
                          errno EMFILE: no room here for its descriptors */
    JC_WIRE_ERROR,     /* errno tells */
} jc_wire_result_t;

/*
 * Sends one message of `type` with `fd_count` descriptors, without SIGPIPE.
 * Fills in msg->head. `msg` points to the struct of that type; the length is
 * known from the type. `flags` are send(2)'s, as MSG_DONTWAIT. The descriptors
 * remain the caller's.
 * Returns JC_WIRE_OK, _AGAIN, _EOF (peer gone) or _ERROR with errno set
 * (ETOOMANYREFS: too many descriptors of this user are in flight; try later).
 */
jc_wire_result_t jc_wire_send(int sock_fd, uint16_t type, void *msg,
                              const int *fds, unsigned fd_count, int flags);

/*
 * A message ready for sendmsg(2), for a sender that may not use the C library's
 * (errno). jc_wire_pack does all of jc_wire_send but the sending. Points into
 * itself and to *msg: not to be copied. Returns 0, or -1 for an unknown type or
 * another number of descriptors than it carries.
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
 * Receives one message into *any. Every descriptor received is close-on-exec.
 * On JC_WIRE_OK exactly the number of descriptors that the type carries is in
 * `fds` (room for JC_MAX_FDS), the caller's to close; any->head.type and the
 * length have been checked against each other, MSG_TRUNC and MSG_CTRUNC are
 * refused. On every other result no descriptor is left open and unused slots
 * of `fds` are -1.
 */
jc_wire_result_t jc_wire_recv(int sock_fd, jc_wire_any_t *any, int *fds,
                              int flags);

/*
 * The same for a socket with SO_PASSCRED: *sender is who has sent the message,
 * in the kernel's words (unix(7)); pid 0 and uid JC_NO_ID where the kernel says
 * nothing. `discard` closes what a peer has sent with a message that is not
 * one: it may be anything.
 */
typedef void jc_wire_discard_t(int *fds, unsigned count);
jc_wire_result_t jc_wire_recv_from(int sock_fd, jc_wire_any_t *any, int *fds,
                                   int flags, jc_wire_discard_t *discard,
                                   struct ucred *sender);

/* Why something was not done. */
typedef struct {
    uint32_t code; /* jc_code_t */
    int errnum;
    uint64_t found;
    uint64_t expected;
    char text[JC_TEXT_MAX]; /* a path or name; "": there is none */
} jc_failure_t;

/* Copies `text`, or the beginning of it that there is room for. */
static inline void jc_wire_set_text(jc_failure_t *failure, const char *text)
{
    size_t len = strlen(text);

    if (len >= sizeof(failure->text)) {
        len = sizeof(failure->text) - 1;
    }
    memcpy(failure->text, text, len);
    failure->text[len] = 0;
}

/* The message that says so. */
void jc_wire_failed(jc_msg_failed_t *msg, uint64_t request_id,
                    const jc_failure_t *failure);

/* Sends it without blocking; what cannot be sent is lost, and the httpd child
 * then sees only that the control socket was closed. */
void jc_wire_send_failed(int control_fd, uint64_t request_id,
                         const jc_failure_t *failure);

/* Closes the descriptors >= 0 of fds[0..count-1] and sets them to -1. */
void jc_wire_close_fds(int *fds, unsigned count);

/* Whether a record lies in this SEQPACKET socket, or that cannot be told. Once
 * the socket is shut down, nothing comes any more. Leaves SO_PASSCRED on. */
int jc_wire_has_unread(int sock_fd);

/* Bytes of a message of this type, or 0 for an unknown type. */
size_t jc_wire_length(uint16_t type);

/* Descriptors that a message of this type carries. */
unsigned jc_wire_fd_count(uint16_t type);

#endif
