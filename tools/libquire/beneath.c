/* beneath.c - a path is opened name by name, and no link is followed. See beneath.h. */
#include "beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

enum { STEP = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

/* Close without losing the errno that the caller is to see. */
static void close_quietly(int fd)
{
    int err = errno;

    close(fd);
    errno = err;
}

/* The next name of a path into `name`; the rest behind it, or NULL when the name is too long for any file. */
static const char *take_name(const char *path, char *name)
{
    size_t length = strcspn(path, "/");

    if (length > NAME_MAX) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    memcpy(name, path, length);
    name[length] = '\0';
    return path + length + (path[length] == '/');
}

int beneath_open(int folder, const char *path, int flags)
{
    int at = folder;

    if (*path == '\0')
        return openat(folder, ".", flags | O_CLOEXEC);
    for (;;) {
        char name[NAME_MAX + 1];
        const char *rest = take_name(path, name);
        int next = rest == NULL ? -1 : openat(at, name, *rest != '\0' ? STEP : flags | O_NOFOLLOW | O_CLOEXEC);

        if (at != folder)
            close_quietly(at);
        if (next < 0 || *rest == '\0')
            return next;
        at   = next;
        path = rest;
    }
}

/* Fill a regular file's stat and return its descriptor. For any other file the descriptor is closed: -1. */
static int only_a_file(int fd, struct stat *status)
{
    if (fd < 0)
        return -1;
    if (fstat(fd, status) == 0 && S_ISREG(status->st_mode))
        return fd;
    errno = S_ISDIR(status->st_mode) ? EISDIR : EINVAL;
    close_quietly(fd);
    return -1;
}

/* Opening a pipe would wait for its other end; opening a terminal could make it the controlling one. */
enum { FILE_FLAGS = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC };

int beneath_open_file(int folder, const char *path, struct stat *status)
{
    return only_a_file(beneath_open(folder, path, FILE_FLAGS), status);
}

int named_open_file(const char *path, struct stat *status)
{
    return only_a_file(open(path, FILE_FLAGS), status);
}

int beneath_read_link(int folder, const char *path, char *target, size_t size)
{
    int fd = beneath_open(folder, path, O_PATH);
    ssize_t length;

    if (fd < 0)
        return -1;
    length = readlinkat(fd, "", target, size - 1);
    close_quietly(fd);
    if (length < 0)
        return -1;
    target[length] = '\0';
    return 0;
}
