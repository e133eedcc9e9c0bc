/* target.c - what was made takes the place of a file, or goes into what cannot be replaced. See target.h. */
#include "target.h"
#include "attend.h"
#include "libquire/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int complain(const struct target *target, int error)
{
    return tell(SANDBOX_FAILED, "%s%s: %s", target->option, target->path, strerror(error));
}

/* A pipe that nobody reads is waited for; with words, since it may be for ever. Returns a descriptor, or -1. */
static int open_existing(const struct target *target)
{
    const char *path = target->path;
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;

    if (fd < 0 && errno == ENXIO && stat(path, &status) == 0 && S_ISFIFO(status.st_mode)) {
        tell(0, "%s%s: waiting until somebody reads this pipe", target->option, path);
        return open(path, O_WRONLY | O_CLOEXEC);
    }
    if (fd >= 0)
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    return fd;
}

int target_open(struct target *target)
{
    struct stat status;

    target->fd = open(target->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    target->made = target->fd >= 0;
    if (target->fd < 0 && errno == EEXIST)
        target->fd = open_existing(target);
    if (target->fd < 0)
        return complain(target, errno);
    if (fstat(target->fd, &status) == 0 && S_ISREG(status.st_mode))
        target->plain = adopted(realpath(target->path, NULL));
    return 0;
}

/* Returns 0, or an error number. */
static int write_all(int fd, const void *from, size_t length)
{
    const char *bytes = from;

    while (length > 0) {
        ssize_t done = write(fd, bytes, length);

        if (done < 0 && errno != EINTR)
            return errno;
        if (done > 0) {
            bytes += done;
            length -= (size_t)done;
        }
    }
    return 0;
}

/* A new file of the old one's mode. Returns 0, or an error number: then there is no new file. */
static int write_beside(const char *beside, int fd, const struct target *target, const void *bytes, size_t length)
{
    struct stat status;
    int error = write_all(fd, bytes, length);

    if (error == 0 && (fstat(target->fd, &status) != 0 || fchmod(fd, status.st_mode & 07777) != 0))
        error = errno;
    if (close(fd) != 0 && error == 0)
        error = errno;
    if (error == 0 && rename(beside, target->plain) != 0)
        error = errno;
    if (error != 0)
        unlink(beside);
    return error;
}

static int replace(const struct target *target, const void *bytes, size_t length)
{
    char *beside = text("%s.XXXXXX", target->plain);
    int fd = mkostemp(beside, O_CLOEXEC), error = fd < 0 ? errno : 0;

    if (error == 0)
        error = write_beside(beside, fd, target, bytes, length);
    drop(beside);
    return error;
}

/* For files whose folder is somebody else's, and those that are mounted as what they are. */
static int write_in_place(const struct target *target, const void *bytes, size_t length)
{
    if (target->plain != NULL && (ftruncate(target->fd, 0) != 0 || lseek(target->fd, 0, SEEK_SET) != 0))
        return errno;
    return write_all(target->fd, bytes, length);
}

static bool has_no_place_beside(int error)
{
    return error == EACCES || error == EPERM || error == EROFS || error == EBUSY || error == ENAMETOOLONG;
}

int target_write(struct target *target, const void *bytes, size_t length)
{
    int error = target->plain != NULL ? replace(target, bytes, length) : 0;

    if (target->plain == NULL || has_no_place_beside(error))
        error = write_in_place(target, bytes, length);
    if (error != 0)
        return complain(target, error);
    target->made = false;
    return 0;
}

void target_close(struct target *target)
{
    if (target->made && target->fd >= 0)
        unlink(target->plain != NULL ? target->plain : target->path);
    if (target->fd >= 0)
        close(target->fd);
    drop(target->plain);
    *target = (struct target){ .option = target->option, .path = target->path, .fd = -1 };
}

int target_put(const char *option, const char *path, const void *bytes, size_t length)
{
    struct target target = { .option = option, .path = path, .fd = -1 };
    int status = target_open(&target);

    if (status == 0)
        status = target_write(&target, bytes, length);
    target_close(&target);
    return status;
}
