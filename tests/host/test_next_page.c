/*
 * test_next_page.c - pages by address, and the table they come from, as the pat layout's document wants them (K2 to
 * K12), over many memory maps: unsorted, overlapping, empty, with holes, past 4 GiB.
 */
#include "support.h"

#include "base/error.h"
#include "memory/frames/next_page.h"
#include "memory/frames/frame_magazine.h"

enum { FRAMES = 3072, MEGABYTE = 256 };         /* 12 MiB; in frames */

static const struct layout_policy policy = {
    .polarity = ONE_IS_USED, .bitmap_at = BITMAP_FIRST_FIT, .unlisted = UNLISTED_MARKED, .search = SEARCH_NEXT,
    .zeroing = ZERO_ALL, .exhaustion = EXHAUSTION_PANIC, .magazine = 0,
};

static struct memmap map;
static bool          ram[FRAMES];               /* the model: what a page must be to be handed out */

static bool is_set(uint32_t n)
{
    size_t bytes;

    return frames_bitmap(&bytes)[n / 8] >> n % 8 & 1;
}

static void add(uint64_t base, uint64_t length, bool usable)
{
    memmap_add(&map, base, length, usable);
}

/* The low megabyte and the table's own pages are kept, as memory_start() does; then the pool opens. */
static void open_pool(void)
{
    paddr_t at = 0;

    memmap_own(&map, 0, 1 << 20, OWNER_HELD);
    if (memmap_take(&map, PAGE_SIZE, PAGE_SIZE, 0, (paddr_t)FRAMES << PAGE_SHIFT, OWNER_BITMAP, &at) != 0)
        fail_msg("no place for the table");
    assert_true(at >= 1 << 20);                                                                 /* K3 */
    for (uint32_t n = MEGABYTE; n < frame_of(at).no; n++)
        assert_false(ram[n]);
    ram[frame_of(at).no] = false;
    for (uint32_t n = 0; n < MEGABYTE; n++)
        ram[n] = false;
    open_frames(&map, &policy, 0);              /* over rubbish: K4 */
}

/* Every bit, K2, K4 and K5: zero exactly where the pool may hand out a page. */
static void check_bits(void)
{
    for (uint32_t n = 0; n < frames_end(); n++)
        if (is_set(n) != !ram[n])
            fail_msg("page %u: its bit is %u, RAM %u", n, is_set(n), ram[n]);
    check_frames();
}

/* The model of memmap_add(): a byte is RAM if some range says so and none says otherwise. */
struct listed { uint64_t base, length; bool usable; };

static void model(const struct listed *list, uint32_t count)
{
    for (uint32_t n = 0; n < FRAMES; n++) {
        uint64_t first = (uint64_t)n << PAGE_SHIFT, last = first + PAGE_SIZE - 1;

        ram[n] = false;
        for (uint32_t i = 0; i < count; i++) {
            uint64_t base = list[i].base, end = base + list[i].length - 1;

            if (list[i].length != 0 && list[i].usable && base <= first && end >= last)
                ram[n] = true;
        }
        for (uint32_t i = 0; i < count; i++) {
            uint64_t base = list[i].base, end = base + list[i].length - 1;

            if (list[i].length != 0 && !list[i].usable && base <= last && end >= first)
                ram[n] = false;
        }
    }
}

static void start(const struct listed *list, uint32_t count)
{
    model(list, count);
    memmap_start(&map, FRAMES);
    for (uint32_t i = 0; i < count; i++)
        if (list[i].base < (uint64_t)FRAMES << PAGE_SHIFT || !list[i].usable)
            add(list[i].base, list[i].length, list[i].usable);
    open_pool();
}

static const struct listed usual[] = { { 0, 0x9FC00, true }, { 0x100000, 0xA00000, true } };

/* ---- The table --------------------------------------------------------------------------------------- */

static void holes_are_marked_as_what_is_unusable(void **state)
{
    static const struct listed list[] = {
        { 0x900000, 0x200000, true },  { 0x300000, 0x100000, true }, { 0x380000, 0x10000, false }, { 0, 0x9FC00, true },
        { 0x500000, 0, true },         { 0xFFFC0000, 0x40000, false }, { 0x310000, 0x20000, true },
        { 0x9FC00, 0x400, false }, { 0x100000000, 0x10000000, true }, { 0x600800, 0x1800, true },
    };

    (void)state;
    start(list, COUNT_OF(list));
    check_bits();
    assert_true(ram[0x601] && !ram[0x600] && !ram[0x400] && !ram[0x380]);
}

static void many_maps(void **state)
{
    (void)state;
    srand(1);
    for (int round = 0; round < 300; round++) {
        struct listed list[12];
        uint32_t      count = 2 + (uint32_t)rand() % 10;

        for (uint32_t i = 0; i < count; i++)
            list[i] = (struct listed){ (uint64_t)rand() % (FRAMES * 4096u), (uint64_t)rand() % 0x300000,
                                       rand() % 4 != 0 };
        list[count - 1] = (struct listed){ 0xA00000, 0x100000, true };          /* some memory that no range removes */
        for (uint32_t i = 0; i + 1 < count; i++)
            if (!list[i].usable && list[i].base + list[i].length > 0xA00000)
                list[i].length = 0;
        start(list, count);
        check_bits();
    }
}

/* ---- Taking -------------------------------------------------------------------------------------------- */

static void k7_k9_the_search_goes_on_and_comes_round(void **state)
{
    paddr_t  first, second, page, before = 0;
    uint32_t count = 0, falls = 0;

    (void)state;
    start(usual, COUNT_OF(usual));
    first  = get_next_page();
    second = get_next_page();
    assert_true(second > first && free_page(first));
    while (frames.pool.free > 0) {
        page = get_next_page();
        if (count == 0)
            assert_true(page > second);
        falls += page < before;
        before = page;
        count++;
        assert_int_equal(frame_owner(frame_of(page)), OWNER_PAGES);
    }
    assert_int_equal(falls, 1);
    assert_int_equal(before, first);            /* the one that was given back came last */
    assert_int_equal(frames_owned(OWNER_PAGES), count + 1);
    for (uint32_t n = 0; n < frames_end(); n++)
        assert_true(is_set(n));
    check_frames();
}

static void k10_nobody_but_the_kernel_stops(void **state)
{
    const char *why;
    paddr_t     page = 77;

    (void)state;
    start(usual, COUNT_OF(usual));
    while (try_next_page(&page) == 0)
        ;
    page = 77;
    assert_int_equal(try_next_page(&page), -ENOMEM);
    assert_int_equal(page, 77);
    while (frames.pool.free > 0)                /* the reserve is the kernel's */
        (void)get_next_page();
    why = layout.policy.exhaustion == EXHAUSTION_PANIC ? MACHINE_STOPS(get_next_page()) : NULL;
    if (layout.policy.exhaustion == EXHAUSTION_PANIC)
        assert_non_null(strstr(why, "out of memory"));
    else
        assert_int_equal(get_next_page(), 0);
}

/* ---- Giving back ------------------------------------------------------------------------------------------ */

static void k12_only_an_unaligned_address_fails(void **state)
{
    struct frame_sums before, after;
    frame_t           others;
    paddr_t           page;

    (void)state;
    start(usual, COUNT_OF(usual));
    page = get_next_page();
    assert_int_equal(frame_get(OWNER_HEAP, 0, &others), 0);
    frames_sums(&before);
    for (paddr_t off = 1; off < PAGE_SIZE; off++)
        assert_false(free_page(page + off));
    assert_false(free_page(UINT64_MAX));
    frames_sums(&after);
    assert_memory_equal(&before, &after, sizeof before);
    assert_true(free_page(page));
    frames_sums(&before);
    assert_true(free_page(page));                                   /* twice                    */
    assert_true(free_page(0));                                      /* the low megabyte         */
    assert_true(free_page(frame_address(others)));                  /* the other program's page */
    assert_true(free_page((paddr_t)frames_end() << PAGE_SHIFT));    /* past all memory          */
    assert_true(free_page(0x100000000000));
    assert_true(free_page(UINT64_MAX - PAGE_SIZE + 1));
    frames_sums(&after);
    assert_int_equal(after.misuses, before.misuses + 6);
    assert_memory_equal(before.owned, after.owned, sizeof before.owned);
    assert_true(frame_put(others));
    check_frames();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holes_are_marked_as_what_is_unusable),
        cmocka_unit_test(many_maps),
        cmocka_unit_test(k7_k9_the_search_goes_on_and_comes_round),
        cmocka_unit_test(k10_nobody_but_the_kernel_stops),
        cmocka_unit_test(k12_only_an_unaligned_address_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
