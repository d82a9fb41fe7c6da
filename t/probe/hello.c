/* Prints one line, so that a test sees whether anything runs. */
#include <stdio.h>

int main(void)
{
    return puts("ran") < 0;
}
