/*
 * corrupt_parts.c - corrupting the kernel heap, kernel stacks and objects.
 */
#include "memory/check/corrupt.h"

#include "base/check.h"
#include "memory/tables/cursor.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"
#include "memory/heap/heap_slab.h"
#include "memory/pageout/swap_parts.h"
#include "memory/spaces/object_parts.h"
#include "memory/spaces/space.h"
#include "memory/heap/stack.h"

enum { BLOCK = 40 };

static char *volatile block;            /* volatile: else the compiler would object to corrupt_h4() */
static struct region region;

/* ---- H: the heap ---------------------------------------------------------------------------------- */

static bool take_block(void) { return (block = heap_alloc(BLOCK, 0)) != NULL; }

/* The descriptor of the slab that the block lies in. */
static struct slab *slab_of_block(uint32_t *page)
{
    *page = (uint32_t)(slab_offset(block) / PAGE_SIZE);
    *page -= slab_at(*page)->back;
    return slab_at(*page);
}

bool corrupt_h1(void)
{
    uint32_t page;

    if (!take_block())
        return false;
    slab_of_block(&page)->out++;
    return true;
}

void restore_h1(void)
{
    uint32_t page;

    slab_of_block(&page)->out--;
    heap_free(block);
}

static void turn_page_of_block(void)
{
    uint32_t page;

    (void)slab_of_block(&page);
    chunk_at(page)->free ^= (uint16_t)(1u << page % CHUNK_PAGES);
}

bool corrupt_h2(void)
{
    if (!take_block())
        return false;
    turn_page_of_block();
    return true;
}

void restore_h2(void)
{
    turn_page_of_block();
    heap_free(block);
}

static struct magazine *magazine;

/* The block that is freed is then in the magazine of its class. */
bool corrupt_h3(void)
{
    if (!take_block())
        return false;
    heap_free(block);
    for (unsigned class = 0; class < HEAP_CLASSES; class++) {
        magazine = magazine_of(class);
        if (magazine->count > 0) {
            magazine->count--;
            return true;
        }
    }
    return false;
}

void restore_h3(void) { magazine->count++; }

bool corrupt_h4(void)
{
    if (!take_block())
        return false;
    block[BLOCK] ^= 1;
    return true;
}

void restore_h4(void)
{
    block[BLOCK] ^= 1;
    heap_free(block);
}

bool corrupt_h5(void) { return kernel_map(&region, PURPOSE_HEAP, "corruption", 1, 0, OWNER_HEAP) == 0; }
void restore_h5(void)  { kernel_unmap(&region); }

/* ---- K: the stacks ---------------------------------------------------------------------------------- */

static struct stack  stack;
static struct cursor cursor;

static void protect_stack(struct rights rights)
{
    int err = cursor_open(&cursor, &kernel_space, span_of(page_of(stack.bottom), 1), 0);

    assert(err == 0);
    cursor_protect(&cursor, page_of(stack.bottom), rights);
    cursor_close(&cursor);
}

/* A BLOCKED page keeps its frame, so that no other invariant is broken. */
bool corrupt_k1(void)
{
    if (stack_get(&kernel_space, &stack) != 0)
        return false;
    protect_stack((struct rights){ 0, 0 });
    return true;
}

void restore_k1(void)
{
    protect_stack(layout.purpose[PURPOSE_STACKS]->rights);
    stack_put(&stack);
}

bool corrupt_k2(void) { return kernel_map(&region, PURPOSE_HEAP, "corruption", 1, 0, OWNER_STACK) == 0; }
void restore_k2(void)  { kernel_unmap(&region); }

bool corrupt_k3(void)
{
    kernel_space.stacks->used++;
    return true;
}

void restore_k3(void)  { kernel_space.stacks->used--; }

/* ---- O: objects ----------------------------------------------------------------------------------- */

static struct object *corrupted;
static struct region  stray;

/* An object of one page, in memory. */
static bool make_object(void)
{
    frame_t frame;

    corrupted = object_create(OWNER_SHARED, 1);
    if (corrupted == NULL)
        return false;
    if (object_page(corrupted, 0, true, &frame) != 0) {
        object_release(corrupted);
        return false;
    }
    frame_put(frame);
    return true;
}

bool corrupt_o1(void)
{
    if (!make_object())
        return false;
    corrupted->pages = 0;
    return true;
}

void restore_o1(void)
{
    corrupted->pages = 1;
    object_release(corrupted);
}

bool corrupt_o2(void)
{
    if (!make_object())
        return false;
    corrupted->resident++;
    return true;
}

void restore_o2(void)
{
    corrupted->resident--;
    object_release(corrupted);
}

bool corrupt_o3(void)
{
    if (!make_object())
        return false;
    corrupted->mappings = &stray;
    return true;
}

void restore_o3(void)
{
    corrupted->mappings = NULL;
    object_release(corrupted);
}

/* A filling without a frame, so that no reference is at odds. */
bool corrupt_o4(void)
{
    static struct filling filling;

    if (!make_object())
        return false;
    filling = (struct filling){ .references = 1, .count = 1, .slot = NO_SLOT, .frames = { NO_FRAME } };
    corrupted->fillings = &filling;
    return true;
}

void restore_o4(void)
{
    corrupted->fillings = NULL;
    object_release(corrupted);
}

/* ---- G and X5: swap slots ---------------------------------------------------------------------------- */

static uint32_t free_slot;

/* The free list is cut off; or, while there are no slots, leads to one. */
bool corrupt_g1(void)
{
    free_slot = swap.packed.first_free;
    swap.packed.first_free = free_slot == NO_SLOT ? 0 : NO_SLOT;
    return true;
}

void restore_g1(void) { swap.packed.first_free = free_slot; }

bool corrupt_g2(void)
{
    swap.packed.used++;
    return true;
}

void restore_g2(void) { swap.packed.used--; }

bool corrupt_g3(void)
{
    swap.bad++;
    return true;
}

void restore_g3(void) { swap.bad--; }

bool corrupt_x5(void) { return swap_store("page", 4, &free_slot) == 0; }
void restore_x5(void) { swap_put(free_slot); }
