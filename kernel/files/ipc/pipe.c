/*
 * pipe.c - pipes and fifos.
 */
#include "files/ipc/pipe.h"

#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "base/string.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"
#include "process/process.h"

enum { FIONREAD = 0x541B, PIPE_MAGIC = 0x50495045, FIRST_SLOTS = PIPE_CAPACITY / PAGE_SIZE };

/*
 * Bytes [from, to) of a stream are in the pipe; byte n is in frame (n / PAGE_SIZE) % slots. All on node->lock.
 */
struct pipe {
    uint64_t from, to;
    uint32_t readers, writers;              /* open files                             */
    uint32_t readings, writings;            /* opened so far, for who waits in open() */
    uint32_t capacity;                      /* bytes, a power of two of pages         */
    frame_t *frames;                        /* slots, NO_FRAME where there is none    */
    frame_t  spare;
    frame_t  first_frames[FIRST_SLOTS];
};

static struct pipe *pipe_of(const struct node *node) { return node->own; }

static uint32_t pipe_slots(const struct pipe *pipe) { return pipe->capacity / PAGE_SIZE; }
static uint32_t pipe_slot(const struct pipe *pipe, uint64_t byte)
{
    return (uint32_t)(byte >> PAGE_SHIFT) & (pipe_slots(pipe) - 1);
}

/*
 * Room is counted in pages that can still be begun, so that a byte's slot is its own: the page that `from` lies in
 * counts in full.
 */
static size_t pipe_room(const struct pipe *pipe)
{
    uint64_t start = pipe->from & ~(uint64_t)(PAGE_SIZE - 1);

    return pipe->capacity - (size_t)(pipe->to - start);
}

/* Room comes in whole pages, or with the pipe empty: whoever waits for room can go on when this becomes true. */
static bool pipe_writable(const struct pipe *pipe) { return pipe_room(pipe) >= PIPE_ATOMIC; }

static struct pipe *pipe_new(void)
{
    struct pipe *pipe = heap_alloc(sizeof *pipe, HEAP_ZERO);

    if (pipe == NULL)
        return NULL;
    pipe->capacity = PIPE_CAPACITY;
    pipe->frames   = pipe->first_frames;
    pipe->spare    = NO_FRAME;
    for (uint32_t i = 0; i < FIRST_SLOTS; i++)
        pipe->first_frames[i] = NO_FRAME;
    return pipe;
}

static void pipe_free(struct pipe *pipe)
{
    for (uint32_t i = 0; i < pipe_slots(pipe); i++)
        if (frame_exists(pipe->frames[i]))
            frame_put(pipe->frames[i]);
    if (frame_exists(pipe->spare))
        frame_put(pipe->spare);
    if (pipe->frames != pipe->first_frames)
        heap_free(pipe->frames);
    heap_free_sized(pipe, sizeof *pipe);
}

/* ---- Pages ---------------------------------------------------------------------------------------- */

static int get_page(struct pipe *pipe, frame_t *out)
{
    deep_assert(pipe->capacity > 0);
    if (!frame_exists(pipe->spare))
        return frame_get(OWNER_FILE, 0, out);
    *out = pipe->spare;
    pipe->spare = NO_FRAME;
    return 0;
}

static void put_page(struct pipe *pipe, frame_t *frame)
{
    assert(frame_exists(*frame));
    if (frame_exists(pipe->spare))
        frame_put(*frame);
    else
        pipe->spare = *frame;
    *frame = NO_FRAME;
}

/* ---- Reading ---------------------------------------------------------------------------------------- */

static long take_bytes(struct pipe *pipe, struct buffer *to)
{
    long done = 0;

    deep_assert(pipe->from <= pipe->to);
    while (to->bytes > 0 && pipe->from < pipe->to) {
        frame_t *frame = &pipe->frames[pipe_slot(pipe, pipe->from)];
        size_t   skew  = (size_t)(pipe->from % PAGE_SIZE), part = PAGE_SIZE - skew, got;

        if (part > pipe->to - pipe->from)
            part = (size_t)(pipe->to - pipe->from);
        if (part > to->bytes)
            part = to->bytes;
        got = buffer_put_frame(to, *frame, skew, part);
        pipe->from += got;
        done += (long)got;
        if (pipe->from % PAGE_SIZE == 0 || pipe->from == pipe->to) {
            put_page(pipe, frame);
            if (pipe->from == pipe->to)         /* empty: the next byte begins a page */
                pipe->from = pipe->to = (pipe->to + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
        }
        if (got < part)
            return done > 0 ? done : -EFAULT;
    }
    return done;
}

/*
 * *full: writers may be waiting for room as the bytes are taken. Not before: we wait ourselves, while they fill the
 * pipe.
 */
static long read_locked(struct file *file, struct buffer *to, bool *full)
{
    struct node *node = file->node;
    struct pipe *pipe = pipe_of(node);

    deep_assert(mutex_held(&file->node->lock) && to->bytes > 0);
    while (pipe->from == pipe->to) {
        int err;

        if (pipe->writers == 0)
            return 0;
        if (file->flags & O_NONBLOCK)
            return -EAGAIN;
        err = node_wait(node);
        if (err != 0)
            return err;
    }
    *full = !pipe_writable(pipe);
    return take_bytes(pipe, to);
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

static long add_bytes(struct pipe *pipe, struct buffer *from)
{
    long done = 0;

    while (from->bytes > 0 && pipe_room(pipe) > 0) {
        frame_t *frame = &pipe->frames[pipe_slot(pipe, pipe->to)];
        size_t   skew  = (size_t)(pipe->to % PAGE_SIZE), part = PAGE_SIZE - skew, got;
        int      err   = frame_exists(*frame) ? 0 : get_page(pipe, frame);

        if (err != 0)
            return done > 0 ? done : err;
        if (part > from->bytes)
            part = from->bytes;
        got = buffer_get_frame(from, *frame, skew, part);
        pipe->to += got;
        done += (long)got;
        if (skew == 0 && got == 0)
            put_page(pipe, frame);
        if (got < part)
            return done > 0 ? done : -EFAULT;
    }
    return done;
}

/* A pipe that nobody reads: the writer gets a signal. */
static long pipe_broken(void)
{
    struct signal_info info = { .number = SIGPIPE, .sender = current_process()->id };

    signal_thread(current_thread(), &info);
    return -EPIPE;
}

/* A short write waits until it fits whole; a long one goes piece by piece. */
static long write_locked(struct file *file, struct buffer *from)
{
    struct node *node = file->node;
    struct pipe *pipe = pipe_of(node);
    size_t       all  = from->bytes <= PIPE_ATOMIC ? from->bytes : 1;
    long         done = 0;

    deep_assert(mutex_held(&file->node->lock));
    while (from->bytes > 0) {
        long put;

        if (pipe->readers == 0)
            return done > 0 ? done : pipe_broken();
        if (pipe_room(pipe) < all) {
            int err = file->flags & O_NONBLOCK ? -EAGAIN : node_wait(node);

            if (err != 0)
                return done > 0 ? done : err;
            continue;
        }
        put = add_bytes(pipe, from);
        if (put < 0)
            return done > 0 ? done : put;
        done += put;
        node_notify_of(node, POLL_IN | POLL_RDNORM);
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
        if (pipe->from != pipe->to)
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
    const struct pipe *pipe = pipe_of(file->node);
    int32_t            left;

    if (request != FIONREAD)
        return -ENOTTY;
    left = (int32_t)(pipe->to - pipe->from);
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

/* Wait until somebody opens the other end, also if he has closed it again by then. */
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
    struct pipe *pipe = pipe_of(node);
    unsigned     mode = file->flags & O_ACCMODE;

    if (pipe == NULL)
        return -ENXIO;                          /* it has just lost its last open file */
    mutex_take(&node->lock);
    pipe->readers += mode != O_WRONLY;
    pipe->writers += mode != O_RDONLY;
    mutex_drop(&node->lock);
    return 0;
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
    node->links = 1;
    node->uid   = user_acting();
    node->gid   = group_acting();
    node->own   = pipe;
    return node;
}

int pipe_make(uint32_t flags, struct file **reader, struct file **writer)
{
    struct node *node;

    if (flags & ~(uint32_t)O_NONBLOCK)
        return -EINVAL;
    node = pipe_node();
    if (node == NULL)
        return -ENOMEM;
    *reader = file_make(node, &pipe_operations, O_RDONLY | flags);
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

static bool is_pipe(const struct file *file) { return file->operations->read == pipe_read && !(file->flags & O_PATH); }

long pipe_capacity(struct file *file)
{
    return is_pipe(file) ? (long)pipe_of(file->node)->capacity : -EBADF;
}

/* Pages move to their slots in the new ring. */
static long change_capacity(struct pipe *pipe, uint32_t capacity)
{
    uint32_t count  = capacity / PAGE_SIZE;
    frame_t *frames = heap_alloc(count * sizeof *frames, 0), *old = pipe->frames;
    uint64_t first  = pipe->from & ~(uint64_t)(PAGE_SIZE - 1);

    assert(capacity >= PAGE_SIZE && (capacity & (capacity - 1)) == 0);
    if (frames == NULL)
        return -ENOMEM;
    if (pipe->to - first > capacity) {
        heap_free(frames);
        return -EBUSY;
    }
    for (uint32_t i = 0; i < count; i++)
        frames[i] = NO_FRAME;
    for (uint64_t byte = first; byte < pipe->to; byte += PAGE_SIZE)
        frames[(uint32_t)(byte >> PAGE_SHIFT) & (count - 1)] = old[pipe_slot(pipe, byte)];
    pipe->frames   = frames;
    pipe->capacity = capacity;
    if (old != pipe->first_frames)
        heap_free(old);
    return (long)capacity;
}

long pipe_set_capacity(struct file *file, size_t bytes)
{
    uint32_t capacity = PAGE_SIZE;
    long     err;

    may_sleep();
    if (!is_pipe(file))
        return -EBADF;
    if (bytes > PIPE_LARGEST)
        return user_acting() == 0 && bytes <= INT32_MAX ? -ENOMEM : bytes > INT32_MAX ? -EINVAL : -EPERM;
    while (capacity < bytes)
        capacity *= 2;
    mutex_take(&file->node->lock);
    err = change_capacity(pipe_of(file->node), capacity);
    mutex_drop(&file->node->lock);
    if (err > 0)
        node_notify(file->node);
    return err;
}
