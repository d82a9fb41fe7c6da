/* Prints the limits of a script: each name of JailLimit with soft and hard. */
#include <stdio.h>
#include <sys/resource.h>

static const struct {
    const char *name;
    int resource;
} limits[] = {
    {"cpu", RLIMIT_CPU},           {"fsize", RLIMIT_FSIZE},
    {"data", RLIMIT_DATA},         {"stack", RLIMIT_STACK},
    {"core", RLIMIT_CORE},         {"rss", RLIMIT_RSS},
    {"nproc", RLIMIT_NPROC},       {"nofile", RLIMIT_NOFILE},
    {"memlock", RLIMIT_MEMLOCK},   {"as", RLIMIT_AS},
    {"locks", RLIMIT_LOCKS},       {"sigpending", RLIMIT_SIGPENDING},
    {"msgqueue", RLIMIT_MSGQUEUE}, {"rtprio", RLIMIT_RTPRIO},
};

static void print_amount(rlim_t amount)
{
    if (amount == RLIM_INFINITY) {
        printf(" unlimited");
    } else {
        printf(" %llu", (unsigned long long) amount);
    }
}

int main(void)
{
    puts("Content-Type: text/plain\n");
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct rlimit limit;

        if (getrlimit(limits[i].resource, &limit) != 0) {
            perror(limits[i].name);
            return 1;
        }
        printf("%s", limits[i].name);
        print_amount(limit.rlim_cur);
        print_amount(limit.rlim_max);
        puts("");
    }
    printf("nice %d\n", getpriority(PRIO_PROCESS, 0));
    return 0;
}
