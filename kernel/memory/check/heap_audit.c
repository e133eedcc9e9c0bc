/*
 * heap_audit.c - H1..H5, checked by walking the book under the map lock of kernel space and the heap lock.
 *
 * Calls of other CPUs meanwhile may be seen half done.
 */
#include "memory/heap/heap_slab.h"

#include "base/check.h"
#include "memory/audit.h"
#include "memory/tables/cursor.h"
#include "memory/frames/frame.h"
#include "memory/spaces/space.h"

static unsigned long block_address(const void *block) { return (unsigned long)address_of(block); }

static unsigned kind_of(const void *block)  { return state_of(block) & BLOCK_KIND; }
static unsigned class_of(const void *block) { return state_of(block) & BLOCK_CLASS; }

static uint32_t pages_with_book(void) { return (uint32_t)(heap.limit / PAGE_SIZE); }

/* ---- H1, H4: slabs and their blocks ------------------------------------------------------ */

static void audit_free(const void *block, size_t room, struct audit_report *report)
{
    if (!free_is_intact(block) || (IS_CHECKED && !block_fill_is_intact(block, room)))
        audit_fail(report, "H4", "free block 0x%08lx has been written", block_address(block));
}

/* By its own words, or, if those have been written, because a magazine holds it. */
static bool is_ready(const void *block, unsigned class)
{
    size_t room = class_room(class);

    if (live_is_intact(block, room))
        return false;
    if (free_is_intact(block) && (live_bytes(block, room) < TAG_BYTES || free_giver_is_confirmed(block, room)))
        return true;
    return magazines_hold(block, class);
}

/* `ready` counts the blocks that are. */
static void audit_block(const void *block, unsigned class, uint32_t *ready, struct audit_report *report)
{
    size_t room = class_room(class);

    switch (kind_of(block)) {
    case BLOCK_FREE:
        audit_free(block, room, report);
        break;
    case BLOCK_OUT:
        if (is_ready(block, class)) {
            audit_free(block, room, report);
            (*ready)++;
        } else if (!live_is_intact(block, room)) {
            audit_fail(report, "H4", "live block 0x%08lx has lost its guard", block_address(block));
        }
        break;
    case BLOCK_LOST:
        break;
    default:
        audit_fail(report, "H1", "block 0x%08lx has state 0x%02x", block_address(block), state_of(block));
    }
    if (class_of(block) != class)
        audit_fail(report, "H1", "block 0x%08lx is of class %u in a slab of class %u", block_address(block),
                   class_of(block), class);
    report->checked++;
}

static enum slab_list list_for(const struct slab *slab)
{
    if (slab->out == 0)
        return LIST_EMPTY;
    return slab->out == class_blocks(slab->class) ? LIST_NONE : LIST_PARTLY;
}

/* Whether these pages of a chunk can be looked at: bit n of `mapped` says that page n is mapped. */
static bool are_mapped(uint32_t mapped, unsigned n, unsigned pages)
{
    for (unsigned end = n + pages; n < end && n < CHUNK_PAGES; n++)
        if (!(mapped >> n & 1))
            return false;
    return true;
}

static void audit_slab(uint32_t page, uint32_t mapped, uint32_t *ready, struct audit_report *report)
{
    const struct slab *slab = slab_at(page);
    size_t             slot = slab->class < HEAP_CLASSES ? heap_classes[slab->class].slot : 0;
    const char        *block = slab_bytes(page);
    const char        *end = block + slab->pages * PAGE_SIZE;
    uint32_t           out = 0, index = 0;

    if (slot == 0 || slab->pages != heap_classes[slab->class].pages) {
        audit_fail(report, "H1", "slab 0x%08lx has class %u and %u pages", block_address(block), slab->class,
                   slab->pages);
        return;
    }
    if (!are_mapped(mapped, page % CHUNK_PAGES, slab->pages))
        return;                                         /* audit_page() reports that: H2 */
    for (const char *granule = block; granule < end; granule += HEAP_ALIGN) {
        if (granule == block && index < class_blocks(slab->class)) {
            audit_block(block, slab->class, ready, report);
            out += kind_of(block) != BLOCK_FREE;
            block += slot;
            index++;
        } else if (state_of(granule) != 0) {
            audit_fail(report, "H1", "a block begins at 0x%08lx, inside another", block_address(granule));
        }
    }
    if (out != slab->out)
        audit_fail(report, "H1", "slab 0x%08lx counts %u blocks out, its states say %u",
                   block_address(slab_bytes(page)), slab->out, out);
    if (slab->list != list_for(slab))
        audit_fail(report, "H1", "slab 0x%08lx with %u of %u blocks out is in list %u", block_address(slab_bytes(page)),
                   slab->out, class_blocks(slab->class), slab->list);
}

static bool book_says(uint32_t page, unsigned class, enum slab_list list)
{
    const struct slab *slab = slab_at(page);

    return page % CHUNK_PAGES != 0 && slab->pages > 0 && slab->class == class && slab->list == list;
}

/* A list has exactly those slabs whose descriptors name it. */
static void audit_list(uint32_t head, unsigned class, enum slab_list list, struct audit_report *report)
{
    uint32_t listed = 0, expected = 0;
    bool     strange = false;

    for (uint32_t page = 0; page < pages_with_book(); page++)
        expected += book_says(page, class, list);
    for (uint32_t page = head; page != NO_PAGE && listed <= expected && !strange; listed++) {
        strange = page >= pages_with_book() || !book_says(page, class, list);
        page = strange ? NO_PAGE : slab_at(page)->link.next;
    }
    if (strange || listed != expected || (list == LIST_EMPTY && listed > 1))
        audit_fail(report, "H1", "class %u: %u slabs listed as %s, %u slabs say so", class, listed,
                   list == LIST_EMPTY ? "empty" : "partly used", expected);
}

/* ---- H2: pages of the slab area ------------------------------------------------------------ */

static bool page_belongs(uint32_t page)
{
    const struct slab *slab = slab_at(page), *first;

    if (page % CHUNK_PAGES == 0 || slab->back >= page % CHUNK_PAGES)
        return false;
    first = slab_at(page - slab->back);
    return first->pages > slab->back;
}

/* Bit n: page n of the chunk is mapped. */
static uint32_t mapped_pages(uint32_t first)
{
    page_t        page = heap.first_page + first;
    uint32_t      mapped = 0;
    struct cursor c;

    if (cursor_open(&c, &kernel_space, span_of(page, CHUNK_PAGES), 0) != 0)
        return 0;
    for (unsigned n = 0; n < CHUNK_PAGES; n++)
        mapped |= (uint32_t)entry_present(cursor_read(&c, page + n)) << n;
    cursor_close(&c);
    return mapped;
}

static void audit_page(uint32_t page, bool free, bool mapped, struct audit_report *report)
{
    if (page_belongs(page) == free)
        audit_fail(report, "H2", "page 0x%08lx is %s, its chunk says %s", block_address(slab_bytes(page)),
                   free ? "a slab's" : "no slab's", free ? "free" : "used");
    if (mapped == free)
        audit_fail(report, "H2", "page 0x%08lx is %s and %smapped", block_address(slab_bytes(page)),
                   free ? "free" : "a slab's", mapped ? "" : "not ");
    report->checked++;
}

/* One chunk: its pages, and those of its slabs that can be looked at. The heap lock is held. Adds its ready blocks. */
static void audit_chunk(uint32_t first, uint32_t *ready, struct audit_report *report)
{
    uint32_t mapped = mapped_pages(first), free = chunk_at(first)->free | 1;

    for (unsigned n = 0; n < CHUNK_PAGES; n++) {
        audit_page(first + n, free >> n & 1, mapped >> n & 1, report);
        if (n > 0 && slab_at(first + n)->pages > 0)
            audit_slab(first + n, mapped, ready, report);
    }
}

/* ---- H3: magazines --------------------------------------------------------------------------- */

static bool is_out(const void *block, unsigned class)
{
    return in_slab_area(block) && (uintptr_t)block % HEAP_ALIGN == 0 && state_of(block) == (BLOCK_OUT | class);
}

static void audit_magazine(const struct magazine *magazine, unsigned cpu, unsigned class,
                           struct audit_report *report)
{
    if (magazine->count > magazine->limit) {
        audit_fail(report, "H3", "CPU %u, class %u: the magazine counts %u blocks of at most %u", cpu, class,
                   magazine->count, magazine->limit);
        return;
    }
    for (uint32_t i = 0; i < magazine->count; i++) {
        const void *block = magazine->blocks[i];

        report->checked++;
        if (!is_out(block, class))
            audit_fail(report, "H3", "CPU %u has 0x%08lx at hand, which is no ready block of class %u", cpu,
                       block_address(block), class);
        for (uint32_t k = 0; k < i; k++)
            if (magazine->blocks[k] == block)
                audit_fail(report, "H3", "CPU %u has 0x%08lx at hand twice", cpu, block_address(block));
    }
}

/* Whether a block of the slab area lies in a page that can be looked at. */
static bool can_be_seen(const void *block)
{
    uint32_t page = (uint32_t)(slab_offset(block) / PAGE_SIZE);

    return mapped_pages(page - page % CHUNK_PAGES) >> page % CHUNK_PAGES & 1;
}

/* How many blocks a magazine holds, but for those that cannot be looked at. None of them is live. */
static uint32_t audit_held(const struct magazine *magazine, unsigned cpu, unsigned class, struct audit_report *report)
{
    uint32_t held = magazine->count;

    if (magazine->count > magazine->limit)
        return held;                                    /* audit_magazine() reports that, and what is no block */
    for (uint32_t i = 0; i < magazine->count; i++) {
        const void *block = magazine->blocks[i];

        if (!is_out(block, class))
            continue;
        if (!can_be_seen(block))
            held--;
        else if (live_is_intact(block, class_room(class)))
            audit_fail(report, "H3", "CPU %u has 0x%08lx at hand, which is live", cpu, block_address(block));
    }
    return held;
}

/* There are as many ready blocks as the magazines hold; a block in two magazines makes them one too few. */
static void audit_ready(uint32_t ready, struct audit_report *report)
{
    uint32_t held = 0;

    for (unsigned class = 0; class < HEAP_CLASSES; class++)
        for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++)
            held += audit_held(&heap_magazines[cpu][class], cpu, class, report);
    if (held != ready)
        audit_fail(report, "H3", "magazines hold %u blocks, %u are ready", held, ready);
}

/* ---- All of it ------------------------------------------------------------------------------- */

/* The guards of the big blocks. The map lock is held. Returns the pages of all big blocks. */
static uint32_t audit_big(struct audit_report *report)
{
    uint32_t pages = 0;

    for (const struct big *big = big_after(NULL); big; big = big_after(big)) {
        pages += (uint32_t)(span_pages(big->region.span) - big->region.guard);
        report->checked++;
        if (!big->lost && !big_is_intact(big))
            audit_fail(report, "H4", "block of %zu bytes at page 0x%05lx000 has lost its guard", big->bytes,
                       (unsigned long)(big->region.span.first + big->region.guard));
    }
    return pages;
}

/* Lists, magazines, and the number of frames (H5); `pages` are the big blocks'. Both locks are held. */
static void audit_whole(uint32_t pages, struct audit_report *report)
{
    for (unsigned class = 0; class < HEAP_CLASSES; class++) {
        audit_list(heap.partly[class], class, LIST_PARTLY, report);
        audit_list(heap.empty[class], class, LIST_EMPTY, report);
        for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++)
            audit_magazine(&heap_magazines[cpu][class], cpu, class, report);
    }
    pages += pages_with_book() / CHUNK_PAGES;
    for (uint32_t page = 0; page < pages_with_book(); page++)
        pages += page % CHUNK_PAGES != 0 ? slab_at(page)->pages : 0;
    if (pages != frames_owned(OWNER_HEAP))
        audit_fail(report, "H5", "the heap counts %u pages, %u frames are the heap's", pages,
                   frames_owned(OWNER_HEAP));
}

void heap_audit(struct audit_report *report)
{
    lock_state map = lock_take(&kernel_map_lock);
    uint32_t   big_pages = audit_big(report);
    lock_state state = lock_take(&heap.lock);
    uint32_t   ready = 0;

    for (uint32_t first = 0; first < pages_with_book(); first += CHUNK_PAGES)
        audit_chunk(first, &ready, report);
    audit_ready(ready, report);
    audit_whole(big_pages, report);
    lock_drop(&heap.lock, state);
    lock_drop(&kernel_map_lock, map);
}

bool heap_audit_part(uint32_t part, struct audit_report *report)
{
    lock_state map = lock_take(&kernel_map_lock);
    uint32_t   big_pages = part == 0 ? audit_big(report) : 0;
    lock_state state = lock_take(&heap.lock);
    uint32_t   first = (part - 1) * CHUNK_PAGES, ready = 0;
    bool       last;

    if (part == 0)
        audit_whole(big_pages, report);
    else if (first < pages_with_book())
        audit_chunk(first, &ready, report);
    last = part * CHUNK_PAGES >= pages_with_book();
    lock_drop(&heap.lock, state);
    lock_drop(&kernel_map_lock, map);
    return last;
}

bool heap_ok(void)
{
    struct audit_report report = { 0 };

    heap_audit(&report);
    return report.failed == 0;
}
