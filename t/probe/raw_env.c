/* A CGI program that prints its environment as it is. A shell in between would
 * keep only one of two variables of the same name. */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
    printf("Content-Type: text/plain\n\n");
    for (char **string = environ; *string; string++) {
        puts(*string);
    }
    return 0;
}
