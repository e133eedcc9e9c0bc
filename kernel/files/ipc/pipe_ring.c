/*
 * pipe_ring.c - the pages of a pipe.
 */
#include "files/ipc/pipe_ring.h"

#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"

static uint32_t page_start(uint32_t byte) { return byte & ~(uint32_t)(PAGE_SIZE - 1); }
static uint32_t page_end(uint32_t byte)   { return page_start(byte + PAGE_SIZE - 1); }

static bool byte_is_before(uint32_t a, uint32_t b) { return (int32_t)(a - b) < 0; }

static uint32_t slots_of(const struct pipe *pipe) { return pipe->capacity / PAGE_SIZE; }

static struct pipe_page *page_at(const struct pipe *pipe, uint32_t byte)
{
    return &pipe->pages[(byte & (pipe->capacity - 1)) >> PAGE_SHIFT];
}

bool pipe_brings_packet(const struct pipe *pipe) { return !pipe_is_empty(pipe) && page_at(pipe, pipe->from)->packet; }

struct pipe *pipe_new(void)
{
    struct pipe *pipe = heap_alloc(sizeof *pipe, HEAP_ZERO);

    if (pipe == NULL)
        return NULL;
    pipe->capacity = PIPE_CAPACITY;
    pipe->pages    = pipe->first_pages;
    pipe->spare    = NO_FRAME;
    for (uint32_t i = 0; i < FIRST_SLOTS; i++)
        pipe->first_pages[i].frame = NO_FRAME;
    return pipe;
}

void pipe_free(struct pipe *pipe)
{
    for (uint32_t i = 0; i < slots_of(pipe); i++)
        if (frame_exists(pipe->pages[i].frame))
            frame_put(pipe->pages[i].frame);
    if (frame_exists(pipe->spare))
        frame_put(pipe->spare);
    if (pipe->pages != pipe->first_pages)
        heap_free(pipe->pages);
    heap_free_sized(pipe, sizeof *pipe);
}

/* ---- How much ------------------------------------------------------------------------------------ */

/* Where the bytes end in the page that `byte` lies in. */
static size_t filled_of(const struct pipe *pipe, uint32_t byte)
{
    uint32_t end  = page_at(pipe, byte)->end;
    uint32_t left = pipe->to - page_start(byte);

    if (end != 0)
        return end;
    return left < PAGE_SIZE ? left : PAGE_SIZE;
}

size_t pipe_bytes(const struct pipe *pipe)
{
    size_t bytes = 0;

    for (uint32_t at = pipe->from; byte_is_before(at, pipe->to); at = page_start(at) + PAGE_SIZE)
        bytes += filled_of(pipe, at) - at % PAGE_SIZE;
    return bytes;
}

/* ---- Pages --------------------------------------------------------------------------------------- */

static int get_page(struct pipe *pipe, struct pipe_page *page)
{
    deep_assert(!frame_exists(page->frame) && page->end == 0 && !page->packet);
    if (!frame_exists(pipe->spare))
        return frame_get(OWNER_FILE, 0, &page->frame);
    page->frame = pipe->spare;
    pipe->spare = NO_FRAME;
    return 0;
}

int pipe_reserve(struct pipe *pipe)
{
    return frame_exists(pipe->spare) ? 0 : frame_get(OWNER_FILE, 0, &pipe->spare);
}

static void put_page(struct pipe *pipe, struct pipe_page *page)
{
    deep_assert(frame_exists(page->frame));
    if (frame_exists(pipe->spare))
        frame_put(page->frame);
    else
        pipe->spare = page->frame;
    page->frame  = NO_FRAME;
    page->end    = 0;
    page->packet = false;
}

/* The page with the start of the bytes has been read, or the rest of it is not wanted. */
static void finish_page(struct pipe *pipe)
{
    put_page(pipe, page_at(pipe, pipe->from));
    pipe->from = page_start(pipe->from) + PAGE_SIZE;
    if (byte_is_before(pipe->to, pipe->from))
        pipe->to = pipe->from;                  /* empty: the next byte begins a page */
}

/* ---- Bytes out ------------------------------------------------------------------------------------ */

long pipe_take(struct pipe *pipe, struct buffer *to)
{
    long done = 0;

    deep_assert(pipe_ring_ok(pipe));
    while (to->bytes > 0 && !pipe_is_empty(pipe)) {
        const struct pipe_page *page = page_at(pipe, pipe->from);
        size_t                  skew = pipe->from % PAGE_SIZE, part = filled_of(pipe, pipe->from) - skew;
        bool                    packet = page->packet, whole = part <= to->bytes;
        size_t                  got;

        if (!whole)
            part = to->bytes;
        got = buffer_put_frame(to, page->frame, skew, part);
        pipe->from += got;
        done += (long)got;
        if (got < part)
            return done > 0 ? done : -EFAULT;
        if (whole || packet) {
            pipe->from -= part;
            finish_page(pipe);
        }
        if (packet)
            break;
    }
    return done;
}

size_t pipe_peek(const struct pipe *pipe, uint32_t *at, struct buffer *to)
{
    size_t skew, part, got;

    assert(to->kernel && !byte_is_before(*at, pipe->from));
    if (!byte_is_before(*at, pipe->to))
        return 0;
    skew = *at % PAGE_SIZE;
    part = filled_of(pipe, *at) - skew;
    if (part > to->bytes)
        part = to->bytes;
    got = buffer_put_frame(to, page_at(pipe, *at)->frame, skew, part);
    assert(got == part);
    *at += part;
    if (byte_is_before(*at, pipe->to) && *at % PAGE_SIZE == filled_of(pipe, *at - part))
        *at = page_start(*at) + PAGE_SIZE;      /* a page that was closed */
    return part;
}

void pipe_drop(struct pipe *pipe, size_t bytes)
{
    while (bytes > 0) {
        size_t part = filled_of(pipe, pipe->from) - pipe->from % PAGE_SIZE;

        assert(!pipe_is_empty(pipe));
        if (bytes < part) {
            pipe->from += bytes;
            return;
        }
        bytes -= part;
        finish_page(pipe);
    }
}

/* ---- Bytes in -------------------------------------------------------------------------------------- */

/* The page that is being filled gets no more. */
static void close_page(struct pipe *pipe)
{
    if (pipe->to % PAGE_SIZE == 0)
        return;
    page_at(pipe, pipe->to)->end = (uint16_t)(pipe->to % PAGE_SIZE);
    pipe->to = page_end(pipe->to);
}

/* What fits into one page. Returns bytes, or an errno. */
static long add_to_page(struct pipe *pipe, struct buffer *from, bool packet)
{
    struct pipe_page *page = page_at(pipe, pipe->to);
    size_t            skew = pipe->to % PAGE_SIZE, part = PAGE_SIZE - skew, got;
    int               err  = frame_exists(page->frame) ? 0 : get_page(pipe, page);

    if (err != 0)
        return err;
    if (part > from->bytes)
        part = from->bytes;
    got = buffer_get_frame(from, page->frame, skew, part);
    if (skew == 0 && got == 0)
        put_page(pipe, page);
    pipe->to += got;
    if (packet && got > 0) {
        page->packet = true;
        page->end    = (uint16_t)got;
        pipe->to     = page_end(pipe->to);
    }
    return got > 0 ? (long)got : -EFAULT;
}

long pipe_add(struct pipe *pipe, struct buffer *from, bool packet)
{
    long done = 0;

    deep_assert(pipe_ring_ok(pipe));
    if (packet && pipe_room(pipe, true) > 0)
        close_page(pipe);
    while (from->bytes > 0 && pipe_room(pipe, packet) > 0) {
        size_t before = from->bytes, most = PAGE_SIZE - pipe->to % PAGE_SIZE;
        long   put    = add_to_page(pipe, from, packet);

        if (put < 0)
            return done > 0 ? done : put;
        done += put;
        if ((size_t)put < (before < most ? before : most))
            break;                              /* the rest of the buffer is not there */
    }
    return done;
}

/* ---- Capacity -------------------------------------------------------------------------------------- */

/* Pages move to their slots in the new ring. */
int pipe_change_capacity(struct pipe *pipe, uint32_t capacity)
{
    uint32_t          count = capacity / PAGE_SIZE;
    struct pipe_page *pages = heap_alloc(count * sizeof *pages, 0), *old = pipe->pages;
    uint32_t          first = page_start(pipe->from);

    assert(capacity >= PAGE_SIZE && (capacity & (capacity - 1)) == 0);
    if (pages == NULL)
        return -ENOMEM;
    if (pipe->to - first > capacity || (pipe->filling && capacity < pipe->capacity)) {
        heap_free(pages);
        return -EBUSY;
    }
    for (uint32_t i = 0; i < count; i++)
        pages[i] = (struct pipe_page){ .frame = NO_FRAME };
    for (uint32_t byte = first; byte_is_before(byte, pipe->to); byte += PAGE_SIZE)
        pages[byte >> PAGE_SHIFT & (count - 1)] = *page_at(pipe, byte);
    pipe->pages    = pages;
    pipe->capacity = capacity;
    if (old != pipe->first_pages)
        heap_free(old);
    return 0;
}

bool pipe_ring_ok(const struct pipe *pipe)
{
    uint32_t first = page_start(pipe->from), there = 0, expected = 0;

    if (byte_is_before(pipe->to, pipe->from) || pipe->to - first > pipe->capacity)                  /* R1 */
        return false;
    if (pipe_is_empty(pipe) && pipe->from % PAGE_SIZE != 0)                                         /* R3 */
        return false;
    for (uint32_t i = 0; i < slots_of(pipe); i++)
        there += frame_exists(pipe->pages[i].frame);
    for (uint32_t byte = first; byte_is_before(byte, pipe->to); byte += PAGE_SIZE, expected++)
        if (!frame_exists(page_at(pipe, byte)->frame))                                              /* R2 */
            return false;
    return there == expected;
}
