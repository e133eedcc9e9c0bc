/*
 * stretch.h - how long interrupts were off since the program last asked: /proc/quire/stretch, which a checked kernel
 * alone fills. Included once, by a program that measures.
 */
#ifndef STRETCH_H
#define STRETCH_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void die(const char *what)
{
    printf("%s: %s\n", what, strerror(errno));
    exit(1);
}

/* From here on. */
static void forget(void)
{
    int file = open("/proc/quire/stretch", O_WRONLY);

    if (file < 0 || write(file, "1", 1) != 1)
        die("/proc/quire/stretch");
    close(file);
}

/* A line with the name of what was done, and the longest stretch of it. */
static void tell(const char *name)
{
    char    line[256];
    int     file = open("/proc/quire/stretch", O_RDONLY);
    ssize_t got  = file < 0 ? -1 : read(file, line, sizeof line - 1);

    if (got <= 0)
        die("/proc/quire/stretch");
    close(file);
    line[got] = '\0';
    printf("%s %s", name, line);
    fflush(stdout);
}

/* ---- What a program measures: all of it, or what is named ------------------------------------------ */

struct operation {
    const char *name;
    void      (*act)(void);
};

static int is_named(const char *name, char **names)
{
    for (; *names != NULL; names++)
        if (strcmp(*names, name) == 0)
            return 1;
    return 0;
}

#endif
