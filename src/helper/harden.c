/*
 * A seccomp filter for the helper itself. It refuses the system calls that need
 * a privilege which the helper may have, and that neither it nor a keeper nor a
 * script ever needs. A compromised helper or keeper could otherwise use them to
 * turn CAP_SYS_ADMIN into a kernel of its own.
 *
 * Keepers and scripts inherit the filter. It therefore refuses only calls that
 * fail for a tenant in any case, so that JailSeccomp off still means no filter.
 *
 * Runs in:   helper, when it starts
 * Privilege: CAP_SYS_ADMIN, without which a filter needs no_new_privs
 */
#include "helper.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REFUSE_MAX 64

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#define X32    0x40000000u
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#else
#error "the filter of the helper does not know this architecture"
#endif

static const uint32_t native[] = {
    SYS_acct,
    SYS_bpf, /* users may call it by an old, bad default */
    SYS_clock_settime,
    SYS_delete_module,
    SYS_finit_module,
    SYS_init_module,
    SYS_kexec_file_load,
    SYS_kexec_load,
    SYS_lookup_dcookie,
    SYS_open_by_handle_at,
    SYS_reboot,
    SYS_setdomainname,
    SYS_sethostname,
    SYS_setns,
    SYS_settimeofday,
    SYS_swapoff,
    SYS_swapon,
    SYS_vhangup,
#if defined(__x86_64__)
    SYS_ioperm,
    SYS_iopl,
#endif
};

#if defined(__x86_64__)
/* The same calls by int 0x80. No header of this machine has their numbers:
 * arch/x86/entry/syscalls/syscall_32.tbl. */
static const uint32_t compat[] = {
    25,  /* stime */
    51,  /* acct */
    74,  /* sethostname */
    79,  /* settimeofday */
    87,  /* swapon */
    88,  /* reboot */
    101, /* ioperm */
    110, /* iopl */
    111, /* vhangup */
    115, /* swapoff */
    121, /* setdomainname */
    128, /* init_module */
    129, /* delete_module */
    253, /* lookup_dcookie */
    264, /* clock_settime */
    283, /* kexec_load */
    342, /* open_by_handle_at */
    346, /* setns */
    350, /* finit_module */
    357, /* bpf */
    404, /* clock_settime64 */
};
#endif

static struct sock_filter *add(struct sock_filter *at, uint16_t code,
                               uint32_t k, uint8_t yes, uint8_t no)
{
    *at = (struct sock_filter) BPF_JUMP(code, k, yes, no);
    return at + 1;
}

static struct sock_filter *load(struct sock_filter *at, size_t offset)
{
    return add(at, BPF_LD | BPF_W | BPF_ABS, (uint32_t) offset, 0, 0);
}

/* Compares each number and answers a match with EPERM; allows all others. */
static struct sock_filter *refuse(struct sock_filter *at, const uint32_t *calls,
                                  size_t count)
{
    at = load(at, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < count; i++) {
        at = add(at, BPF_JMP | BPF_JEQ | BPF_K, calls[i], 0, 1);
        at = add(at, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM, 0, 0);
    }
    return add(at, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
}

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

int jc_harden(void)
{
    struct sock_filter filter[4 * REFUSE_MAX];
    struct sock_filter *at = load(filter, offsetof(struct seccomp_data, arch));

#if defined(__x86_64__)
    /* A jump is at most 255 instructions long. */
    at = add(at, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_I386, 0,
             (uint8_t) (2 * COUNT(compat) + 2));
    at = refuse(at, compat, COUNT(compat));
#endif
    at = add(at, BPF_JMP | BPF_JEQ | BPF_K, NATIVE, 1, 0);
    at = add(at, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
#ifdef X32
    /* x32 uses the native numbers plus this bit. Nobody needs it. */
    at = load(at, offsetof(struct seccomp_data, nr));
    at = add(at, BPF_JMP | BPF_JSET | BPF_K, X32, 0, 1);
    at = add(at, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS, 0, 0);
#endif
    at = refuse(at, native, COUNT(native));
    struct sock_fprog program = {.len = (unsigned short) (at - filter),
                                 .filter = filter};
    return (int) syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}
