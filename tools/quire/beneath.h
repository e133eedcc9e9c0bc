/*
 * beneath.h - files below a folder of this machine, reached by descriptors and never out of it.
 *
 * A path here is relative and plain: names with one slash between them, no `.` and no `..`; "" is the folder itself.
 * No link is followed, neither on the way nor at the end: whoever may change the folder while we read it can put a link
 * where a file was a moment ago, and still leads us nowhere. Cost: a system call for each name of the path.
 */
#ifndef QUIRE_BENEATH_H
#define QUIRE_BENEATH_H

#include <sys/stat.h>
#include <sys/types.h>

/*
 * Open what `path` names below the descriptor `folder`, with the flags of open(2). Returns a descriptor that the caller
 * closes, or -1 and errno: ELOOP or ENOTDIR when there is a link, or a file on the way. With O_PATH a link can be held
 * itself.
 */
int beneath_open(int folder, const char *path, int flags);

/* Open a regular file for reading, and say what it is. Never waits: -1 and EINVAL for a pipe, a socket or a device. */
int beneath_open_file(int folder, const char *path, struct stat *status);

/* The same for a path of this machine that somebody named: its links are followed. */
int named_open_file(const char *path, struct stat *status);

/* What a link says, as text in `target` that ends in a NUL. Returns 0, or -1 and errno. */
int beneath_read_link(int folder, const char *path, char *target, size_t size);

#endif
