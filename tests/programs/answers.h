/*
 * answers.h - for programs that ask Linux: each line of their output is a question and its answer, a result and an
 * errno.
 *
 * The parts of a program run in processes of their own, whose state ends with them. Included first by each program.
 */
#ifndef QUIRE_TESTS_ANSWERS_H
#define QUIRE_TESTS_ANSWERS_H

#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAY(x) (errno = 0, say(#x, (long)(x)))

static inline void say(const char *what, long result)
{
    printf("%s = %ld, %d\n", what, result, result == -1 ? errno : 0);
    fflush(stdout);
}

/* Run a part in a process of its own: how that ended. */
static inline int end_of(void (*what)(void))
{
    int   status = -1;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        what();
        fflush(stdout);
        _exit(0);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

/* A part whose end is not asked about. */
static inline void part(const char *name, void (*what)(void))
{
    printf("-- %s\n", name);
    end_of(what);
}

struct part { const char *name; void (*run)(void); };

/* All parts, or the one that is named, and how each ended. */
static inline void answer_parts(const struct part *parts, unsigned count, const char *only)
{
    setlinebuf(stdout);
    for (unsigned i = 0; i < count; i++) {
        if (only != NULL && strcmp(only, parts[i].name) != 0)
            continue;
        printf("---- %s\n", parts[i].name);
        printf("ended with %x\n", end_of(parts[i].run));
    }
}

#endif
