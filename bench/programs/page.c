/* A page of QUERY_STRING bytes, in writes of 64 KB. Linked statically. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int write_all(const char *data, size_t length)
{
    while (length > 0) {
        ssize_t sent = write(STDOUT_FILENO, data, length);
        if (sent <= 0) {
            return -1;
        }
        data += sent;
        length -= (size_t) sent;
    }
    return 0;
}

int main(void)
{
    static const char head[] = "Content-Type: application/octet-stream\n\n";
    static char block[65536];
    const char *query = getenv("QUERY_STRING");
    long long left = query != NULL ? atoll(query) : 0;

    memset(block, 'x', sizeof(block));
    if (write_all(head, sizeof(head) - 1) != 0) {
        return 1;
    }
    while (left > 0) {
        size_t length =
            left < (long long) sizeof(block) ? (size_t) left : sizeof(block);
        if (write_all(block, length) != 0) {
            return 1;
        }
        left -= (long long) length;
    }
    return 0;
}
