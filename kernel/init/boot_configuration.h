/*
 * boot_configuration.h - which program the kernel runs first, and how: read from the boot archive, or made from a path.
 *
 * Owning   a configuration owns its strings on the heap. Nothing frees it: the first program runs to the end.
 * Locking  called once, by the first thread, before there are programs. May sleep: files are read.
 */
#ifndef QUIRE_INIT_BOOT_CONFIGURATION_H
#define QUIRE_INIT_BOOT_CONFIGURATION_H

#include "files/path/path.h"

struct boot_configuration {
    char **arguments, **environment;    /* end with NULL; the first argument is the program's path */
    char  *directory;                   /* NULL: /                                                  */
    bool   report, terminal, map;       /* the options of these names                              */
    unsigned closed;                    /* bit n: standard descriptor n is closed                   */
    void  *text[3];                     /* the text that the strings above are parts of             */
};

/*
 * Read the files of .quire (devices/channel.h) and remove the folder. Returns 0; -ENOENT: there is no such folder;
 * -ENOMEM; -EINVAL: the files contradict their format; -E2BIG: a list is longer than the kernel takes.
 */
int  boot_configuration_read(struct boot_configuration *configuration, struct fs_context *fs) MUST_CHECK;
/* The configuration that runs one program without arguments, on a terminal. Returns 0 or -ENOMEM. */
int  boot_configuration_simple(struct boot_configuration *configuration, const char *path) MUST_CHECK;

#endif
