/*
 * heap_slab.c - slabs: runs of pages cut into equal blocks, made and given back as needed.
 *
 * Called only when a magazine is empty or full. Partly used slabs come first, then the empty slab
 * that the class has kept, then a new one, from a chunk whose free runs are no longer than needed.
 */
#include "memory/heap/heap_slab.h"

#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "cpu.h"
#include "memory/spaces/space.h"

#define ROW(slot, pages) { (slot), (pages) }
const struct heap_class heap_classes[HEAP_CLASSES] = {
    ROW(16, 1),   ROW(32, 1),   ROW(48, 1),   ROW(64, 1),   ROW(80, 1),   ROW(96, 1),   ROW(112, 1),
    ROW(128, 1),  ROW(144, 1),  ROW(176, 1),  ROW(208, 1),  ROW(240, 1),  ROW(272, 1),  ROW(336, 1),
    ROW(400, 1),  ROW(464, 1),  ROW(528, 1),  ROW(656, 1),  ROW(784, 1),  ROW(912, 1),  ROW(1040, 2),
    ROW(1296, 1), ROW(1552, 2), ROW(1808, 1), ROW(2064, 2),
};
#undef ROW

struct heap heap;

static struct region book_region, slabs_region;

/* ---- Lists ----------------------------------------------------------------------------- */

static void list_add(uint32_t *head, uint32_t page)
{
    struct heap_link *link = &slab_at(page)->link;

    deep_assert(page != NO_PAGE && *head != page);
    *link = (struct heap_link){ *head, NO_PAGE };
    if (*head != NO_PAGE)
        slab_at(*head)->link.previous = page;
    *head = page;
}

static void list_remove(uint32_t *head, uint32_t page)
{
    struct heap_link link = slab_at(page)->link;

    deep_assert(link.previous != NO_PAGE ? slab_at(link.previous)->link.next == page : *head == page);
    if (link.previous == NO_PAGE)
        *head = link.next;
    else
        slab_at(link.previous)->link.next = link.next;
    if (link.next != NO_PAGE)
        slab_at(link.next)->link.previous = link.previous;
}

static uint32_t *list_head(const struct slab *slab)
{
    deep_assert(slab->list != LIST_NONE && slab->class < HEAP_CLASSES);
    return slab->list == LIST_PARTLY ? &heap.partly[slab->class] : &heap.empty[slab->class];
}

/* Put a slab into the list that its count asks for. */
static void slab_relist(uint32_t page)
{
    struct slab *slab = slab_at(page);
    uint8_t      list = LIST_PARTLY;

    deep_assert(lock_held(&heap.lock) && slab->back == 0 && slab->out <= class_blocks(slab->class));
    if (slab->out == 0)
        list = LIST_EMPTY;
    else if (slab->out == class_blocks(slab->class))
        list = LIST_NONE;
    if (list == slab->list)
        return;
    if (slab->list != LIST_NONE)
        list_remove(list_head(slab), page);
    slab->list = list;
    if (list != LIST_NONE)
        list_add(list_head(slab), page);
}

/* ---- Chunks ---------------------------------------------------------------------------- */

static uint16_t longest_run(uint16_t free)
{
    return free == 0 ? 0 : (free & free >> 1) ? 2 : 1;
}

_Static_assert(SLAB_PAGES == 2, "longest_run() tells runs of one page from longer ones");

enum { ALL_FREE = 0xFFFE };                             /* page 0 is the guard */

/* Change which pages of a chunk are free, and its list with it. */
static void chunk_set_free(uint32_t first, uint16_t free)
{
    struct chunk *chunk = chunk_at(first);
    uint16_t      run = longest_run(free);

    deep_assert(first % CHUNK_PAGES == 0 && (free & ~ALL_FREE) == 0);
    chunk->free = free;
    if (run != chunk->run) {
        list_remove(&heap.chunks[chunk->run], first);
        list_add(&heap.chunks[run], first);
        chunk->run = run;
    }
}

static void slabs_set_limit(size_t bytes)
{
    deep_assert(bytes % CHUNK_BYTES == 0);
    heap.limit = bytes;
    __atomic_store_n(&heap.granules, bytes / HEAP_ALIGN, __ATOMIC_RELAXED);
}

/* One more chunk at the high end. Returns 0 or -ENOMEM. */
static int slabs_grow(void)
{
    uint32_t first = (uint32_t)(heap.limit / PAGE_SIZE);
    page_t   book = heap.first_book + first / CHUNK_PAGES;

    deep_assert(lock_held(&heap.lock) && heap.limit % CHUNK_BYTES == 0 && heap.limit <= heap.most);
    if (heap.limit == heap.most || heap_pages_map(book, 1) != 0)
        return -ENOMEM;
    memset(slab_at(first), 0, PAGE_SIZE);
    *chunk_at(first) = (struct chunk){ .free = ALL_FREE, .run = longest_run(ALL_FREE) };
    list_add(&heap.chunks[longest_run(ALL_FREE)], first);
    slabs_set_limit(heap.limit + CHUNK_BYTES);
    return 0;
}

/* Give back the books of free chunks at the high end, a few at a time. Returns whether there are more. */
static bool slabs_shrink(void)
{
    enum { AT_ONCE = 2 };

    deep_assert(lock_held(&heap.lock));
    for (unsigned books = 0; heap.limit > 0; books++) {        /* bound: AT_ONCE */
        uint32_t first = (uint32_t)(heap.limit / PAGE_SIZE) - CHUNK_PAGES;

        if (chunk_at(first)->free != ALL_FREE)
            return false;
        if (books == AT_ONCE)
            return true;
        list_remove(&heap.chunks[chunk_at(first)->run], first);
        slabs_set_limit(heap.limit - CHUNK_BYTES);
        heap_pages_unmap(heap.first_book + first / CHUNK_PAGES, 1);
    }
    return false;
}

/* The first page of a free run, or NO_PAGE when a chunk is needed. */
static uint32_t slab_find_run(unsigned pages)
{
    deep_assert(pages > 0 && pages <= SLAB_PAGES);
    for (unsigned run = pages; run <= SLAB_PAGES; run++) {
        uint32_t first = heap.chunks[run];

        if (first != NO_PAGE) {
            uint16_t free = chunk_at(first)->free;

            return first + (uint32_t)__builtin_ctz(pages == 1 ? free : free & free >> 1);
        }
    }
    return NO_PAGE;
}

static uint16_t bits_of(uint32_t page, unsigned pages)
{
    deep_assert(page % CHUNK_PAGES > 0 && page % CHUNK_PAGES + pages <= CHUNK_PAGES);
    return (uint16_t)(((1u << pages) - 1) << page % CHUNK_PAGES);
}

/* ---- Slabs ----------------------------------------------------------------------------- */

/* Cut the pages of a new slab, which are mapped, into blocks. */
static void slab_cut(uint32_t page, unsigned class)
{
    unsigned pages = heap_classes[class].pages;
    size_t   slot = heap_classes[class].slot;
    char    *block = slab_bytes(page);

    deep_assert((chunk_at(page)->free & bits_of(page, pages)) == bits_of(page, pages));
    chunk_set_free(page - page % CHUNK_PAGES, chunk_at(page)->free & (uint16_t)~bits_of(page, pages));
    for (unsigned i = 0; i < pages; i++)
        *slab_at(page + i) = (struct slab){ .back = (uint8_t)i, .class = (uint8_t)class };
    slab_at(page)->pages = (uint8_t)pages;
    for (uint32_t n = class_blocks(class); n > 0; n--, block += slot) {
        set_state(block, BLOCK_FREE + class);
        if (IS_CHECKED)
            block_fill(block, class_room(class));
        block_make_new(block, class_room(class));
    }
    slab_relist(page);
}

/* Returns the new slab's page, in the list of empty ones, or NO_PAGE. */
static uint32_t slab_new(unsigned class)
{
    unsigned pages = heap_classes[class].pages;
    uint32_t page = slab_find_run(pages);

    if (page == NO_PAGE) {
        if (slabs_grow() != 0)
            return NO_PAGE;
        page = slab_find_run(pages);
    }
    if (heap_pages_map(heap.first_page + page, pages) != 0) {
        (void)slabs_shrink();                                 /* undo slabs_grow() */
        return NO_PAGE;
    }
    slab_cut(page, class);
    return page;
}

/* Give back the pages of a slab that is in no list and has no block out. */
static void slab_end(uint32_t page)
{
    unsigned pages = slab_at(page)->pages;

    deep_assert(slab_at(page)->out == 0 && pages > 0 && pages <= SLAB_PAGES);
    memset(state_at(slab_bytes(page)), 0, pages * (PAGE_SIZE / HEAP_ALIGN));
    memset(slab_at(page), 0, pages * sizeof(struct slab));
    heap_pages_unmap(heap.first_page + page, pages);
    chunk_set_free(page - page % CHUNK_PAGES, chunk_at(page)->free | bits_of(page, pages));
    (void)slabs_shrink();                       /* what is left is slabs_settle()'s */
}

static uint32_t pick_slab(unsigned class, bool may_make)
{
    deep_assert(lock_held(&heap.lock) && class < HEAP_CLASSES);
    if (heap.partly[class] != NO_PAGE)
        return heap.partly[class];
    if (heap.empty[class] != NO_PAGE)
        return heap.empty[class];
    return may_make ? slab_new(class) : NO_PAGE;
}

/* Take blocks out of one slab, lowest first. */
static unsigned slab_take_from(uint32_t page, void **blocks, unsigned want)
{
    struct slab *slab = slab_at(page);
    size_t       slot = heap_classes[slab->class].slot;
    uint32_t     left = class_blocks(slab->class) - slab->out;
    char        *block = (char *)slab_bytes(page) + slab->hint * HEAP_ALIGN;
    char        *end = (char *)slab_bytes(page) + slab->pages * PAGE_SIZE;
    unsigned     got = 0;

    deep_assert(want > 0 && left > 0);
    for (want = want < left ? want : left; got < want; block += slot) {
        assert(block < end);
        if ((state_of(block) & BLOCK_KIND) == BLOCK_FREE) {
            set_state(block, BLOCK_OUT + slab->class);
            blocks[got++] = block;
        }
    }
    slab->hint = (uint16_t)((block - (char *)slab_bytes(page)) / HEAP_ALIGN);
    slab->out += (uint16_t)got;
    slab_relist(page);
    return got;
}

/* Returns whether the slab's pages went with it. */
static bool slab_give_one(void *block)
{
    size_t       offset = slab_offset(block);
    uint32_t     page = (uint32_t)(offset / PAGE_SIZE);
    struct slab *slab;
    uint16_t     place;

    page -= slab_at(page)->back;
    slab = slab_at(page);
    deep_assert(slab->back == 0 && slab->out > 0 && (state_of(block) & BLOCK_KIND) != BLOCK_FREE);
    place = (uint16_t)((offset - (size_t)page * PAGE_SIZE) / HEAP_ALIGN);
    set_state(block, BLOCK_FREE + slab->class);
    if (place < slab->hint)
        slab->hint = place;
    if (--slab->out == 0 && heap.empty[slab->class] != NO_PAGE) {
        if (slab->list != LIST_NONE)
            list_remove(list_head(slab), page);
        slab_end(page);
        return true;
    }
    slab_relist(page);
    return false;
}

/* ---- For the magazines ------------------------------------------------------------------ */

unsigned slabs_take(unsigned class, void **blocks, unsigned want)
{
    lock_state state = lock_take(&heap.lock);
    unsigned   got = 0;

    deep_assert(want > 0);
    /* bound: `want`, half a magazine */
    while (got < want) {
        uint32_t page = pick_slab(class, got == 0);

        if (page == NO_PAGE)
            break;
        got += slab_take_from(page, blocks + got, want - got);
    }
    lock_drop(&heap.lock, state);
    return got;
}

unsigned slabs_give(void *const *blocks, unsigned count)
{
    lock_state state = lock_take(&heap.lock);
    unsigned   given = 0;
    bool       ended = false;

    while (given < count && !ended)             /* bound: `count`, a magazine */
        ended = slab_give_one(blocks[given++]);
    lock_drop(&heap.lock, state);
    return given;
}

bool slabs_settle(void)
{
    lock_state state = lock_take(&heap.lock);
    bool       more  = slabs_shrink();

    lock_drop(&heap.lock, state);
    return more;
}

void slabs_trim(void)
{
    lock_state state = lock_take(&heap.lock);

    /* bound: HEAP_CLASSES */
    for (unsigned class = 0; class < HEAP_CLASSES; class++) {
        uint32_t page = heap.empty[class];

        if (page != NO_PAGE) {
            list_remove(&heap.empty[class], page);
            slab_end(page);
        }
    }
    lock_drop(&heap.lock, state);
    while (slabs_settle())                      /* bound: a few books under one lock */
        ;
}

/* ---- Start ------------------------------------------------------------------------------ */

static void enter_region(struct region *region, const struct layout_region *window, const char *name,
                         struct span span)
{
    lock_state state = lock_take(&kernel_map_lock);
    int        err;

    deep_assert(span_covers(window->span, span));
    *region = (struct region){ .span = span, .rights = window->rights, .backing = BACKING_DEMAND,
                               .name = name, .home = window };
    err = region_insert(&kernel_space.map, region);
    lock_drop(&kernel_map_lock, state);
    assert(err == 0);                                   /* the window is still empty */
}

void slabs_start(const struct layout_region *window)
{
    size_t books = span_pages(window->span) / (2 * (CHUNK_PAGES + 1));      /* half of the window */

    assert(books > 0);
    heap.first_book = window->span.first;
    heap.first_page = heap.first_book + books;
    heap.book = pointer_to(page_address(heap.first_book));
    heap.slabs = pointer_to(page_address(heap.first_page));
    heap.states = (uintptr_t)heap.book - (uintptr_t)heap.slabs / HEAP_ALIGN;
    heap.most = books * CHUNK_BYTES;
    slabs_set_limit(0);
    heap.lock = (struct lock)LOCK("kernel heap", RANK_HEAP);
    for (unsigned class = 0; class < HEAP_CLASSES; class++)
        heap.partly[class] = heap.empty[class] = NO_PAGE;
    for (unsigned run = 0; run <= SLAB_PAGES; run++)
        heap.chunks[run] = NO_PAGE;
    enter_region(&book_region, window, "heap bookkeeping", span_of(heap.first_book, books));
    enter_region(&slabs_region, window, "heap slabs", span_of(heap.first_page, books * CHUNK_PAGES));
}
