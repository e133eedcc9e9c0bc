/*
 * heap_sums.c - the sums of the heap's blocks, and of their takers.
 *
 * How many blocks are live and how many bytes they were asked for is not counted as they come and
 * go, but here: by walking the book, a chunk at a time, under the heap lock. Calls of other CPUs
 * meanwhile may be seen half done.
 */
#include "memory/heap/heap_slab.h"

#include "memory/spaces/space.h"

static unsigned kind_of(const void *block)  { return state_of(block) & BLOCK_KIND; }
static uint32_t pages_with_book(void) { return (uint32_t)(heap.limit / PAGE_SIZE); }

static void add_slab(uint32_t page, struct heap_sums *sums)
{
    const struct slab *slab = slab_at(page);
    size_t             slot = heap_classes[slab->class].slot;
    const char        *block = slab_bytes(page);

    sums->slab_pages += slab->pages;
    for (uint32_t n = class_blocks(slab->class); n > 0; n--, block += slot) {
        if (kind_of(block) == BLOCK_LIVE) {
            sums->live_blocks++;
            sums->live_bytes += live_bytes(block, class_room(slab->class));
        }
        sums->lost_blocks += kind_of(block) == BLOCK_LOST;
    }
}

static void add_slabs(struct heap_sums *sums)
{
    lock_state state = lock_take(&heap.lock);

    sums->bookkeeping_pages = pages_with_book() / CHUNK_PAGES;
    /* bound: pages of the heap: docs/locks.md */
    for (uint32_t page = 0; page < pages_with_book(); page++)
        if (page % CHUNK_PAGES != 0 && slab_at(page)->pages > 0)
            add_slab(page, sums);
    for (unsigned class = 0; class < HEAP_CLASSES; class++)
        for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++)
            sums->allocs += heap_magazines[cpu][class].taken;
    lock_drop(&heap.lock, state);
}

/*
 * Each big block has a small one, its region object, which callers do not know of: so it is
 * subtracted from blocks and bytes, and from the calls, each of which took one small block.
 */
void heap_sums(struct heap_sums *out)
{
    struct heap_sums sums = { 0 };
    lock_state       state = lock_take(&kernel_map_lock);

    add_slabs(&sums);
    /* bound: big blocks of the heap: docs/locks.md */
    for (const struct big *big = big_after(NULL); big; big = big_after(big)) {
        sums.big_pages += (uint32_t)(span_pages(big->region.span) - big->region.guard);
        sums.big_blocks += !big->lost;
        sums.lost_blocks += big->lost;
        sums.live_blocks -= big->lost;
        sums.live_bytes += (big->lost ? 0 : big->bytes) - sizeof *big;
    }
    lock_drop(&kernel_map_lock, state);

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

static void add_takers(uint32_t page, struct taker_rows *to)
{
    unsigned    class = slab_at(page)->class;
    const char *block = slab_bytes(page);

    for (uint32_t n = class_blocks(class); n > 0; n--, block += heap_classes[class].slot)
        if (kind_of(block) == BLOCK_LIVE)
            add_taken(to, live_taker(block, class_room(class)), class_room(class),
                      live_bytes(block, class_room(class)));
}

unsigned heap_takers(struct heap_taker *rows, unsigned room)
{
    struct taker_rows to = { .rows = rows, .room = room };
    lock_state        map = lock_take(&kernel_map_lock), state = lock_take(&heap.lock);

    /* bound: pages and big blocks of the heap: docs/locks.md */
    for (uint32_t page = 0; page < pages_with_book(); page++)
        if (page % CHUNK_PAGES != 0 && slab_at(page)->pages > 0)
            add_takers(page, &to);
    lock_drop(&heap.lock, state);
    for (const struct big *big = big_after(NULL); big; big = big_after(big))
        add_taken(&to, big->taker, 0, big->bytes);
    lock_drop(&kernel_map_lock, map);
    return to.count;
}
