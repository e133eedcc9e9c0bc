/*
 * file_size.c - positions, sizes, and synchronisation: lseek, truncate, fallocate, fsync and their variants.
 */
#include "base/check.h"
#include "base/error.h"
#include "linux/calls.h"
#include "linux/files.h"
#include "process/process.h"

/* ---- Positions ------------------------------------------------------------------------------------------- */

static long seek_file(int descriptor, int64_t offset, uintptr_t whence, uint64_t *out)
{
    struct file *file = file_of(descriptor);
    long         err;

    deep_assert(out != NULL);
    if (file == NULL)
        return -EBADF;
    err = file_seek(file, offset, (int)whence, out);
    file_release(file);
    return err;
}

SYSTEM_CALL(lseek, int, descriptor, long, offset, unsigned, from)
{
    uint64_t at;
    long     err = seek_file(descriptor, offset, from, &at);

    if (err != 0)
        return err;
    return at > INT32_MAX ? -EOVERFLOW : (long)at;
}

SYSTEM_CALL(_llseek, int, descriptor, uint32_t, high, uint32_t, low, user_t, to, unsigned, from)
{
    uint64_t at;
    long     err = seek_file(descriptor, wide(low, high), from, &at);

    return err != 0 ? err : user_write(to, &at, sizeof at);
}

/* ---- Sizes ------------------------------------------------------------------------------------------------- */

static long resize_path(user_t path, int64_t bytes)
{
    struct node *node;
    int          err;

    if (bytes < 0)
        return -EINVAL;
    err = node_of(AT_FDCWD, path, 0, &node);
    if (err != 0)
        return err;
    err = (node->mode & S_FMT) == S_FOLDER ? -EISDIR : (node->mode & S_FMT) != S_REGULAR ? -EINVAL :
          node_allows(node, 2);
    if (err == 0)
        err = node_add_writer(node);
    if (err == 0) {
        err = node_resize(node, (uint64_t)bytes);
        node_end_writer(node);
    }
    node_release(node);
    return err;
}

static long resize_file(int descriptor, int64_t bytes)
{
    struct file *file;
    long         err = -EINVAL;

    if (bytes < 0)
        return -EINVAL;
    file = file_of(descriptor);
    if (file == NULL)
        return -EBADF;
    if (file->flags & O_PATH)
        err = -EBADF;
    else if (file_writes(file) && (file->node->mode & S_FMT) == S_REGULAR)
        err = node_resize(file->node, (uint64_t)bytes);
    file_release(file);
    return err;
}

SYSTEM_CALL(truncate, user_t, path, long, bytes) { return resize_path(path, bytes); }
SYSTEM_CALL(ftruncate, int, descriptor, long, bytes) { return resize_file(descriptor, bytes); }
SYSTEM_CALL(truncate64, user_t, path, int64_t, bytes) { return resize_path(path, bytes); }
SYSTEM_CALL(ftruncate64, int, descriptor, int64_t, bytes) { return resize_file(descriptor, bytes); }

enum {
    FALLOCATE_KEEP_SIZE = 1u, FALLOCATE_PUNCH_HOLE = 2u, FALLOCATE_COLLAPSE = 8u, FALLOCATE_ZERO_RANGE = 16u,
    FALLOCATE_INSERT = 32u, FALLOCATE_UNSHARE = 64u,
    FALLOCATE_DONE  = FALLOCATE_KEEP_SIZE | FALLOCATE_PUNCH_HOLE | FALLOCATE_ZERO_RANGE,
    FALLOCATE_KNOWN = FALLOCATE_DONE | FALLOCATE_COLLAPSE | FALLOCATE_INSERT | FALLOCATE_UNSHARE,
};

static long allocate_range(struct file *file, uint32_t mode, uint64_t from, uint64_t end)
{
    struct allocation what = { from, end, mode & FALLOCATE_KEEP_SIZE, mode & FALLOCATE_PUNCH_HOLE,
                               mode & FALLOCATE_ZERO_RANGE };
    struct node      *node;

    deep_assert(file != NULL);
    node = file->node;
    if ((mode & ~FALLOCATE_KNOWN) || (what.punch && (what.clear || !what.keep)))
        return -EOPNOTSUPP;
    if (((mode & FALLOCATE_COLLAPSE) && mode != FALLOCATE_COLLAPSE) ||
        ((mode & FALLOCATE_INSERT) && mode != FALLOCATE_INSERT) ||
        ((mode & FALLOCATE_UNSHARE) && (mode & ~(FALLOCATE_UNSHARE | FALLOCATE_KEEP_SIZE))))
        return -EINVAL;
    if (!file_writes(file))
        return -EBADF;
    if ((node->mode & S_FMT) == S_FOLDER)
        return -EISDIR;
    if ((node->mode & S_FMT) != S_REGULAR || node->operations->resize == NULL)
        return (node->mode & S_FMT) == S_PIPE ? -ESPIPE : -ENODEV;
    if (end > FILE_LARGEST)
        return -EFBIG;
    if ((mode & ~FALLOCATE_DONE) || node->operations->object == NULL)   /* the latter: its text is made to be read */
        return -EOPNOTSUPP;
    return node_allocate(node, &what);
}

SYSTEM_CALL(fallocate, int, descriptor, int, mode, int64_t, from, int64_t, bytes)
{
    struct file *file = whole_file_of(descriptor);
    long         err;

    if (file == NULL)
        return -EBADF;
    if (from < 0 || bytes <= 0)
        err = -EINVAL;
    else
        err = allocate_range(file, mode, (uint64_t)from, (uint64_t)from + (uint64_t)bytes);
    file_release(file);
    return err;
}

/* ---- Synchronisation: files are in memory only ------------------------------------------------------------------ */

static long sync_file(int descriptor)
{
    struct file *file = file_of(descriptor);
    long         err  = 0;

    if (file == NULL)
        return -EBADF;
    if (file->flags & O_PATH)
        err = -EBADF;
    else if (file->operations->traits & NODE_STREAM)
        err = -EINVAL;
    else if (file->operations->sync != NULL)
        err = file->operations->sync(file->node);
    file_release(file);
    return err;
}

static long descriptor_exists(int descriptor)
{
    return descriptor_flag(current_process()->files, descriptor) < 0 ? -EBADF : 0;
}

SYSTEM_CALL(fsync, int, descriptor) { return sync_file(descriptor); }
SYSTEM_CALL(fdatasync, int, descriptor) { return sync_file(descriptor); }
SYSTEM_CALL(sync) { return 0; }
SYSTEM_CALL(syncfs, int, descriptor) { return descriptor_exists(descriptor); }
SYSTEM_CALL(readahead, int, descriptor, int64_t, from, size_t, bytes)
{
    struct file *file = whole_file_of(descriptor);
    long         err  = file == NULL || !file_reads(file) ? -EBADF :
                        (file->node->mode & S_FMT) != S_REGULAR ? -EINVAL : 0;

    if (file != NULL)
        file_release(file);
    return err;
}

enum { ADVICE_MOST = 5 };

static long take_advice(int descriptor, int64_t bytes, int advice)
{
    struct file *file = whole_file_of(descriptor);
    long         err;

    if (file == NULL)
        return -EBADF;
    err = bytes < 0 || advice < 0 || advice > ADVICE_MOST ? -EINVAL : 0;
    if ((file->node->mode & S_FMT) == S_PIPE)
        err = -ESPIPE;
    file_release(file);
    return err;
}

SYSTEM_CALL(fadvise64, int, descriptor, int64_t, from, size_t, bytes, int, advice)
{
    return take_advice(descriptor, (int64_t)bytes, advice);
}

SYSTEM_CALL(fadvise64_64, int, descriptor, int64_t, from, int64_t, bytes, int, advice)
{
    return take_advice(descriptor, bytes, advice);
}
