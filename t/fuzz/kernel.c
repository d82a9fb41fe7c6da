/*
 * The texts from the kernel that a keeper parses: the counters of its cgroup,
 * the list of its children, and field 22 of a process's stat, whose field 2 a
 * tenant chooses.
 *
 * Input: which of them, and how much one read returns; the text.
 *
 * Runs in:   the tests
 * Privilege: none
 */
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "t/fuzz/fuzz.h"

#define PIDS_MAX 16

static struct {
    const uint8_t *bytes;
    size_t size;
    size_t most; /* of one read */
} text;

static ssize_t fake_pread(int fd, void *to, size_t n, off_t at)
{
    if ((size_t) at >= text.size) {
        return 0;
    }
    size_t len = text.size - (size_t) at;
    len = len < n ? len : n;
    len = len < text.most ? len : text.most;
    memcpy(to, text.bytes + at, len);
    return (ssize_t) len;
}

static ssize_t fake_read(int fd, void *to, size_t n)
{
    return fake_pread(fd, to, n, 0);
}

static int fake_openat(int fd, const char *path, int flags)
{
    return 3;
}

static int fake_clock(clockid_t id, struct timespec *now)
{
    *now = (struct timespec){.tv_sec = 1000};
    return 0;
}

#define pread         fake_pread
#define read          fake_read
#define openat        fake_openat
#define close(fd)     0
#define clock_gettime fake_clock
#include "src/keeper/serve/cgroup_events.c"
#include "src/keeper/serve/children.c"
#include "src/keeper/serve/run.c"
#include "src/keeper/serve/sessions.c"
#include "src/keeper/serve/sweep.c"

jc_run_t *jc_runs_find(pid_t leader)
{
    return NULL;
}

static void check_children(void)
{
    pid_t pids[PIDS_MAX];
    int count = jc_children_list(pids, PIDS_MAX);

    if (count < 0 || count > PIDS_MAX) {
        abort();
    }
    for (int i = 0; i < count; i++) {
        if (pids[i] == 0) {
            abort();
        }
    }
}

static void check_events(void)
{
    static const jc_jail_t jail;
    jc_cgroup_events_t events;

    jc_cgroup_events_read(&jail, &events);
    if (text.size == 0 &&
        (events.oom_kills || events.pids_refused || events.throttled_us)) {
        abort();
    }
    (void) jc_cgroup_events_verdict(&jail, &events,
                                    text.most & 1 ? SIGKILL : 0);
}

static void parse(uint8_t *bytes, size_t size)
{
    if (size == 0) {
        return;
    }
    text.bytes = bytes + 1;
    text.size = size - 1;
    text.most = bytes[0] & 0x40 ? 8192 : (bytes[0] & 0x3fu) + 1;
    if (bytes[0] & 0x80) {
        check_children();
        return;
    }
    check_events();
    /* Known to be younger than the machine, or not known. */
    uint64_t age = age_ms_of(1);
    if (age > 1000 * 1000 && age != UINT64_MAX) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_each(data, size, parse);
}
