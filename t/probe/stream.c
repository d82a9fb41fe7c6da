/*
 * A CGI program for all ways in which body, page and stderr can flow. The query
 * is MODE or MODE,SIZE. Large data is a pattern in which each word depends on
 * its place, so that lost, doubled or exchanged data is noticed.
 *
 * A test and a script wait for each other by files in /tmp of the jail: the
 * script makes /tmp/at, the test /tmp/go. Without a jail (build/probe/stream
 * SIZE) it compares its stdin with the pattern.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE        65536
#define WAIT_SECONDS 120

/* The splitmix64 of Steele, Lea and Flood. */
static uint64_t word_at(uint64_t place)
{
    uint64_t z = (place + 1) * UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* The pattern from `at`, which is a multiple of PIECE. */
static const char *piece_at(uint64_t at)
{
    static uint64_t words[PIECE / 8];

    for (unsigned i = 0; i < PIECE / 8; i++) {
        words[i] = word_at(at / 8 + i);
    }
    return (const char *) words;
}

static void put(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n < 0) {
            err(1, "write");
        }
        data += n;
        len -= (size_t) n;
    }
}

static void say(const char *text)
{
    put(STDOUT_FILENO, text, strlen(text));
}

static void header(void)
{
    say("Content-Type: text/plain\n\n");
}

static void put_pattern(uint64_t size)
{
    for (uint64_t at = 0; at < size; at += PIECE) {
        put(STDOUT_FILENO, piece_at(at),
            size - at < PIECE ? (size_t) (size - at) : PIECE);
    }
}

/* Reads all of stdin. Returns its length; *same: it was the pattern. */
static uint64_t get_pattern(int *same)
{
    static char piece[PIECE];
    uint64_t at = 0;

    *same = 1;
    for (;;) {
        size_t len = 0;

        while (len < PIECE) {
            ssize_t n = read(STDIN_FILENO, piece + len, PIECE - len);

            if (n < 0) {
                err(1, "read");
            }
            if (n == 0) {
                break;
            }
            len += (size_t) n;
        }
        *same &= memcmp(piece, piece_at(at), len) == 0;
        at += len;
        if (len < PIECE) {
            return at;
        }
    }
}

static void report_body(void)
{
    int same;
    uint64_t len = get_pattern(&same);
    const char *declared = getenv("CONTENT_LENGTH");

    dprintf(STDOUT_FILENO, "body of %llu bytes, %s, CONTENT_LENGTH %s\n",
            (unsigned long long) len, same ? "unchanged" : "CHANGED",
            declared ? declared : "unset");
}

static void arrive(void)
{
    int fd = open("/tmp/at", O_WRONLY | O_CREAT | O_EXCL, 0600);

    if (fd < 0) {
        err(1, "/tmp/at");
    }
    close(fd);
}

/* Bounded, so that a test that fails leaves nothing that runs for ever. */
static void wait_for_go(void)
{
    for (int i = 0; i < WAIT_SECONDS * 100; i++) {
        if (access("/tmp/go", F_OK) == 0) {
            return;
        }
        usleep(10000);
    }
    errx(1, "/tmp/go did not appear");
}

static void page(uint64_t size)
{
    header();
    put_pattern(size);
}

static void take(uint64_t size)
{
    header();
    report_body();
}

/* Both ways at once: stock modules stall here. */
static void page_then_take(uint64_t size)
{
    page(size);
    report_body();
}

/* How large stdin's pipe has become while nobody read it. */
static void wait_then_take(uint64_t size)
{
    int len = fcntl(STDIN_FILENO, F_GETPIPE_SZ);

    for (int i = 0; i < 1000 && len <= PIECE; i++) {
        usleep(10000);
        len = fcntl(STDIN_FILENO, F_GETPIPE_SZ);
    }
    header();
    dprintf(STDOUT_FILENO, "a pipe of %d, ", len);
    report_body();
}

/* In pieces that leave a page of the pipe partly used, so that it never holds
 * as many bytes as it could; then how large it has become. */
static void odd_pieces(uint64_t size)
{
    static char piece[4097];

    memset(piece, 'x', sizeof(piece));
    header();
    for (uint64_t at = 0; at < size; at += sizeof(piece)) {
        if (write(STDOUT_FILENO, piece, sizeof(piece)) !=
            (ssize_t) sizeof(piece)) {
            err(1, "write");
        }
    }
    dprintf(STDOUT_FILENO, "a pipe of %d\n",
            fcntl(STDOUT_FILENO, F_GETPIPE_SZ));
}

static void never_read(uint64_t size)
{
    header();
    say("not read\n");
}

static void close_and_go_on(uint64_t size)
{
    header();
    put_pattern(size);
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
    arrive();
    wait_for_go();
}

static void grandchild(uint64_t size)
{
    header();
    say("first\n");
    if (fork() == 0) {
        arrive();
        wait_for_go();
        say("second\n");
    }
}

/* `size` bytes in lines of 100, and a page around them. */
static void flood(uint64_t size)
{
    static char lines[100 * 100];

    header();
    say("before\n");
    memset(lines, 'x', sizeof(lines));
    for (size_t i = 99; i < sizeof(lines); i += 100) {
        lines[i] = '\n';
    }
    for (uint64_t i = 0; i < size; i += sizeof(lines)) {
        put(STDERR_FILENO, lines, sizeof(lines));
    }
    say("after\n");
}

static void slow(uint64_t size)
{
    header();
    say("first\n");
    arrive();
    wait_for_go();
    say("second\n");
}

static void die_in_page(uint64_t size)
{
    header();
    say("first\n");
    arrive();
    wait_for_go();
    put_pattern(size);
    raise(SIGKILL);
}

static void die_at_once(uint64_t size)
{
    header();
    put_pattern(size);
    raise(SIGSEGV);
}

static void status_304(uint64_t size)
{
    say("Status: 304 Not Modified\nETag: \"e\"\n\n");
    put_pattern(size);
}

static void status_204(uint64_t size)
{
    say("Status: 204 No Content\n\n");
    put_pattern(size);
}

static const struct {
    const char *name;
    void (*run)(uint64_t size);
} modes[] = {
    {"page", page},
    {"take", take},
    {"page_then_take", page_then_take},
    {"wait_then_take", wait_then_take},
    {"odd_pieces", odd_pieces},
    {"never_read", never_read},
    {"close_and_go_on", close_and_go_on},
    {"grandchild", grandchild},
    {"flood", flood},
    {"slow", slow},
    {"die_in_page", die_in_page},
    {"die_at_once", die_at_once},
    {"status_304", status_304},
    {"status_204", status_204},
};

int main(int argc, char **argv)
{
    const char *query = getenv("QUERY_STRING");
    char name[32] = "";
    unsigned long long size = 0;
    int same;

    if (!query && argc == 2) {
        size = strtoull(argv[1], NULL, 10);
        return get_pattern(&same) != size || !same;
    }
    if (!query || sscanf(query, "%31[a-z0-9_],%llu", name, &size) < 1) {
        errx(1, "no mode");
    }
    for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
        if (strcmp(modes[i].name, name) == 0) {
            modes[i].run(size);
            return 0;
        }
    }
    errx(1, "no mode %s", name);
}
