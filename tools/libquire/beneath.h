/*
 * beneath.h - access to files below a folder of the host by descriptors, which never leads out of the folder.
 *
 * A path here is relative and plain: names with one slash between them, no `.` and no `..`; "" is the folder itself.
 * No link is followed, neither on the path nor at its end: a process that replaces a file by a link meanwhile cannot
 * lead out of the folder. Cost: a system call for each name of the path.
 */
#ifndef QUIRE_BENEATH_H
#define QUIRE_BENEATH_H

#include <sys/stat.h>
#include <sys/types.h>

/*
 * Open the file `path` below the descriptor `folder`, with the flags of open(2). Returns a descriptor that the caller
 * closes, or -1 and errno: ELOOP for a link, ENOTDIR for a file in the path. With O_PATH a link itself can be opened.
 */
int beneath_open(int folder, const char *path, int flags);

/* Open a regular file for reading, and fill its stat. Never waits: -1 and EINVAL for a pipe, a socket or a device. */
int beneath_open_file(int folder, const char *path, struct stat *status);

/* The same for a path of the host that the user named: links in that path are followed. */
int named_open_file(const char *path, struct stat *status);

/* Read a link into `target`, with a NUL. Returns 0, or -1 and errno. */
int beneath_read_link(int folder, const char *path, char *target, size_t size);

#endif
