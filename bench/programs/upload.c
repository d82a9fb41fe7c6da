/* Reads the whole body and says how long it was. Linked statically. */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
    static char block[65536];
    long long total = 0;
    ssize_t got;

    while ((got = read(STDIN_FILENO, block, sizeof(block))) > 0) {
        total += got;
    }
    return printf("Content-Type: text/plain\n\n%lld\n", total) < 0;
}
