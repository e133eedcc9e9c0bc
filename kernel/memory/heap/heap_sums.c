/*
 * heap_sums.c - the sums of the heap's blocks, and of their takers.
 *
 * How many blocks are live and how many bytes they were asked for is not counted as they come and
 * go, but here: by walking the book, each slab under the heap lock. What comes and goes meanwhile is
 * counted or not, and calls of other CPUs may be seen half done.
 */
#include "memory/heap/heap_slab.h"

#include "memory/spaces/space.h"

static unsigned kind_of(const void *block)  { return state_of(block) & BLOCK_KIND; }

/* A block that is out without its guard is ready, or has been written past its end. */
static bool is_live(const void *block, unsigned class)
{
    return kind_of(block) == BLOCK_OUT &&
           (live_is_intact(block, class_room(class)) || !magazines_hold(block, class));
}

static uint32_t pages_with_book(void) { return (uint32_t)(heap.limit / PAGE_SIZE); }

static void add_slab(uint32_t page, void *to)
{
    struct heap_sums  *sums = to;
    const struct slab *slab = slab_at(page);
    size_t             slot = heap_classes[slab->class].slot;
    const char        *block = slab_bytes(page);

    sums->slab_pages += slab->pages;
    for (uint32_t n = class_blocks(slab->class); n > 0; n--, block += slot) {
        if (is_live(block, slab->class)) {
            sums->live_blocks++;
            sums->live_bytes += live_bytes(block, class_room(slab->class));
        }
        sums->lost_blocks += kind_of(block) == BLOCK_LOST;
    }
}

/* What is to be done with the slab that begins at this page of the book. */
typedef void (*slab_visit)(uint32_t page, void *data);

/* Each slab under a lock of its own: what comes and goes between two of them is counted or not. */
static void each_slab(slab_visit visit, void *data)
{
    for (uint32_t page = 0; page < pages_with_book(); page++) {        /* bound: interrupts are let in at each page */
        lock_state state = lock_take(&heap.lock);

        if (page < pages_with_book() && page % CHUNK_PAGES != 0 && slab_at(page)->pages > 0)
            visit(page, data);
        lock_drop(&heap.lock, state);
    }
}

/* The first big block at or after *page, copied; *page is where to go on. False: there is none. */
static bool next_big(page_t *page, struct big *out)
{
    lock_state        state = lock_take(&kernel_map_lock);
    const struct big *big   = big_at_or_above(*page);

    if (big != NULL) {
        *out  = *big;
        *page = big->region.span.end;
    }
    lock_drop(&kernel_map_lock, state);
    return big != NULL;
}

static page_t first_big(void) { return layout.purpose[PURPOSE_HEAP]->span.first; }

static void add_slabs(struct heap_sums *sums)
{
    sums->bookkeeping_pages = pages_with_book() / CHUNK_PAGES;
    each_slab(add_slab, sums);
    for (unsigned class = 0; class < HEAP_CLASSES; class++)
        for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++)
            sums->allocs += heap_magazines[cpu][class].taken;
}

/*
 * Each big block has a small one, its region object. Callers know nothing of it: blocks and
 * bytes are theirs, so it is taken out again; and each call took exactly one small block.
 */
void heap_sums(struct heap_sums *out)
{
    struct heap_sums sums = { 0 };
    struct big       big;

    add_slabs(&sums);
    for (page_t page = first_big(); next_big(&page, &big); ) {
        sums.big_pages += (uint32_t)(span_pages(big.region.span) - big.region.guard);
        sums.big_blocks += !big.lost;
        sums.lost_blocks += big.lost;
        sums.live_blocks -= big.lost;
        sums.live_bytes += (big.lost ? 0 : big.bytes) - sizeof big;
    }

    sums.allocs -= heap_undone;
    sums.frees = sums.allocs - sums.live_blocks - sums.lost_blocks;
    sums.failures = heap_failures;
    for (unsigned i = 0; i < HEAP_MISUSES; i++)
        sums.misuse[i] = misuse_count(i);
    *out = sums;
}

/* ---- Takers ----------------------------------------------------------------------------- */

struct taker_rows { struct heap_taker *rows; unsigned count, room; };

/* The row of a taker, a new one if need be; NULL when there is no place for it. */
static struct heap_taker *taker_row(struct taker_rows *to, uint32_t taker, size_t slot_room)
{
    for (unsigned i = 0; i < to->count && i < to->room; i++)
        if (to->rows[i].taker == taker && to->rows[i].slot_room == slot_room)
            return &to->rows[i];
    if (to->count >= to->room)
        return NULL;
    to->rows[to->count] = (struct heap_taker){ .taker = taker, .slot_room = (uint32_t)slot_room };
    return &to->rows[to->count++];
}

static void add_taken(struct taker_rows *to, uint32_t taker, size_t slot_room, size_t bytes)
{
    struct heap_taker *row = taker_row(to, taker, slot_room);

    if (row == NULL)
        return;
    row->blocks++;
    row->bytes += bytes;
}

static void add_takers(uint32_t page, void *to)
{
    unsigned    class = slab_at(page)->class;
    const char *block = slab_bytes(page);

    for (uint32_t n = class_blocks(class); n > 0; n--, block += heap_classes[class].slot)
        if (is_live(block, class))
            add_taken(to, live_taker(block, class_room(class)), class_room(class),
                      live_bytes(block, class_room(class)));
}

unsigned heap_takers(struct heap_taker *rows, unsigned room)
{
    struct taker_rows to = { .rows = rows, .room = room };
    struct big        big;

    each_slab(add_takers, &to);
    for (page_t page = first_big(); next_big(&page, &big); )
        add_taken(&to, big.taker, 0, big.bytes);
    return to.count;
}
