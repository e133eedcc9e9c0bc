/*
 * attribute.c - times of files, and extended attributes, which files here do not have.
 */
#include "base/check.h"
#include "base/error.h"
#include "linux/calls.h"
#include "linux/files.h"
#include "linux/structures.h"
#include "memory/heap/heap.h"
#include "process/process.h"

/* ---- Times ----------------------------------------------------------------------------------------- */

enum { TIME_NOW = 0x3FFFFFFF, TIME_OMIT = 0x3FFFFFFE };

/* The two times of a call: what to do, and the values. */
struct times {
    uint64_t value[2];
    bool     omit[2], now;          /* now: both are the present time, which needs only the right to write */
    bool     senseless;             /* one of them is invalid: -EINVAL, once the file is found */
};

/* Takes the reference to the node. */
static long set_times(struct node *node, const struct times *times)
{
    int err;

    deep_assert(node != NULL && times != NULL);
    err = times->senseless ? -EINVAL : node_is_read_only(node) ? -EROFS : 0;
    if (err == 0 && !acts_as_owner(node) && !(times->omit[0] && times->omit[1]))
        err = times->now ? node_allows(node, 2) : -EPERM;
    if (err == 0) {
        if (!times->omit[0])
            node->accessed = times->value[0];
        if (!times->omit[1])
            node->modified = times->value[1];
        if (!times->omit[0] || !times->omit[1])
            node->changed = clock_wall();
    }
    node_release(node);
    return err;
}

static void fill_time(struct times *times, unsigned which, int64_t seconds, int64_t nanoseconds)
{
    deep_assert(times != NULL);
    assert(which < 2);
    if (nanoseconds == TIME_OMIT) {
        times->omit[which] = true;
        times->now = false;
    } else if (nanoseconds == TIME_NOW) {
        times->value[which] = clock_wall();
    } else if (nanoseconds < 0 || nanoseconds >= (int64_t)NANOSECONDS) {
        times->senseless = true;
    } else {
        times->now = false;
        if (seconds < 0)
            seconds = 0;
        times->value[which] = seconds < INT64_MAX / (int64_t)NANOSECONDS
            ? (uint64_t)seconds * NANOSECONDS + (uint64_t)nanoseconds : INT64_MAX;
    }
}

static struct times times_now(void)
{
    uint64_t now = clock_wall();

    return (struct times){ .value = { now, now }, .now = true };
}

static int read_times(user_t from, bool wide, struct times *out)
{
    int err = 0;

    deep_assert(out != NULL);
    *out = times_now();
    if (from == 0)
        return 0;
    for (unsigned i = 0; i < 2 && err == 0; i++) {
        struct linux_time64 time = { 0, 0, 0 };
        struct linux_time32 narrow;

        if (wide) {
            err = user_read(&time, from + i * sizeof time, sizeof time);
        } else {
            err  = user_read(&narrow, from + i * sizeof narrow, sizeof narrow);
            time = (struct linux_time64){ narrow.seconds, narrow.nanoseconds, 0 };
        }
        if (err == 0)
            fill_time(out, i, time.seconds, time.nanoseconds);
    }
    return err;
}

/* Without a path the call is for the descriptor's file. */
static long set_times_at(int folder, user_t path, const struct times *times, unsigned flags)
{
    struct node *node;
    struct file *file;
    int          err;

    deep_assert(times != NULL);
    if (flags & ~(uintptr_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    if (path != 0 || folder == AT_FDCWD) {
        err = node_of(folder, path, flags, &node);
        return err != 0 ? err : set_times(node, times);
    }
    file = file_of(folder);
    if (file == NULL)
        return -EBADF;
    node = file->node;
    node_hold(node);
    file_release(file);
    return set_times(node, times);
}

static long utimensat(uintptr_t folder, user_t path, user_t from, unsigned flags, bool wide)
{
    struct times times;
    int          err = read_times(from, wide, &times);

    if (err != 0)
        return err;
    return times.omit[0] && times.omit[1] ? 0 : set_times_at(folder, path, &times, flags);
}

SYSTEM_CALL(utimensat, int, folder, user_t, path, user_t, times, unsigned, flags)
{
    return utimensat(folder, path, times, flags, false);
}

SYSTEM_CALL(utimensat_time64, int, folder, user_t, path, user_t, times, unsigned, flags)
{
    return utimensat(folder, path, times, flags, true);
}

SYSTEM_CALL(utime, user_t, path, user_t, from)
{
    struct times times = times_now();
    int32_t      both[2];

    if (from != 0) {
        if (user_read(both, from, sizeof both) != 0)
            return -EFAULT;
        for (unsigned i = 0; i < 2; i++)
            fill_time(&times, i, both[i], 0);
    }
    return set_times_at(AT_FDCWD, path, &times, 0);
}

static long utimes(int folder, user_t path, user_t from)
{
    struct times         times = times_now();
    struct linux_timeval both[2];

    if (from != 0) {
        if (user_read(both, from, sizeof both) != 0)
            return -EFAULT;
        for (unsigned i = 0; i < 2; i++) {
            if (both[i].microseconds < 0 || both[i].microseconds >= 1000000)
                return -EINVAL;
            fill_time(&times, i, both[i].seconds, (int64_t)both[i].microseconds * 1000);
        }
    }
    return set_times_at(folder, path, &times, 0);
}

SYSTEM_CALL(utimes, user_t, path, user_t, times) { return utimes(AT_FDCWD, path, times); }
SYSTEM_CALL(futimesat, int, folder, user_t, path, user_t, times) { return utimes(folder, path, times); }

/* ---- Extended attributes: a file system without them -------------------------------------------------- */


/* The result for a file that exists, and a valid name. */
static long attribute_of_path(user_t path, unsigned flags, user_t name, long answer)
{
    struct node *node;
    char        *text = NULL;
    int          err  = name != 0 ? text_in(name, &text) : 0;

    heap_free(text);
    if (err != 0)
        return err == -ENAMETOOLONG ? -ERANGE : err;
    err = node_of(AT_FDCWD, path, flags, &node);
    if (err != 0)
        return err;
    node_release(node);
    return answer;
}

static long attribute_of_file(int descriptor, long answer)
{
    return descriptor_flag(current_process()->files, descriptor) < 0 ? -EBADF : answer;
}

SYSTEM_CALL(getxattr, user_t, path, user_t, name, user_t, value, size_t, bytes)
{
    return attribute_of_path(path, 0, name, -EOPNOTSUPP);
}

SYSTEM_CALL(lgetxattr, user_t, path, user_t, name, user_t, value, size_t, bytes)
{
    return attribute_of_path(path, AT_SYMLINK_NOFOLLOW, name, -EOPNOTSUPP);
}

SYSTEM_CALL(fgetxattr, int, descriptor, user_t, name, user_t, value, size_t, bytes)
{
    return attribute_of_file(descriptor, -EOPNOTSUPP);
}

SYSTEM_CALL(setxattr, user_t, path, user_t, name, user_t, value, size_t, bytes, int, flags)
{
    return attribute_of_path(path, 0, name, -EOPNOTSUPP);
}

SYSTEM_CALL(lsetxattr, user_t, path, user_t, name, user_t, value, size_t, bytes, int, flags)
{
    return attribute_of_path(path, AT_SYMLINK_NOFOLLOW, name, -EOPNOTSUPP);
}

SYSTEM_CALL(fsetxattr, int, descriptor, user_t, name, user_t, value, size_t, bytes, int, flags)
{
    return attribute_of_file(descriptor, -EOPNOTSUPP);
}

SYSTEM_CALL(removexattr, user_t, path, user_t, name) { return attribute_of_path(path, 0, name, -EOPNOTSUPP); }

SYSTEM_CALL(lremovexattr, user_t, path, user_t, name)
{
    return attribute_of_path(path, AT_SYMLINK_NOFOLLOW, name, -EOPNOTSUPP);
}

SYSTEM_CALL(fremovexattr, int, descriptor, user_t, name) { return attribute_of_file(descriptor, -EOPNOTSUPP); }
SYSTEM_CALL(listxattr, user_t, path, user_t, list, size_t, bytes) { return attribute_of_path(path, 0, 0, 0); }

SYSTEM_CALL(llistxattr, user_t, path, user_t, list, size_t, bytes)
{
    return attribute_of_path(path, AT_SYMLINK_NOFOLLOW, 0, 0);
}

SYSTEM_CALL(flistxattr, int, descriptor, user_t, list, size_t, bytes) { return attribute_of_file(descriptor, 0); }
