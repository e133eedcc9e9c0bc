/*
 * heap_big.c - blocks of whole pages: a region of kernel space each, with a hole below.
 *
 * The region object comes from the heap's own small blocks, before any lock is taken. A big
 * block has its guard behind the last byte like a small one; the page behind it is not mapped,
 * nor is any page of a freed block, so that late writes are page faults.
 */
#include "memory/heap/heap_slab.h"

#include "base/check.h"
#include "base/string.h"
#include "memory/spaces/space.h"

enum { HOLE_BELOW = 1, REMEMBERED = 8 };

/* The name in `map`; by its address the regions of big blocks are known. */
static const char big_name[] = "heap block";

/* The last blocks given back, so that a double free can name the giver. [map lock] */
static struct { const void *block; size_t bytes; uint32_t giver; } gone[REMEMBERED];
static unsigned gone_next;

void big_start(void)
{
    memset(gone, 0, sizeof gone);
    gone_next = 0;
}

void *big_start_of(const struct big *big)
{
    return pointer_to(page_address(big->region.span.first + big->region.guard));
}

/* The pages of a block and its guard; 0 when even the empty window could not hold them. */
static size_t pages_of(size_t bytes)
{
    size_t window = span_pages(layout.purpose[PURPOSE_HEAP]->span);

    return bytes / PAGE_SIZE < window ? pages_for(bytes + GUARD_BYTES) : 0;
}

static void put_guard(const struct big *big)
{
    deep_assert(big->bytes > 0);
    *block_word(big_start_of(big), big->bytes) = block_key(big_start_of(big));
}

bool big_is_intact(const struct big *big)
{
    return *block_word(big_start_of(big), big->bytes) == block_key(big_start_of(big));
}

/* ---- Finding: the map lock is held ----------------------------------------------------- */

/* The big block that a region is, from when it is handed out until it begins to be given back; else NULL. */
static struct big *big_of(struct region *region)
{
    struct big *big = CONTAINER_OF(region, struct big, region);

    return region && region->name == big_name && big->held ? big : NULL;
}

static struct big *big_find(const void *pointer)
{
    page_t      page = page_of(address_of(pointer));
    struct big *big = big_of(region_find(&kernel_space.map, page));

    deep_assert(lock_held(&kernel_map_lock));
    return big && page >= big->region.span.first + big->region.guard ? big : NULL;
}

const struct big *big_after(const struct big *from)
{
    return big_at_or_above(from ? from->region.span.end : layout.purpose[PURPOSE_HEAP]->span.first);
}

const struct big *big_at_or_above(page_t page)
{
    struct region *region = region_at_or_above(&kernel_space.map, page);

    deep_assert(lock_held(&kernel_map_lock));
    /* bound: regions of the heap's window */
    while (region && region->home == layout.purpose[PURPOSE_HEAP] && big_of(region) == NULL)
        region = region_next(region);
    return big_of(region);
}

enum big_place big_locate(const void *pointer, struct big *copy, uint32_t *gone_to)
{
    lock_state        state = lock_take(&kernel_map_lock);
    const struct big *big = big_find(pointer);
    enum big_place    place = BIG_NONE;

    if (big) {
        *copy = *big;
        place = pointer == big_start_of(big) ? BIG_START : BIG_INSIDE;
    }
    /* bound: REMEMBERED */
    for (unsigned i = 0; i < REMEMBERED && place == BIG_NONE && gone_to; i++)
        if (gone[i].block == pointer) {
            copy->bytes = gone[i].bytes;
            *gone_to = gone[i].giver;
            place = BIG_GONE;
        }
    lock_drop(&kernel_map_lock, state);
    return place;
}

/* ---- Taking and giving ------------------------------------------------------------------ */

void *big_take(size_t bytes, vaddr_t who)
{
    struct big *big;
    lock_state  state;

    deep_assert(bytes > HEAP_SMALL);
    if (pages_of(bytes) == 0)
        return NULL;
    big = small_take(sizeof *big, who);
    if (big == NULL)
        return NULL;
    big->held = big->lost = false;
    if (kernel_map(&big->region, PURPOSE_HEAP, big_name, pages_of(bytes), HOLE_BELOW, OWNER_HEAP) != 0) {
        small_give(big, sizeof *big, who);
        __atomic_fetch_add(&heap_undone, 1, __ATOMIC_RELAXED);
        return NULL;
    }
    big->bytes = bytes;
    big->taker = (uint32_t)who;
    put_guard(big);

    state = lock_take(&kernel_map_lock);
    big->held = true;
    lock_drop(&kernel_map_lock, state);
    return big_start_of(big);
}

/* What is to become of a pointer that is given back. */
enum verdict { GIVE, REFUSE_POINTER, REFUSE_DAMAGE, REFUSE_SIZE };

static enum verdict big_judge(const struct big *big, const void *block, size_t said)
{
    deep_assert(big == NULL || big->held);
    if (big == NULL || big_start_of(big) != block || big->lost)
        return REFUSE_POINTER;
    if (!big_is_intact(big))
        return REFUSE_DAMAGE;
    return said != ANY_SIZE && said != big->bytes ? REFUSE_SIZE : GIVE;
}

void big_give(void *block, size_t said, vaddr_t who)
{
    lock_state   state = lock_take(&kernel_map_lock);
    struct big  *big = big_find(block);
    enum verdict verdict = big_judge(big, block, said);
    size_t       bytes = big ? big->bytes : 0;
    uint32_t     taker = big ? big->taker : 0;

    if (verdict == GIVE) {
        big->held = false;                              /* no other call finds it from now on */
        gone[gone_next].block = block;
        gone[gone_next].bytes = bytes;
        gone[gone_next].giver = (uint32_t)who;
        gone_next = (gone_next + 1) % REMEMBERED;
    } else if (verdict == REFUSE_DAMAGE) {
        big->lost = true;
    }
    lock_drop(&kernel_map_lock, state);

    switch (verdict) {
    case GIVE:
        kernel_unmap(&big->region);
        small_give(big, sizeof *big, who);
        break;
    case REFUSE_POINTER:
        misuse_of_pointer(block, who);
        break;
    case REFUSE_DAMAGE:
        misuse_overflow(block, bytes, taker, who);
        break;
    case REFUSE_SIZE:
        misuse_of_size(block, bytes, said, who);
        break;
    }
}

bool big_refit(void *block, size_t bytes)
{
    lock_state  state = lock_take(&kernel_map_lock);
    struct big *big = big_find(block);
    bool        fits;

    assert(big != NULL);                                /* heap_resize() has measured it */
    fits = pages_of(bytes) == span_pages(big->region.span) - big->region.guard;
    if (fits) {
        big->bytes = bytes;
        put_guard(big);
    }
    lock_drop(&kernel_map_lock, state);
    return fits;
}
