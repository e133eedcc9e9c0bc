/*
 * buffer.c - one way to move bytes, whether a program or the kernel is at the other end.
 *
 * A program's memory may fault while it is copied, and resolving the fault uses the same temporary views, so a view
 * of a frame cannot be kept open meanwhile. Frames with a permanent address are copied directly; others by way of
 * a small block on the stack.
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

/* Copy part of a frame to kernel memory, or from it. */
static void copy_view(frame_t frame, size_t at, char *memory, size_t bytes, bool into_frame)
{
    unsigned long interrupts = interrupts_off();
    char         *view       = (char *)frame_view(frame, into_frame ? SLOT_TO : SLOT_FROM) + at;

    assert(at <= PAGE_SIZE && bytes <= PAGE_SIZE - at);
    memcpy(into_frame ? view : memory, into_frame ? memory : view, bytes);      /* bound: BLOCK */
    interrupts_restore(interrupts);
}

static size_t by_blocks(struct buffer *buffer, frame_t frame, size_t at, size_t bytes, bool into_frame)
{
    char   block[BLOCK];
    size_t done = 0;

    while (done < bytes) {
        size_t part = bytes - done < BLOCK ? bytes - done : BLOCK, got;

        if (into_frame) {
            got = buffer_get(buffer, block, part);
            copy_view(frame, at + done, block, got, true);
        } else {
            copy_view(frame, at + done, block, part, false);
            got = buffer_put(buffer, block, part);
        }
        done += got;
        if (got < part)
            break;
    }
    return done;
}

size_t buffer_put_frame(struct buffer *buffer, frame_t frame, size_t from, size_t bytes)
{
    char *memory = physical_pointer(frame_address(frame), PAGE_SIZE);

    assert(from <= PAGE_SIZE && bytes <= PAGE_SIZE - from);
    bytes = at_most(buffer, bytes);
    if (memory != NULL)
        return buffer_put(buffer, memory + from, bytes);
    return by_blocks(buffer, frame, from, bytes, false);
}

size_t buffer_get_frame(struct buffer *buffer, frame_t frame, size_t to, size_t bytes)
{
    char *memory = physical_pointer(frame_address(frame), PAGE_SIZE);

    assert(to <= PAGE_SIZE && bytes <= PAGE_SIZE - to);
    bytes = at_most(buffer, bytes);
    if (memory != NULL)
        return buffer_get(buffer, memory + to, bytes);
    return by_blocks(buffer, frame, to, bytes, true);
}
