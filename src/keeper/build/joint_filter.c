/*
 * Joins the keeper's own filter and that of JailSeccomp to one program, which
 * asks the keeper where either would refuse a call. The keeper then knows which
 * call of which script was refused, and gives the same answer as the filter
 * (src/keeper/serve/refused.c). One program, because only one filter of a
 * process may have a listener (seccomp_unotify(2)).
 *
 * Every call that the two filters allow is allowed as before, and the program
 * looks at no argument that they do not look at, so the kernel still remembers
 * which calls are always allowed. What is added comes after the decision to
 * refuse.
 *
 * The kernel alone answers what is refused in three cases:
 * - Calls that the keeper itself makes, or its functions of the C library: it
 *   would wait for itself for ever. FILE of JailSeccomp may name any of them.
 * - Calls that no ordinary user may make. The jail takes nothing there.
 * - Errors other than EPERM, for which programs have another way. The exception
 *   is ENOSYS in another mode of the processor, where all calls get it.
 *
 * Runs in:   keeper
 * Privilege: the tenant, still with its capabilities
 * Trusts:    that the jumps of `second` stay in it
 * Never:     allows a call that one of the two refuses
 */
#include "joint_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>

#define LOAD(at)         BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at)
#define ARCH             offsetof(struct seccomp_data, arch)
#define NR               offsetof(struct seccomp_data, nr)
#define LOW(arg)         (offsetof(struct seccomp_data, args) + 8 * (arg))
#define IF(value, t, f)  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, t, f)
#define HAS(value, t, f) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, value, t, f)
#define SAY(what)        BPF_STMT(BPF_RET | BPF_K, what)
#define REFUSE           (SECCOMP_RET_ERRNO | EPERM)
#define UNKNOWN          (SECCOMP_RET_ERRNO | ENOSYS)
#define ASK              SECCOMP_RET_USER_NOTIF

#define NAMESPACES                                                             \
    (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |            \
     CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET)

static const uint32_t answered_by_kernel[] = {
#if defined(__x86_64__)
    SYS_arch_prctl, SYS_epoll_wait, SYS_fork, SYS_open, SYS_poll, SYS_readlink,
    SYS_time, SYS_ioperm, SYS_iopl, SYS_mknod,
#endif
    /* The keeper, after the step "filter". */
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_close, SYS_close_range,
    SYS_fstat, SYS_newfstatat, SYS_statfs, SYS_fstatfs, SYS_lseek, SYS_pread64,
    SYS_getdents64, SYS_openat, SYS_openat2, SYS_faccessat, SYS_faccessat2,
    SYS_readlinkat, SYS_ioctl, SYS_fcntl, SYS_dup, SYS_dup3, SYS_pipe2,
    SYS_chdir, SYS_fchdir, SYS_mmap, SYS_mprotect, SYS_munmap, SYS_mremap,
    SYS_madvise, SYS_brk, SYS_futex, SYS_set_robust_list, SYS_set_tid_address,
    SYS_rseq, SYS_getrandom, SYS_rt_sigaction, SYS_rt_sigprocmask,
    SYS_rt_sigreturn, SYS_restart_syscall, SYS_sigaltstack, SYS_kill,
    SYS_tgkill, SYS_tkill, SYS_pidfd_send_signal, SYS_getpid, SYS_gettid,
    SYS_getppid, SYS_getsid, SYS_clone, SYS_execve, SYS_exit, SYS_exit_group,
    SYS_wait4, SYS_waitid, SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait,
    SYS_signalfd4, SYS_eventfd2, SYS_ppoll, SYS_clock_gettime,
    SYS_clock_nanosleep, SYS_nanosleep, SYS_gettimeofday, SYS_socket,
    SYS_sendmsg, SYS_recvmsg, SYS_sendto, SYS_recvfrom, SYS_shutdown,
    SYS_setsockopt, SYS_getsockopt, SYS_getrlimit, SYS_setrlimit, SYS_getrusage,
    SYS_getpriority, SYS_prctl, SYS_capget, SYS_capset, SYS_getuid, SYS_geteuid,
    SYS_getgid, SYS_getegid, SYS_getresuid, SYS_getresgid, SYS_getgroups,
    SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid, SYS_setresuid,
    SYS_setresgid, SYS_setgroups, SYS_umask, SYS_landlock_create_ruleset,
    SYS_landlock_add_rule, SYS_landlock_restrict_self,
    /* Not for an ordinary user. */
    SYS_acct, SYS_chroot, SYS_clock_settime, SYS_delete_module,
    SYS_finit_module, SYS_fsconfig, SYS_fsmount, SYS_fsopen, SYS_fspick,
    SYS_init_module, SYS_kexec_file_load, SYS_kexec_load, SYS_lookup_dcookie,
    SYS_mknodat, SYS_mount, SYS_mount_setattr, SYS_move_mount,
    SYS_open_by_handle_at, SYS_pivot_root, SYS_reboot, SYS_setdomainname,
    SYS_sethostname, SYS_setns, SYS_settimeofday, SYS_swapoff, SYS_swapon,
    SYS_umount2, SYS_vhangup};
#define ANSWERED                                                               \
    ((unsigned) (sizeof(answered_by_kernel) / sizeof(answered_by_kernel[0])))
/* A jump has to reach over all of them. */
_Static_assert(ANSWERED < UINT8_MAX, "too many calls for one jump");

#define TAIL_MAX (ANSWERED + 24)

static void add(jc_joint_filter_t *f, struct sock_filter step)
{
    f->steps[f->count++] = step;
}

static void jump(jc_joint_filter_t *f, unsigned from, unsigned to)
{
    f->steps[from] =
        (struct sock_filter) BPF_STMT(BPF_JMP | BPF_JA, to - from - 1);
}

/* Asks about this call only if the test of its argument holds. The keeper never
 * makes it with such an argument. */
static void add_test(jc_joint_filter_t *f, uint32_t number, unsigned arg,
                     struct sock_filter test)
{
    add(f, (struct sock_filter) IF(number, 0, 4));
    add(f, (struct sock_filter) LOAD((uint32_t) LOW(arg)));
    add(f, test);
    add(f, (struct sock_filter) SAY(ASK));
    add(f, (struct sock_filter) SAY(REFUSE));
}

/* Adds what happens instead of EPERM. The keeper's own rows refuse calls in
 * another mode of the processor too, but one mode can only have one answer. */
static void add_refusal(jc_joint_filter_t *f)
{
    add(f, (struct sock_filter) LOAD(ARCH));
    add(f, (struct sock_filter) IF(JC_NATIVE_ARCH, 1, 0));
    add(f, (struct sock_filter) SAY(REFUSE));
    add(f, (struct sock_filter) LOAD(NR));
    add_test(f, SYS_clone, 0, (struct sock_filter) HAS(NAMESPACES, 0, 1));
    add_test(f, SYS_fcntl, 1, (struct sock_filter) IF(F_SETLEASE, 0, 1));
    for (unsigned i = 0; i < ANSWERED; i++) {
        add(f, (struct sock_filter) IF(answered_by_kernel[i],
                                       (uint8_t) (ANSWERED - i), 0));
    }
    add(f, (struct sock_filter) SAY(ASK));
    add(f, (struct sock_filter) SAY(REFUSE));
}

static void add_unknown(jc_joint_filter_t *f)
{
    add(f, (struct sock_filter) LOAD(ARCH));
    add(f, (struct sock_filter) IF(JC_NATIVE_ARCH, 0, 1));
    add(f, (struct sock_filter) SAY(UNKNOWN));
    add(f, (struct sock_filter) SAY(ASK));
}

int jc_joint_filter_make(jc_joint_filter_t *f, const jc_own_filter_t *own,
                         const struct sock_filter *second, unsigned count)
{
    static const struct sock_filter all = SAY(SECCOMP_RET_ALLOW);
    unsigned refusal, unknown;

    if (count == 0) {
        second = &all;
        count = 1;
    }
    refusal = own->count + count;
    if (refusal + TAIL_MAX > JC_JOINT_FILTER_MAX) {
        return -1;
    }
    memcpy(f->steps, own->steps, own->count * sizeof(f->steps[0]));
    memcpy(f->steps + own->count, second, count * sizeof(f->steps[0]));
    f->count = refusal;
    add_refusal(f);
    unknown = f->count;
    add_unknown(f);
    for (unsigned i = 0; i < refusal; i++) {
        if (f->steps[i].code != (BPF_RET | BPF_K)) {
            continue;
        }
        if (f->steps[i].k == REFUSE) {
            jump(f, i, refusal);
        } else if (i < own->count) { /* allowed, as far as this one goes */
            jump(f, i, own->count);
        } else if (f->steps[i].k == UNKNOWN) {
            jump(f, i, unknown);
        }
    }
    return 0;
}
