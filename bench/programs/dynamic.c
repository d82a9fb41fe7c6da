/* The same with what a usual C program brings: libc and libm, stdio. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    const char *query = getenv("QUERY_STRING");

    if (lround(cos(query != NULL ? atof(query) : 0)) != 1) {
        return 1;
    }
    return printf("Content-Type: text/plain\n\nhello\n") < 0;
}
