/*
 * copy.c - sendfile and copy_file_range: from file to file without passing through a program.
 */
#include "base/check.h"
#include "base/error.h"
#include "files/ipc/pipe.h"
#include "linux/calls.h"
#include "linux/files.h"
#include "memory/heap/heap.h"

enum { COPY_BLOCK = 2048 };

struct copying {
    struct file *from, *to;
    int64_t      from_at, to_at;            /* AT_POSITION: the file's own position */
};

/*
 * Copy at most one block. After a short write the source's position goes back to the first byte not written.
 */
static long copy_block(struct copying *copying, char *block, size_t bytes)
{
    struct buffer in = { .kernel = true, .memory = block, .bytes = bytes }, out = in;
    uint64_t      ignored;
    long          got, put;

    deep_assert(copying != NULL && block != NULL);
    assert(bytes <= COPY_BLOCK && copying->from != NULL && copying->to != NULL);
    got = move_bytes(copying->from, false, &in, copying->from_at);
    if (got <= 0)
        return got;
    out.bytes = (size_t)got;
    put = move_bytes(copying->to, true, &out, copying->to_at);
    if (put < got && copying->from_at == AT_POSITION)
        (void)file_seek(copying->from, (put > 0 ? put : 0) - got, 1, &ignored);
    if (put > 0 && copying->from_at != AT_POSITION)
        copying->from_at += put;
    if (put > 0 && copying->to_at != AT_POSITION)
        copying->to_at += put;
    return put;
}

static long copy_bytes(struct copying *copying, size_t bytes)
{
    char *block = heap_alloc(COPY_BLOCK, 0);
    long  done  = 0, part = 0;

    deep_assert(copying != NULL);
    if (block == NULL)
        return -ENOMEM;
    while ((size_t)done < bytes) {
        size_t wanted = bytes - (size_t)done < COPY_BLOCK ? bytes - (size_t)done : COPY_BLOCK;

        part = done > 0 ? schedule_between() : 0;
        if (part == 0)
            part = copy_block(copying, block, wanted);
        if (part <= 0)
            break;
        done += part;
        if ((size_t)part < wanted && !(copying->to->flags & O_NONBLOCK) &&
            (copying->from->operations->traits & NODE_STREAM))
            break;
    }
    heap_free(block);
    return done != 0 ? done : part;
}

static long count_copied(long done) { return count_moved(true, count_moved(false, done)); }

static long send_file(uintptr_t out, uintptr_t in, int64_t *at, size_t bytes)
{
    struct copying copying = { file_of(in), file_of(out), at != NULL ? *at : AT_POSITION, AT_POSITION };
    long           done;

    if (copying.from == NULL || copying.to == NULL)
        done = -EBADF;
    else if ((copying.from->operations->traits & NODE_STREAM) || (copying.from->node->mode & S_FMT) == S_FOLDER ||
             (copying.to->flags & O_APPEND))
        done = -EINVAL;
    else if (bytes > 0 && pipe_is(copying.to) && file_reads(copying.from) && file_writes(copying.to))
        done = count_copied(pipe_fill_with_file(copying.to, copying.from, &copying.from_at, bytes));
    else
        done = count_copied(copy_bytes(&copying, bytes < BYTES_A_CALL ? bytes : BYTES_A_CALL));
    if (copying.from != NULL)
        file_release(copying.from);
    if (copying.to != NULL)
        file_release(copying.to);
    if (at != NULL)
        *at = copying.from_at;
    return done;
}

/* The position in the program's memory has 32 bits or 64; the lower half comes first. */
static long send_at(int to, int from, user_t at_place, size_t place_bytes, size_t count)
{
    int64_t at = 0;
    long    done;

    if (at_place == 0)
        return send_file(to, from, NULL, count);
    if (user_read(&at, at_place, place_bytes) != 0)
        return -EFAULT;
    if (place_bytes < sizeof at)
        at = (int32_t)at;
    if (at < 0)
        return -EINVAL;
    done = send_file(to, from, &at, count);
    return done >= 0 && user_write(at_place, &at, place_bytes) != 0 ? -EFAULT : done;
}

SYSTEM_CALL(sendfile, int, to, int, from, user_t, at_place, size_t, count)
{
    return send_at(to, from, at_place, sizeof(int32_t), count);
}

SYSTEM_CALL(sendfile64, int, to, int, from, user_t, at_place, size_t, count)
{
    return send_at(to, from, at_place, sizeof(int64_t), count);
}

/* Read a position from the program's memory, or (0) use the file's own. */
static int read_position(user_t from, int64_t *out)
{
    deep_assert(out != NULL);
    *out = AT_POSITION;
    if (from == 0)
        return 0;
    return user_read(out, from, sizeof *out) != 0 ? -EFAULT : 0;
}

/* Refuse a negative position, and a range that would wrap. */
static int check_position(user_t given, int64_t at, size_t bytes)
{
    uint64_t end;

    if (given == 0)
        return 0;
    if (__builtin_add_overflow((uint64_t)at, (uint64_t)bytes, &end))
        return -EOVERFLOW;
    return at < 0 ? -EINVAL : 0;
}

static bool is_regular(const struct file *file) { return (file->node->mode & S_FMT) == S_REGULAR; }

static uint64_t place_in(const struct file *file, int64_t at) { return at == AT_POSITION ? file->at : (uint64_t)at; }

/* Within one file the two ranges, cut to the bytes that the file has, may touch but not overlap. */
static bool ranges_overlap(const struct copying *copying, uint64_t bytes)
{
    uint64_t from, to, size;

    deep_assert(copying != NULL);
    from = place_in(copying->from, copying->from_at);
    to   = place_in(copying->to, copying->to_at);
    size = copying->from->node->bytes;
    if (copying->from->node != copying->to->node || from >= size)
        return false;
    if (bytes > size - from)
        bytes = size - from;
    return from < to + bytes && to < from + bytes;
}

static long copy_range(struct copying *copying, size_t bytes)
{
    deep_assert(copying != NULL);
    if (copying->from == NULL || copying->to == NULL)
        return -EBADF;
    if ((copying->from->node->mode & S_FMT) == S_FOLDER || (copying->to->node->mode & S_FMT) == S_FOLDER)
        return -EISDIR;
    if (!is_regular(copying->from) || !is_regular(copying->to))
        return -EINVAL;
    if ((copying->to->flags & O_APPEND) || !file_reads(copying->from) || !file_writes(copying->to))
        return -EBADF;
    if (ranges_overlap(copying, bytes))
        return -EINVAL;
    return count_copied(copy_bytes(copying, bytes < BYTES_A_CALL ? bytes : BYTES_A_CALL));
}

SYSTEM_CALL(copy_file_range, int, from, user_t, from_at, int, to, user_t, to_at, size_t, count, unsigned, flags)
{
    struct copying copying = { NULL, NULL, AT_POSITION, AT_POSITION };
    long           done    = read_position(from_at, &copying.from_at);

    if (done == 0)
        done = read_position(to_at, &copying.to_at);
    if (done == 0 && flags != 0)
        done = -EINVAL;
    if (done == 0)
        done = check_position(from_at, copying.from_at, count);
    if (done == 0)
        done = check_position(to_at, copying.to_at, count);
    if (done != 0)
        return done;
    copying.from = file_of(from);
    copying.to   = file_of(to);
    done = copy_range(&copying, count);
    if (copying.from != NULL)
        file_release(copying.from);
    if (copying.to != NULL)
        file_release(copying.to);
    if (done > 0 && ((from_at != 0 && user_write(from_at, &copying.from_at, sizeof copying.from_at) != 0) ||
                     (to_at != 0 && user_write(to_at, &copying.to_at, sizeof copying.to_at) != 0)))
        return -EFAULT;
    return done;
}
