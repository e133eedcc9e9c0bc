/*
 * heap_misuse.c - misuse of the heap: the kind, the block, and the code that did it.
 *
 * Each report is one line of text with two code addresses, marked '@': the code that did or
 * found it, and the code that took or gave back the block before. Nothing is repaired: the
 * block stays as it is, so that it can be looked at, and is never handed out again if damaged.
 */
#include "memory/heap/heap_slab.h"

#include "base/check.h"
#include "base/print.h"
#include "base/string.h"

const char *const heap_misuse_names[HEAP_MISUSES] = {
    [HEAP_DOUBLE_FREE] = "double free",             [HEAP_FOREIGN] = "foreign pointer",
    [HEAP_INTERIOR] = "pointer into a block",       [HEAP_WRITE_AFTER_FREE] = "write after free",
    [HEAP_OVERFLOW] = "write past the end",         [HEAP_WRONG_SIZE] = "wrong size",
};

static uint32_t counts[HEAP_MISUSES];                   /* [a] */

void misuse_start(void) { memset(counts, 0, sizeof counts); }

uint32_t misuse_count(enum heap_misuse which) { return __atomic_load_n(&counts[which], __ATOMIC_RELAXED); }

/* Blocks keep the low half of a code address: the kernel's code lies within 4 GiB. */
static unsigned long misuse_code(uint32_t low)
{
    return (unsigned long)(((uint64_t)(uintptr_t)heap_free & ~(uint64_t)UINT32_MAX) | low);
}

static unsigned long misuse_at(const void *block) { return (unsigned long)address_of(block); }

/* "; WHO @0x...", or nothing where no address is known. */
static void misuse_finish(const char *who, uint32_t low)
{
    if (low != 0)
        print("; %s @0x%08lx", who, misuse_code(low));
    print("\n");
}

static void misuse_found(enum heap_misuse which)
{
    deep_assert(which < HEAP_MISUSES);
    __atomic_fetch_add(&counts[which], 1, __ATOMIC_RELAXED);
    print("heap: %s: ", heap_misuse_names[which]);
}

/* ---- Ready, or live? --------------------------------------------------------------------- */

bool magazines_hold(const void *block, unsigned class)
{
    deep_assert(class < HEAP_CLASSES);
    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++)
        for (uint32_t i = 0; i < heap_magazines[cpu][class].count && i < MAGAZINE; i++)
            if (heap_magazines[cpu][class].blocks[i] == block)
                return true;
    return false;
}

/* ---- Pointers that are not the start of a live block ---------------------------------- */

static void double_free(const void *block, size_t bytes, uint32_t first, vaddr_t who)
{
    misuse_found(HEAP_DOUBLE_FREE);
    print("0x%08lx (%zu bytes) by @0x%08lx", misuse_at(block), bytes, (unsigned long)who);
    misuse_finish("first freed by", first);
}

static void misuse_interior(const void *pointer, const void *block, size_t bytes, uint32_t taker, vaddr_t who)
{
    misuse_found(HEAP_INTERIOR);
    print("0x%08lx by @0x%08lx, %zu bytes into 0x%08lx (%zu bytes)", misuse_at(pointer), (unsigned long)who,
          (size_t)((uintptr_t)pointer - (uintptr_t)block), misuse_at(block), bytes);
    misuse_finish("taken by", taker);
}

static void misuse_foreign(const void *pointer, vaddr_t who)
{
    misuse_found(HEAP_FOREIGN);
    print("0x%08lx by @0x%08lx was never a block of this heap\n", misuse_at(pointer), (unsigned long)who);
}

/* The start of the block that has this byte of the slab area, or NULL. */
static void *block_enclosing(const void *pointer)
{
    size_t             offset = slab_offset(pointer);
    uint32_t           page = (uint32_t)(offset / PAGE_SIZE);
    const struct slab *slab;
    uint32_t           index;

    deep_assert(in_slab_area(pointer));
    if (page % CHUNK_PAGES == 0)
        return NULL;
    page -= slab_at(page)->back;
    slab = slab_at(page);
    if (slab->pages == 0)
        return NULL;
    index = (uint32_t)(offset - (size_t)page * PAGE_SIZE) / heap_classes[slab->class].slot;
    if (index >= class_blocks(slab->class))
        return NULL;
    return (char *)slab_bytes(page) + index * heap_classes[slab->class].slot;
}

static void misuse_of_slab_pointer(const void *pointer, vaddr_t who)
{
    const void *block = block_enclosing(pointer);
    uint8_t     state;
    size_t      room;

    if (block == NULL) {
        misuse_foreign(pointer, who);
        return;
    }
    state = state_of(block);
    room = class_room(state & BLOCK_CLASS);
    if ((state & BLOCK_KIND) == BLOCK_LOST)
        double_free(block, 0, 0, who);
    else if ((state & BLOCK_KIND) == BLOCK_OUT && !magazines_hold(block, state & BLOCK_CLASS))
        misuse_interior(pointer, block, live_bytes(block, room), live_taker(block, room), who);
    else if (free_giver(block) == 0 && free_is_intact(block))
        misuse_foreign(pointer, who);                          /* never handed out yet */
    else
        double_free(block, live_bytes(block, room), free_giver_if_known(block, room), who);
}

void misuse_of_pointer(const void *pointer, vaddr_t who)
{
    struct big big;
    uint32_t   giver = 0;

    if (in_slab_area(pointer)) {
        misuse_of_slab_pointer(pointer, who);
        return;
    }
    switch (big_locate(pointer, &big, &giver)) {
    case BIG_START:                                     /* found damaged before, and lost */
        double_free(pointer, big.bytes, 0, who);
        break;
    case BIG_INSIDE:
        misuse_interior(pointer, big_start_of(&big), big.bytes, big.taker, who);
        break;
    case BIG_GONE:
        double_free(pointer, big.bytes, giver, who);
        break;
    default:
        misuse_foreign(pointer, who);
    }
}

/* ---- Blocks with a damaged guard or tag ------------------------------------------------ */

void misuse_overflow(const void *block, size_t bytes, uint32_t taker, vaddr_t who)
{
    misuse_found(HEAP_OVERFLOW);
    if (bytes <= HEAP_SMALL || !in_slab_area(block)) {
        print("0x%08lx (%zu bytes), found when @0x%08lx gave it back", misuse_at(block), bytes, (unsigned long)who);
        misuse_finish("taken by", taker);
    } else {
        print("0x%08lx, its size overwritten as well, found when @0x%08lx gave it back\n", misuse_at(block),
              (unsigned long)who);
    }
}

bool misuse_of_damaged(const void *block, unsigned class, vaddr_t who)
{
    size_t room = class_room(class);
    bool   live = !magazines_hold(block, class);

    if (live)
        misuse_overflow(block, live_bytes(block, room), live_taker(block, room), who);
    else
        misuse_of_pointer(block, who);
    return live;
}

void misuse_after_free(const void *block, unsigned class, vaddr_t who)
{
    deep_assert(class < HEAP_CLASSES);
    misuse_found(HEAP_WRITE_AFTER_FREE);
    print("0x%08lx (%u bytes), found when @0x%08lx took it", misuse_at(block), live_bytes(block, class_room(class)),
          (unsigned long)who);
    misuse_finish("freed by", free_giver_if_known(block, class_room(class)));
}

void misuse_of_size(const void *block, size_t bytes, size_t said, vaddr_t who)
{
    misuse_found(HEAP_WRONG_SIZE);
    print("0x%08lx has %zu bytes, @0x%08lx gives back %zu\n", misuse_at(block), bytes, (unsigned long)who, said);
}

/* ---- Checked builds: free blocks hold a pattern ------------------------------------------ */

void block_fill(void *block, size_t room)
{
    deep_assert(room >= TAG_BYTES);
    memset((char *)block + TAG_BYTES, FREE_FILL, room - TAG_BYTES);
}

bool block_fill_is_intact(const void *block, size_t room)
{
    uint32_t       bytes = live_bytes(block, room);
    const uint8_t *first = block;

    if (bytes > room || (bytes >= TAG_BYTES && !free_giver_is_confirmed(block, room)))
        return false;
    for (size_t n = TAG_BYTES; n < room; n++)
        if (first[n] != FREE_FILL && (n < bytes || n >= bytes + sizeof(uint32_t)))
            return false;
    return true;
}
