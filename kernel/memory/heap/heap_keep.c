/*
 * heap_keep.c - memory that is never given back, from the page in which a packed heap begins.
 */
#include "memory/heap/heap.h"

#include "base/lock.h"
#include "base/range.h"
#include "base/string.h"
#include "cpu.h"
#include "memory/layout.h"

static struct lock lock = LOCK("head of the heap", RANK_HEAP);
static size_t      used;                        /* [lock] bytes of the heap's first, partial page */

/*
 * The bytes from the heap's first byte to its first whole page. The page they lie in is the lower neighbour's, and
 * mapped.
 */
static size_t head_bytes(void)
{
    const struct layout_region *heap = layout.purpose[PURPOSE_HEAP];

    return (size_t)(page_address(heap->span.first) - heap->first_byte);
}

void *heap_keep(size_t bytes)
{
    const struct layout_region *heap = layout.purpose[PURPOSE_HEAP];
    lock_state state = lock_take(&lock);
    size_t     start = (size_t)(round_down(heap->first_byte + used + HEAP_ALIGN - 1, HEAP_ALIGN) - heap->first_byte);
    bool       fits  = start <= head_bytes() && bytes <= head_bytes() - start;

    if (fits)
        used = start + bytes;
    lock_drop(&lock, state);
    return fits ? memset(pointer_to(heap->first_byte + start), 0, bytes) : heap_alloc(bytes, HEAP_ZERO);
}

size_t heap_kept(size_t *of)
{
    *of = head_bytes();
    return used;
}
