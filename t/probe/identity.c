/*
 * Prints what a process can learn about its own identity without /proc, one
 * line "name: value" for each fact.
 *
 * Runs in:   script
 * Privilege: the tenant's
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DESCRIPTORS_MAX 65536

static void ids(void)
{
    uid_t r, e, s;
    gid_t groups[NGROUPS_MAX];
    int count;

    getresuid(&r, &e, &s);
    printf("uid: %u %u %u\n", r, e, s);
    getresgid(&r, &e, &s);
    printf("gid: %u %u %u\n", r, e, s);
    /* A change to the id it has returns the file system id. */
    printf("fsuid: %ld\n", syscall(SYS_setfsuid, -1));
    printf("fsgid: %ld\n", syscall(SYS_setfsgid, -1));
    count = getgroups(NGROUPS_MAX, groups);
    printf("groups:");
    for (int i = 0; i < count; i++) {
        printf(" %u", groups[i]);
    }
    printf("\n");
}

static void capabilities(void)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    uint64_t bounding = 0, ambient = 0;

    memset(data, 0xff, sizeof(data));
    if (syscall(SYS_capget, &head, data) != 0) {
        printf("capget: %s\n", strerror(errno));
    }
    for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++) {
        bounding |= (uint64_t) prctl(PR_CAPBSET_READ, cap) << cap;
        ambient |=
            (uint64_t) prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0)
            << cap;
    }
    printf("cap_effective: %x %x\n", data[0].effective, data[1].effective);
    printf("cap_permitted: %x %x\n", data[0].permitted, data[1].permitted);
    printf("cap_inheritable: %x %x\n", data[0].inheritable,
           data[1].inheritable);
    printf("cap_bounding: %llx\n", (unsigned long long) bounding);
    printf("cap_ambient: %llx\n", (unsigned long long) ambient);
}

static void process(void)
{
    sigset_t mask;
    struct stat st;
    char cwd[PATH_MAX];

    printf("no_new_privs: %d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    printf("securebits: %x\n", prctl(PR_GET_SECUREBITS));
    printf("keepcaps: %d\n", prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
    printf("session_leader: %d\n", getsid(0) == getpid());
    printf("group_leader: %d\n", getpgrp() == getpid());
    printf("ppid: %d\n", getppid());
    printf("nice: %d\n", getpriority(PRIO_PROCESS, 0));
    printf("umask: %03o\n", umask(0));
    printf("cwd: %s\n", getcwd(cwd, sizeof(cwd)) ? cwd : strerror(errno));
    if (stat("/", &st) == 0) {
        printf("root: %llu:%llu\n", (unsigned long long) st.st_dev,
               (unsigned long long) st.st_ino);
    }
    sigemptyset(&mask);
    sigprocmask(SIG_BLOCK, NULL, &mask);
    printf("blocked:");
    for (int sig = 1; sig < NSIG; sig++) {
        if (sigismember(&mask, sig) == 1) {
            printf(" %d", sig);
        }
    }
    printf("\nnot_default:");
    for (int sig = 1; sig < NSIG; sig++) {
        struct sigaction action;
        if (sigaction(sig, NULL, &action) == 0 &&
            action.sa_handler != SIG_DFL) {
            printf(" %d", sig);
        }
    }
    printf("\n");
}

static int is_null(const struct stat *st)
{
    return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

/* Each open descriptor as NUMBER=KIND,MODE. */
static void descriptors(void)
{
    static const char *const modes[] = {"r", "w", "rw", "path"};
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    printf("nofile: %llu\n", (unsigned long long) limit.rlim_cur);
    printf("descriptors:");
    for (int fd = 0; fd < DESCRIPTORS_MAX; fd++) {
        struct stat st;
        int flags = fcntl(fd, F_GETFL);

        if (flags < 0 || fstat(fd, &st) != 0) {
            continue;
        }
        printf(" %d=%s,%s,%u", fd,
               S_ISFIFO(st.st_mode)   ? "pipe"
               : S_ISSOCK(st.st_mode) ? "socket"
               : S_ISREG(st.st_mode)  ? "file"
               : is_null(&st)         ? "null"
                                      : "other",
               modes[flags & O_ACCMODE], st.st_uid);
    }
    printf("\n");
}

static const char *said(long result)
{
    return result == 0 ? "allowed" : strerror(errno);
}

static void ways_back(void)
{
    gid_t root = 0;

    printf("setuid_0: %s\n", said(setuid(0)));
    printf("seteuid_0: %s\n", said(seteuid(0)));
    printf("setgid_0: %s\n", said(setgid(0)));
    printf("setgroups_0: %s\n", said(setgroups(1, &root)));
    printf("chroot: %s\n", said(chroot(".")));
    printf("kill_init: %s\n", said(kill(1, SIGKILL)));
}

int main(int argc, char **argv)
{
    printf("Content-Type: text/plain\n\n");
    ids();
    capabilities();
    process();
    descriptors();
    ways_back();
    printf("argv:");
    for (int i = 0; i < argc; i++) {
        printf(" [%s]", argv[i]);
    }
    printf("\n");
    return 0;
}
