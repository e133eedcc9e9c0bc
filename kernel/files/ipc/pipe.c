/*
 * pipe.c - pipes and fifos.
 */
#include "files/ipc/pipe_ring.h"

#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "memory/heap/heap.h"
#include "process/process.h"

enum { FIONREAD = 0x541B, PIPE_MAGIC = 0x50495045 };

/* ---- Reading ---------------------------------------------------------------------------------------- */

/*
 * *full: whether writers may be waiting for room when the bytes are taken. While this read waited itself, they were
 * not.
 */
static long read_locked(struct file *file, struct buffer *to, bool *full)
{
    struct node *node = file->node;
    struct pipe *pipe = pipe_of(node);

    deep_assert(mutex_held(&file->node->lock) && to->bytes > 0);
    while (!pipe_readable(pipe)) {
        int err;

        if (pipe_at_end(pipe))
            return 0;
        if (file->flags & O_NONBLOCK)
            return -EAGAIN;
        err = node_wait(node);
        if (err != 0)
            return err;
    }
    *full = !pipe_writable(pipe);
    return pipe_take(pipe, to);
}

static long pipe_read(struct file *file, struct buffer *to, uint64_t at __attribute__((unused)))
{
    struct node *node = file->node;
    bool         full = false, has_room;
    long         got;

    if (to->bytes == 0)
        return 0;
    mutex_take(&node->lock);
    got      = read_locked(file, to, &full);
    has_room = pipe_writable(pipe_of(node));
    mutex_drop(&node->lock);
    if (full && has_room)                       /* until then no writer can go on */
        node_notify_of(node, POLL_OUT | POLL_WRNORM);
    return got;
}

/* ---- Writing ------------------------------------------------------------------------------------------ */

/* A pipe without readers: the writer gets a signal. */
long pipe_broken(void)
{
    signal_self(SIGPIPE);
    return -EPIPE;
}

/* Whether a write is a packet: with O_DIRECT, unless it fits into the page that a stream has begun, as on Linux. */
static bool is_packet(const struct file *file, const struct pipe *pipe, size_t bytes)
{
    size_t begun = pipe->to % PAGE_SIZE;

    return (file->flags & O_DIRECT) && (begun == 0 || bytes > PAGE_SIZE - begun);
}

/*
 * A short write waits until it fits whole; a long one goes piece by piece. With O_DIRECT each page of a write is a
 * packet of its own, for which there must be a page of room.
 */
static long write_locked(struct file *file, struct buffer *from)
{
    struct node *node = file->node;
    struct pipe *pipe = pipe_of(node);
    size_t       all  = from->bytes <= PIPE_ATOMIC ? from->bytes : 1;
    long         done = 0;

    deep_assert(mutex_held(&node->lock));
    while (from->bytes > 0) {
        size_t wanted = from->bytes;
        bool   packet = is_packet(file, pipe, wanted);
        long   put;

        if (pipe->readers == 0)
            return done > 0 ? done : pipe_broken();
        if (pipe_room(pipe, packet) < all) {
            int err = file->flags & O_NONBLOCK ? -EAGAIN : node_wait(node);

            if (err != 0)
                return done > 0 ? done : err;
            continue;
        }
        put = pipe_add(pipe, from, packet);
        if (put < 0)
            return done > 0 ? done : put;
        done += put;
        node_notify_of(node, POLL_IN | POLL_RDNORM);
        if ((size_t)put < wanted && pipe_room(pipe, packet) > 0)
            return done;                        /* the program's memory ended */
    }
    return done;
}

static long pipe_write(struct file *file, struct buffer *from, uint64_t at __attribute__((unused)))
{
    struct node *node = file->node;
    long         put;

    mutex_take(&node->lock);
    put = write_locked(file, from);
    mutex_drop(&node->lock);
    return put;
}

/* ---- Looking ---------------------------------------------------------------------------------------------- */

static unsigned pipe_poll(struct file *file, struct wait_queue **queue)
{
    const struct pipe *pipe = pipe_of(file->node);
    unsigned           mode = file->flags & O_ACCMODE, bits = 0;

    *queue = &file->node->ready;
    if (mode != O_WRONLY) {
        if (pipe_readable(pipe))
            bits |= POLL_IN | POLL_RDNORM;
        if (pipe->writers == 0 && pipe->writings != 0)
            bits |= POLL_HUP;
    }
    if (mode != O_RDONLY) {
        if (pipe_writable(pipe))
            bits |= POLL_OUT | POLL_WRNORM;
        if (pipe->readers == 0)
            bits |= POLL_ERR;
    }
    return bits;
}

static long pipe_control(struct file *file, unsigned request, user_t argument)
{
    int32_t left;

    if (request != FIONREAD)
        return -ENOTTY;
    mutex_take(&file->node->lock);
    left = (int32_t)pipe_bytes(pipe_of(file->node));
    mutex_drop(&file->node->lock);
    return user_write(argument, &left, sizeof left);
}

/* ---- Opening and closing -------------------------------------------------------------------------------------- */

static void pipe_close(struct file *file)
{
    struct node *node = file->node;
    struct pipe *pipe = pipe_of(node);
    unsigned     mode = file->flags & O_ACCMODE;
    bool         unused, ended;

    mutex_take(&node->lock);
    pipe->readers -= mode != O_WRONLY;
    pipe->writers -= mode != O_RDONLY;
    unused = pipe->readers == 0 && pipe->writers == 0;
    ended  = pipe->readers == 0 || pipe->writers == 0;
    if (unused)
        node->own = NULL;
    mutex_drop(&node->lock);
    if (unused)
        pipe_free(pipe);
    else if (ended)
        node_notify(node);
}

/* Wait until the other end is opened, also if it has been closed again by then. */
static int wait_for_other(struct node *node, struct file *file, bool reader)
{
    struct pipe *pipe  = pipe_of(node);
    uint32_t    *count = reader ? &pipe->writings : &pipe->readings, before = *count;
    uint32_t    *there = reader ? &pipe->writers : &pipe->readers;

    assert(mutex_held(&node->lock));
    while (*there == 0 && *count == before) {
        int err;

        if (file->flags & O_NONBLOCK)
            return reader ? 0 : -ENXIO;
        err = node_wait(node);
        if (err != 0 && *there == 0 && *count == before)
            return err;                         /* a signal that came with the other one is for later */
    }
    return 0;
}

static int open_locked(struct node *node, struct file *file)
{
    unsigned     mode = file->flags & O_ACCMODE;
    struct pipe *pipe = pipe_of(node);
    int          err  = 0;

    assert(mutex_held(&node->lock));
    if (pipe == NULL)
        node->own = pipe = pipe_new();
    if (pipe == NULL)
        return -ENOMEM;
    pipe->readers  += mode != O_WRONLY;
    pipe->readings += mode != O_WRONLY;
    pipe->writers  += mode != O_RDONLY;
    pipe->writings += mode != O_RDONLY;
    node_notify(node);
    if (mode == O_RDONLY || mode == O_WRONLY)
        err = wait_for_other(node, file, mode == O_RDONLY);
    if (err == 0)
        return 0;
    pipe->readers -= mode != O_WRONLY;
    pipe->writers -= mode != O_RDONLY;
    if (pipe->readers == 0 && pipe->writers == 0) {
        node->own = NULL;
        pipe_free(pipe);
    }
    return err;
}

static int fifo_open(struct node *node, struct file *file)
{
    int err;

    if (!file_reads(file) && !file_writes(file))
        return -EINVAL;
    mutex_take(&node->lock);
    err = open_locked(node, file);
    mutex_drop(&node->lock);
    return err;
}

/* A pipe without a name is opened again through /proc: its other end need not be there. */
static int pipe_open_again(struct node *node, struct file *file)
{
    unsigned     mode = file->flags & O_ACCMODE;
    struct pipe *pipe;

    mutex_take(&node->lock);
    pipe = pipe_of(node);
    if (pipe != NULL) {
        pipe->readers += mode != O_WRONLY;
        pipe->writers += mode != O_RDONLY;
    }
    mutex_drop(&node->lock);
    return pipe != NULL ? 0 : -ENXIO;           /* it has just lost its last open file */
}

const struct node_operations fifo_operations = {
    .traits = NODE_STREAM, .read = pipe_read, .write = pipe_write, .poll = pipe_poll, .control = pipe_control,
    .open = fifo_open, .close = pipe_close,
};

/* ---- Pipes without a name --------------------------------------------------------------------------------- */

static void pipe_release(struct node *node)
{
    if (node->own != NULL)
        pipe_free(node->own);
    heap_free_sized(node, sizeof *node);
}

static int pipe_describe(struct node *node, char *to, size_t size)
{
    int length = format_text(to, size, "pipe:[%llu]", (unsigned long long)node->inode);

    return (size_t)length < size ? length : -ERANGE;
}

static const struct node_operations pipe_operations = {
    .traits = NODE_STREAM, .read = pipe_read, .write = pipe_write, .poll = pipe_poll, .control = pipe_control,
    .open = pipe_open_again, .close = pipe_close, .release = pipe_release, .describe = pipe_describe,
};

static struct node *pipe_node(void)
{
    static struct file_system pipes;
    struct node              *node = heap_alloc(sizeof *node, 0);
    struct pipe              *pipe = pipe_new();

    if (node == NULL || pipe == NULL) {
        heap_free(node);
        if (pipe != NULL)
            pipe_free(pipe);
        return NULL;
    }
    if (pipes.type == NULL)
        system_start(&pipes, "pipefs", PIPE_MAGIC);
    pipe->readers = pipe->writers = pipe->readings = pipe->writings = 1;
    node_start(node, &pipe_operations, &pipes, S_PIPE | 0600);
    node_own(node);
    node->links = 1;
    node->own   = pipe;
    return node;
}

int pipe_make(uint32_t flags, struct file **reader, struct file **writer)
{
    struct node *node;

    if (flags & ~(uint32_t)(O_NONBLOCK | O_DIRECT))
        return -EINVAL;
    node = pipe_node();
    if (node == NULL)
        return -ENOMEM;
    *reader = file_make(node, &pipe_operations, O_RDONLY | (flags & O_NONBLOCK));
    if (*reader == NULL) {
        node_release(node);
        return -ENOMEM;
    }
    node_hold(node);
    *writer = file_make(node, &pipe_operations, O_WRONLY | flags);
    if (*writer == NULL) {
        node_release(node);
        file_abandon(*reader);
        return -ENOMEM;
    }
    return 0;
}

/* ---- Capacity --------------------------------------------------------------------------------------------- */

bool pipe_is(const struct file *file) { return file->operations->read == pipe_read && !(file->flags & O_PATH); }

long pipe_capacity(struct file *file)
{
    return pipe_is(file) ? (long)pipe_of(file->node)->capacity : -EBADF;
}

long pipe_set_capacity(struct file *file, size_t bytes)
{
    uint32_t capacity = PAGE_SIZE;
    int      err;

    may_sleep();
    if (!pipe_is(file))
        return -EBADF;
    if (bytes > PIPE_LARGEST)
        return has_capability(CAP_SYS_RESOURCE) && bytes <= INT32_MAX ? -ENOMEM : bytes > INT32_MAX ? -EINVAL : -EPERM;
    while (capacity < bytes)
        capacity *= 2;
    mutex_take(&file->node->lock);
    err = pipe_change_capacity(pipe_of(file->node), capacity);
    mutex_drop(&file->node->lock);
    if (err != 0)
        return err;
    node_notify(file->node);
    return (long)capacity;
}
