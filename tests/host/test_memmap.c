/*
 * test_memmap.c - the map of physical memory, from maps as firmware really writes them to
 * maps that no firmware should.
 *
 * In pictures one letter is one frame: `.` not listed, `-` reserved, `f` free RAM, else the
 * first letter of the owner's name, large.
 */
#include "support.h"

#include "base/error.h"
#include "memory/frames/memmap.h"

/* ---- Pictures --------------------------------------------------------------------------- */

static struct memmap map;

static char letter_of(enum owner owner)
{
    return owner == OWNER_FREE ? 'f' : (char)(owner_names[owner][0] - 'a' + 'A');
}

static char letter(uint32_t frame)
{
    const struct memmap_range *range = memmap_find(&map, (frame_t){ frame });

    return range == NULL ? '.' : !range->ram ? '-' : letter_of(range->owner);
}

static const char *picture(uint32_t frames)
{
    static char text[512];

    for (uint32_t n = 0; n < frames; n++)
        text[n] = letter(n);
    text[frames] = '\0';
    return text;
}

#define CHECK_MAP(expected)                                         \
    do {                                                            \
        assert_string_equal(picture(strlen(expected)), expected);   \
        assert_true(memmap_ok(&map));                               \
    } while (0)

static void usable(uint64_t base, uint64_t length)   { memmap_add(&map, base, length, true); }
static void reserved(uint64_t base, uint64_t length) { memmap_add(&map, base, length, false); }

static int empty_map(void **state)
{
    (void)state;
    memmap_start(&map, 1u << 20);
    return 0;
}

/* ---- Single ranges ---------------------------------------------------------------------- */

static void usable_ranges_shrink_to_whole_frames(void **state)
{
    (void)state;
    usable(0x0800, 0x2000);
    CHECK_MAP(".f..");
    assert_int_equal(map.lost, 0x1000);
    usable(0x3001, 0x1FFE);                 /* reaches into two frames, holds neither */
    CHECK_MAP(".f....");
    assert_int_equal(map.lost, 0x1000 + 0x1FFE);
    usable(0x6000, 0x1000);
    CHECK_MAP(".f....f.");
}

static void reserved_ranges_grow_to_whole_frames(void **state)
{
    (void)state;
    usable(0, 0x8000);
    reserved(0x2FFF, 1);
    reserved(0x4FFF, 2);
    CHECK_MAP("ff-f--ff");
}

static void empty_ranges_say_nothing(void **state)
{
    (void)state;
    usable(0x1000, 0);
    reserved(0x1000, 0);
    usable(UINT64_MAX, 0);
    assert_int_equal(map.count, 0);
    assert_int_equal(memmap_ram(&map), 0);
    assert_int_equal(memmap_end(&map), 0);
}

static void wrapping_ranges_are_cut(void **state)
{
    (void)state;
    usable(0, 0x4000);
    reserved(0x2000, UINT64_MAX);           /* would wrap to 0x1FFF: frames 0 and 1 are not meant */
    CHECK_MAP("ff------");
    assert_int_equal(map.ranges[map.count - 1].end.no, map.limit);
    empty_map(NULL);
    usable(0x3000, UINT64_MAX);
    CHECK_MAP("...fffff");
    assert_int_equal(memmap_end(&map), map.limit);
    assert_true(map.beyond == 0xFFFFFFFF00000000ull);
}

static void memory_beyond_the_limit_is_counted_not_used(void **state)
{
    (void)state;
    usable(0xFFFFE000ull, 0x4000);          /* two frames below 4 GiB, two above */
    usable(0x200000000ull, 0x10000);
    reserved(0x300000000ull, 0x1000);
    assert_int_equal(memmap_ram(&map), 2);
    assert_int_equal(memmap_end(&map), 1u << 20);
    assert_int_equal(map.beyond, 0x12000);
    assert_true(memmap_ok(&map));
    usable(0, UINT64_MAX);                  /* absurd twice over: the sum sticks, it does not wrap */
    usable(0, UINT64_MAX);
    assert_true(map.beyond == UINT64_MAX);
    assert_true(memmap_ok(&map));
}

/* ---- Several ---------------------------------------------------------------------------- */

static void neighbours_join(void **state)
{
    (void)state;
    usable(0x4000, 0x2000);
    usable(0x0000, 0x2000);
    usable(0x2000, 0x2000);
    CHECK_MAP("ffffff..");
    assert_int_equal(map.count, 1);
}

static void the_stricter_kind_wins_in_any_order(void **state)
{
    static const struct { uint64_t base, length; bool usable; } ranges[] = {
        { 0x1000, 0x6000, true }, { 0x5000, 0x4000, true }, { 0x3000, 0x1000, false },
        { 0x6800, 0x1000, false }, { 0x0000, 0x0001, false },
    };
    uint32_t order[5] = { 0, 1, 2, 3, 4 }, tried = 0;

    (void)state;
    for (uint32_t code = 0; code < 5 * 5 * 5 * 5 * 5; code++) {
        bool used[5] = { false }, valid = true;

        for (uint32_t i = 0, rest = code; i < 5; i++, rest /= 5) {
            order[i] = rest % 5;
            valid &= !used[order[i]];
            used[order[i]] = true;
        }
        if (!valid)
            continue;
        empty_map(NULL);
        for (uint32_t i = 0; i < 5; i++)
            memmap_add(&map, ranges[order[i]].base, ranges[order[i]].length, ranges[order[i]].usable);
        CHECK_MAP("-ff-ff--f.");
        tried++;
    }
    assert_int_equal(tried, 120);
}

static void qemu_with_32_mib(void **state)
{
    static const struct { uint64_t base, length; bool usable; } ranges[] = {
        { 0x00000000, 0x0009FC00, true },  { 0x0009FC00, 0x00000400, false },
        { 0x000F0000, 0x00010000, false }, { 0x00100000, 0x01EE0000, true },
        { 0x01FE0000, 0x00020000, false }, { 0xFFFC0000, 0x00040000, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ranges); i++)
        memmap_add(&map, ranges[i].base, ranges[i].length, ranges[i].usable);
    assert_int_equal(memmap_ram(&map), 0x9F + 0x1EE0);
    assert_int_equal(memmap_end(&map), 0x1FE0);
    assert_null(memmap_find(&map, (frame_t){ 0xA0 }));          /* 0xA0000..0xEFFFF is not listed at all */
    assert_null(memmap_find(&map, (frame_t){ 0xEF }));
    assert_false(memmap_find(&map, (frame_t){ 0x9F })->ram);
    assert_false(memmap_find(&map, (frame_t){ 0xFF })->ram);
    assert_true(memmap_find(&map, (frame_t){ 0x100 })->ram);
    assert_int_equal(map.lost, 0xC00);
    assert_int_equal(map.beyond, 0);
    assert_true(memmap_ok(&map));
}

/* ---- Owners ----------------------------------------------------------------------------- */

static void owning_keeps_what_others_have(void **state)
{
    (void)state;
    usable(0x1000, 0x8000);
    reserved(0x4000, 0x1000);
    memmap_own(&map, 0x2800, 0x5001, OWNER_IMAGE);              /* grows to whole frames */
    CHECK_MAP(".fII-Ifff.");
    memmap_own(&map, 0x0000, 0xA000, OWNER_HELD);
    CHECK_MAP(".HII-IHHH.");
    memmap_own(&map, 0x3000, 0x3000, OWNER_BOOT);               /* empty */
    memmap_own(&map, 0x4000, 0x3000, OWNER_BOOT);               /* backwards: a module may claim so */
    CHECK_MAP(".HII-IHHH.");
    memmap_own(&map, UINT64_MAX - 1, UINT64_MAX, OWNER_BOOT);   /* nowhere */
    assert_int_equal(memmap_ram(&map), 7);
    usable(0x1000, 0x8000);                                     /* firmware repeats itself: owners stay */
    CHECK_MAP(".HII-IHHH.");
    reserved(0x2000, 0x1000);                                   /* and this frame was not RAM */
    CHECK_MAP(".H-I-IHHH.");
}

static void taking_finds_the_lowest_place_that_fits(void **state)
{
    paddr_t start = 77;

    (void)state;
    usable(0x1000, 0x3000);
    usable(0x6000, 0x9000);
    assert_int_equal(memmap_take(&map, 0x1800, 0x1000, 0, UINT64_MAX, OWNER_TABLES, &start), 0);
    assert_int_equal(start, 0x1000);
    CHECK_MAP(".TTf..fffffffff.");
    assert_int_equal(memmap_take(&map, 0x2000, 0x4000, 0, UINT64_MAX, OWNER_RECORDS, &start), 0);
    assert_int_equal(start, 0x8000);
    CHECK_MAP(".TTf..ffRRfffff.");
    assert_int_equal(memmap_take(&map, 0x1000, 0x1000, 0x6001, UINT64_MAX, OWNER_HEAP, &start), 0);
    assert_int_equal(start, 0x7000);
    assert_int_equal(memmap_take(&map, 1, 0x1000, 0, 0x4000, OWNER_STACK, &start), 0);
    assert_int_equal(start, 0x3000);
    CHECK_MAP(".TTS..fHRRfffff.");
}

static void taking_too_much_changes_nothing(void **state)
{
    struct memmap before;
    paddr_t start = 77;

    (void)state;
    usable(0x1000, 0x3000);
    usable(0x6000, 0x9000);
    memmap_own(&map, 0x8000, 0x9000, OWNER_IMAGE);
    before = map;
    assert_int_equal(memmap_take(&map, 0x7000, 0x1000, 0, UINT64_MAX, OWNER_HEAP, &start), -ENOMEM);
    assert_int_equal(memmap_take(&map, UINT64_MAX, 0x1000, 0, UINT64_MAX, OWNER_HEAP, &start), -ENOMEM);
    assert_int_equal(memmap_take(&map, 0x1000, 1ull << 63, 0x1000, UINT64_MAX, OWNER_HEAP, &start), -ENOMEM);
    assert_int_equal(memmap_take(&map, 0x1000, 0x1000, 0, 0x1FFF, OWNER_HEAP, &start), -ENOMEM);
    assert_int_equal(memmap_take(&map, 0x1000, 0x1000, UINT64_MAX, UINT64_MAX, OWNER_HEAP, &start), -ENOMEM);
    assert_int_equal(start, 77);
    assert_memory_equal(&map, &before, sizeof map);
}

/* ---- A full table ----------------------------------------------------------------------- */

/* Every second frame usable, 300 times, some pieces longer: the longest are kept. */
static void a_full_table_gives_up_the_smallest_pieces(void **state)
{
    (void)state;
    for (uint64_t n = 0; n < 300; n++)
        usable(n * 0x10000, n % 3 == 0 ? 0x5000 : 0x1000);
    assert_int_equal(map.count, MEMMAP_RANGES);
    assert_int_equal(map.lost, 0x1000 * (300 - MEMMAP_RANGES));
    for (uint32_t n = 0; n < 300; n += 3)
        assert_non_null(memmap_find(&map, (frame_t){ n * 0x10 }));
    assert_true(memmap_ok(&map));
}

static void a_full_table_never_forgets_what_is_reserved(void **state)
{
    (void)state;
    for (uint64_t n = 0; n < 400; n++)
        reserved(n * 0x3000, 0x1000);
    assert_true(map.count <= MEMMAP_RANGES);
    usable(0, 0x1000000);
    assert_true(map.count <= MEMMAP_RANGES);
    assert_true(memmap_ok(&map));
    for (uint32_t n = 0; n < 400; n++) {
        const struct memmap_range *range = memmap_find(&map, (frame_t){ n * 3 });

        assert_false(range != NULL && range->ram);
    }
    assert_true(memmap_find(&map, (frame_t){ 0x500 }) != NULL);
    assert_true(memmap_find(&map, (frame_t){ 0x500 })->ram);
}

static void a_full_table_of_owned_memory_still_takes_in_what_is_reserved(void **state)
{
    (void)state;
    usable(0, 0x1000000);
    for (uint64_t n = 0; n < 200; n++)
        memmap_own(&map, n * 0x2000, n * 0x2000 + 0x1000, n % 2 ? OWNER_IMAGE : OWNER_BOOT);
    assert_true(map.count <= MEMMAP_RANGES);
    for (uint64_t n = 0; n < 200; n++)
        reserved(n * 0x2000 + 0x1000, 0x1000);
    assert_true(map.count <= MEMMAP_RANGES);
    assert_true(memmap_ok(&map));
    for (uint32_t n = 0; n < 200; n++) {
        const struct memmap_range *range = memmap_find(&map, (frame_t){ n * 2 });

        assert_true(range == NULL || range->owner != OWNER_FREE);
    }
}

/* ---- Against a model -------------------------------------------------------------------- */

enum { MODEL_FRAMES = 400, MODEL_RANGES = 60 };

struct said {
    uint64_t   base, length;
    enum { SAID_USABLE, SAID_RESERVED, SAID_OWNED } what;
    enum owner owner;
};

/* First principles: a frame is RAM if one usable range holds all of it and no reserved one touches it. */
static char model(const struct said *said, uint32_t count, uint32_t frame)
{
    __uint128_t first = (__uint128_t)frame << 12, end = first + 4096;
    enum owner owner = OWNER_FREE;
    bool ram = false, kept_off = false;

    for (uint32_t i = 0; i < count; i++) {
        __uint128_t from = said[i].base, to = from + said[i].length;
        bool holds = from <= first && end <= to, meets = from < to && from < end && first < to;

        if (said[i].what == SAID_USABLE)
            ram |= holds;
        else if (said[i].what == SAID_RESERVED)
            kept_off |= meets;
        else if (meets && ram && !kept_off && owner == OWNER_FREE)
            owner = said[i].owner;
    }
    return kept_off ? '-' : !ram ? '.' : letter_of(owner);
}

static struct said random_range(bool may_own)
{
    struct said said;

    said.base = test_random(MODEL_FRAMES * 4096);
    said.length = test_random(4) == 0 ? test_random(3) : test_random(test_random(40) * 4096 + 1);
    if (test_random(2))
        said.base &= ~4095ull;
    if (test_random(2))
        said.length &= ~4095ull;
    if (test_random(50) == 0)
        said.length = UINT64_MAX - test_random(3);
    said.what = test_random(may_own ? 4 : 3) == 0 ? SAID_RESERVED : SAID_USABLE;
    said.owner = test_random(2) ? OWNER_IMAGE : OWNER_BOOT;
    if (may_own && test_random(3) == 0) {
        said.what = SAID_OWNED;
        said.length %= MODEL_FRAMES * 4096;
        if (said.length == 0)
            said.length = 1;
    }
    return said;
}

static void any_map_equals_the_model(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 1500; round++) {
        struct said said[MODEL_RANGES];
        uint32_t count = 1 + test_random(MODEL_RANGES);
        bool sure = true;

        empty_map(NULL);
        for (uint32_t i = 0; i < count; i++) {
            said[i] = random_range(true);
            if (said[i].what == SAID_OWNED)
                memmap_own(&map, said[i].base, said[i].base + said[i].length, said[i].owner);
            else
                memmap_add(&map, said[i].base, said[i].length, said[i].what == SAID_USABLE);
            assert_true(memmap_ok(&map));
            sure &= map.count < MEMMAP_RANGES;
        }
        assert_true(sure);          /* 60 ranges never fill the table */
        for (uint32_t n = 0; n < MODEL_FRAMES; n++)
            assert_int_equal(letter(n), model(said, count, n));
    }
}

/* ---- Invariants broken on purpose ------------------------------------------------------- */

static void expect_named(const char *id)
{
    struct audit_report report = { 0 };

    memmap_audit(&map, &report);
    assert_true(report_names(&report, id));
}

static void broken_maps_are_named(void **state)
{
    struct audit_report report = { 0 };

    (void)state;
    map.count = MEMMAP_RANGES + 1;
    memmap_audit(&map, &report);
    assert_true(report_names(&report, "P1"));
    assert_string_equal(report.failures[0].text, "129 ranges, the table holds 128");
    map.count = 0;
    usable(0, 0x4000);
    reserved(0x8000, 0x1000);
    map.ranges[0].end.no = 0;
    expect_named("P1");
    map.ranges[0].end.no = 9;
    expect_named("P1");
    map.ranges[0].end.no = 8;
    assert_true(memmap_ok(&map));
    map.ranges[0].ram = false;
    map.ranges[0].owner = OWNER_ABSENT;
    expect_named("P2");
    map.ranges[0].ram = true;
    map.ranges[1].end.no = map.limit + 1;
    expect_named("P3");
    map.count = MEMMAP_RANGES + 1;
    expect_named("P1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(usable_ranges_shrink_to_whole_frames, empty_map),
        cmocka_unit_test_setup(reserved_ranges_grow_to_whole_frames, empty_map),
        cmocka_unit_test_setup(empty_ranges_say_nothing, empty_map),
        cmocka_unit_test_setup(wrapping_ranges_are_cut, empty_map),
        cmocka_unit_test_setup(memory_beyond_the_limit_is_counted_not_used, empty_map),
        cmocka_unit_test_setup(neighbours_join, empty_map),
        cmocka_unit_test_setup(the_stricter_kind_wins_in_any_order, empty_map),
        cmocka_unit_test_setup(qemu_with_32_mib, empty_map),
        cmocka_unit_test_setup(owning_keeps_what_others_have, empty_map),
        cmocka_unit_test_setup(taking_finds_the_lowest_place_that_fits, empty_map),
        cmocka_unit_test_setup(taking_too_much_changes_nothing, empty_map),
        cmocka_unit_test_setup(a_full_table_gives_up_the_smallest_pieces, empty_map),
        cmocka_unit_test_setup(a_full_table_never_forgets_what_is_reserved, empty_map),
        cmocka_unit_test_setup(a_full_table_of_owned_memory_still_takes_in_what_is_reserved, empty_map),
        cmocka_unit_test_setup(any_map_equals_the_model, empty_map),
        cmocka_unit_test_setup(broken_maps_are_named, empty_map),
    };

    return cmocka_run_group_tests_name("memmap", tests, NULL, NULL);
}
