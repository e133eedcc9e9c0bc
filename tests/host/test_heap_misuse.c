/*
 * test_heap_misuse.c - the kernel heap used wrongly: each of six ways is found, named and harmless.
 *
 * Harmless means: the text names block and culprits, the count goes up by one, every
 * invariant of all of memory still holds, and bystanders keep what they had.
 */
#include "heap_world.h"
#include "memory/heap/heap_slab.h"

/* Blocks of others, before and after which things go wrong. */
enum { BYSTANDERS = 40 };
static uint8_t *bystanders[BYSTANDERS];

static void gather_bystanders(size_t bytes)
{
    for (int i = 0; i < BYSTANDERS; i++) {
        bystanders[i] = take(bytes);
        memset(bystanders[i], i, bytes);
    }
}

static void bystanders_are_well(size_t bytes)
{
    for (int i = 0; i < BYSTANDERS; i++) {
        assert_int_equal(heap_size(bystanders[i]), bytes);
        for (size_t n = 0; n < bytes; n++)
            assert_int_equal(bystanders[i][n], i);
    }
}

/* Code with addresses of its own, CODE bytes each, to be found in reports. */
enum { CODE = 256 };

static __attribute__((noinline, aligned(256))) uint8_t *taker(size_t bytes)
{
    uint8_t *block = heap_alloc(bytes, 0);

    __asm__ volatile("" : "+r"(block) : : "memory");
    return block;
}

static __attribute__((noinline, aligned(256))) void first_giver(void *block)
{
    heap_free(hidden(block));
    __asm__ volatile("" : : : "memory");
}

static __attribute__((noinline, aligned(256))) void second_giver(void *block)
{
    heap_free(hidden(block));
    __asm__ volatile("" : : : "memory");
}

/* True if some '@' of the text is followed by an address inside the function. */
static bool text_names(void *function)
{
    uintptr_t start = (uintptr_t)function;

    for (const char *at = strchr(said, '@'); at; at = strchr(at + 1, '@')) {
        uintptr_t address = strtoul(at + 1, NULL, 16);

        if (address > start && address < start + CODE)
            return true;
    }
    return false;
}

/* True if an '@' behind these words is: who did it, and who had done it before, are not taken for each other. */
static bool text_says(const char *words, void *function)
{
    uintptr_t start = (uintptr_t)function;
    size_t    count = strlen(words);

    for (const char *at = strchr(said, '@'); at; at = strchr(at + 1, '@')) {
        uintptr_t address = strtoul(at + 1, NULL, 16);

        if ((size_t)(at - said) >= count && memcmp(at - count, words, count) == 0 && address > start &&
            address < start + CODE)
            return true;
    }
    return false;
}

static bool text_names_block(const void *block)
{
    char wanted[32];

    snprintf(wanted, sizeof wanted, "0x%08lx", (unsigned long)address_of(block));
    return strstr(said, wanted) != NULL;
}

/* Exactly one finding, of this kind, in one line that names the block; nothing is broken. */
static void told(enum heap_misuse kind, const void *block)
{
    struct heap_sums s = sums();

    assert_int_equal(misuses(), 1);
    assert_int_equal(s.misuse[kind], 1);
    assert_non_null(strstr(said, heap_misuse_names[kind]));
    assert_int_equal(strncmp(said, "heap: ", 6), 0);
    assert_ptr_equal(strchr(said, '\n'), said + said_length - 1);
    assert_true(text_names_block(block));
    assert_sound();
}

/* ---- Double free ----------------------------------------------------------------------------- */

static void a_double_free_names_both(void)
{
    uint8_t *block;

    gather_bystanders(48);
    block = taker(48);
    first_giver(block);
    second_giver(block);
    told(HEAP_DOUBLE_FREE, block);
    assert_non_null(strstr(said, "(48 bytes)"));
    assert_true(text_says("first freed by ", first_giver));
    assert_true(text_says(") by ", second_giver));
    bystanders_are_well(48);
    assert_ptr_equal(taker(48), block);                 /* once, and not a second time */
    assert_ptr_not_equal(taker(48), block);
}

/* The double free is found also when the block has gone back to its slab in between. */
static void a_double_free_after_draining_is_found(void)
{
    uint8_t *block;

    gather_bystanders(100);
    block = taker(100);
    first_giver(block);
    heap_drain();
    second_giver(block);
    told(HEAP_DOUBLE_FREE, block);
    assert_true(text_says("first freed by ", first_giver));
    bystanders_are_well(100);
}

/* The double free is found also when the first owner has overwritten the block. */
static void a_double_free_of_a_block_written_since_is_found(void)
{
    uint8_t *block = taker(64);

    first_giver(block);
    memset(block, 0, 64);
    second_giver(block);
    assert_int_equal(sums().misuse[HEAP_DOUBLE_FREE], 1);
    assert_false(text_names(first_giver));              /* no name rather than a wrong one */
    assert_true(text_says(") by ", second_giver));
}

/* What tells a free block from a live one has another place for each size, and lies in the tag for the smallest. */
static void a_double_free_is_found_whatever_the_size(void)
{
    uint32_t found = 0;

    for (size_t bytes = 0; bytes <= HEAP_SMALL; bytes += bytes < 300 ? 1 : 19) {
        uint8_t *block = taker(bytes);

        first_giver(block);
        forget_text();
        second_giver(block);
        assert_int_equal(sums().misuse[HEAP_DOUBLE_FREE], ++found);
        assert_true(text_says("first freed by ", first_giver));
        assert_true(text_says(") by ", second_giver));
    }
    assert_int_equal(misuses(), found);
    assert_int_equal(sums().live_blocks + sums().lost_blocks, 0);
    assert_sound();
}

/* Without any of its words a free block is still in a magazine: it was given back twice, not written past its end. */
static void a_double_free_of_a_block_written_all_over_is_found(void)
{
    uint8_t *block = taker(64);

    first_giver(block);
    memset(block, 0xFF, 80);
    second_giver(block);
    assert_int_equal(sums().misuse[HEAP_DOUBLE_FREE], 1);
    assert_int_equal(misuses(), 1);
    assert_int_equal(sums().lost_blocks, 0);
    assert_ptr_not_equal(taker(64), block);
    assert_int_equal(sums().misuse[HEAP_WRITE_AFTER_FREE], 1);
    assert_int_equal(sums().lost_blocks, 1);
    assert_sound();
}

static void a_double_free_of_pages_names_both(void)
{
    uint8_t *block = taker(10000);

    first_giver(block);
    second_giver(block);
    told(HEAP_DOUBLE_FREE, block);
    assert_non_null(strstr(said, "(10000 bytes)"));
    assert_true(text_says("first freed by ", first_giver));
    assert_true(text_says(") by ", second_giver));
}

/* ---- Pointers that are none ------------------------------------------------------------------ */

static void every_pointer_into_a_block_is_found(void)
{
    uint8_t *block;

    gather_bystanders(190);
    block = taker(190);
    for (size_t i = 1; i < 190; i++) {
        forget_text();
        second_giver(block + i);
        assert_int_equal(sums().misuse[HEAP_INTERIOR], i);
        assert_true(text_names_block(block));
        assert_true(text_names_block(block + i));
        assert_true(text_names(second_giver));
        assert_true(text_says("taken by ", taker));
    }
    assert_int_equal(misuses(), 189);
    assert_int_equal(said_length, strlen(said));
    assert_sound();
    bystanders_are_well(190);
    heap_free(block);
    assert_int_equal(misuses(), 189);
}

/* Two pages make a slab of this class, so the middle block lies across their border. */
static void a_pointer_into_the_second_page_of_a_slab_is_found(void)
{
    for (int i = 0; i < 3; i++) {
        uint8_t *block = taker(2000);

        second_giver(block + 1500);
        assert_int_equal(sums().misuse[HEAP_INTERIOR], i + 1);
        assert_true(text_names_block(block));
        forget_text();
    }
}

/*
 * Behind the last block of a slab there may be no page: what would be the guard of a block at such a pointer was looked
 * at there, before it was seen that none begins at it.
 */
static void a_pointer_into_the_last_block_of_a_page_is_found(void)
{
    uint8_t *last = NULL;

    for (size_t i = 0; i < PAGE_SIZE / 16 && (last == NULL || (uintptr_t)last % PAGE_SIZE != PAGE_SIZE - 16); i++)
        last = taker(8);
    assert_int_equal((uintptr_t)last % PAGE_SIZE, PAGE_SIZE - 16);
    for (unsigned i = 1; i < 16; i++) {
        second_giver(last + i);
        assert_int_equal(sums().misuse[HEAP_INTERIOR], i);
    }
    assert_true(text_names_block(last));
    assert_sound();
}

static void a_pointer_into_pages_is_found(void)
{
    static const size_t offsets[] = { 1, 16, PAGE_SIZE, 9999 };
    uint8_t *block = taker(10000);

    for (size_t i = 0; i < COUNT_OF(offsets); i++) {
        second_giver(block + offsets[i]);
        assert_int_equal(sums().misuse[HEAP_INTERIOR], i + 1);
    }
    assert_true(text_names_block(block));
    assert_true(text_says("taken by ", taker));
    assert_sound();
    heap_free(block);
    assert_int_equal(misuses(), COUNT_OF(offsets));
}

static int some_static;

/* Pointers to no block of this heap: other memory, holes of the heap's window, blocks never handed out. */
static void what_was_never_a_block_is_foreign(void)
{
    int      some_local;
    uint8_t *block = taker(144 - GUARD_BYTES);          /* 28 slots of 144 bytes leave 64 bytes of the page */
    uint8_t *page = hidden(slab_bytes((uint32_t)(slab_offset(block) / PAGE_SIZE)));
    uint8_t *big = taker(5000);
    const struct layout_region *window = layout.purpose[PURPOSE_HEAP];
    void    *strangers[] = {
        &some_local, &some_static, (void *)1, (void *)(uintptr_t)-1, (void *)taker, machine_ram + 0x2000,
        heap.book, heap.slabs, heap.slabs + 100, heap.slabs + PAGE_SIZE - 16,
        heap.slabs + heap.limit, heap.slabs + heap.limit - 1, heap.slabs + heap.limit + PAGE_SIZE,
        page + 28 * 144, page + PAGE_SIZE - 1, page + PAGE_SIZE, page + 16 * 144, page + 16,
        big - 1, big - PAGE_SIZE, big + 2 * PAGE_SIZE, pointer_to(page_address(window->span.end) - 16),
        pointer_to(page_address(layout.purpose[PURPOSE_TEXT]->span.first)), pointer_to(0),
        pointer_to(PAGE_SIZE),
    };

    for (unsigned i = 0; i < COUNT_OF(strangers); i++) {
        if (strangers[i] == block)
            continue;
        forget_text();
        second_giver(strangers[i]);
        if (sums().misuse[HEAP_FOREIGN] + sums().misuse[HEAP_INTERIOR] != i + 1)
            fail_msg("stranger %u: %s", i, said);
        assert_true(text_names(second_giver));
    }
    assert_true(sums().misuse[HEAP_FOREIGN] >= COUNT_OF(strangers) - 2);
    assert_sound();
    heap_free(block);
    heap_free(big);
    assert_int_equal(misuses(), COUNT_OF(strangers));
}

/* Books that hold the likeness of a live block at the first page of a chunk are not taken for one. */
static void descriptors_are_not_taken_for_states(void)
{
    for (unsigned i = 0; i < 200; i++)
        take(2000);
    for (char *chunk = heap.slabs; chunk < heap.slabs + heap.limit; chunk += CHUNK_BYTES)
        for (size_t i = 0; i < PAGE_SIZE; i += HEAP_ALIGN)
            heap_free(hidden(chunk + i));
    assert_int_equal(sums().misuse[HEAP_FOREIGN], heap.limit / CHUNK_BYTES * (PAGE_SIZE / 16));
    assert_int_equal(misuses(), sums().misuse[HEAP_FOREIGN]);
    assert_sound();
}

/* ---- Writing where one must not ----------------------------------------------------------------- */

static void the_first_byte_past_the_end_is_enough(void)
{
    uint32_t found = 0;

    for (size_t bytes = 0; bytes <= 4200; bytes += bytes < 300 ? 1 : 67) {
        static const uint8_t values[] = { 0, 'a', 0x7F, 0xFF, 1 };

        for (size_t i = 0; i < COUNT_OF(values); i++) {
            uint8_t *block = taker(bytes);

            if (block[bytes] == values[i]) {            /* a byte of the guard: no change, no harm */
                heap_free(block);
                continue;
            }
            block[bytes] = values[i];
            forget_text();
            second_giver(block);
            assert_int_equal(sums().misuse[HEAP_OVERFLOW], ++found);
            assert_int_equal(sums().lost_blocks, found);
            assert_true(text_names_block(block));
            assert_true(text_names(second_giver));
        }
    }
    assert_int_equal(misuses(), found);
    assert_sound();
}

static void writing_past_the_end_names_who_took_the_block(void)
{
    uint8_t *block;

    gather_bystanders(64);
    block = taker(64);
    memset(block, 0, 68);
    second_giver(block);
    told(HEAP_OVERFLOW, block);
    assert_non_null(strstr(said, "(64 bytes)"));
    assert_true(text_says("taken by ", taker));
    bystanders_are_well(64);
    for (int i = 0; i < 200; i++)
        assert_ptr_not_equal(taker(64), block);         /* never handed out again */
}

/* Until it is given back it is its owner's, and counted. */
static void a_block_written_past_its_end_is_live(void)
{
    uint8_t *block = taker(64), *other = taker(64);

    block[64] = 0;
    assert_int_equal(sums().live_blocks, 2);
    assert_int_equal(sums().live_bytes, 128);
    second_giver(block);
    assert_int_equal(sums().live_blocks, 1);
    assert_int_equal(sums().lost_blocks, 1);
    heap_free(other);
    assert_sound();
}

static void writing_over_the_size_as_well_is_found(void)
{
    uint8_t *block = taker(64);

    memset(block, 'x', 80);
    second_giver(block);
    told(HEAP_OVERFLOW, block);
    second_giver(block);
    assert_int_equal(sums().misuse[HEAP_DOUBLE_FREE], 1);
    assert_sound();
}

static void writing_past_pages_is_found_and_never_freed(void)
{
    uint8_t *block = taker(5000);

    block[5000] = 0;
    second_giver(block);
    told(HEAP_OVERFLOW, block);
    assert_true(text_says("taken by ", taker));
    assert_int_equal(sums().lost_blocks, 1);
    assert_int_equal(sums().live_blocks + sums().big_blocks + sums().live_bytes, 0);
    second_giver(block);
    assert_int_equal(sums().misuse[HEAP_DOUBLE_FREE], 1);
    assert_sound();
}

static void a_damaged_block_cannot_be_resized_or_measured(void)
{
    uint8_t *block = taker(64);

    block[64] = 0;
    assert_int_equal(heap_size(block), 0);
    assert_null(heap_resize(block, 100));
    assert_int_equal(sums().misuse[HEAP_OVERFLOW], 2);
    block = taker(5000);
    block[5000] = 0;
    assert_int_equal(heap_size(block), 0);
    assert_null(heap_resize(block, 5001));
    assert_int_equal(sums().misuse[HEAP_OVERFLOW], 4);
}

/* The tag everywhere; the rest of the block in checked builds, as this one is. */
static void every_byte_written_after_free_is_found(void)
{
    uint32_t found = 0;

    for (size_t i = 0; i < 72; i++) {
        uint8_t *block = taker(64), *next;

        first_giver(block);
        block[i] ^= 0x10;
        forget_text();
        next = taker(64);
        assert_ptr_not_equal(next, block);              /* never handed out again */
        assert_int_equal(sums().misuse[HEAP_WRITE_AFTER_FREE], ++found);
        assert_true(text_names_block(block));
        assert_true(text_names(taker));
        heap_free(next);
    }
    assert_int_equal(misuses(), found);
    assert_int_equal(sums().lost_blocks, found);
    assert_sound();
}

static void a_write_after_free_names_who_freed_if_that_is_known(void)
{
    uint8_t *block = taker(64);

    gather_bystanders(64);
    first_giver(block);
    block[1] ^= 7;                                      /* over the tag */
    taker(64);
    told(HEAP_WRITE_AFTER_FREE, block);
    assert_true(text_names(first_giver));
    bystanders_are_well(64);

    forget_text();
    block = taker(64);
    first_giver(block);
    block[5] ^= 7;                                      /* over the culprit's address itself */
    taker(64);
    assert_int_equal(sums().misuse[HEAP_WRITE_AFTER_FREE], 2);
    assert_false(text_names(first_giver));
    assert_null(strstr(said, "freed by"));
}

/* A block that lies in a slab, not a magazine, when it is written. */
static void a_write_after_free_is_found_after_draining_too(void)
{
    uint8_t *block = taker(64), *keep = taker(64);

    first_giver(block);
    heap_drain();
    block[0] ^= 1;
    for (int i = 0; i < 60; i++)
        assert_ptr_not_equal(taker(64), block);
    assert_int_equal(sums().misuse[HEAP_WRITE_AFTER_FREE], 1);
    heap_free(keep);
    assert_sound();
}

/* ---- Wrong size ------------------------------------------------------------------------------------ */

static void a_wrong_size_is_refused_and_the_right_one_works(void)
{
    static const size_t sizes[] = { 0, 47, 49, 64, 5000, SIZE_MAX - 1 };
    uint8_t *block = taker(48), *big = taker(5000);

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        forget_text();
        heap_free_sized(block, sizes[i]);
        assert_int_equal(sums().misuse[HEAP_WRONG_SIZE], i + 1);
        assert_true(text_names_block(block));
        assert_int_equal(heap_size(block), 48);
    }
    heap_free_sized(big, 4999);
    assert_int_equal(sums().misuse[HEAP_WRONG_SIZE], COUNT_OF(sizes) + 1);
    heap_free_sized(big, 5000);
    heap_free_sized(block, 48);
    assert_int_equal(misuses(), COUNT_OF(sizes) + 1);
    assert_int_equal(sums().live_blocks, 0);
    assert_sound();
}

static void resizing_what_is_no_block_is_refused(void)
{
    uint8_t *block = taker(48);

    assert_null(heap_resize(block + 16, 100));
    assert_null(heap_resize(hidden(&some_static), 100));
    heap_free(block);
    assert_null(heap_resize(block, 100));
    assert_int_equal(heap_size(block), 0);
    assert_int_equal(sums().misuse[HEAP_INTERIOR], 1);
    assert_int_equal(sums().misuse[HEAP_FOREIGN], 1);
    assert_int_equal(sums().misuse[HEAP_DOUBLE_FREE], 2);
    assert_sound();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(a_double_free_names_both),
        on_machine(a_double_free_after_draining_is_found),
        on_machine(a_double_free_of_a_block_written_since_is_found),
        on_machine(a_double_free_is_found_whatever_the_size),
        on_machine(a_double_free_of_a_block_written_all_over_is_found),
        on_machine(a_double_free_of_pages_names_both),
        on_machine(every_pointer_into_a_block_is_found),
        on_machine(a_pointer_into_the_second_page_of_a_slab_is_found),
        on_machine(a_pointer_into_the_last_block_of_a_page_is_found),
        on_machine(a_pointer_into_pages_is_found),
        on_machine(what_was_never_a_block_is_foreign),
        on_machine(descriptors_are_not_taken_for_states),
        on_machine(the_first_byte_past_the_end_is_enough),
        on_machine(writing_past_the_end_names_who_took_the_block),
        on_machine(a_block_written_past_its_end_is_live),
        on_machine(writing_over_the_size_as_well_is_found),
        on_machine(writing_past_pages_is_found_and_never_freed),
        on_machine(a_damaged_block_cannot_be_resized_or_measured),
        on_machine(every_byte_written_after_free_is_found),
        on_machine(a_write_after_free_names_who_freed_if_that_is_known),
        on_machine(a_write_after_free_is_found_after_draining_too),
        on_machine(a_wrong_size_is_refused_and_the_right_one_works),
        on_machine(resizing_what_is_no_block_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
