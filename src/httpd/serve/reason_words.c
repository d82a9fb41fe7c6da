/*
 * Puts the numbers of a reason into words.
 *
 * Runs in:   httpd child
 * Privilege: that of the web user
 * Trusts:    nothing: it has only constants
 */
#include "reason.h"
#include "src/wire/mountinfo.h"

#include <signal.h>
#include <sys/stat.h>

const char *jc_reason_words_type(uint64_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return "a directory";
    case S_IFIFO:
        return "a FIFO";
    case S_IFSOCK:
        return "a socket";
    case S_IFLNK:
        return "a symbolic link";
    case S_IFCHR:
    case S_IFBLK:
        return "a device";
    case S_IFREG:
        return "a file that is neither a program nor a script";
    case 0:
        return mode == JC_INTERPRETER_SIXTH ? "a script, the sixth in a row"
                                            : "something else";
    default:
        return "something else";
    }
}

const char *jc_reason_words_file_system(uint64_t fs)
{
    switch (fs) {
    case JC_FS_FUSE:
        return "a FUSE file system, where a process says who owns a file";
    case JC_FS_NOSUID:
        return "a file system that is mounted nosuid";
    default:
        return "a file system that was mounted after the jail was built";
    }
}

const char *jc_reason_words_denied(uint64_t found)
{
    return found == JC_EXEC_NOEXEC
               ? "a file system that is mounted noexec"
               : "a mode that does not let the site's user execute it";
}

const char *jc_reason_words_signal(uint64_t signum)
{
    switch (signum) {
    case SIGSEGV:
        return "this is a fault of the program or of a library that it uses, "
               "or JailLimit as, data or stack is too low for it";
    case SIGBUS:
    case SIGILL:
    case SIGFPE:
    case SIGABRT:
    case SIGTRAP:
        return "this is a fault of the program or of a library that it uses";
    case SIGKILL:
        return "it was killed by a limit, because the kernel was short of "
               "memory (see dmesg), or by the site's own processes";
    case SIGPIPE:
        return "it wrote to a pipe or a connection of its own whose other end "
               "was closed: find out why, or let the program ignore SIGPIPE";
    case SIGSYS:
        return "it made a system call that a filter answers with a signal: see "
               "JailSeccomp, and what the program itself forbids";
    default:
        return "a process of the site's user has sent it, or the program "
               "itself: find out which";
    }
}
