/*
 * buffer.c - one way to move bytes, whether a program or the kernel is at the other end.
 *
 * Frames with a permanent address are copied directly. Of others a temporary view is open while interrupts are off,
 * in which no fault of the program's memory is resolved: where the copy stops, the next bytes go by way of a small
 * block on the stack, without a view open meanwhile, and the fault is resolved as in any copy.
 */
#include "memory/spaces/buffer.h"

#include "base/check.h"
#include "base/string.h"
#include "cpu.h"
#include "memory/tables/slot.h"

enum { BLOCK = 256 };

static void move_on(struct buffer *buffer, size_t bytes)
{
    assert(bytes <= buffer->bytes);
    if (buffer->kernel)
        buffer->memory += bytes;
    else
        buffer->user += bytes;
    buffer->bytes -= bytes;
}

static size_t at_most(const struct buffer *buffer, size_t bytes)
{
    return bytes < buffer->bytes ? bytes : buffer->bytes;
}

size_t buffer_put(struct buffer *buffer, const void *from, size_t bytes)
{
    bytes = at_most(buffer, bytes);
    if (buffer->kernel)
        memcpy(buffer->memory, from, bytes);
    else
        bytes = user_write_some(buffer->user, from, bytes);
    move_on(buffer, bytes);
    return bytes;
}

size_t buffer_get(struct buffer *buffer, void *to, size_t bytes)
{
    bytes = at_most(buffer, bytes);
    if (buffer->kernel)
        memcpy(to, buffer->memory, bytes);
    else
        bytes = user_read_some(to, buffer->user, bytes);
    move_on(buffer, bytes);
    return bytes;
}

size_t buffer_clear(struct buffer *buffer, size_t bytes)
{
    static const char zeros[BLOCK];
    size_t            done = 0;

    bytes = at_most(buffer, bytes);
    while (done < bytes) {
        size_t part = bytes - done < BLOCK ? bytes - done : BLOCK;
        size_t got  = buffer_put(buffer, zeros, part);

        done += got;
        if (got < part)
            break;
    }
    return done;
}

/* What can be copied with both sides seen at once: up to the program's first byte that needs a fault. */
static size_t copy_held(struct buffer *buffer, frame_t frame, size_t at, size_t bytes, bool into_frame)
{
    unsigned long interrupts = interrupts_off();
    char         *view       = (char *)frame_view(frame, SLOT_FROM) + at;

    assert(at <= PAGE_SIZE && bytes <= PAGE_SIZE - at);     /* bound: a page */
    if (buffer->kernel)
        memcpy(into_frame ? view : buffer->memory, into_frame ? buffer->memory : view, bytes);
    else if (into_frame)
        bytes = user_read_held(view, buffer->user, bytes);
    else
        bytes = user_write_held(buffer->user, view, bytes);
    interrupts_restore(interrupts);
    move_on(buffer, bytes);
    return bytes;
}

/* A block of bytes, of which the program's first may need a fault. */
static size_t copy_block(struct buffer *buffer, frame_t frame, size_t at, size_t bytes, bool into_frame)
{
    struct buffer ours;
    char          block[BLOCK];

    bytes = bytes < BLOCK ? bytes : BLOCK;
    ours  = (struct buffer){ .kernel = true, .memory = block, .bytes = bytes };
    if (into_frame) {
        bytes = buffer_get(buffer, block, bytes);
        return copy_held(&ours, frame, at, bytes, true);
    }
    copy_held(&ours, frame, at, bytes, false);
    return buffer_put(buffer, block, bytes);
}

static size_t by_view(struct buffer *buffer, frame_t frame, size_t at, size_t bytes, bool into_frame)
{
    size_t done = copy_held(buffer, frame, at, bytes, into_frame), got = 1;

    while (done < bytes && got > 0) {
        got   = copy_block(buffer, frame, at + done, bytes - done, into_frame);
        done += got;
        if (got > 0 && done < bytes)
            done += copy_held(buffer, frame, at + done, bytes - done, into_frame);
    }
    return done;
}

size_t buffer_put_frame(struct buffer *buffer, frame_t frame, size_t from, size_t bytes)
{
    assert(from <= PAGE_SIZE && bytes <= PAGE_SIZE - from);
    bytes = at_most(buffer, bytes);
    if (frame_is_direct(frame))
        return buffer_put(buffer, (char *)frame_view(frame, SLOT_FROM) + from, bytes);
    return by_view(buffer, frame, from, bytes, false);
}

size_t buffer_get_frame(struct buffer *buffer, frame_t frame, size_t to, size_t bytes)
{
    assert(to <= PAGE_SIZE && bytes <= PAGE_SIZE - to);
    bytes = at_most(buffer, bytes);
    if (frame_is_direct(frame))
        return buffer_get(buffer, (char *)frame_view(frame, SLOT_FROM) + to, bytes);
    return by_view(buffer, frame, to, bytes, true);
}
