/* Who runs it, and whether it sees the machine's root. Linked statically. */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
    return printf("Content-Type: text/plain\n\nuid %d %s\n", (int) getuid(),
                  access("/cgi-bin/identity", F_OK) == 0 ? "jail" : "machine") <
           0;
}
