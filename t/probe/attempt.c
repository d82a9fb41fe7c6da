/*
 * Makes one attempt to leave a jail, to reach what is not the script's, or to
 * take more than its share: attempt NAME [ARGUMENT]... It prints "NAME: done"
 * if that worked, otherwise "NAME: ERRNO". As a CGI program it takes both from
 * the query (NAME+ARGUMENT, which Apache turns into arguments).
 *
 * An attempt that works does no harm: it is the smallest call that shows the
 * result.
 *
 * Runs in:   a jail, as a CGI program; and outside of one, as the control
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/io_uring.h>
#include <linux/kcmp.h>
#include <linux/keyctl.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a call that needs a privilege says of nonsense when it has it. */
static int reached(long result)
{
    return result >= 0 || (errno != EPERM && errno != EACCES && errno != ENOSYS)
               ? 0
               : -1;
}

static pid_t pid_of(char **arg)
{
    return arg[0] ? (pid_t) atoi(arg[0]) : -1;
}

/* --- the root */

static int read_file(char **arg)
{
    char byte;
    int fd = open(arg[0], O_RDONLY);

    return fd < 0 || read(fd, &byte, 1) < 0 ? -1 : 0;
}

static int write_file(char **arg)
{
    return open(arg[0], O_WRONLY) < 0 ? -1 : 0;
}

static int make_file(char **arg)
{
    return open(arg[0], O_WRONLY | O_CREAT | O_EXCL, 0600) < 0 ? -1 : 0;
}

static int list_directory(char **arg)
{
    DIR *dir = opendir(arg[0]);

    return dir && readdir(dir) ? 0 : -1;
}

/* Up as far as it goes, and from there by name. */
static int climb(char **arg)
{
    char *no_slash[] = {arg[0] + 1, NULL};

    for (int i = 0; i < 64; i++) {
        if (chdir("..")) {
            return -1;
        }
    }
    return read_file(no_slash);
}

/* The old way out: a second root below a directory that is still open. */
static int second_root(char **arg)
{
    int here = open(".", O_RDONLY | O_DIRECTORY);

    (void) mkdir("below", 0700);
    return here < 0 || chroot("below") || fchdir(here) ? -1 : climb(arg);
}

static int move_root(char **arg)
{
    return syscall(SYS_pivot_root, ".", ".") == 0 ? 0 : reached(-1);
}

static int make_link(char **arg)
{
    return link(arg[0], "linked");
}

static int open_handle(char **arg)
{
    static struct {
        struct file_handle head;
        unsigned char bytes[128];
    } handle = {.head = {.handle_bytes = 128}};
    int mount_id;

    return name_to_handle_at(AT_FDCWD, ".", &handle.head, &mount_id, 0);
}

static int open_by_handle(char **arg)
{
    static struct file_handle handle;

    return reached(open_by_handle_at(AT_FDCWD, &handle, O_RDONLY));
}

static int make_device(char **arg)
{
    return mknod("device", S_IFCHR | 0666, makedev(1, 3));
}

static int mount_tmpfs(char **arg)
{
    return mount("none", "/tmp", "tmpfs", 0, NULL);
}

static int new_mount(char **arg)
{
    return syscall(SYS_fsopen, "tmpfs", 0) < 0 ? -1 : 0;
}

static int copy_tree(char **arg)
{
    return syscall(SYS_open_tree, AT_FDCWD, "/", 1 /* OPEN_TREE_CLONE */) < 0
               ? -1
               : 0;
}

static int unmount(char **arg)
{
    return umount2(arg[0], MNT_DETACH);
}

static int remount(char **arg)
{
    return mount(NULL, arg[0], NULL, MS_REMOUNT | MS_BIND, NULL);
}

/* --- other processes */

static int send_nothing(char **arg)
{
    return kill(pid_of(arg), 0);
}

static int send_stop(char **arg)
{
    return kill(pid_of(arg), SIGSTOP);
}

static int send_kill(char **arg)
{
    return kill(pid_of(arg), SIGKILL);
}

/* To all that it may; it ignores the signal itself. */
static int send_all(char **arg)
{
    signal(SIGTERM, SIG_IGN);
    return kill(-1, SIGTERM);
}

static int send_queue(char **arg)
{
    return sigqueue(pid_of(arg), SIGCONT, (union sigval){.sival_int = 0});
}

static int open_process(char **arg)
{
    return syscall(SYS_pidfd_open, pid_of(arg), 0) < 0 ? -1 : 0;
}

static int take_descriptor(char **arg)
{
    int fd = (int) syscall(SYS_pidfd_open, pid_of(arg), 0);

    return fd < 0 || syscall(SYS_pidfd_getfd, fd, 0, 0) < 0 ? -1 : 0;
}

static int trace(char **arg)
{
    return ptrace(PTRACE_SEIZE, pid_of(arg), NULL, NULL) ? -1 : 0;
}

static int trace_child(char **arg)
{
    pid_t child = fork();

    if (child == 0) {
        pause();
        _exit(0);
    }
    int result = ptrace(PTRACE_SEIZE, child, NULL, NULL) ? -1 : 0;
    int errnum = errno;
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    errno = errnum;
    return result;
}

/* The first word of what lies on top of its stack, as far as it tells. */
static int read_memory(char **arg)
{
    char word[8];
    unsigned long at = arg[1] ? strtoul(arg[1], NULL, 16) : 0;
    struct iovec mine = {word, sizeof(word)};
    struct iovec its = {(void *) at, sizeof(word)};

    return process_vm_readv(pid_of(arg), &mine, 1, &its, 1, 0) < 0 &&
                   errno != EFAULT
               ? -1
               : 0;
}

static int compare(char **arg)
{
    return syscall(SYS_kcmp, getpid(), pid_of(arg), KCMP_FILE, 0, 0) < 0 ? -1
                                                                         : 0;
}

static int renice(char **arg)
{
    return setpriority(PRIO_PROCESS, (id_t) pid_of(arg), 19);
}

static int limit_other(char **arg)
{
    struct rlimit limit;

    return prlimit(pid_of(arg), RLIMIT_NOFILE, NULL, &limit);
}

static int signal_parent(char **arg)
{
    return kill(getppid(), 0);
}

static int leave_session(char **arg)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        _exit(setsid() < 0 ? errno : 0);
    }
    waitpid(child, &status, 0);
    errno = WEXITSTATUS(status);
    return errno ? -1 : 0;
}

/* --- privileges */

static int become_root(char **arg)
{
    return setuid(0);
}

static int become_group(char **arg)
{
    return setgid(0);
}

static int become_member(char **arg)
{
    gid_t root = 0;

    return setgroups(1, &root);
}

/* For a set-id copy of this program, and for one with file capabilities. */
static int is_raised(char **arg)
{
    errno = EPERM;
    return geteuid() != getuid() || getegid() != getgid() ? 0 : -1;
}

static int run_raised(char **arg)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        unsetenv("GATEWAY_INTERFACE"); /* its status is the answer */
        execl(arg[0], arg[0], arg[1], (char *) NULL);
        _exit(ENOEXEC);
    }
    waitpid(child, &status, 0);
    errno = WEXITSTATUS(status);
    return errno ? -1 : 0;
}

static int own_users(char **arg)
{
    return unshare(CLONE_NEWUSER);
}

static int own_users_clone(char **arg)
{
    pid_t child = (pid_t) syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL,
                                  NULL, NULL, 0);

    if (child == 0) {
        _exit(0);
    }
    return child < 0 ? -1 : 0;
}

static int own_users_clone3(char **arg)
{
    struct clone_args args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
    pid_t child = (pid_t) syscall(SYS_clone3, &args, sizeof(args));

    if (child == 0) {
        _exit(0);
    }
    return child < 0 ? -1 : 0;
}

static int own_mounts(char **arg)
{
    return unshare(CLONE_NEWNS);
}

static int enter_namespace(char **arg)
{
    int fd = open("/proc/self/ns/uts", O_RDONLY);

    return setns(fd, CLONE_NEWUTS);
}

static int set_hostname(char **arg)
{
    char name[256];

    return gethostname(name, sizeof(name)) || sethostname(name, strlen(name))
               ? -1
               : 0;
}

/* --- the kernel */

static int open_socket(int family, int type, int protocol)
{
    return socket(family, type, protocol) < 0 ? -1 : 0;
}

static int raw_socket(char **arg)
{
    return open_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

static int packet_socket(char **arg)
{
    return open_socket(AF_PACKET, SOCK_RAW, 0);
}

/* For virtual machines and their host. */
static int host_socket(char **arg)
{
    return open_socket(AF_VSOCK, SOCK_STREAM, 0);
}

static int event_socket(char **arg)
{
    return open_socket(AF_NETLINK, SOCK_DGRAM, NETLINK_KOBJECT_UEVENT);
}

static int add_key(char **arg)
{
    return syscall(SYS_add_key, "user", "jailcgi", "x", 1,
                   KEY_SPEC_PROCESS_KEYRING) < 0
               ? -1
               : 0;
}

static int find_keyring(char **arg)
{
    return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING,
                   1) < 0
               ? -1
               : 0;
}

static int load_bpf(char **arg)
{
    return reached(syscall(SYS_bpf, 0, NULL, 0));
}

static int handle_faults(char **arg)
{
    return syscall(SYS_userfaultfd, 1 /* UFFD_USER_MODE_ONLY */) < 0 ? -1 : 0;
}

static int open_ring(char **arg)
{
    struct io_uring_params params = {0};

    return syscall(SYS_io_uring_setup, 4, &params) < 0 ? -1 : 0;
}

static int count_events(char **arg)
{
    struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
                                   .size = sizeof(attr),
                                   .config = PERF_COUNT_SW_CONTEXT_SWITCHES};

    return reached(syscall(SYS_perf_event_open, &attr, -1, 0, -1, 0));
}

static int load_kernel(char **arg)
{
    return reached(syscall(SYS_kexec_load, 0, 0, NULL, ~0UL));
}

static int load_module(char **arg)
{
    return reached(syscall(SYS_finit_module, -1, "", 0));
}

static int read_clock(char **arg)
{
    struct timex timex = {.modes = 0};

    return adjtimex(&timex) < 0 ? -1 : 0;
}

static int fix_addresses(char **arg)
{
    return personality(ADDR_NO_RANDOMIZE) < 0 ? -1 : 0;
}

static int type_for_terminal(char **arg)
{
    char byte = '\n';

    return reached(ioctl(1, TIOCSTI, &byte));
}

static int read_kernel_log(char **arg)
{
    return klogctl(10 /* SYSLOG_ACTION_SIZE_BUFFER */, NULL, 0) < 0 ? -1 : 0;
}

static int change_descriptors(char **arg)
{
    return syscall(SYS_modify_ldt, 0, NULL, 0) < 0 ? -1 : 0;
}

static int watch_files(char **arg)
{
    return reached(syscall(SYS_fanotify_init, 0x200, 0)); /* FAN_REPORT_FID */
}

/* --- what others have made */

static int shared_memory(char **arg)
{
    return shmget((key_t) strtol(arg[0], NULL, 0), 0, 0) < 0 ? -1 : 0;
}

static int message_queue(char **arg)
{
    return msgget((key_t) strtol(arg[0], NULL, 0), 0) < 0 ? -1 : 0;
}

static int semaphore(char **arg)
{
    return semget((key_t) strtol(arg[0], NULL, 0), 0, 0) < 0 ? -1 : 0;
}

static int posix_queue(char **arg)
{
    return mq_open(arg[0], O_RDONLY) == (mqd_t) -1 ? -1 : 0;
}

static int connect_to(const struct sockaddr_un *address, socklen_t len)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    return connect(fd, (const struct sockaddr *) address, len);
}

static int unix_socket(char **arg)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    strncpy(address.sun_path, arg[0], sizeof(address.sun_path) - 1);
    return connect_to(&address, sizeof(address));
}

static int abstract_socket(char **arg)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    strncpy(address.sun_path + 1, arg[0], sizeof(address.sun_path) - 2);
    return connect_to(&address,
                      (socklen_t) (offsetof(struct sockaddr_un, sun_path) + 1 +
                                   strlen(arg[0])));
}

static int tcp_socket(char **arg)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t) atoi(arg[0])),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    return connect(socket(AF_INET, SOCK_STREAM, 0),
                   (const struct sockaddr *) &address, sizeof(address));
}

/* --- more than its share; the argument is how much is too much */

static int fork_many(char **arg)
{
    int most = atoi(arg[0]), made = 0, errnum;
    pid_t child = 0;

    while (made < most && (child = fork()) > 0) {
        made++;
    }
    errnum = errno;
    if (child == 0) {
        pause();
        _exit(0);
    }
    signal(SIGTERM, SIG_IGN);
    kill(0, SIGTERM);
    while (wait(NULL) > 0) {
    }
    errno = errnum;
    return made == most ? 0 : -1;
}

static int open_many(char **arg)
{
    for (int i = 0; i < atoi(arg[0]); i++) {
        if (open("/", O_PATH) < 0) {
            return -1;
        }
    }
    return 0;
}

static int map_much(char **arg)
{
    return mmap(NULL, strtoul(arg[0], NULL, 0), PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                0) == MAP_FAILED
               ? -1
               : 0;
}

static int lock_much(char **arg)
{
    size_t len = strtoul(arg[0], NULL, 0);
    void *at = mmap(NULL, len, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return mlock(at, len);
}

static int fill(const char *path, size_t len)
{
    static char block[65536];
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int result = fd < 0 ? -1 : 0;
    int errnum = errno;

    signal(SIGXFSZ, SIG_IGN);
    for (size_t done = 0; !result && done < len; done += sizeof(block)) {
        result =
            write(fd, block, sizeof(block)) == (ssize_t) sizeof(block) ? 0 : -1;
        errnum = errno;
    }
    unlink(path);
    errno = errnum;
    return result;
}

static int write_much(char **arg)
{
    return fill("much", strtoul(arg[0], NULL, 0));
}

static int fill_tmp(char **arg)
{
    return fill("/tmp/much", strtoul(arg[0], NULL, 0));
}

static int name_many(char **arg)
{
    char name[64];
    int result = 0, made = 0, errnum;

    for (; !result && made < atoi(arg[0]); made++) {
        snprintf(name, sizeof(name), "/tmp/name%d", made);
        result = open(name, O_WRONLY | O_CREAT, 0600);
        result = result < 0 ? -1 : close(result);
    }
    errnum = errno;
    while (made-- > 0) {
        snprintf(name, sizeof(name), "/tmp/name%d", made);
        unlink(name);
    }
    errno = errnum;
    return result;
}

static int spin(char **arg)
{
    struct rusage usage = {0};

    do {
        getrusage(RUSAGE_SELF, &usage);
    } while (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec < atoi(arg[0]));
    return 0;
}

static int hurry(char **arg)
{
    return setpriority(PRIO_PROCESS, 0, -5);
}

static int real_time(char **arg)
{
    struct sched_param param = {.sched_priority = 1};

    return sched_setscheduler(0, SCHED_FIFO, &param);
}

/* --- what it was given */

static int has_variable(char **arg)
{
    errno = ENOENT;
    return getenv(arg[0]) ? 0 : -1;
}

static int has_descriptor(char **arg)
{
    for (int fd = 3; fd < 1024; fd++) {
        if (fcntl(fd, F_GETFD) >= 0) {
            return 0;
        }
    }
    return -1;
}

static const struct {
    const char *name;
    int (*try)(char **arg);
} attempts[] = {
    {"read", read_file},
    {"write", write_file},
    {"create", make_file},
    {"list", list_directory},
    {"climb", climb},
    {"second-root", second_root},
    {"pivot-root", move_root},
    {"hard-link", make_link},
    {"name-to-handle", open_handle},
    {"open-by-handle", open_by_handle},
    {"mknod", make_device},
    {"mount", mount_tmpfs},
    {"fsopen", new_mount},
    {"open-tree", copy_tree},
    {"umount", unmount},
    {"remount", remount},
    {"signal", send_nothing},
    {"stop", send_stop},
    {"kill", send_kill},
    {"kill-all", send_all},
    {"sigqueue", send_queue},
    {"pidfd", open_process},
    {"pidfd-getfd", take_descriptor},
    {"ptrace", trace},
    {"ptrace-child", trace_child},
    {"vm-read", read_memory},
    {"kcmp", compare},
    {"renice", renice},
    {"prlimit", limit_other},
    {"signal-parent", signal_parent},
    {"setsid", leave_session},
    {"setuid", become_root},
    {"setgid", become_group},
    {"setgroups", become_member},
    {"is-raised", is_raised},
    {"raised", run_raised},
    {"userns", own_users},
    {"userns-clone", own_users_clone},
    {"userns-clone3", own_users_clone3},
    {"mountns", own_mounts},
    {"setns", enter_namespace},
    {"sethostname", set_hostname},
    {"raw-socket", raw_socket},
    {"packet-socket", packet_socket},
    {"vsock-socket", host_socket},
    {"uevent-socket", event_socket},
    {"add-key", add_key},
    {"keyring", find_keyring},
    {"bpf", load_bpf},
    {"userfaultfd", handle_faults},
    {"io-uring", open_ring},
    {"perf", count_events},
    {"kexec", load_kernel},
    {"module", load_module},
    {"adjtimex", read_clock},
    {"personality", fix_addresses},
    {"tiocsti", type_for_terminal},
    {"syslog", read_kernel_log},
    {"modify-ldt", change_descriptors},
    {"fanotify", watch_files},
    {"shm", shared_memory},
    {"msg", message_queue},
    {"sem", semaphore},
    {"mq", posix_queue},
    {"unix", unix_socket},
    {"abstract", abstract_socket},
    {"tcp", tcp_socket},
    {"forks", fork_many},
    {"descriptors", open_many},
    {"memory", map_much},
    {"mlock", lock_much},
    {"file-size", write_much},
    {"fill-tmp", fill_tmp},
    {"inodes", name_many},
    {"cpu", spin},
    {"nice", hurry},
    {"real-time", real_time},
    {"variable", has_variable},
    {"descriptor", has_descriptor},
};

int main(int argc, char **argv)
{
    int is_cgi = getenv("GATEWAY_INTERFACE") != NULL;
    const char *name = argc > 1 ? argv[1] : "";

    setvbuf(stdout, NULL, _IONBF, 0);
    if (is_cgi) {
        printf("Content-Type: text/plain\n\n");
    }
    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
        if (strcmp(name, attempts[i].name) == 0) {
            int result;

            errno = 0;
            result = attempts[i].try(argv + 2);
            printf("%s: %s\n", name, result ? strerrorname_np(errno) : "done");
            /* For whoever runs it in place of reading this. */
            return is_cgi || !result ? 0 : errno;
        }
    }
    printf("%s: unknown\n", name);
    return 2;
}
