/*
 * splice.c - splice and tee: bytes between pipes and other files.
 *
 * Bytes are copied; SPLICE_F_MOVE and SPLICE_F_GIFT have no effect, as mostly on Linux. Besides pipes the same files
 * can be spliced as on Linux: regular files, streams of sockets, terminals, and null as a target.
 */
#include "base/error.h"
#include "files/core/devices.h"
#include "files/ipc/pipe.h"
#include "files/ipc/socket.h"
#include "linux/calls.h"
#include "linux/files.h"

enum { SPLICE_MOVE = 1, SPLICE_NONBLOCK = 2, SPLICE_MORE = 4, SPLICE_GIFT = 8, SPLICE_KNOWN = 15 };

/* The other file, at its own position (AT_POSITION) or at a given one, which moves on with each piece. */
struct other_file {
    struct pipe_actor actor;
    struct file      *file;
    int64_t           at;
};

static long move_other(struct other_file *other, bool writing, struct buffer *piece)
{
    long done = move_bytes(other->file, writing, piece, other->at);

    if (done > 0 && other->at != AT_POSITION)
        other->at += done;
    return done;
}

static long write_other(struct pipe_actor *actor, struct buffer *piece)
{
    return move_other(CONTAINER_OF(actor, struct other_file, actor), true, piece);
}

static long read_other(struct pipe_actor *actor, struct buffer *piece)
{
    return move_other(CONTAINER_OF(actor, struct other_file, actor), false, piece);
}

static bool can_splice(const struct file *file, bool writing)
{
    uint32_t type = file->node->mode & S_FMT;

    if (type == S_REGULAR || (type == S_SOCKET && socket_is(file)))
        return true;
    if (type != S_CHARACTER)
        return false;
    return file->operations->control != NULL || (writing && file->node->device == DEVICE(1, 3));    /* null */
}

static long splice_out(struct file *pipe, struct other_file *to, size_t bytes, bool wait)
{
    if (to->file->flags & O_APPEND)
        return -EINVAL;
    if (!can_splice(to->file, true))
        return -EINVAL;
    to->actor.move = write_other;
    return pipe_empty_into(pipe, bytes, wait, &to->actor);
}

static long splice_in(struct other_file *from, struct file *pipe, size_t bytes, bool wait)
{
    if (!can_splice(from->file, false))
        return -EINVAL;
    from->actor.move = read_other;
    return pipe_fill_from(pipe, bytes, wait, &from->actor);
}

long pipe_fill_with_file(struct file *pipe, struct file *from, int64_t *at, size_t bytes)
{
    struct other_file other = { .actor = { read_other }, .file = from, .at = *at };
    long              done  = pipe_fill_from(pipe, bytes, !(pipe->flags & O_NONBLOCK), &other.actor);

    *at = other.at;
    return done;
}

/* The caller's positions: refused for a pipe; else read, and written back when bytes have moved. */
static int read_place(struct file *file, user_t from, int64_t *out)
{
    *out = AT_POSITION;
    if (from == 0)
        return 0;
    if (pipe_is(file))
        return -ESPIPE;
    return user_read(out, from, sizeof *out);
}

static int check_place(const struct file *file, user_t given, int64_t at)
{
    if (given == 0)
        return 0;
    if (file->operations->traits & NODE_STREAM)
        return -EINVAL;
    return at < 0 ? -EINVAL : 0;
}

static long splice_files(struct file *in, struct file *out, struct other_file *other, size_t bytes, bool wait)
{
    if (pipe_is(in) && pipe_is(out))
        return in->node == out->node ? -EINVAL : pipe_move(in, out, bytes, wait, false);
    if (pipe_is(in)) {
        other->file = out;
        return splice_out(in, other, bytes, wait && !(in->flags & O_NONBLOCK));
    }
    if (pipe_is(out)) {
        other->file = in;
        return splice_in(other, out, bytes, wait && !(out->flags & O_NONBLOCK));
    }
    return -EINVAL;
}

static long splice(struct file *in, user_t in_place, struct file *out, user_t out_place, size_t bytes, bool wait)
{
    struct other_file other = { .at = AT_POSITION };
    int64_t           from, to;
    long              done = read_place(out, out_place, &to);

    if (done == 0)
        done = read_place(in, in_place, &from);
    if (done == 0 && (!file_reads(in) || !file_writes(out)))
        done = -EBADF;
    if (done == 0)
        done = check_place(in, in_place, from);
    if (done == 0)
        done = check_place(out, out_place, to);
    if (done != 0)
        return done;
    if (pipe_is(in) && pipe_is(out) && ((in->flags | out->flags) & O_NONBLOCK))
        wait = false;
    other.at = in_place != 0 ? from : out_place != 0 ? to : AT_POSITION;
    done = splice_files(in, out, &other, bytes, wait);
    if (done > 0 && in_place != 0 && user_write(in_place, &other.at, sizeof other.at) != 0)
        return -EFAULT;
    if (done > 0 && out_place != 0 && user_write(out_place, &other.at, sizeof other.at) != 0)
        return -EFAULT;
    return done;
}

/* Both files, each with a reference: 0 or -EBADF. */
static int take_files(int from, int to, struct file **in, struct file **out)
{
    *in  = whole_file_of((uintptr_t)from);
    *out = *in != NULL ? whole_file_of((uintptr_t)to) : NULL;
    if (*out != NULL)
        return 0;
    if (*in != NULL)
        file_release(*in);
    return -EBADF;
}

SYSTEM_CALL(splice, int, from, user_t, from_place, int, to, user_t, to_place, size_t, bytes, unsigned, flags)
{
    struct file *in, *out;
    long         done;

    if (bytes == 0)
        return 0;
    if (flags & ~(unsigned)SPLICE_KNOWN)
        return -EINVAL;
    if (take_files(from, to, &in, &out) != 0)
        return -EBADF;
    done = splice(in, from_place, out, to_place, bytes < BYTES_A_CALL ? bytes : BYTES_A_CALL,
                  !(flags & SPLICE_NONBLOCK));
    file_release(in);
    file_release(out);
    return count_moved(true, count_moved(false, done));
}

static long tee(struct file *in, struct file *out, size_t bytes, unsigned flags)
{
    if (!file_reads(in) || !file_writes(out))
        return -EBADF;
    if (!pipe_is(in) || !pipe_is(out) || in->node == out->node)
        return -EINVAL;
    return pipe_move(in, out, bytes, !(flags & SPLICE_NONBLOCK) && !((in->flags | out->flags) & O_NONBLOCK), true);
}

SYSTEM_CALL(tee, int, from, int, to, size_t, bytes, unsigned, flags)
{
    struct file *in, *out;
    long         done;

    if (flags & ~(unsigned)SPLICE_KNOWN)
        return -EINVAL;
    if (bytes == 0)
        return 0;
    if (take_files(from, to, &in, &out) != 0)
        return -EBADF;
    done = tee(in, out, bytes < BYTES_A_CALL ? bytes : BYTES_A_CALL, flags);
    file_release(in);
    file_release(out);
    return done;
}
