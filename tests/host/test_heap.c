/*
 * test_heap.c - the kernel heap used as it should be: sizes, contents, and memory that comes back.
 */
#include <pthread.h>

#include "heap_world.h"
#include "memory/heap/heap_slab.h"

/* ---- What it costs to have a heap -------------------------------------------------------- */

static void a_heap_nobody_uses_holds_no_page(void)
{
    assert_int_equal(heap_pages(), 0);
    assert_sound();
}

static void the_first_block_costs_two_pages(void)
{
    take(64);
    assert_int_equal(heap_pages(), 2);                  /* the block's slab and the book */
    take(100);
    assert_int_equal(heap_pages(), 3);
    assert_sound();
}

/* However many blocks of a class come back, those at hand are no more bytes than four of the largest. */
static void what_is_at_hand_is_bounded_in_bytes(void)
{
    enum { MANY = 200 };
    static uint8_t *blocks[MANY];

    for (unsigned class = 0; class < HEAP_CLASSES; class++) {
        const struct magazine *magazine = &heap_magazines[0][class];
        size_t                 bytes = class_room(class) < HEAP_SMALL ? class_room(class) : HEAP_SMALL;

        for (unsigned i = 0; i < MANY; i++)
            blocks[i] = take(bytes);
        for (unsigned i = 0; i < MANY; i++)
            heap_free(blocks[i]);
        assert_true(magazine->count >= 2);
        assert_true(magazine->count * heap_classes[class].slot <= 4u * heap_classes[HEAP_CLASSES - 1].slot);
    }
    assert_sound();
}

/* No slot wastes more than a quarter of what is asked for and guarded, rounded to HEAP_ALIGN. */
static void slots_fit_what_they_are_for(void)
{
    for (size_t bytes = 0; bytes <= HEAP_SMALL; bytes++) {
        size_t needed = (bytes + GUARD_BYTES + HEAP_ALIGN - 1) / HEAP_ALIGN * HEAP_ALIGN;
        size_t slot = 0;

        for (unsigned class = 0; class < HEAP_CLASSES && slot < needed; class++)
            slot = heap_classes[class].slot;
        assert_true(slot >= needed && slot - needed <= needed / 4);
    }
    for (unsigned class = 0; class < HEAP_CLASSES; class++) {
        size_t bytes = heap_classes[class].pages * PAGE_SIZE;

        assert_true(class == 0 || heap_classes[class].slot > heap_classes[class - 1].slot);
        assert_true(bytes - class_blocks(class) * heap_classes[class].slot <= bytes / 4);
        assert_true(heap_classes[class].pages <= SLAB_PAGES);
    }
}

static void memory_comes_back_when_all_is_freed(void)
{
    enum { BLOCKS = 4000 };
    static uint8_t *blocks[BLOCKS];

    for (unsigned i = 0; i < BLOCKS; i++)
        blocks[i] = take(any(any(4) ? 200 : 6000));
    assert_sound();
    assert_true(heap_pages() > 300);
    for (unsigned i = 0; i < BLOCKS; i++)
        heap_free(blocks[i]);
    assert_sound();
    heap_drain();
    assert_int_equal(heap_pages(), 0);
    assert_int_equal(sums().live_blocks, 0);
    assert_int_equal(sums().live_bytes, 0);
    assert_sound();
}

/* Slabs are given back as they empty, all but one, without anybody calling heap_drain(). */
static void one_empty_slab_of_a_class_is_kept(void)
{
    enum { BLOCKS = 15 * 40 };
    uint8_t *blocks[BLOCKS];

    for (unsigned i = 0; i < BLOCKS; i++)
        blocks[i] = take(264);                          /* 15 to a page */
    assert_int_equal(sums().slab_pages, 40);
    for (unsigned i = 0; i < BLOCKS; i++)
        heap_free(blocks[i]);
    assert_true(sums().slab_pages <= 1 + MAGAZINE / 15 + 1);
    assert_sound();
}

/* Books go when the high chunks are free, whatever is left below. */
static void books_are_given_back_from_the_top(void)
{
    enum { BLOCKS = 3 * 100 };
    uint8_t *blocks[BLOCKS];

    for (unsigned i = 0; i < BLOCKS; i++)
        blocks[i] = take(1200);                         /* 3 to a page, 45 to a chunk */
    assert_int_equal(sums().bookkeeping_pages, 7);
    for (unsigned i = BLOCKS - 1; i > 0; i--)
        heap_free(blocks[i]);
    heap_drain();
    assert_int_equal(heap_pages(), 2);
    heap_free(blocks[0]);
    heap_drain();
    assert_int_equal(heap_pages(), 0);
    assert_sound();
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

static void every_size_is_kept_apart_and_remembered(void)
{
    enum { MOST = HEAP_SMALL + 300 };
    static uint8_t *blocks[MOST + 1];

    for (size_t bytes = 0; bytes <= MOST; bytes++) {
        blocks[bytes] = take(bytes);
        assert_int_equal((uintptr_t)blocks[bytes] % HEAP_ALIGN, 0);
        memset(blocks[bytes], (int)(bytes * 7), bytes);
    }
    for (size_t bytes = 0; bytes <= MOST; bytes++) {
        assert_int_equal(heap_size(blocks[bytes]), bytes);
        for (size_t i = 0; i < bytes; i++)
            if (blocks[bytes][i] != (uint8_t)(bytes * 7))
                fail_msg("byte %zu of %zu has changed", i, bytes);
    }
    assert_sound();
    for (size_t bytes = 0; bytes <= MOST; bytes++)
        heap_free_sized(blocks[bytes], bytes);
    assert_int_equal(misuses(), 0);
    assert_int_equal(said_length, 0);
}

static void zero_means_zero_even_where_others_have_written(void)
{
    for (size_t bytes = 1; bytes < 5000; bytes += 37) {
        uint8_t *block = take(bytes);

        memset(block, 0xEE, bytes);
        heap_free(block);
        block = hidden(heap_alloc(bytes, HEAP_ZERO));
        for (size_t i = 0; i < bytes; i++)
            assert_int_equal(block[i], 0);
        heap_free(block);
    }
}

static void nothing_is_a_block_and_null_is_none(void)
{
    uint8_t *one = take(0), *two = take(0);

    assert_ptr_not_equal(one, two);
    heap_free(one);
    heap_free(two);
    heap_free(NULL);
    heap_free_sized(NULL, 5);
    assert_int_equal(misuses(), 0);
}

static void resizing_keeps_what_fits(void)
{
    static const size_t sizes[] = { 0, 1, 40, 41, 64, 500, 2048, 2049, 4088, 4089, 20000 };

    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        for (size_t k = 0; k < COUNT_OF(sizes); k++) {
            size_t   kept = sizes[i] < sizes[k] ? sizes[i] : sizes[k];
            uint8_t *block = take(sizes[i]);

            for (size_t n = 0; n < sizes[i]; n++)
                block[n] = (uint8_t)(n * 31 + i);
            block = hidden(heap_resize(block, sizes[k]));
            assert_non_null(block);
            assert_int_equal(heap_size(block), sizes[k]);
            for (size_t n = 0; n < kept; n++)
                assert_int_equal(block[n], (uint8_t)(n * 31 + i));
            heap_free(block);
        }
    assert_int_equal(misuses(), 0);
    heap_drain();
    assert_int_equal(heap_pages(), 0);
}

static void resizing_in_place_where_the_slot_or_the_pages_do(void)
{
    uint8_t *small = take(60), *big = take(5000);

    assert_ptr_equal(heap_resize(small, 72), small);
    assert_ptr_equal(heap_resize(big, 2 * PAGE_SIZE - GUARD_BYTES), big);
    assert_ptr_not_equal(hidden(heap_resize(big, 2 * PAGE_SIZE - GUARD_BYTES + 1)), big);
    assert_non_null(hidden(heap_resize(NULL, 60)));
    assert_int_equal(sums().big_blocks, 1);
    assert_non_null(hidden(heap_resize(take(3000), 2000)));     /* a page is more than that needs */
    assert_int_equal(sums().big_blocks, 1);
    assert_sound();
}

/* ---- Whole pages -------------------------------------------------------------------------------- */

static void a_big_block_takes_its_pages_and_gives_them_back(void)
{
    uint32_t before;
    uint8_t *block;

    heap_free(take(sizeof(struct big)));
    before = heap_pages();
    block = take(5 * PAGE_SIZE);
    assert_int_equal(address_of(block) % PAGE_SIZE, 0);
    assert_int_equal(sums().big_pages, 6);              /* the guard needs a few bytes more */
    assert_int_equal(sums().big_blocks, 1);
    assert_int_equal(sums().live_blocks, 1);
    assert_int_equal(sums().live_bytes, 5 * PAGE_SIZE);
    assert_sound();
    heap_free(block);
    assert_int_equal(heap_pages(), before);
    assert_sound();
}

static void around_a_big_block_nothing_is_mapped(void)
{
    uint8_t             *lower = take(8000), *block = take(8000);
    struct machine_fault fault;

    block[0] = block[7999] = 1;
    assert_true(MACHINE_FAULTS(&fault, block[-1] = 1));
    assert_true(MACHINE_FAULTS(&fault, block[2 * PAGE_SIZE] = 1));
    assert_int_equal(fault.address, address_of(block) + 2 * PAGE_SIZE);
    heap_free(block);
    assert_true(MACHINE_FAULTS(&fault, block[0] = 1));
    heap_free(lower);
    assert_sound();
}

static void what_can_never_fit_is_refused(void)
{
    static const size_t sizes[] = { SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - GUARD_BYTES, SIZE_MAX - PAGE_SIZE,
                                    SIZE_MAX / 2, (size_t)4 * GiB, 256 * MiB };
    uint8_t *block = take(100);

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        assert_null(heap_alloc(hidden((void *)sizes[i]) - (uint8_t *)0, 0));
        assert_null(heap_resize(block, hidden((void *)sizes[i]) - (uint8_t *)0));
        assert_int_equal(heap_size(block), 100);
    }
    assert_int_equal(sums().failures, 2 * COUNT_OF(sizes));
    assert_sound();
}

/* ---- All memory ------------------------------------------------------------------------------------ */

static void exhaustion_is_null_and_passes(void)
{
    static const size_t sizes[] = { 24, 700, 2048, 9000 };

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        uint8_t **chain = NULL, **block;
        uint32_t  blocks = 0;

        while ((block = (uint8_t **)hidden(heap_alloc(sizes[i], 0))) != NULL) {
            *block = (uint8_t *)chain;
            chain = block;
            blocks++;
        }
        assert_sound();
        assert_int_equal(sums().live_blocks, blocks);
        while (chain != NULL) {
            block = chain;
            chain = (uint8_t **)*chain;
            heap_free(block);
        }
        heap_drain();
        assert_int_equal(heap_pages(), 0);
        assert_sound();
    }
}

/* ---- At random, against a plain array of what was written ---------------------------------------- */

enum { SHADOWS = 700, STEPS = 30000 };

static struct { uint8_t *block; size_t bytes; uint8_t colour; } shadows[SHADOWS];

static size_t any_size(void)
{
    switch (any(8)) {
    case 0:  return any(9000);
    case 1:  return any(HEAP_SMALL + 2);
    default: return any(160);
    }
}

static void assert_colour(unsigned i, size_t bytes)
{
    for (size_t n = 0; n < bytes; n++)
        if (shadows[i].block[n] != shadows[i].colour)
            fail_msg("byte %zu of a block of %zu is another's", n, shadows[i].bytes);
}

static void paint(unsigned i, uint8_t *block, size_t bytes)
{
    shadows[i].block = block;
    shadows[i].bytes = bytes;
    shadows[i].colour = (uint8_t)any(256);
    memset(block, shadows[i].colour, bytes);
}

static void random_step(void)
{
    unsigned i = any(SHADOWS);
    size_t   bytes = any_size(), old = shadows[i].bytes;

    if (shadows[i].block == NULL) {
        paint(i, take(bytes), bytes);
    } else if (any(3) == 0) {
        uint8_t *moved = hidden(heap_resize(shadows[i].block, bytes));

        assert_non_null(moved);
        shadows[i].block = moved;
        assert_colour(i, old < bytes ? old : bytes);
        paint(i, moved, bytes);
    } else {
        assert_int_equal(heap_size(shadows[i].block), old);
        assert_colour(i, old);
        if (any(2))
            heap_free(shadows[i].block);
        else
            heap_free_sized(shadows[i].block, old);
        shadows[i].block = NULL;
    }
}

static void blocks_at_random_agree_with_the_model(void)
{
    struct heap_sums found;
    uint32_t         blocks = 0;
    uint64_t         bytes = 0;

    memset(shadows, 0, sizeof shadows);
    for (unsigned i = 0; i < STEPS; i++) {
        host_cpu = any(2);
        random_step();
        if (i % 1000 == 0)
            assert_sound();
        if (i % 5000 == 0)
            heap_drain();
    }
    for (unsigned i = 0; i < SHADOWS; i++) {
        blocks += shadows[i].block != NULL;
        bytes += shadows[i].block != NULL ? shadows[i].bytes : 0;
    }
    found = sums();
    assert_int_equal(found.live_blocks, blocks);
    assert_int_equal(found.live_bytes, bytes);
    assert_int_equal(found.allocs - found.frees, blocks);
    assert_int_equal(misuses(), 0);
    for (unsigned i = 0; i < SHADOWS; i++)
        heap_free(shadows[i].block);
    for (host_cpu = 2; host_cpu-- > 0; )
        heap_drain();
    host_cpu = 0;
    assert_int_equal(heap_pages(), 0);
    assert_sound();
}

/* ---- Two CPUs at once ------------------------------------------------------------------------------- */

enum { THREADS = 2, EACH = 60000, RING = 64 };

/* Blocks on their way from the CPU that takes them to the one that gives them back. */
static uint8_t *rings[THREADS][RING];

static void *run_cpu(void *number)
{
    unsigned cpu = (unsigned)(uintptr_t)number;
    uint32_t seed = cpu + 1;

    host_cpu = cpu;
    for (unsigned i = 0; i < EACH; i++) {
        uint8_t *block, *old;
        size_t   bytes;

        seed = seed * 1664525 + 1013904223;
        bytes = seed >> 24;
        block = heap_alloc(bytes, 0);
        if (block != NULL)
            memset(hidden(block), (int)cpu, bytes);
        old = __atomic_exchange_n(&rings[cpu][i % RING], block, __ATOMIC_ACQ_REL);
        heap_free(old);
        heap_free(__atomic_exchange_n(&rings[1 - cpu][i % RING], NULL, __ATOMIC_ACQ_REL));
    }
    heap_drain();
    return NULL;
}

static void two_cpus_give_back_each_others_blocks(void)
{
    pthread_t threads[THREADS];

    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_cpu, (void *)i), 0);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_sound();
    for (unsigned i = 0; i < THREADS; i++)
        for (unsigned k = 0; k < RING; k++)
            heap_free(rings[i][k]);
    heap_drain();
    assert_int_equal(misuses(), 0);
    assert_int_equal(sums().allocs, THREADS * EACH);
    assert_int_equal(heap_pages(), 0);
    assert_sound();
}

/* One place in the code, however the loop is compiled. */
static __attribute__((noinline, noclone)) void *take_20(void)
{
    void *volatile block = heap_alloc(20, 0);

    return block;
}

/* Rows of the same taker are one; a table too small says what it has room for. */
static void takers_are_told(void **state)
{
    struct heap_taker rows[8], *row;
    void             *small[3], *big;
    unsigned          count;

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        small[i] = take_20();
    big   = heap_alloc(3 * PAGE_SIZE, 0);
    count = heap_takers(rows, 8);
    assert_int_equal(heap_takers(rows, 1), 1);
    assert_int_equal(heap_takers(rows, 8), count);
    for (row = rows; row < rows + count && row->slot_room != 24; row++)
        ;
    assert_int_equal(row->blocks, 3);
    assert_int_equal(row->bytes, 60);
    assert_int_not_equal(row->taker, 0);
    assert_int_equal(rows[count - 1].slot_room, 0);
    assert_int_equal(rows[count - 1].bytes, 3 * PAGE_SIZE);
    for (unsigned i = 0; i < 3; i++)
        heap_free(small[i]);
    heap_free(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(a_heap_nobody_uses_holds_no_page),
        on_machine(the_first_block_costs_two_pages),
        on_machine(what_is_at_hand_is_bounded_in_bytes),
        on_machine(slots_fit_what_they_are_for),
        on_machine(memory_comes_back_when_all_is_freed),
        on_machine(one_empty_slab_of_a_class_is_kept),
        on_machine(books_are_given_back_from_the_top),
        on_machine(every_size_is_kept_apart_and_remembered),
        on_machine(zero_means_zero_even_where_others_have_written),
        on_machine(nothing_is_a_block_and_null_is_none),
        on_machine(takers_are_told),
        on_machine(resizing_keeps_what_fits),
        on_machine(resizing_in_place_where_the_slot_or_the_pages_do),
        on_machine(a_big_block_takes_its_pages_and_gives_them_back),
        on_machine(around_a_big_block_nothing_is_mapped),
        on_machine(what_can_never_fit_is_refused),
        on_machine(exhaustion_is_null_and_passes),
        on_machine(blocks_at_random_agree_with_the_model),
        on_machine(two_cpus_give_back_each_others_blocks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
