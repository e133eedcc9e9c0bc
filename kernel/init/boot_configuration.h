/*
 * boot_configuration.h - what to run, and how: read from the boot archive or the command line.
 */
#ifndef QUIRE_INIT_BOOT_CONFIGURATION_H
#define QUIRE_INIT_BOOT_CONFIGURATION_H

#include "files/path/path.h"

struct boot_configuration {
    char **arguments, **environment;    /* end with NULL; the first argument is the program's path */
    char  *directory;                   /* NULL: /                                                  */
    bool   report, terminal, map;
    unsigned closed;                    /* bit n: standard descriptor n is closed                   */
    void  *text[3];                     /* what all that points into; on the heap                   */
};

/*
 * Read the files of .quire (devices/channel.h) and remove the folder. Returns 0; -ENOENT: there is none;
 * -ENOMEM; -EINVAL: they make no sense.
 */
int  boot_configuration_read(struct boot_configuration *configuration, struct fs_context *fs) MUST_CHECK;
/* Run this one program. Returns 0 or -ENOMEM. */
int  boot_configuration_simple(struct boot_configuration *configuration, const char *path) MUST_CHECK;
void boot_configuration_free(struct boot_configuration *configuration);

#endif
