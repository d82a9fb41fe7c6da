/*
 * A system call by int 0x80, the way of programs of 32 bits. Some kernels and
 * some virtual machines have no such way, and the processor then ends the
 * program: here the call fails with ENOEXEC, so that a test can skip what it
 * cannot try.
 *
 * Runs in:   a jail, as a CGI program; the unit tests
 */
#ifndef JC_PROBE_I386_H
#define JC_PROBE_I386_H

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>

#if defined(__x86_64__)
static sigjmp_buf i386_is_missing;

static void i386_on_fault(int number)
{
    (void) number;
    siglongjmp(i386_is_missing, 1);
}

/* Returns the call's result, or -1 with errno. Pointers must be below 4 GB. */
static long i386(long number, long a, long b, long c, long d)
{
    struct sigaction on_fault = {.sa_handler = i386_on_fault}, before;
    volatile long result = -ENOEXEC;

    sigaction(SIGSEGV, &on_fault, &before);
    if (sigsetjmp(i386_is_missing, 1) == 0) {
        long got;

        __asm__ volatile("int $0x80"
                         : "=a"(got)
                         : "0"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(0L)
                         : "memory", "r8", "r9", "r10", "r11");
        result = (int) got;
    }
    sigaction(SIGSEGV, &before, NULL);
    errno = result < 0 ? (int) -result : 0;
    return result < 0 ? -1 : result;
}
#else
static long i386(long number, long a, long b, long c, long d)
{
    (void) (number + a + b + c + d);
    errno = ENOEXEC;
    return -1;
}
#endif

#endif
