/*
 * errnos.h - for programs that ask Linux what it refuses: a line is a call and 0, or an errno. No result is printed.
 */
#ifndef QUIRE_TESTS_ERRNOS_H
#define QUIRE_TESTS_ERRNOS_H

#include <errno.h>
#include <stdio.h>

#define SAY(call) (errno = 0, say(#call, (long)(call)))

static void say(const char *what, long result)
{
    int error = errno;

    printf("%s: %s %d\n", what, result == -1 ? "errno" : "0", result == -1 ? error : 0);
}

#endif
