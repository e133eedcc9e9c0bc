/*
 * target.h - the file that a drawing or an image goes into.
 *
 * A plain file is replaced as a whole: the new one is written beside it under a name of its own, with the same mode,
 * and renamed, so that nobody ever reads half of one, and a full disk leaves the older one. Where FILE is a symbolic
 * link, what it leads to is replaced, and the link stays. Where nothing may be written beside it, it is written in
 * place. A pipe, a device or a terminal is no file to be replaced or removed: it is written as it is, once.
 *
 * Owning   the path is the caller's; everything else is the target's, from target_open() to target_close().
 * Errors   functions return 0, or SANDBOX_FAILED and have complained in a line that names the path.
 */
#ifndef TARGET_H
#define TARGET_H

#include <stdbool.h>
#include <stddef.h>

struct target {
    const char *option;                 /* what complaints begin with: "--svg ", or "" */
    const char *path;                   /* as it was given */
    char       *plain;                  /* the file itself; NULL: what is there must not be replaced */
    int         fd;
    bool        made;                   /* by target_open(), and still empty */
};

/*
 * Open the file before there is something to write, so that an error is reported at once. An existing file keeps its
 * bytes until the first target_write(). Waits until somebody reads where it is a pipe, and says so.
 */
int target_open(struct target *target);

/* Write one drawing: in the place of the one before, or once. */
int target_write(struct target *target, const void *bytes, size_t length);

/* An empty file that this target has made is removed. */
void target_close(struct target *target);

/* All three. */
int target_put(const char *option, const char *path, const void *bytes, size_t length);

#endif
