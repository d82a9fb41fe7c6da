/* What a test runs to see whether anything runs: prints one line. */
#include <stdio.h>

int main(void)
{
    return puts("ran") < 0;
}
