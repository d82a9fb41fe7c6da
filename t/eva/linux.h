/*
 * What Frama-C's C library does not have of Linux, as Linux and glibc have it.
 * Eva's run includes it before everything else.
 *
 * Runs in:   nowhere; Eva reads it
 * Privilege: none
 */
#ifndef JC_EVA_LINUX_H
#define JC_EVA_LINUX_H

#define _Alignas(bytes) /* not known to Frama-C */

/* Before the macros below, which their contracts must not see. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#ifndef SCM_CREDENTIALS
#define SCM_CREDENTIALS 2
struct ucred {
    int pid;
    unsigned uid;
    unsigned gid;
};
#endif
#ifndef MSG_CMSG_CLOEXEC
#define MSG_CMSG_CLOEXEC 0x40000000
#endif
#ifndef POLLRDHUP
#define POLLRDHUP 0x2000
#endif

#undef CMSG_ALIGN
#undef CMSG_SPACE
#undef CMSG_LEN
#undef CMSG_DATA
#undef CMSG_FIRSTHDR
#undef CMSG_NXTHDR
#define CMSG_ALIGN(len) (((len) + sizeof(size_t) - 1) & ~(sizeof(size_t) - 1))
#define CMSG_SPACE(len) (CMSG_ALIGN(len) + CMSG_ALIGN(sizeof(struct cmsghdr)))
#define CMSG_LEN(len)   (CMSG_ALIGN(sizeof(struct cmsghdr)) + (len))
#define CMSG_DATA(c)    ((unsigned char *) ((struct cmsghdr *) (c) + 1))
#define CMSG_FIRSTHDR(mh)                                                      \
    ((size_t) (mh)->msg_controllen >= sizeof(struct cmsghdr)                   \
         ? (struct cmsghdr *) (mh)->msg_control                                \
         : (struct cmsghdr *) 0)
#define CMSG_NXTHDR(mh, c) jc_eva_next(mh, c)

/* glibc's __cmsg_nxthdr, without the comparison of pointers. */
static inline struct cmsghdr *jc_eva_next(struct msghdr *mh, struct cmsghdr *c)
{
    size_t at = (size_t) ((char *) c - (char *) mh->msg_control);
    size_t len = c->cmsg_len;

    if (len < sizeof(*c) || len > mh->msg_controllen ||
        CMSG_ALIGN(len) + sizeof(*c) > mh->msg_controllen - at) {
        return NULL;
    }
    c = (struct cmsghdr *) ((char *) c + CMSG_ALIGN(len));
    at = (size_t) ((char *) c - (char *) mh->msg_control);
    return at + CMSG_ALIGN(c->cmsg_len) > mh->msg_controllen ? NULL : c;
}

/* These byte by byte: Eva then knows where a string ends, and sees each read.
 */
static inline void *jc_eva_memchr(const void *s, int c, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (((const char *) s)[i] == (char) c) {
            return (char *) s + i;
        }
    }
    return NULL;
}

static inline size_t jc_eva_strlen(const char *s)
{
    size_t len = 0;

    while (s[len]) {
        len++;
    }
    return len;
}

static inline char *jc_eva_strchr(const char *s, int c)
{
    for (; *s; s++) {
        if (*s == (char) c) {
            return (char *) s;
        }
    }
    return NULL;
}

int Frama_C_interval(int min, int max);
/* Reads at least what the library's reads; says anything. */
static inline int jc_eva_strncmp(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n && a[i] && b[i]; i++) {
    }
    return Frama_C_interval(-1, 1);
}

#define memchr  jc_eva_memchr
#define strlen  jc_eva_strlen
#define strchr  jc_eva_strchr
#define strncmp jc_eva_strncmp

/* src/keeper/launch/sys.h is instructions of the processor. */
#define JC_SYS_H
static inline int jc_sys_close(int fd)
{
    return fd < 0 ? -EBADF : 0;
}

#endif
