/*
 * file_move.c - reading and writing: read, write, readv, pread and their variants.
 */
#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "files/core/lock.h"
#include "files/ipc/pipe.h"
#include "linux/calls.h"
#include "linux/files.h"
#include "memory/heap/heap.h"
#include "process/process.h"

static struct buffer program_buffer(user_t memory, size_t bytes)
{
    return (struct buffer){ .user = memory, .bytes = bytes < BYTES_A_CALL ? bytes : BYTES_A_CALL };
}

long move_bytes(struct file *file, bool writing, struct buffer *buffer, int64_t at)
{
    deep_assert(file != NULL && buffer != NULL);
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

static long move_buffer(int descriptor, bool writing, user_t memory, size_t bytes, int64_t at)
{
    struct buffer buffer = program_buffer(memory, bytes);
    struct file  *file;
    long          done;

    if (at < AT_POSITION)
        return -EINVAL;
    file = file_of(descriptor);
    if (file == NULL)
        return -EBADF;
    done = file_may_move(file, writing);
    if (done == -EISDIR)                        /* told last */
        done = 0;
    if (done == 0 && !user_range(memory, bytes))
        done = -EFAULT;
    if (done == 0 && (intptr_t)bytes < 0)
        done = -EINVAL;
    if (done == 0)
        done = count_moved(writing, move_bytes(file, writing, &buffer, at));
    file_release(file);
    return done;
}

/* A position is any number but a negative one. */
static long move_at(int descriptor, bool writing, user_t memory, size_t bytes, int64_t at)
{
    return at < 0 ? -EINVAL : move_buffer(descriptor, writing, memory, bytes, at);
}

SYSTEM_CALL(read, int, descriptor, user_t, to, size_t, count)
{
    return move_buffer(descriptor, false, to, count, AT_POSITION);
}

SYSTEM_CALL(write, int, descriptor, user_t, from, size_t, count)
{
    return move_buffer(descriptor, true, from, count, AT_POSITION);
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

/* Check that no piece will be refused, and cut what is more than one call moves. */
static int check_pieces(struct piece *pieces, size_t count)
{
    uint32_t left = BYTES_A_CALL;

    deep_assert(pieces != NULL);
    for (size_t i = 0; i < count; i++) {
        if ((int32_t)pieces[i].bytes < 0)
            return -EINVAL;
        if (!user_range(pieces[i].memory, pieces[i].bytes))
            return -EFAULT;
        if (pieces[i].bytes > left)
            pieces[i].bytes = left;
        left -= pieces[i].bytes;
    }
    return 0;
}

static long __attribute__((noinline, cold)) move_as_message(struct file *file, bool writing,
                                                            const struct piece *pieces, size_t count)
{
    struct buffer *buffers = heap_alloc(count * sizeof *buffers, 0);
    long           done;

    if (buffers == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        buffers[i] = program_buffer(pieces[i].memory, pieces[i].bytes);
    done = move_message(file, writing, buffers, count);
    heap_free(buffers);
    return done;
}

static long move_pieces(struct file *file, bool writing, const struct piece *pieces, size_t count, int64_t at)
{
    long done = 0;

    deep_assert(file != NULL && pieces != NULL);
    assert(count <= BUFFERS_A_CALL);
    if (count > 1 && at == AT_POSITION && moves_messages(file, writing))
        return move_as_message(file, writing, pieces, count);
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

/* The bytes of all pieces as far as one call moves them, or the error for which they are refused. */
static long check_vector(user_t vector, size_t count)
{
    struct piece piece;
    int64_t      sum = 0;

    if (count > BUFFERS_A_CALL)
        return -EINVAL;
    for (size_t i = 0; i < count; i++) {
        if (user_read(&piece, vector + i * sizeof piece, sizeof piece) != 0)
            return -EFAULT;
        if ((int32_t)piece.bytes < 0)
            return -EINVAL;
        sum += piece.bytes;
    }
    return sum > BYTES_A_CALL ? BYTES_A_CALL : (long)sum;
}

enum { FEW_PIECES = 8 };

static long move_vector_of(struct file *file, bool writing, user_t vector, size_t count, int64_t at)
{
    struct piece few[FEW_PIECES], *pieces = few;
    long         done;

    deep_assert(file != NULL);
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
        done = file_may_move(file, writing);
    if (done == 0 || done == -EISDIR)           /* nothing at all is read from a folder, too */
        done = count_moved(writing, move_pieces(file, writing, pieces, count, at));
    if (pieces != few)
        heap_free(pieces);
    return done;
}

static long move_vector(int descriptor, bool writing, user_t vector, size_t count, int64_t at)
{
    struct file *file = whole_file_of(descriptor);
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

/* Copy the open file and add the flags that hold for this call only. */
static int see_file_as(const struct file *file, unsigned flags, struct file *out)
{
    deep_assert(file != NULL && out != NULL);
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

static long move_flagged(struct file *file, bool writing, user_t vector, size_t count, int64_t at, unsigned flags)
{
    bool        moves = at == AT_POSITION && !(file->operations->traits & (NODE_STREAM | NODE_SEEKLESS));
    struct file seen;
    long        done;

    if (moves)
        mutex_take(&file->lock);
    done = see_file_as(file, flags, &seen);
    if (done == 0)
        done = move_vector_of(&seen, writing, vector, count, at);
    if (done > 0 && moves)
        file->at = seen.at;
    if (moves)
        mutex_drop(&file->lock);
    return done;
}

enum { SPLICE_NONBLOCK = 2, SPLICE_KNOWN = 15 };

/*
 * Copy a program's memory into a pipe, as far as there is room, or bytes of a pipe into the program's memory. What has
 * been waited for is there, or another thread has taken it: so each step sleeps.
 */
static long splice_memory(struct file *file, user_t vector, size_t count, unsigned flags)
{
    bool writing = file_writes(file), wait = !(flags & SPLICE_NONBLOCK) && !(file->flags & O_NONBLOCK);
    long done;

    if (!file_reads(file) && !writing)
        return -EBADF;
    done = check_vector(vector, count);
    if (done <= 0)
        return done;
    if (!pipe_is(file))
        return -EBADF;
    do {
        done = wait ? pipe_wait(file, writing) : 1;
        if (done <= 0)
            return done;
        done = move_flagged(file, writing, vector, count, AT_POSITION, RWF_NOWAIT);
    } while (done == -EAGAIN && wait);
    return done;
}

SYSTEM_CALL(vmsplice, int, pipe, user_t, pieces, size_t, count, unsigned, flags)
{
    struct file *file = flags & ~(unsigned)SPLICE_KNOWN ? NULL : whole_file_of(pipe);
    long         done;

    if (file == NULL)
        return flags & ~(unsigned)SPLICE_KNOWN ? -EINVAL : -EBADF;
    done = splice_memory(file, pieces, count, flags);
    file_release(file);
    return done;
}

/* A position of -1 is the file's own. */
static long move_vector2(int descriptor, bool writing, user_t vector, size_t count, int64_t at, unsigned flags)
{
    struct file *file;
    long         done;

    if (at < AT_POSITION)
        return -EINVAL;
    if (flags == 0)
        return move_vector(descriptor, writing, vector, count, at);
    file = whole_file_of(descriptor);
    if (file == NULL)
        return -EBADF;
    done = move_flagged(file, writing, vector, count, at, flags);
    file_release(file);
    return done;
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
