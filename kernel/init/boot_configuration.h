/*
 * boot_configuration.h - what to run, and how: read from the boot archive or the command line.
 */
#ifndef QUIRE_PROCESS_ORDERS_H
#define QUIRE_PROCESS_ORDERS_H

#include "files/path/path.h"

struct orders {
    char **arguments, **environment;    /* end with NULL; the first argument is the program's path */
    char  *directory;                   /* NULL: /                                                  */
    bool   report, terminal, map;
    unsigned closed;                    /* bit n: standard descriptor n is closed                   */
    void  *text[3];                     /* what all that points into; on the heap                   */
};

/*
 * Read the files of .quire (devices/channel.h) and remove the folder. Returns 0; -ENOENT: there are no orders;
 * -ENOMEM; -EINVAL: they make no sense.
 */
int  orders_read(struct orders *orders, struct fs_context *fs) MUST_CHECK;
/* Run this one program. Returns 0 or -ENOMEM. */
int  orders_simple(struct orders *orders, const char *path) MUST_CHECK;
void orders_free(struct orders *orders);

#endif
