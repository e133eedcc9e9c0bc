/*
 * file.c - open, read, write and all that works on an open file.
 */
#include "base/error.h"
#include "base/string.h"
#include "files/core/lock.h"
#include "files/ipc/pipe.h"
#include "files/tmpfs/tmpfs.h"
#include "linux/calls.h"
#include "linux/files.h"
#include "memory/heap/heap.h"
#include "process/process.h"

/* ---- Opening and closing ----------------------------------------------------------------------- */

static long open_at(int folder, user_t path, uintptr_t flags, uintptr_t mode)
{
    struct named named;
    struct file *file;
    int          err = named_begin(&named, folder, path);

    if (err != 0)
        return err;
    err = path_open(current_process()->fs, named.start, named.path, (uint32_t)flags, (uint32_t)mode, &file);
    named_end(&named);
    return err != 0 ? err : new_descriptor(file, flags & O_CLOEXEC);
}

struct open_how { uint64_t flags, mode, resolve; };
enum {
    HOW_LEAST = 24,
    OPEN_KNOWN = O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC | O_DIRECT |
                 O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | O_TMPFILE | 020000,
    OPEN_KNOWN_OF_PATHS = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
};

/* A later program's structure may be longer; what is behind ours must be zeros (-E2BIG). */
static int read_how(user_t from, uintptr_t size, struct open_how *out)
{
    uint64_t more = 0;

    if (size < HOW_LEAST)
        return -EINVAL;
    if (size > PAGE_SIZE)
        return -E2BIG;
    if (user_read(out, from, sizeof *out) != 0)
        return -EFAULT;
    for (uintptr_t at = sizeof *out; at < size; at += sizeof more) {
        size_t part = size - at < sizeof more ? size - at : sizeof more;

        more = 0;
        if (user_read(&more, from + at, part) != 0)
            return -EFAULT;
        if (more != 0)
            return -E2BIG;
    }
    return 0;
}

/* Unlike open(), what it does not know it refuses. */
static int check_how(const struct open_how *how)
{
    bool makes = (how->flags & O_CREAT) || (how->flags & O_TMPFILE) == O_TMPFILE;

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

/* Where a path begins that may be absolute and yet lead below a descriptor's folder. */
static int restricted_start(struct named *named, int folder)
{
    struct file *file;

    if (named->start != NULL || folder == AT_FDCWD)
        return 0;
    file = file_of((uintptr_t)folder);
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
    struct file    *file;
    int             err = read_how(how_at, how_bytes, &how);

    if (err == 0)
        err = check_how(&how);
    if (err == 0)
        err = named_begin(&named, folder, path);
    if (err != 0)
        return err;
    if (how.resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT))
        err = restricted_start(&named, folder);
    if (err == 0)
        err = path_open_within(current_process()->fs, named.start, named.path, (uint32_t)how.flags, (uint32_t)how.mode,
                               (unsigned)how.resolve, &file);
    named_end(&named);
    return err != 0 ? err : new_descriptor(file, how.flags & O_CLOEXEC);
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

    if ((flags & ~(uintptr_t)(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) || first > last)
        return -EINVAL;
    if (flags & CLOSE_RANGE_UNSHARE) {
        struct files *own = files_copy(process->files), *shared = process->files;

        if (own == NULL)
            return -ENOMEM;
        process->files = own;
        files_release(shared);
    }
    if (first > INT32_MAX)
        return 0;
    for (int n = (int)first; (n = descriptor_next(process->files, n)) >= 0 && (uintptr_t)n <= last; n++) {
        if (flags & CLOSE_RANGE_CLOEXEC)
            descriptor_set_flag(process->files, n, true);
        else
            descriptor_close(process->files, n);
    }
    return 0;
}

static long duplicate(uintptr_t old, int from, bool close_on_exec)
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

static long duplicate_to(uintptr_t old, uintptr_t number, bool close_on_exec)
{
    struct process *process = current_process();
    struct file    *file    = file_of(old);
    int             err;

    if (file == NULL)
        return -EBADF;
    err = descriptor_put(process->files, (int)number, file, close_on_exec,
                         (uint32_t)process->limits[RLIMIT_NOFILE].soft);
    if (err != 0)
        file_release(file);
    return err != 0 ? err : (long)number;
}

SYSTEM_CALL(dup, int, descriptor) { return duplicate(descriptor, 0, false); }

SYSTEM_CALL(dup2, int, descriptor, int, wanted)
{
    if (descriptor == wanted)
        return descriptor_flag(current_process()->files, descriptor) < 0 ? -EBADF : (long)wanted;
    return duplicate_to(descriptor, wanted, false);
}

SYSTEM_CALL(dup3, int, descriptor, int, wanted, unsigned, flags)
{
    if (descriptor == wanted || (flags & ~(uintptr_t)O_CLOEXEC))
        return -EINVAL;
    return duplicate_to(descriptor, wanted, flags & O_CLOEXEC);
}

static long make_pipe(user_t to, uintptr_t flags)
{
    struct files *files = current_process()->files;
    struct file  *reader, *writer;
    int32_t       pair[2];
    int           err = pipe_make((uint32_t)flags & ~(uint32_t)O_CLOEXEC, &reader, &writer);

    if (err != 0)
        return err;
    pair[0] = (int32_t)new_descriptor(reader, flags & O_CLOEXEC);
    if (pair[0] < 0) {
        file_release(writer);
        return pair[0];
    }
    pair[1] = (int32_t)new_descriptor(writer, flags & O_CLOEXEC);
    err = pair[1] < 0 ? pair[1] : user_write(to, pair, sizeof pair);
    if (err != 0) {
        descriptor_close(files, pair[0]);
        if (pair[1] >= 0)
            descriptor_close(files, pair[1]);
    }
    return err;
}

SYSTEM_CALL(pipe, user_t, to) { return make_pipe(to, 0); }
SYSTEM_CALL(pipe2, user_t, to, unsigned, flags) { return make_pipe(to, flags); }

enum { MFD_CLOEXEC = 1, MFD_ALLOW_SEALING = 2, MFD_NOEXEC_SEAL = 8, MFD_EXEC = 16, MFD_NAME = 249 };

/* Who may not run it must be sure that nobody ever will. */
static void seal_new(struct node *node, uintptr_t flags)
{
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
    seal_new(node, flags);
    file = file_make(node, node->operations, O_RDWR | O_LARGEFILE);
    if (file == NULL) {
        node_release(node);
        return -ENOMEM;
    }
    return new_descriptor(file, flags & MFD_CLOEXEC);
}

/* ---- Reading and writing ---------------------------------------------------------------------------- */

static struct buffer program_buffer(user_t memory, size_t bytes)
{
    return (struct buffer){ .user = memory, .bytes = bytes < BYTES_A_CALL ? bytes : BYTES_A_CALL };
}

long move_bytes(struct file *file, bool writing, struct buffer *buffer, int64_t at)
{
    if (writing)
        return at == AT_POSITION ? file_write(file, buffer) : file_write_at(file, buffer, (uint64_t)at);
    return at == AT_POSITION ? file_read(file, buffer) : file_read_at(file, buffer, (uint64_t)at);
}

long count_moved(bool writing, long done)
{
    struct resource_usage *used  = &current_thread()->used;
    uint64_t               bytes = done > 0 ? (uint64_t)done : 0;

    if (writing) {
        used->writes++;
        used->bytes_written += bytes;
    } else {
        used->reads++;
        used->bytes_read += bytes;
    }
    return done;
}

static long move_one(uintptr_t descriptor, bool writing, user_t memory, size_t bytes, int64_t at)
{
    struct buffer buffer = program_buffer(memory, bytes);
    struct file  *file;
    long          done;

    if (at < AT_POSITION)
        return -EINVAL;
    file = file_of(descriptor);
    if (file == NULL)
        return -EBADF;
    if ((intptr_t)bytes < 0)
        done = -EINVAL;
    else if (!user_range(memory, bytes))
        done = -EFAULT;
    else
        done = count_moved(writing, move_bytes(file, writing, &buffer, at));
    file_release(file);
    return done;
}

/* A position in two words may be any number but a negative one. */
static long move_at(uintptr_t descriptor, bool writing, user_t memory, size_t bytes, int64_t at)
{
    return at < 0 ? -EINVAL : move_one(descriptor, writing, memory, bytes, at);
}

SYSTEM_CALL(read, int, descriptor, user_t, to, size_t, count)
{
    return move_one(descriptor, false, to, count, AT_POSITION);
}

SYSTEM_CALL(write, int, descriptor, user_t, from, size_t, count)
{
    return move_one(descriptor, true, from, count, AT_POSITION);
}

SYSTEM_CALL(pread64, int, descriptor, user_t, to, size_t, count, int64_t, at)
{
    return move_at(descriptor, false, to, count, at);
}

SYSTEM_CALL(pwrite64, int, descriptor, user_t, from, size_t, count, int64_t, at)
{
    return move_at(descriptor, true, from, count, at);
}

struct piece { uint32_t memory, bytes; };               /* struct iovec */

/* Whether the pieces are such that none of them can be refused; their sum fits a result. */
static int check_pieces(const struct piece *pieces, size_t count)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        if ((int32_t)pieces[i].bytes < 0)
            return -EINVAL;
        if (!user_range(pieces[i].memory, pieces[i].bytes))
            return -EFAULT;
        sum += pieces[i].bytes;
    }
    return sum > INT32_MAX ? -EINVAL : 0;
}

static long move_pieces(struct file *file, bool writing, const struct piece *pieces, size_t count, int64_t at)
{
    long done = 0;

    for (size_t i = 0; i < count; i++) {
        struct buffer buffer = program_buffer(pieces[i].memory, pieces[i].bytes);
        long          part;

        if (pieces[i].bytes == 0)
            continue;
        part = move_bytes(file, writing, &buffer, at == AT_POSITION ? at : at + done);
        if (part < 0)
            return done > 0 ? done : part;
        done += part;
        if ((size_t)part < pieces[i].bytes)
            break;
    }
    return done;
}

enum { FEW_PIECES = 8 };

static long move_vector_of(struct file *file, bool writing, user_t vector, size_t count, int64_t at)
{
    struct piece few[FEW_PIECES], *pieces = few;
    long         done;

    if (count > BUFFERS_A_CALL)
        return -EINVAL;
    if (count > FEW_PIECES)
        pieces = heap_alloc(count * sizeof *pieces, 0);
    if (pieces == NULL)
        return -ENOMEM;
    if (user_read(pieces, vector, count * sizeof *pieces) != 0)
        done = -EFAULT;
    else
        done = check_pieces(pieces, count);
    if (done == 0)
        done = count_moved(writing, move_pieces(file, writing, pieces, count, at));
    if (pieces != few)
        heap_free(pieces);
    return done;
}

static long move_vector(uintptr_t descriptor, bool writing, user_t vector, size_t count, int64_t at)
{
    struct file *file = file_of(descriptor);
    long         done;

    if (file == NULL)
        return -EBADF;
    done = move_vector_of(file, writing, vector, count, at);
    file_release(file);
    return done;
}

enum { RWF_HIPRI = 1, RWF_DSYNC = 2, RWF_SYNC = 4, RWF_NOWAIT = 8, RWF_APPEND = 16, RWF_NOAPPEND = 32,
       RWF_DONTCACHE = 128 };
enum { RWF_KNOWN = RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND | RWF_NOAPPEND | RWF_DONTCACHE };

/* The open file as this one call shall see it. All else here is done at once and kept nowhere else. */
static int see_as(const struct file *file, uintptr_t flags, struct file *out)
{
    if ((flags & ~(uintptr_t)RWF_KNOWN) || (flags & (RWF_APPEND | RWF_NOAPPEND)) == (RWF_APPEND | RWF_NOAPPEND))
        return -EOPNOTSUPP;
    *out      = *file;
    out->lock = (struct mutex)MUTEX("file for one call");
    if (flags & RWF_APPEND)
        out->flags |= O_APPEND;
    if (flags & RWF_NOAPPEND)
        out->flags &= ~(uint32_t)O_APPEND;
    if (flags & RWF_NOWAIT)
        out->flags |= O_NONBLOCK;
    return 0;
}

static long move_flagged(uintptr_t descriptor, bool writing, user_t vector, size_t count, int64_t at, uintptr_t flags)
{
    struct file *file = file_of(descriptor), seen;
    bool         moves;
    long         done;

    if (file == NULL)
        return -EBADF;
    moves = at == AT_POSITION && !(file->operations->traits & (NODE_STREAM | NODE_SEEKLESS));
    if (moves)
        mutex_take(&file->lock);
    done = see_as(file, flags, &seen);
    if (done == 0)
        done = move_vector_of(&seen, writing, vector, count, at);
    if (done > 0 && moves)
        file->at = seen.at;
    if (moves)
        mutex_drop(&file->lock);
    file_release(file);
    return done;
}

/* A position of -1 is the file's own. */
static long move_vector2(uintptr_t descriptor, bool writing, user_t vector, size_t count, int64_t at, uintptr_t flags)
{
    if (at < AT_POSITION)
        return -EINVAL;
    return flags == 0 ? move_vector(descriptor, writing, vector, count, at)
                      : move_flagged(descriptor, writing, vector, count, at, flags);
}

SYSTEM_CALL(preadv2, int, descriptor, user_t, pieces, uintptr_t, count, uintptr_t, at_low, uintptr_t, at_high,
            unsigned, flags)
{
    return move_vector2(descriptor, false, pieces, count, wide(at_low, at_high), flags);
}

SYSTEM_CALL(pwritev2, int, descriptor, user_t, pieces, uintptr_t, count, uintptr_t, at_low, uintptr_t, at_high,
            unsigned, flags)
{
    return move_vector2(descriptor, true, pieces, count, wide(at_low, at_high), flags);
}

SYSTEM_CALL(readv, int, descriptor, user_t, pieces, uintptr_t, count)
{
    return move_vector(descriptor, false, pieces, count, AT_POSITION);
}

SYSTEM_CALL(writev, int, descriptor, user_t, pieces, uintptr_t, count)
{
    return move_vector(descriptor, true, pieces, count, AT_POSITION);
}

SYSTEM_CALL(preadv, int, descriptor, user_t, pieces, uintptr_t, count, uintptr_t, at_low, uintptr_t, at_high)
{
    return wide(at_low, at_high) < 0 ? -EINVAL : move_vector(descriptor, false, pieces, count, wide(at_low, at_high));
}

SYSTEM_CALL(pwritev, int, descriptor, user_t, pieces, uintptr_t, count, uintptr_t, at_low, uintptr_t, at_high)
{
    return wide(at_low, at_high) < 0 ? -EINVAL : move_vector(descriptor, true, pieces, count, wide(at_low, at_high));
}

/* ---- Positions ------------------------------------------------------------------------------------------- */

static long seek(uintptr_t descriptor, int64_t offset, uintptr_t whence, uint64_t *out)
{
    struct file *file = file_of(descriptor);
    long         err;

    if (file == NULL)
        return -EBADF;
    err = file_seek(file, offset, (int)whence, out);
    file_release(file);
    return err;
}

SYSTEM_CALL(lseek, int, descriptor, long, offset, unsigned, from)
{
    uint64_t at;
    long     err = seek(descriptor, offset, from, &at);

    if (err != 0)
        return err;
    return at > INT32_MAX ? -EOVERFLOW : (long)at;
}

SYSTEM_CALL(_llseek, int, descriptor, uint32_t, high, uint32_t, low, user_t, to, unsigned, from)
{
    uint64_t at;
    long     err = seek(descriptor, wide(low, high), from, &at);

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
    err = node_allows(node, 2);
    if (err == 0)
        err = node_add_writer(node);
    if (err == 0) {
        err = node_resize(node, (uint64_t)bytes);
        node_end_writer(node);
    }
    node_release(node);
    return err;
}

static long resize_file(uintptr_t descriptor, int64_t bytes)
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

enum { FALLOCATE_KEEP_SIZE = 1, FALLOCATE_PUNCH_HOLE = 2, FALLOCATE_ZERO_RANGE = 16 };

static long allocate(struct file *file, uintptr_t mode, uint64_t from, uint64_t end)
{
    struct allocation what = { from, end, mode & FALLOCATE_KEEP_SIZE, mode & FALLOCATE_PUNCH_HOLE,
                               mode & FALLOCATE_ZERO_RANGE };
    struct node      *node = file->node;

    if (mode & ~(uintptr_t)(FALLOCATE_KEEP_SIZE | FALLOCATE_PUNCH_HOLE | FALLOCATE_ZERO_RANGE))
        return -EOPNOTSUPP;
    if (what.punch && (what.clear || !what.keep))
        return -EOPNOTSUPP;
    if ((file->flags & O_PATH) || !file_writes(file))
        return -EBADF;
    if ((node->mode & S_FMT) == S_FOLDER)
        return -EISDIR;
    if ((node->mode & S_FMT) != S_REGULAR || node->operations->resize == NULL)
        return (node->mode & S_FMT) == S_PIPE ? -ESPIPE : -ENODEV;
    if (end > FILE_LARGEST)
        return -EFBIG;
    return node_allocate(node, &what);
}

SYSTEM_CALL(fallocate, int, descriptor, int, mode, int64_t, from, int64_t, bytes)
{
    struct file *file = file_of(descriptor);
    int64_t      end;
    long         err;

    if (file == NULL)
        return -EBADF;
    if (from < 0 || bytes <= 0 || __builtin_add_overflow(from, bytes, &end))
        err = -EINVAL;
    else
        err = allocate(file, mode, (uint64_t)from, (uint64_t)end);
    file_release(file);
    return err;
}

/* ---- Everything is in memory: nothing is late ------------------------------------------------------------------ */

static long sync_file(uintptr_t descriptor)
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

static long exists(uintptr_t descriptor)
{
    return descriptor_flag(current_process()->files, (int)descriptor) < 0 ? -EBADF : 0;
}

SYSTEM_CALL(fsync, int, descriptor) { return sync_file(descriptor); }
SYSTEM_CALL(fdatasync, int, descriptor) { return sync_file(descriptor); }
SYSTEM_CALL(sync) { return 0; }
SYSTEM_CALL(syncfs, int, descriptor) { return exists(descriptor); }
SYSTEM_CALL(readahead, int, descriptor, int64_t, from, size_t, bytes) { return exists(descriptor); }
SYSTEM_CALL(fadvise64, int, descriptor, int64_t, from, size_t, bytes, int, advice) { return exists(descriptor); }
SYSTEM_CALL(fadvise64_64, int, descriptor, int64_t, from, int64_t, bytes, int, advice) { return exists(descriptor); }
