/*
 * A CGI program that shows its request as it finds it, one fact on each line:
 * working directory, umask, arguments, environment, body. It writes bytes that
 * are not printable, and the backslash, as \xHH. For HEAD, the number of
 * arguments is in a header too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define BODY_MAX 65536

static void show(const char *what, const char *data, size_t len)
{
    printf("%s ", what);
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char) data[i];

        if (byte < ' ' || byte > '~' || byte == '\\') {
            printf("\\x%02x", byte);
        } else {
            putchar(byte);
        }
    }
    putchar('\n');
}

static void show_string(const char *what, const char *string)
{
    size_t len = 0;

    while (string[len] != '\0') {
        len++;
    }
    show(what, string, len);
}

int main(int argc, char **argv)
{
    static char body[BODY_MAX];
    char *cwd = getcwd(NULL, 0);
    mode_t mask = umask(0);
    size_t len;

    /* First: mod_cgid loses the answer of a script that leaves input unread. */
    len = fread(body, 1, sizeof(body), stdin);
    printf("Content-Type: text/plain\nX-Arguments: %d\n\n", argc - 1);
    show_string("cwd", cwd ? cwd : "");
    printf("umask %03o\n", (unsigned) mask);
    for (int i = 1; i < argc; i++) {
        show_string("argument", argv[i]);
    }
    for (char **string = environ; *string; string++) {
        show_string("env", *string);
    }
    show("body", body, len);
    free(cwd);
    return 0;
}
