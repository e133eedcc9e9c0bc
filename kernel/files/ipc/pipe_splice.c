/*
 * pipe_splice.c - bytes between a pipe and another file, or another pipe, without a program's memory.
 *
 * Bytes are copied by way of a page of the heap: a page of the pipe is never shared.
 */
#include "files/ipc/pipe_ring.h"

#include "base/check.h"
#include "base/error.h"
#include "memory/heap/heap.h"
#include "process/process.h"

/* ---- Waiting: with the lock held ----------------------------------------------------------------------- */

/* Wait until there are bytes. 1; 0: there are none, and no writer; or an errno. */
static int await_bytes(struct node *node, bool wait)
{
    struct pipe *pipe = pipe_of(node);

    assert(mutex_held(&node->lock));
    while (!pipe_readable(pipe)) {
        int err;

        if (pipe_at_end(pipe))
            return 0;
        err = wait ? node_wait(node) : -EAGAIN;
        if (err != 0)
            return err;
    }
    return 1;
}

/* Wait until there is room for `least` bytes. 0, or an errno. */
static int await_room(struct node *node, size_t least, bool wait)
{
    struct pipe *pipe = pipe_of(node);

    assert(mutex_held(&node->lock));
    for (;;) {
        int err;

        if (pipe->readers == 0)
            return (int)pipe_broken();
        if (pipe_room(pipe, false) >= least)
            return 0;
        err = wait ? node_wait(node) : -EAGAIN;
        if (err != 0)
            return err;
    }
}

int pipe_wait(struct file *file, bool writing)
{
    struct node *node = file->node;
    int          err;

    may_sleep();
    assert(pipe_is(file));
    mutex_take(&node->lock);
    err = writing ? await_room(node, PAGE_SIZE, true) : await_bytes(node, true);
    mutex_drop(&node->lock);
    return writing && err == 0 ? 1 : err;
}

bool pipe_has_packet(struct file *file)
{
    struct node *node = file->node;
    bool         has  = false;

    may_sleep();
    assert(pipe_is(file));
    mutex_take(&node->lock);
    if (await_bytes(node, !(file->flags & O_NONBLOCK)) > 0)
        has = pipe_brings_packet(pipe_of(node));
    mutex_drop(&node->lock);
    return has;
}

static size_t pipe_piece(size_t left) { return left < PAGE_SIZE ? left : PAGE_SIZE; }

/* ---- A pipe and another file ----------------------------------------------------------------------------- */

/* The actor may wait for another program: the lock is dropped meanwhile, and `end` of the pipe is this thread's. */
static long move_piece(struct node *node, bool *end, struct pipe_actor *actor, struct buffer *piece, unsigned bits)
{
    long moved;

    assert(mutex_held(&node->lock) && !*end);
    *end = true;
    mutex_drop(&node->lock);
    moved = actor->move(actor, piece);
    mutex_take(&node->lock);
    *end = false;
    node_notify_of(node, bits);                 /* those who want that end, too */
    return moved;
}

/* Moves bytes between a pipe, whose lock is held, and the actor, by way of the block; as pipe_empty_into() returns. */
typedef long pipe_mover(struct node *node, size_t bytes, bool wait, struct pipe_actor *actor, char *block);

/* Call a mover with a block and the pipe's lock; tell those who wait for `bits` when it has moved bytes. */
static long move_with_block(struct file *file, size_t bytes, bool wait, struct pipe_actor *actor, pipe_mover *mover,
                            unsigned bits)
{
    struct node *node  = file->node;
    char        *block;
    long         done;

    may_sleep();
    assert(pipe_is(file) && bytes > 0);
    block = heap_alloc(PAGE_SIZE, 0);
    if (block == NULL)
        return -ENOMEM;
    mutex_take(&node->lock);
    done = mover(node, bytes, wait, actor, block);
    mutex_drop(&node->lock);
    if (done > 0)
        node_notify_of(node, bits);
    heap_free_sized(block, PAGE_SIZE);
    return done;
}

static long empty_locked(struct node *node, size_t bytes, bool wait, struct pipe_actor *actor, char *block)
{
    struct pipe *pipe = pipe_of(node);
    long         done = await_bytes(node, wait), part = 0;

    if (done <= 0)
        return done;
    done = 0;
    while ((size_t)done < bytes && !pipe_is_empty(pipe)) {
        struct buffer piece = { .kernel = true, .memory = block, .bytes = pipe_piece(bytes - (size_t)done) };
        uint32_t      at    = pipe->from;
        size_t        there = pipe_peek(pipe, &at, &piece);

        piece = (struct buffer){ .kernel = true, .memory = block, .bytes = there };
        part  = done > 0 ? schedule_between() : 0;
        if (part == 0)
            part = move_piece(node, &pipe->emptying, actor, &piece, POLL_IN | POLL_RDNORM);
        if (part <= 0)
            break;
        assert((size_t)part <= there);
        pipe_drop(pipe, (size_t)part);
        done += part;
        if ((size_t)part < there)
            break;
    }
    return done > 0 ? done : part;
}

long pipe_empty_into(struct file *file, size_t bytes, bool wait, struct pipe_actor *actor)
{
    return move_with_block(file, bytes, wait, actor, empty_locked, POLL_OUT | POLL_WRNORM);
}

static long fill_locked(struct node *node, size_t bytes, bool wait, struct pipe_actor *actor, char *block)
{
    struct pipe *pipe = pipe_of(node);
    long         done = await_room(node, 1, wait), part = 0;

    if (done != 0)
        return done;
    while ((size_t)done < bytes && pipe_room(pipe, false) > 0) {
        size_t        wanted = pipe_piece(bytes - (size_t)done), room = pipe_room(pipe, false);
        struct buffer piece  = { .kernel = true, .memory = block };

        piece.bytes = wanted = wanted < room ? wanted : room;
        part = done > 0 ? schedule_between() : 0;
        if (part == 0)
            part = pipe_reserve(pipe);          /* not behind the move: what has been read would be lost */
        if (part == 0)
            part = move_piece(node, &pipe->filling, actor, &piece, POLL_OUT | POLL_WRNORM);
        if (part <= 0)
            break;
        piece = (struct buffer){ .kernel = true, .memory = block, .bytes = (size_t)part };
        part  = pipe_add(pipe, &piece, false);
        assert(piece.bytes == 0);               /* a page at the most, for which there was room */
        done += part;
        if ((size_t)part < wanted)
            break;
    }
    return done > 0 ? done : part;
}

long pipe_fill_from(struct file *file, size_t bytes, bool wait, struct pipe_actor *actor)
{
    return move_with_block(file, bytes, wait, actor, fill_locked, POLL_IN | POLL_RDNORM);
}

/* ---- Two pipes --------------------------------------------------------------------------------------------- */

static void lock_pipes(struct node *a, struct node *b)
{
    assert(a != b);
    mutex_take(a < b ? &a->lock : &b->lock);
    mutex_take(a < b ? &b->lock : &a->lock);
}

static void unlock_pipes(struct node *a, struct node *b)
{
    mutex_drop(&a->lock);
    mutex_drop(&b->lock);
}

/* Wait until `from` has bytes and `to` room. 1; 0: no bytes will come; or an errno. Both locks are held. */
static int await_both(struct node *from, struct node *to, bool wait)
{
    deep_assert(mutex_held(&from->lock) && mutex_held(&to->lock));
    for (;;) {
        int err;

        if (pipe_of(to)->readers == 0)
            return (int)pipe_broken();
        if (pipe_readable(pipe_of(from)) && pipe_room(pipe_of(to), false) > 0)
            return 1;
        if (!pipe_readable(pipe_of(from)) && pipe_at_end(pipe_of(from)))
            return 0;
        if (!wait)
            return -EAGAIN;
        if (!pipe_readable(pipe_of(from))) {     /* wait with the lock of one alone, as its readers and writers do */
            mutex_drop(&to->lock);
            err = await_bytes(from, true);
            mutex_drop(&from->lock);
        } else {
            mutex_drop(&from->lock);
            err = await_room(to, 1, true);
            mutex_drop(&to->lock);
        }
        lock_pipes(from, to);
        if (err < 0)
            return err;
    }
}

static long move_locked(struct node *from_node, struct node *to_node, size_t bytes, bool keep, char *block)
{
    struct pipe *from = pipe_of(from_node), *to = pipe_of(to_node);
    uint32_t     at   = from->from;
    long         done = 0, part = 0;

    deep_assert(mutex_held(&from_node->lock) && mutex_held(&to_node->lock));
    while ((size_t)done < bytes && pipe_room(to, false) > 0) {
        size_t        room  = pipe_room(to, false), wanted = pipe_piece(bytes - (size_t)done);
        struct buffer piece = { .kernel = true, .memory = block, .bytes = wanted < room ? wanted : room };
        size_t        there = pipe_peek(from, &at, &piece);

        if (there == 0)
            break;
        piece = (struct buffer){ .kernel = true, .memory = block, .bytes = there };
        part  = pipe_add(to, &piece, false);
        if (part <= 0)
            break;
        done += part;
        if ((size_t)part < there)
            break;
    }
    if (done > 0 && !keep)
        pipe_drop(from, (size_t)done);
    return done > 0 ? done : part;
}

long pipe_move(struct file *from, struct file *to, size_t bytes, bool wait, bool keep)
{
    char *block;
    long  done;

    may_sleep();
    assert(pipe_is(from) && pipe_is(to) && from->node != to->node && bytes > 0);
    block = heap_alloc(PAGE_SIZE, 0);
    if (block == NULL)
        return -ENOMEM;
    lock_pipes(from->node, to->node);
    done = await_both(from->node, to->node, wait);
    if (done == 1)
        done = move_locked(from->node, to->node, bytes, keep, block);
    unlock_pipes(from->node, to->node);
    if (done > 0) {
        node_notify_of(to->node, POLL_IN | POLL_RDNORM);
        if (!keep)
            node_notify_of(from->node, POLL_OUT | POLL_WRNORM);
    }
    heap_free_sized(block, PAGE_SIZE);
    return done;
}
