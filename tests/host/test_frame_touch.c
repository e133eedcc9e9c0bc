/*
 * test_frame_touch.c - how many words of metadata one call touches, counted.
 *
 * The sources are compiled in with TOUCH(), through which every access to the bitmap, to
 * areas, sets and records goes. A word is 8 aligned bytes of one of the three blocks that frames_open()
 * was given; distinct ones are counted for each call. Data that is not counted cannot grow with memory: a
 * CPU's magazine, and the fixed head of the pool.
 *
 * The promise of frame.h is 12. The histories here try to be unkind: sparse free frames in
 * areas far apart, so that every level of a set is climbed, and loads that cross the
 * borders between classes.
 */
#undef CHECKED

#include <stddef.h>
#include <stdint.h>

static void touched(const void *address);

#define TOUCH(address) touched(address)

#include "memory/frames/pool.c"
#include "memory/frames/frame_magazine.c"
#include "memory/frames/frame.c"
#include "memory/check/frame_audit.c"

#include "no_document.h"
#include "support.h"

enum { PROMISED = 12, WORDS_MOST = 256 };

static uintptr_t words[WORDS_MOST];
static uint32_t  word_count;
static bool      counting;      /* only inside a call under test: opening a pool touches millions of words */

static void touched(const void *address)
{
    uintptr_t word = (uintptr_t)address / 8;

    if (!counting)
        return;
    for (uint32_t n = 0; n < word_count; n++)
        if (words[n] == word)
            return;
    if (word_count < WORDS_MOST)
        words[word_count++] = word;
}

static uint32_t most_get, most_put;

static bool counted_get(unsigned flags, uint32_t *out)
{
    frame_t frame;
    bool got;

    word_count = 0;
    counting = true;
    got = frame_get(OWNER_TEST, flags, &frame) == 0;
    counting = false;
    most_get = word_count > most_get ? word_count : most_get;
    *out = frame.no;
    return got;
}

static void counted_put(uint32_t frame)
{
    word_count = 0;
    counting = true;
    frame_put((frame_t){ frame });
    counting = false;
    most_put = word_count > most_put ? word_count : most_put;
}

enum { HELD_MOST = 1 << 16 };
static uint32_t held[HELD_MOST], held_count;

static void put_random(uint32_t count)
{
    while (count-- > 0 && held_count > 0) {
        uint32_t at = test_random(held_count);

        counted_put(held[at]);
        held[at] = held[--held_count];
    }
}

static void get_some(uint32_t count, unsigned flags)
{
    while (count-- > 0 && held_count < HELD_MOST && counted_get(flags, &held[held_count]))
        held_count++;
}

/* RAM as islands of a few frames, one in every `distance`, the rest held: nothing dense anywhere. */
static void open_sparse(const struct layout_policy *policy, uint32_t end, uint32_t distance, uint32_t island)
{
    struct memmap map;

    memmap_start(&map, UINT32_MAX - 1);
    memmap_add(&map, 0, (uint64_t)end << PAGE_SHIFT, true);
    memmap_own(&map, 0, (uint64_t)end << PAGE_SHIFT, OWNER_BOOT);
    open_frames(&map, policy, end / 3);
    for (uint32_t n = 0; n + island <= end; n += distance)
        frame_reclaim((frame_t){ n + test_random(distance - island) }, island, OWNER_BOOT);
    held_count = 0;
}

static void history(void)
{
    for (uint32_t cycle = 0; cycle < 12; cycle++) {
        get_some(1 + test_random(2000), cycle % 4 == 1 ? FRAME_LOW : cycle % 4 == 2 ? FRAME_SPARE : 0);
        put_random(test_random(2500));
    }
    get_some(HELD_MOST, FRAME_SPARE);
    for (uint32_t n = 0; n < 300; n++) {                /* one frame free in all, wherever it is */
        put_random(1);
        get_some(1, FRAME_SPARE);
    }
    put_random(HELD_MOST);
}

static void calls_touch_at_most_twelve_words_whatever_the_memory(void **state)
{
    static const uint32_t ends[] = { 16384, 1u << 20, 1u << 24 };       /* 64 MiB, 4 GiB, 64 GiB */
    uint32_t of_size[COUNT_OF(ends)] = { 0 };

    (void)state;
    for (size_t size = 0; size < COUNT_OF(ends); size++) {
        for (uint32_t variant = 0; variant < 18; variant++) {
            struct layout_policy policy = { .search = (enum search)(variant % 3), .magazine = variant / 3 % 3 * 32,
                                            .polarity = (enum polarity)(variant & 1) };

            most_get = most_put = 0;
            if (variant < 9)
                open_sparse(&policy, ends[size], ends[size] / 97, 3);
            else
                open_sparse(&policy, ends[size], ends[size] / 40, ends[size] / 60 < 2000 ? ends[size] / 60 : 2000);
            history();
            check_frames();
            assert_true(most_get > 1 && most_put >= 1);
            of_size[size] = most_get > of_size[size] ? most_get : of_size[size];
            of_size[size] = most_put > of_size[size] ? most_put : of_size[size];
            if (most_get > PROMISED || most_put > PROMISED)
                print_message("variant %u, search %d, magazine %u: %u and %u words\n", variant, policy.search,
                              policy.magazine, most_get, most_put);
            assert_true(most_get <= PROMISED);
            assert_true(most_put <= PROMISED);
        }
        print_message("%6u MiB: at most %u words a call\n", ends[size] / 256, of_size[size]);
    }
}

/* The cache lines of what was touched: 64 bytes each. */
static uint32_t lines_touched(void)
{
    uint32_t lines = 0;

    for (uint32_t n = 0; n < word_count; n++) {
        bool seen = false;

        for (uint32_t before = 0; before < n; before++)
            seen |= words[before] / 8 == words[n] / 8;
        lines += !seen;
    }
    return lines;
}

/*
 * Of 65 536 frames in use one, anywhere, is given back and another taken. That is the line of one record, with 1 GiB as
 * with 64: what grows with memory is only how seldom that line is in the cache.
 */
static void exchanging_a_random_frame_touches_one_line_whatever_the_memory(void **state)
{
    enum { USED = 65536 };
    static const uint32_t ends[] = { 1u << 18, 1u << 20, 1u << 24 };    /* 1, 4, 64 GiB */
    struct layout_policy  policy = { .search = SEARCH_FULLEST, .magazine = 64 };

    (void)state;
    for (size_t size = 0; size < COUNT_OF(ends); size++) {
        frame_t frame;

        open_frames_flat(&policy, ends[size]);
        for (uint32_t n = 0; n < USED; n++)
            assert_int_equal(frame_get(OWNER_TEST, 0, &frame), 0);
        for (uint32_t n = 0; n < 1000; n++) {
            frame_t used = { test_random(USED) };

            if (frame_owner(used) != OWNER_TEST)
                continue;
            word_count = 0;
            counting = true;
            frame_put(used);
            assert_int_equal(frame_get(OWNER_TEST, 0, &frame), 0);
            counting = false;
            assert_int_equal(word_count, 1);
            assert_int_equal(lines_touched(), 1);
        }
    }
}

/* The usual course: the record, and nothing else that is shared. */
static void the_usual_call_touches_one_word(void **state)
{
    struct layout_policy policy = { .search = SEARCH_FULLEST, .magazine = 64 };
    uint32_t frame;

    (void)state;
    open_frames_flat(&policy, 16384);
    assert_true(counted_get(0, &frame));
    counted_put(frame);
    most_get = most_put = 0;
    for (uint32_t n = 0; n < 1000; n++) {
        assert_true(counted_get(0, &frame));
        counted_put(frame);
    }
    assert_int_equal(most_get, 1);
    assert_int_equal(most_put, 1);
}

static int finish(void **state)
{
    (void)state;
    close_frames();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_touch_at_most_twelve_words_whatever_the_memory),
        cmocka_unit_test(exchanging_a_random_frame_touches_one_line_whatever_the_memory),
        cmocka_unit_test(the_usual_call_touches_one_word),
    };

    return cmocka_run_group_tests_name("frame words", tests, NULL, finish);
}
