/*
 * file.c - opening and closing: files, pipes, memory with a descriptor. Reading and writing are in file_move.c.
 */
#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "files/core/lock.h"
#include "files/ipc/pipe.h"
#include "files/ipc/socket.h"
#include "files/tmpfs/tmpfs.h"
#include "linux/calls.h"
#include "linux/files.h"
#include "linux/structures.h"
#include "memory/heap/heap.h"
#include "process/process.h"

/* ---- Opening and closing ----------------------------------------------------------------------- */

enum { TMPFILE_BIT = 020000000 };               /* O_TMPFILE is this one and O_DIRECTORY */

/* Flags that contradict each other are told before anything about the path. */
static bool open_makes_sense(unsigned flags)
{
    unsigned making = flags & (O_CREAT | O_DIRECTORY);

    if (flags & O_PATH)
        return true;
    if (flags & TMPFILE_BIT)
        return making == O_DIRECTORY && flags_write(flags);
    return making != (O_CREAT | O_DIRECTORY);
}

/* The number comes first: what opening does to files, fifos and terminals cannot be taken back. */
static long open_named(const struct named *named, unsigned flags, uint32_t mode, unsigned resolve)
{
    long         number = reserve_descriptor(), err;
    struct file *file;

    if (number < 0)
        return number;
    err = path_open_within(current_process()->fs, named->start, named->path, flags, mode, resolve, &file);
    return settle_descriptor(number, err, file, flags & O_CLOEXEC);
}

static long open_at(int folder, user_t path, unsigned flags, uint32_t mode)
{
    struct named named;
    long         err = open_makes_sense(flags) ? named_begin(&named, folder, path) : -EINVAL;

    if (err != 0)
        return err;
    err = open_named(&named, flags, mode, 0);
    named_end(&named);
    return err;
}

struct open_how { uint64_t flags, mode, resolve; };
enum {
    HOW_LEAST = 24,
    OPEN_KNOWN = O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC | O_DIRECT |
                 O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | O_TMPFILE | 020000,
    OPEN_KNOWN_OF_PATHS = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
};

/* Unlike open(), openat2() refuses flags that it does not know. */
static int check_how(const struct open_how *how)
{
    bool makes;

    deep_assert(how != NULL);
    makes = (how->flags & O_CREAT) || (how->flags & O_TMPFILE) == O_TMPFILE;
    if ((how->flags & ~(uint64_t)OPEN_KNOWN) || (how->resolve & ~(uint64_t)RESOLVE_KNOWN))
        return -EINVAL;
    if ((how->flags & O_PATH) && (how->flags & ~(uint64_t)OPEN_KNOWN_OF_PATHS))
        return -EINVAL;
    if (makes ? (how->mode & ~07777ull) != 0 : how->mode != 0)
        return -EINVAL;
    if ((how->resolve & RESOLVE_BENEATH) && (how->resolve & RESOLVE_IN_ROOT))
        return -EINVAL;
    return (how->resolve & RESOLVE_CACHED) && (how->flags & (O_TRUNC | O_CREAT)) ? -EAGAIN : 0;
}

/* Find where a path begins that may be absolute and must still lead below the descriptor's folder. */
static int restricted_start(struct named *named, int folder)
{
    struct file *file;

    deep_assert(named != NULL);
    if (named->start != NULL || folder == AT_FDCWD)
        return 0;
    file = file_of(folder);
    if (file == NULL)
        return -EBADF;
    node_hold(named->start = file->node);
    file_release(file);
    return (named->start->mode & S_FMT) == S_FOLDER ? 0 : -ENOTDIR;
}

SYSTEM_CALL(openat2, int, folder, user_t, path, user_t, how_at, size_t, how_bytes)
{
    struct open_how how;
    struct named    named;
    long            err = how_bytes < HOW_LEAST ? -EINVAL : structure_in(&how, sizeof how, how_at, how_bytes);

    if (err == 0)
        err = check_how(&how);
    if (err == 0)
        err = named_begin(&named, folder, path);
    if (err != 0)
        return err;
    if (how.resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT))
        err = restricted_start(&named, folder);
    if (err == 0)
        err = open_named(&named, (unsigned)how.flags, (uint32_t)how.mode, (unsigned)how.resolve);
    named_end(&named);
    return err;
}

SYSTEM_CALL(open, user_t, path, uint32_t, flags, uint32_t, mode) { return open_at(AT_FDCWD, path, flags, mode); }

SYSTEM_CALL(openat, int, folder, user_t, path, uint32_t, flags, uint32_t, mode)
{
    return open_at(folder, path, flags, mode);
}

SYSTEM_CALL(creat, user_t, path, uint32_t, mode) { return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
SYSTEM_CALL(close, int, descriptor) { return descriptor_close(current_process()->files, descriptor); }

enum { CLOSE_RANGE_UNSHARE = 2, CLOSE_RANGE_CLOEXEC = 4 };

SYSTEM_CALL(close_range, unsigned, first, unsigned, last, unsigned, flags)
{
    struct process *process = current_process();
    bool            put_off;

    if ((flags & ~(uintptr_t)(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) || first > last)
        return -EINVAL;
    if ((flags & CLOSE_RANGE_UNSHARE) && !files_are_own(process->files)) {
        struct files *own = process->thread_count > 1 ? NULL : files_copy(process->files), *shared = process->files;

        if (own == NULL)
            return -ENOMEM;                     /* other threads may be in calls that use the table */
        process->files = own;
        files_release(shared);
    }
    if (first > INT32_MAX)
        return 0;
    put_off = sockets_put_off();
    for (int n = (int)first; (n = descriptor_next(process->files, n)) >= 0 && (uintptr_t)n <= last; n++) {
        if (flags & CLOSE_RANGE_CLOEXEC)
            descriptor_set_flag(process->files, n, true);
        else
            descriptor_close(process->files, n);
        point_of_rest();
    }
    sockets_search(put_off);
    return 0;
}

static long duplicate_descriptor(int old, int from, bool close_on_exec)
{
    struct process *process = current_process();
    uint32_t        limit   = (uint32_t)process->limits[RLIMIT_NOFILE].soft;
    struct file    *file    = file_of(old);
    int             number;

    if (file == NULL)
        return -EBADF;
    number = from < 0 || (uint32_t)from >= limit ? -EINVAL :
             descriptor_add(process->files, file, from, close_on_exec, limit);
    if (number < 0)
        file_release(file);
    return number;
}

static long duplicate_onto(int old, int number, bool close_on_exec)
{
    struct process *process = current_process();
    struct file    *file    = file_of(old);
    int             err;

    if (file == NULL)
        return -EBADF;
    err = descriptor_put(process->files, number, file, close_on_exec,
                         (uint32_t)process->limits[RLIMIT_NOFILE].soft);
    if (err != 0)
        file_release(file);
    return err != 0 ? err : (long)number;
}

SYSTEM_CALL(dup, int, descriptor) { return duplicate_descriptor(descriptor, 0, false); }

SYSTEM_CALL(dup2, int, descriptor, int, wanted)
{
    if (descriptor == wanted)
        return descriptor_flag(current_process()->files, descriptor) < 0 ? -EBADF : (long)wanted;
    return duplicate_onto(descriptor, wanted, false);
}

SYSTEM_CALL(dup3, int, descriptor, int, wanted, unsigned, flags)
{
    if (descriptor == wanted || (flags & ~(uintptr_t)O_CLOEXEC))
        return -EINVAL;
    return duplicate_onto(descriptor, wanted, flags & O_CLOEXEC);
}

static long make_pipe(user_t to, unsigned flags)
{
    struct file *reader, *writer;
    int          err = pipe_make((uint32_t)flags & ~(uint32_t)O_CLOEXEC, &reader, &writer);

    return err != 0 ? err : new_descriptor_pair(reader, writer, flags & O_CLOEXEC, to);
}

SYSTEM_CALL(pipe, user_t, to) { return make_pipe(to, 0); }
SYSTEM_CALL(pipe2, user_t, to, unsigned, flags) { return make_pipe(to, flags); }

enum { MFD_CLOEXEC = 1, MFD_ALLOW_SEALING = 2, MFD_NOEXEC_SEAL = 8, MFD_EXEC = 16, MFD_NAME = 249 };

/* MFD_NOEXEC_SEAL: the file may not be run, and a seal keeps its mode from being changed. */
static void seal_new_file(struct node *node, unsigned flags)
{
    deep_assert(node != NULL);
    node->seals = flags & (MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL) ? 0 : SEAL_SEAL;
    if (flags & MFD_NOEXEC_SEAL) {
        node->mode &= ~(uint32_t)0111;
        node->seals |= SEAL_EXECUTE;
    }
}

SYSTEM_CALL(memfd_create, user_t, name_at, unsigned, flags)
{
    struct node *node;
    struct file *file;
    char        *name;
    int          err;

    if ((flags & ~(uintptr_t)(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC)) ||
        (flags & (MFD_NOEXEC_SEAL | MFD_EXEC)) == (MFD_NOEXEC_SEAL | MFD_EXEC))
        return -EINVAL;
    err = text_in(name_at, &name);
    if (err != 0)
        return err == -ENAMETOOLONG ? -EINVAL : err;
    if (strlen(name) > MFD_NAME) {
        heap_free(name);
        return -EINVAL;
    }
    node = tmpfs_unnamed(name);
    heap_free(name);
    if (node == NULL)
        return -ENOMEM;
    seal_new_file(node, flags);
    file = file_make(node, node->operations, O_RDWR | O_LARGEFILE);
    if (file == NULL) {
        node_release(node);
        return -ENOMEM;
    }
    return new_descriptor(file, flags & MFD_CLOEXEC);
}
