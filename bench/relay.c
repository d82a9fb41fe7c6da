/*
 * The limit of anything that stands between a client and a script's large page
 * or body: a server that does nothing but copy, 64 KB at a time, between the
 * connection and the pipes. It knows just enough of HTTP for curl.
 *
 *   relay PORT PROGRAM
 *
 * Serves on 127.0.0.1 until it is ended, one request after the other: the
 * program gets the request's query and body, and its output is sent as it is.
 *
 * Runs in:   bench/run only
 * Privilege: the caller's
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define HEAD_MAX   16384
#define PIPE_BYTES 262144 /* as the module has it for what is large */

static char block[65536];

typedef struct {
    char text[HEAD_MAX + 1]; /* and what came of the body with it */
    size_t len;
    size_t body; /* where it begins */
    char query[64];
    long long body_len;
} request_t;

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n <= 0) {
            return -1;
        }
        data += n;
        len -= (size_t) n;
    }
    return 0;
}

static int read_head(int fd, request_t *r)
{
    const char *end, *length;

    r->len = 0;
    do {
        ssize_t n = read(fd, r->text + r->len, HEAD_MAX - r->len);
        if (n <= 0) {
            return -1;
        }
        r->len += (size_t) n;
        r->text[r->len] = '\0';
        end = strstr(r->text, "\r\n\r\n");
    } while (!end);
    r->body = (size_t) (end + 4 - r->text);
    r->query[0] = '\0';
    if (sscanf(r->text, "%*s %*[^? ]?%63[0-9]", r->query) != 1) {
        r->query[0] = '\0';
    }
    length = strcasestr(r->text, "\r\nContent-Length:");
    r->body_len = length && length < end ? atoll(length + 17) : 0;
    return 0;
}

static pid_t start(const char *program, const request_t *r, const int *in,
                   const int *out)
{
    pid_t pid = fork();

    if (pid == 0) {
        if (dup2(in[0], STDIN_FILENO) < 0 || dup2(out[1], STDOUT_FILENO) < 0 ||
            setenv("QUERY_STRING", r->query, 1)) {
            _exit(126);
        }
        execl(program, program, (char *) NULL);
        _exit(127);
    }
    return pid;
}

static void send_body(int fd, int to, const request_t *r)
{
    long long left = r->body_len - (long long) (r->len - r->body);

    if (write_all(to, r->text + r->body, r->len - r->body)) {
        return;
    }
    while (left > 0) {
        ssize_t n = read(fd, block, sizeof(block));
        if (n <= 0 || write_all(to, block, (size_t) n)) {
            return;
        }
        left -= n;
    }
}

static void serve(int fd, const char *program)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n";
    request_t r;
    int in[2], out[2];
    ssize_t n;
    pid_t pid;

    if (read_head(fd, &r)) {
        return;
    }
    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) ||
        fcntl(in[1], F_SETPIPE_SZ, PIPE_BYTES) < 0 ||
        fcntl(out[1], F_SETPIPE_SZ, PIPE_BYTES) < 0) {
        err(1, "pipe");
    }
    pid = start(program, &r, in, out);
    if (pid < 0) {
        err(1, "fork");
    }
    close(in[0]);
    close(out[1]);
    send_body(fd, in[1], &r);
    close(in[1]);
    if (!write_all(fd, head, sizeof(head) - 1)) {
        while ((n = read(out[0], block, sizeof(block))) > 0 &&
               !write_all(fd, block, (size_t) n)) {
            continue;
        }
    }
    close(out[0]);
    waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
    struct sockaddr_in where = {.sin_family = AF_INET};
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (argc != 3) {
        errx(64, "usage: relay PORT PROGRAM");
    }
    where.sin_port = htons((uint16_t) atoi(argv[1]));
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listener < 0 ||
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
        bind(listener, (struct sockaddr *) &where, sizeof(where)) ||
        listen(listener, 16)) {
        err(1, "port %s", argv[1]);
    }
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) {
            err(1, "accept");
        }
        serve(fd, argv[2]);
        close(fd);
    }
}
