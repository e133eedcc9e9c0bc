/*
 * test_frame.c - frames with owners: taking, giving back, sharing, runs, misuse, the audit.
 *
 * Also compiled as a release build (test_frame_release.c), where frames hold no poison
 * and the short ways through frame_get() and frame_put() are taken.
 */
#include "no_document.h"
#include "support.h"

#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "memory/frames/frame_magazine.h"

static const struct layout_policy bare    = { .polarity = ONE_IS_FREE, .search = SEARCH_FIRST };
static const struct layout_policy next    = { .search = SEARCH_NEXT, .zeroing = ZERO_ALL };
static const struct layout_policy with_magazine = { .search = SEARCH_FULLEST, .magazine = 64 };

static frame_t get(enum owner owner, unsigned flags)
{
    frame_t frame = NO_FRAME;

    assert_int_equal(frame_get(owner, flags, &frame), 0);
    return frame;
}

static uint32_t owned(enum owner owner)
{
    struct frame_sums sums;

    frames_sums(&sums);
    assert_int_equal(sums.owned[owner], frames_owned(owner));
    return sums.owned[owner];
}

static uint32_t misuses(void)
{
    struct frame_sums sums;

    frames_sums(&sums);
    return sums.misuses;
}

static uint32_t take_all(enum owner owner, unsigned flags)
{
    uint32_t count = 0;
    frame_t frame;

    while (frame_get(owner, flags, &frame) == 0)
        count++;
    return count;
}

/* A PC: 640 KiB, a hole, 15 MiB with an image at its start; what lies above is not listed. */
static void open_pc(const struct layout_policy *policy, uint32_t low_end)
{
    struct memmap map;

    memmap_start(&map, 1u << 20);
    memmap_add(&map, 0, 0xA0000, true);
    memmap_add(&map, 0x100000, 0xF00000, true);
    memmap_own(&map, 0, 0x1000, OWNER_HELD);
    memmap_own(&map, 0x100000, 0x180000, OWNER_IMAGE);
    memmap_own(&map, 0x180000, 0x190000, OWNER_BOOT);
    open_frames(&map, policy, low_end);
}

enum { PC_FREE = 0x9F + 0xF00 - 0x90 };

/* ---- Opening ---------------------------------------------------------------------------- */

static void the_map_becomes_owners_and_bits(void **state)
{
    const uint8_t *bytes;
    size_t size;

    (void)state;
    open_pc(&bare, 1u << 20);
    check_frames();
    assert_true(frames_are_open());
    assert_int_equal(frames_end(), 0x1000);
    assert_int_equal(frames_free(), PC_FREE);
    assert_int_equal(owned(OWNER_HELD), 1);
    assert_int_equal(owned(OWNER_IMAGE), 0x80);
    assert_int_equal(owned(OWNER_BOOT), 0x10);
    assert_int_equal(owned(OWNER_ABSENT), 0x60);
    bytes = frames_bitmap(&size);
    assert_int_equal(bytes[0], 0xFE);                   /* 1 = free, frame 0 held */
    assert_int_equal(bytes[0xA0 / 8], 0);
    assert_int_equal(bytes[0x190 / 8], 0xFF);
    assert_true(frame_is_ram((frame_t){ 0x9F }));
    assert_false(frame_is_ram((frame_t){ 0xA0 }));
    assert_false(frame_is_ram((frame_t){ 0x1000 }));
    assert_false(frame_is_ram(NO_FRAME));
    assert_int_equal(frame_owner((frame_t){ 0x100 }), OWNER_IMAGE);
    assert_int_equal(frame_references((frame_t){ 0x100 }), 1);
    assert_int_equal(frame_references((frame_t){ 0x190 }), 0);
}

static void sizes_are_as_promised(void **state)
{
    struct layout_policy fixed = { .bitmap_bytes = 131072 };

    (void)state;
    assert_int_equal(frames_bitmap_bytes(&fixed, 8192), 131072);
    assert_int_equal(frames_bitmap_bytes(&bare, 8192), 1024);
    assert_int_equal(frames_bitmap_bytes(&bare, 8193), 1024 + 64);
    assert_int_equal(frames_record_bytes(1u << 20), 8 * MiB);
    assert_true(frames_record_bytes(UINT32_MAX) == 8ull * UINT32_MAX);
}

/* ---- Taking and giving back ------------------------------------------------------------- */

static void a_frame_is_taken_and_given_back(void **state)
{
    const struct layout_policy *policies[] = { &bare, &next, &with_magazine };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(policies); i++) {
        frame_t frame;

        open_pc(policies[i], 1u << 20);
        frame = get(OWNER_USER, 0);
        assert_int_equal(frame_owner(frame), OWNER_USER);
        assert_int_equal(frame_references(frame), 1);
        assert_int_equal(frame_link(frame), 0);
        frame_set_link(frame, 0xDEADBEEF);
        assert_int_equal(frame_link(frame), 0xDEADBEEF);
        assert_int_equal(owned(OWNER_USER), 1);
        assert_int_equal(frames_free(), PC_FREE - 1);
        check_frames();
        assert_true(frame_put(frame));
        assert_int_equal(frame_owner(frame), OWNER_FREE);
        assert_int_equal(owned(OWNER_USER), 0);
        assert_int_equal(frames_free(), PC_FREE);
        check_frames();
        while (get(OWNER_USER, FRAME_SPARE).no != frame.no)     /* the frame returns without its old link */
            ;
        assert_int_equal(frame_link(frame), 0);
        assert_int_equal(misuses(), 0);
    }
}

/* A9, K2: without a magazine each bit changes with the call. */
static void bits_follow_each_call(void **state)
{
    const uint8_t *bytes;
    frame_t frames_taken[3];
    size_t size;

    (void)state;
    open_pc(&bare, 1u << 20);
    bytes = frames_bitmap(&size);
    for (int n = 0; n < 3; n++)
        frames_taken[n] = get(OWNER_HEAP, 0);
    assert_int_equal(bytes[0], 0xF0);
    frame_put(frames_taken[1]);
    assert_int_equal(bytes[0], 0xF4);
    assert_int_equal(get(OWNER_HEAP, 0).no, 2);
    assert_int_equal(bytes[0], 0xF0);
}

/* K7, K9. */
static void next_fit_does_not_reuse_before_it_wraps(void **state)
{
    frame_t first, frame;

    (void)state;
    open_pc(&next, 1u << 20);
    first = get(OWNER_USER, 0);
    get(OWNER_USER, 0);
    frame_put(first);
    do
        frame = get(OWNER_USER, FRAME_SPARE);
    while (frames_free() > 1);
    assert_int_equal(frame.no, 0xFFF);
    assert_int_equal(get(OWNER_USER, FRAME_SPARE).no, first.no);
}

static void the_newest_frame_of_the_magazine_comes_first(void **state)
{
    frame_t a, b;

    (void)state;
    open_pc(&with_magazine, 1u << 20);
    a = get(OWNER_USER, 0);
    b = get(OWNER_USER, 0);
    frame_put(a);
    frame_put(b);
    assert_int_equal(get(OWNER_USER, 0).no, b.no);
    assert_int_equal(get(OWNER_USER, 0).no, a.no);
}

/* A full ring sends its oldest frame back for each new one, and the bitmap shows it. */
static void a_full_magazine_overflows_one_by_one(void **state)
{
    static frame_t held[200];
    struct frame_sums sums;

    (void)state;
    open_pc(&with_magazine, 1u << 20);
    for (int n = 0; n < 200; n++)
        held[n] = get(OWNER_USER, 0);
    for (int n = 0; n < 200; n++) {
        frame_put(held[n]);
        check_frames();
        frames_sums(&sums);
        assert_true(sums.magazine <= 64 + WORD_BITS);
        if (n >= 64)
            assert_true(pool_is_free(&frames.pool, held[n - 64].no));
    }
    frames_drain();
    frames_sums(&sums);
    assert_int_equal(sums.magazine, 0);
    for (int n = 0; n < 200; n++)
        assert_true(pool_is_free(&frames.pool, held[n].no));
    check_frames();
}

static void all_frames_come_once_and_all_come_back(void **state)
{
    const struct layout_policy *policies[] = { &bare, &next, &with_magazine };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(policies); i++) {
        static bool seen[0x1000];
        struct frame_sums sums;
        struct frame_runs runs;
        frame_t frame;

        open_pc(policies[i], 1u << 20);
        memset(seen, 0, sizeof seen);
        while (frame_get(OWNER_TEST, FRAME_SPARE, &frame) == 0) {
            assert_true(frame.no < 0x1000 && !seen[frame.no]);
            seen[frame.no] = true;
        }
        assert_int_equal(frames_free(), 0);
        assert_int_equal(owned(OWNER_TEST), PC_FREE);
        check_frames();
        frames_sums(&sums);
        assert_int_equal(sums.peak_used, sums.ram);
        frames_runs(&runs);
        assert_int_equal(runs.largest, 0);
        for (uint32_t n = 0; n < 0x1000; n++)
            if (seen[n])
                assert_true(frame_put((frame_t){ n }));
        frames_drain();
        frames_sums(&sums);
        assert_int_equal(frames_free(), PC_FREE);
        assert_int_equal(sums.gets, PC_FREE);
        assert_int_equal(sums.puts, PC_FREE);
        frames_runs(&runs);
        assert_int_equal(runs.largest, 0x1000 - 0x190);
        assert_int_equal(runs.free_areas, 7);
        check_frames();
    }
}

static void no_memory_changes_nothing(void **state)
{
    frame_t frame = { 77 };
    struct frame_sums sums;

    (void)state;
    open_pc(&bare, 1u << 20);
    take_all(OWNER_TEST, FRAME_SPARE);
    assert_int_equal(frame_get(OWNER_USER, 0, &frame), -ENOMEM);
    assert_int_equal(frame_get(OWNER_USER, FRAME_ZERO | FRAME_SPARE, &frame), -ENOMEM);
    assert_int_equal(frame_run_get(OWNER_USER, 1, 1, 0, FRAME_SPARE, &frame), -ENOMEM);
    assert_int_equal(frame.no, 77);
    frames_sums(&sums);
    assert_int_equal(sums.owned[OWNER_USER], 0);
    check_frames();
}

static void the_reserve_is_for_those_who_may(void **state)
{
    const struct layout_policy *policies[] = { &bare, &with_magazine };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(policies); i++) {
        struct frame_sums sums;
        frame_t frame, spare;

        open_pc(policies[i], 1u << 20);
        frames_sums(&sums);
        assert_in_range(sums.reserve, 4, 64);
        assert_int_equal(take_all(OWNER_TEST, 0), PC_FREE - sums.reserve);
        spare = get(OWNER_TABLES, FRAME_SPARE);
        assert_int_equal(frame_get(OWNER_USER, 0, &frame), -ENOMEM);
        assert_true(frame_put(spare));                  /* refills the reserve, not the others */
        assert_int_equal(frame_get(OWNER_USER, 0, &frame), -ENOMEM);
        assert_int_equal(frame_run_get(OWNER_USER, 1, 1, 0, 0, &frame), -ENOMEM);
        assert_int_equal(frame_run_get(OWNER_USER, 1, 1, 0, FRAME_SPARE, &frame), 0);
        frame_run_put(frame, 1);
        assert_int_equal(take_all(OWNER_TABLES, FRAME_SPARE), sums.reserve);
        check_frames();
    }
}

static void low_frames_are_below_the_border(void **state)
{
    const struct layout_policy *policies[] = { &bare, &next, &with_magazine };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(policies); i++) {
        uint32_t low = 0, border = 0x250;
        frame_t frame;

        open_pc(policies[i], border);
        for (int n = 0; n < 100; n++) {                 /* magazines hold both kinds */
            frame_put(get(OWNER_USER, 0));
            frame = get(OWNER_TABLES, FRAME_LOW);
            assert_true(frame.no < border);
            frame_put(frame);
        }
        while (frame_get(OWNER_TABLES, FRAME_LOW | FRAME_SPARE, &frame) == 0) {
            assert_true(frame.no < border);
            low++;
        }
        assert_int_equal(low, 0x9F + border - 0x190);
        assert_true(get(OWNER_USER, 0).no >= border);
        check_frames();
    }
}

/* Also those that were cleared ahead: they lie among others, wherever the search for frames had come to. */
static void low_frames_that_were_cleared_ahead_are_found(void **state)
{
    static frame_t taken[64];

    (void)state;
    for (uint32_t keep = 0; keep < 8; keep++) {
        uint32_t      count = 0, low = 0;
        struct memmap map;
        frame_t       frame;

        memmap_start(&map, UINT32_MAX - 1);
        memmap_add(&map, 0, 64 << PAGE_SHIFT, true);
        open_frames(&map, &with_magazine, 24);
        while (frame_get(OWNER_USER, FRAME_SPARE, &frame) == 0)
            taken[count++] = frame;
        frames_drain();
        for (uint32_t n = 0; n < 6 && n < count; n++)   /* high ones, then low ones, in one row */
            frame_put(taken[(n + keep) % 6 < 3 ? count - 1 - n : n]);
        while (frames_idle())
            ;
        for (uint32_t n = 0; n < 64; n++)
            low += n < 24 && frame_owner((frame_t){ n }) == OWNER_FREE;
        while (frame_get(OWNER_TABLES, FRAME_LOW | FRAME_SPARE, &frame) == 0) {
            assert_true(frame.no < 24);
            low--;
        }
        assert_int_equal(low, 0);
        check_frames();
    }
}

/* With the border inside RAM, others leave low memory alone while there is any other. */
static void high_memory_is_used_first(void **state)
{
    frame_t frame = NO_FRAME;

    (void)state;
    open_pc(&with_magazine, 0x400);
    for (uint32_t n = 0; n < 0xC00; n++)
        assert_true((frame = get(OWNER_USER, 0)).no >= 0x400);
    assert_true(get(OWNER_USER, 0).no < 0x400);
}

/* ---- Contents --------------------------------------------------------------------------- */

static void zeroed_frames_hold_zeros(void **state)
{
    const struct layout_policy *policies[] = { &bare, &next, &with_magazine };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(policies); i++) {
        open_pc(policies[i], 1u << 20);
        for (uint32_t n = 0; n < 300; n++) {
            frame_t frame = get(OWNER_USER, n % 2 ? FRAME_ZERO : 0);

            if (n % 2 || policies[i]->zeroing == ZERO_ALL)
                assert_true(page_holds(frame_words(frame), 0));
            memset(frame_words(frame), (int)n, PAGE_SIZE);
            if (n % 3 == 0)
                frames_idle();
            if (n % 5)
                frame_put(frame);
        }
        check_frames();
    }
}

static void check_zeroed(void)
{
    struct frame_sums sums;
    uint32_t zeroed = 0;

    for (uint32_t n = 0; n < frames.end; n++)
        zeroed += state_free(frames.records[n].state) && (frames.records[n].state & STATE_ZEROED);
    frames_sums(&sums);
    assert_int_equal(sums.zeroed, zeroed);
}

static void idle_work_zeroes_ahead_and_ends(void **state)
{
    struct frame_sums sums;
    frame_t frame;

    (void)state;
    open_pc(&with_magazine, 1u << 20);
    frame = get(OWNER_USER, 0);
    for (uint32_t n = 0; n < 32; n++)
        assert_true(frames_idle());
    assert_false(frames_idle());
    frames_sums(&sums);
    assert_int_equal(sums.zeroed, 32);
    check_frames();
    frame = get(OWNER_USER, FRAME_ZERO);
    frames_sums(&sums);
    assert_int_equal(sums.zeroed, 31);
    assert_true(page_holds(frame_words(frame), 0));
    frames_drain();                         /* the bitmap still marks them as cleared */
    frames_sums(&sums);
    assert_int_equal(sums.zeroed, 31);
    assert_int_equal(sums.magazine, 0);
    check_frames();
    while (frames_idle())                   /* some of them again, which does not count twice */
        ;
    frames_drain();
    check_zeroed();
    take_all(OWNER_TEST, FRAME_SPARE);
    frames_sums(&sums);
    assert_int_equal(sums.zeroed, 0);
    assert_false(frames_idle());
    check_frames();
}

/* Without a magazine the frame that comes next is zeroed where it is, and found again. */
static void idle_work_without_a_magazine(void **state)
{
    struct frame_sums sums;
    frame_t frame;

    (void)state;
    open_pc(&bare, 1u << 20);
    assert_true(frames_idle());
    assert_false(frames_idle());
    frames_sums(&sums);
    assert_int_equal(sums.zeroed, 1);
    assert_int_equal(sums.owned[OWNER_FREE], PC_FREE);
    assert_true(page_holds(frame_words((frame_t){ 1 }), 0));
    check_frames();
    frame = get(OWNER_USER, FRAME_ZERO);
    assert_int_equal(frame.no, 1);
    assert_true(page_holds(frame_words(frame), 0));
    assert_true(frames_idle());
    check_frames();
}

/* F5: in a checked build a write to a free frame is found, by the audit and by its next user. */
static void a_write_after_free_is_found(void **state)
{
    struct audit_report report = { 0 };
    frame_t frame;

    (void)state;
    if (!IS_CHECKED)
        return;
    open_pc(&with_magazine, 1u << 20);
    frame = get(OWNER_STACK, 0);
    frame_put(frame);
    assert_true(page_holds(frame_words(frame), FRAME_POISON));
    frame_words(frame)[100] = 7;
    frames_audit(&report);
    assert_true(report_names(&report, "F5"));
    assert_non_null(strstr(report.failures[0].text, "stacks"));
    printed_forget();
    assert_int_equal(get(OWNER_USER, FRAME_ZERO).no, frame.no);
    assert_true(page_holds(frame_words(frame), 0));
    assert_non_null(strstr(printed(), "written after it was free"));
    assert_non_null(strstr(printed(), "stacks"));
    assert_int_equal(misuses(), 1);

    while (frames_idle())
        ;
    frame = (frame_t){ frame_magazines[0].clean[frame_magazines[0].clean_count - 1] };
    frame_words(frame)[1023] = 1;
    report = (struct audit_report){ 0 };
    frames_audit(&report);
    assert_true(report_names(&report, "F5"));
    assert_int_equal(get(OWNER_USER, FRAME_ZERO).no, frame.no);
    assert_true(page_holds(frame_words(frame), 0));             /* harmless all the same */
    assert_int_equal(misuses(), 2);
    check_frames();
}

/* ---- Sharing ---------------------------------------------------------------------------- */

static void a_shared_frame_lives_until_the_last_put(void **state)
{
    frame_t frame;

    (void)state;
    open_pc(&with_magazine, 1u << 20);
    frame = get(OWNER_USER, 0);
    frame_share(frame);
    frame_share(frame);
    assert_int_equal(frame_references(frame), 3);
    assert_false(frame_put(frame));
    assert_false(frame_put(frame));
    assert_int_equal(owned(OWNER_USER), 1);
    check_frames();
    assert_true(frame_put(frame));
    assert_int_equal(owned(OWNER_USER), 0);
    assert_int_equal(misuses(), 0);
    check_frames();
}

/* A module mapped where it lies: references come and go, the map's own stays. */
static void what_the_map_gave_can_be_shared_but_not_freed(void **state)
{
    frame_t module = { 0x180 };

    (void)state;
    open_pc(&with_magazine, 1u << 20);
    frame_share(module);
    assert_int_equal(frame_references(module), 2);
    assert_false(frame_put(module));
    assert_int_equal(misuses(), 0);
    assert_false(frame_put(module));
    assert_int_equal(misuses(), 1);
    assert_int_equal(frame_references(module), 1);
    check_frames();
}

static void a_count_that_reaches_its_end_sticks(void **state)
{
    struct frame_sums sums;
    frame_t frame;

    (void)state;
    open_pc(&with_magazine, 1u << 20);
    frame = get(OWNER_USER, FRAME_ZERO);
    for (uint32_t n = 1; n < STATE_PINNED + 100u; n++)
        frame_share(frame);
    assert_int_equal(frame_references(frame), STATE_PINNED);
    assert_int_equal(frame_owner(frame), OWNER_USER);
    frames_sums(&sums);
    assert_int_equal(sums.pinned, 1);
    for (uint32_t n = 0; n < STATE_PINNED + 100u; n++)
        assert_false(frame_put(frame));
    assert_int_equal(frame_references(frame), STATE_PINNED);
    assert_int_equal(misuses(), 0);
    check_frames();
}

static void sharing_a_free_frame_stops(void **state)
{
    frame_t frame;

    (void)state;
    open_pc(&with_magazine, 1u << 20);
    frame = get(OWNER_USER, 0);
    frame_put(frame);
    assert_non_null(MACHINE_STOPS(frame_share(frame)));
    assert_non_null(MACHINE_STOPS(frame_share((frame_t){ 0xA5 })));
    assert_non_null(MACHINE_STOPS(frame_share(NO_FRAME)));
    check_frames();
}

static void owners_can_change(void **state)
{
    frame_t frame;
    struct frame_sums sums;

    (void)state;
    open_pc(&with_magazine, 1u << 20);
    frame = get(OWNER_FILE, 0);
    frame_share(frame);
    frame_set_link(frame, 5);
    frame_change_owner(frame, OWNER_FILE, OWNER_SHARED);
    assert_int_equal(frame_owner(frame), OWNER_SHARED);
    assert_int_equal(frame_references(frame), 2);
    assert_int_equal(frame_link(frame), 5);
    assert_int_equal(owned(OWNER_FILE), 0);
    assert_int_equal(owned(OWNER_SHARED), 1);
    frames_sums(&sums);
    assert_int_equal(sums.gets, 1);
    assert_int_equal(sums.puts, 0);
    check_frames();
    assert_non_null(MACHINE_STOPS(frame_change_owner(frame, OWNER_FILE, OWNER_USER)));
}

/* ---- Misuse ----------------------------------------------------------------------------- */

static void expect_refused(frame_t frame, const char *words, const char *owner)
{
    uint32_t before = misuses(), free_before = frames_free();

    printed_forget();
    assert_false(frame_put(frame));
    assert_int_equal(misuses(), before + 1);
    assert_int_equal(frames_free(), free_before);
    assert_non_null(strstr(printed(), words));
    assert_non_null(strstr(printed(), owner));
    check_frames();
}

static void wrong_frees_are_refused_and_named(void **state)
{
    frame_t frame, other;

    (void)state;
    open_pc(&with_magazine, 1u << 20);
    frame = get(OWNER_HEAP, 0);
    other = get(OWNER_USER, 0);
    frame_put(frame);
    expect_refused(frame, "double free", "heap");               /* in the magazine */
    frames_drain();
    expect_refused(frame, "double free", "heap");               /* in the bitmap */
    expect_refused((frame_t){ 0x200 }, "double free", "absent");    /* never handed out */
    expect_refused((frame_t){ 0xA0 }, "no RAM", "absent");
    expect_refused((frame_t){ 0x1000 }, "no RAM", "absent");
    expect_refused(NO_FRAME, "no RAM", "absent");
    expect_refused((frame_t){ 0 }, "never gave", "held");
    expect_refused((frame_t){ 0x100 }, "never gave", "image");
    expect_refused((frame_t){ 0x180 }, "never gave", "boot");
    assert_true(frame_put(other));
    check_frames();
}

/* ---- Runs ------------------------------------------------------------------------------- */

static void runs_are_taken_and_given_back(void **state)
{
    const struct layout_policy *policies[] = { &bare, &next, &with_magazine };
    static const struct { uint32_t count, align, below; } wanted[] = {
        { 1, 1, 0 }, { 2, 1, 0 }, { 3, 4, 0 }, { 64, 64, 0x100 }, { 512, 512, 0 }, { 512, 1, 0 },
        { 513, 1, 0 }, { 1500, 256, 0 }, { 0x1000 - 0x200, 512, 0 }, { 0x1000 - 0x190, 16, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(policies); i++) {
        open_pc(policies[i], 1u << 20);
        for (size_t n = 0; n < COUNT_OF(wanted); n++) {
            frame_t first = NO_FRAME;

            assert_int_equal(frame_run_get(OWNER_STACK, wanted[n].count, wanted[n].align, wanted[n].below,
                                           FRAME_SPARE, &first), 0);
            assert_int_equal(first.no % wanted[n].align, 0);
            if (wanted[n].below)
                assert_true(first.no + wanted[n].count <= wanted[n].below);
            assert_int_equal(owned(OWNER_STACK), wanted[n].count);
            for (uint32_t k = 0; k < wanted[n].count; k++)
                assert_int_equal(frame_references((frame_t){ first.no + k }), 1);
            check_frames();
            if (n % 2) {
                frame_run_put(first, wanted[n].count);
            } else {
                for (uint32_t k = 0; k < wanted[n].count; k++)
                    assert_true(frame_put((frame_t){ first.no + k }));
            }
            assert_int_equal(frames_free(), PC_FREE);
            check_frames();
        }
        assert_int_equal(misuses(), 0);
    }
}

static void small_runs_spare_whole_areas(void **state)
{
    frame_t first;

    (void)state;
    open_pc(&bare, 1u << 20);
    assert_int_equal(frame_run_get(OWNER_HEAP, 0x60, 1, 0, 0, &first), 0);
    assert_int_equal(first.no, 1);
    assert_int_equal(frame_run_get(OWNER_HEAP, 0x60, 1, 0, 0, &first), 0);
    assert_int_equal(first.no, 0x190);
    assert_int_equal(frame_run_get(OWNER_HEAP, 0x60, 1, 0, 0, &first), 0);
    assert_int_equal(first.no, 0x1F0);              /* no broken area has so many: a border is crossed */
    assert_int_equal(frame_run_get(OWNER_HEAP, 0x60, 0x40, 0, 0, &first), 0);
    assert_int_equal(first.no, 0x280);

    open_pc(&bare, 1u << 20);
    assert_int_equal(frame_run_get(OWNER_HEAP, 1, 0x800, 0, 0, &first), 0);
    assert_int_equal(first.no, 0x800);
    assert_int_equal(frame_run_get(OWNER_HEAP, 0x100, 1, 0, 0, &first), 0);
    assert_int_equal(first.no, 0x801);              /* a whole area at 0x200 would have been lower */
}

/* The run exists only with what lies in the magazine. */
static void a_run_is_found_behind_the_magazine(void **state)
{
    static frame_t held[PC_FREE];
    frame_t first;
    uint32_t count = 0;

    (void)state;
    open_pc(&with_magazine, 1u << 20);
    while (frame_get(OWNER_USER, FRAME_SPARE, &held[count]) == 0)
        count++;
    for (uint32_t n = 0; n < count; n++)
        if (held[n].no >= 0x3E0 && held[n].no < 0x410)
            frame_put(held[n]);
    assert_int_equal(frame_run_get(OWNER_TEST, 0x31, 1, 0, FRAME_SPARE, &first), -ENOMEM);
    assert_int_equal(frame_run_get(OWNER_TEST, 0x30, 1, 0, FRAME_SPARE, &first), 0);
    assert_int_equal(first.no, 0x3E0);
    check_frames();
}

static void runs_arrive_zeroed_when_asked(void **state)
{
    frame_t first;

    (void)state;
    open_pc(&with_magazine, 1u << 20);
    assert_int_equal(frame_run_get(OWNER_TABLES, 20, 4, 0, FRAME_ZERO, &first), 0);
    for (uint32_t n = 0; n < 20; n++) {
        assert_true(page_holds(frame_words((frame_t){ first.no + n }), 0));
        memset(frame_words((frame_t){ first.no + n }), 1, PAGE_SIZE);
    }
    frame_run_put(first, 20);
    assert_int_equal(frame_run_get(OWNER_TABLES, 40, 1, 0, FRAME_ZERO, &first), 0);
    for (uint32_t n = 0; n < 40; n++)
        assert_true(page_holds(frame_words((frame_t){ first.no + n }), 0));
}

static void low_runs_are_below_the_border(void **state)
{
    frame_t first;

    (void)state;
    open_pc(&with_magazine, 0x250);
    assert_int_equal(frame_run_get(OWNER_TABLES, 0xC0, 1, 0, FRAME_LOW, &first), 0);
    assert_int_equal(first.no, 0x190);
    assert_int_equal(frame_run_get(OWNER_TABLES, 0xC0, 1, 0, FRAME_LOW, &first), -ENOMEM);
    assert_int_equal(frame_run_get(OWNER_TABLES, 0xC0, 1, 0, 0, &first), 0);
    assert_true(first.no >= 0x250);
}

static void a_run_not_wholly_ours_is_refused_whole(void **state)
{
    frame_t first;
    uint32_t free_before;

    (void)state;
    open_pc(&with_magazine, 1u << 20);
    assert_int_equal(frame_run_get(OWNER_STACK, 8, 1, 0, 0, &first), 0);
    frame_share((frame_t){ first.no + 3 });
    free_before = frames_free();
    printed_forget();
    frame_run_put(first, 8);
    assert_non_null(strstr(printed(), "shared"));
    frame_put((frame_t){ first.no + 3 });
    frame_run_put(first, 9);                        /* one frame too many, which is free */
    assert_non_null(strstr(printed(), "double free"));
    frame_run_put((frame_t){ 0xFFE }, 3);
    frame_run_put((frame_t){ UINT32_MAX - 1 }, UINT32_MAX);
    assert_non_null(strstr(printed(), "leaves RAM"));
    frame_run_put((frame_t){ 0x170 }, 4);
    assert_non_null(strstr(printed(), "image"));
    assert_int_equal(misuses(), 5);
    assert_int_equal(frames_free(), free_before);
    check_frames();
    frame_run_put(first, 8);
    assert_int_equal(frames_free(), free_before + 8);
    frame_run_put(first, 0);
    check_frames();
}

/* ---- The map's memory given to the pool ------------------------------------------------- */

static void boot_memory_is_reclaimed_once(void **state)
{
    struct frame_sums sums;

    (void)state;
    open_pc(&with_magazine, 1u << 20);
    frame_share((frame_t){ 0x185 });                            /* still in use */
    frame_reclaim((frame_t){ 0x170 }, 0x30, OWNER_BOOT);        /* reaches into image and free memory */
    assert_int_equal(frames_free(), PC_FREE + 15);
    assert_int_equal(owned(OWNER_BOOT), 1);
    assert_int_equal(owned(OWNER_IMAGE), 0x80);
    check_frames();
    frame_reclaim((frame_t){ 0x170 }, 0x30, OWNER_BOOT);
    frame_reclaim((frame_t){ 0xFF0 }, UINT32_MAX, OWNER_BOOT);
    assert_int_equal(frames_free(), PC_FREE + 15);
    frames_sums(&sums);
    assert_int_equal(sums.misuses, 0);
    check_frames();
    assert_int_equal(take_all(OWNER_TEST, FRAME_SPARE), PC_FREE + 15);
    check_frames();
}

/* ---- The failure sweep ------------------------------------------------------------------ */

static void the_nth_call_fails_once(void **state)
{
    const struct layout_policy *policies[] = { &bare, &next, &with_magazine };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(policies); i++) {
        open_pc(policies[i], 1u << 20);
        frame_put(get(OWNER_USER, 0));
        for (uint32_t n = 1; n < 6; n++) {
            frame_t frame = { 77 };

            frame_fail_at(n);
            for (uint32_t k = 1; k < n; k++)
                frame_put(get(OWNER_USER, k % 2 ? FRAME_ZERO : 0));
            if (n % 2)
                assert_int_equal(frame_get(OWNER_USER, 0, &frame), -ENOMEM);
            else
                assert_int_equal(frame_run_get(OWNER_USER, 2, 1, 0, 0, &frame), -ENOMEM);
            assert_int_equal(frame.no, 77);
            frame_put(get(OWNER_USER, 0));
            frame_fail_at(1);
            frame_fail_at(0);
            frame_put(get(OWNER_USER, 0));
            assert_int_equal(frames_free(), PC_FREE);
            check_frames();
        }
    }
}

/* ---- Sums ------------------------------------------------------------------------------- */

static void the_peak_is_the_most_ever_used(void **state)
{
    const struct layout_policy *policies[] = { &bare, &with_magazine };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(policies); i++) {
        static frame_t held[3000];
        struct frame_sums sums;
        uint32_t count = 0, peak, base;

        open_pc(policies[i], 1u << 20);
        frames_sums(&sums);
        peak = base = sums.ram - PC_FREE;
        assert_int_equal(sums.peak_used, base);
        for (uint32_t step = 0; step < 20000; step++) {
            if (count < 3000 && test_random(10) < (step % 4000 < 2000 ? 9u : 1u)) {
                held[count++] = get(OWNER_USER, test_random(2) ? FRAME_ZERO : FRAME_LOW);
            } else if (count > 0) {
                uint32_t at = test_random(count);

                frame_put(held[at]);
                held[at] = held[--count];
            }
            peak = base + count > peak ? base + count : peak;
            if (step % 1000 == 0) {
                frames_sums(&sums);
                assert_int_equal(sums.peak_used, peak);
            }
        }
        assert_true(peak > base + 1000);
    }
}

/* The sums are not read during the peak: it is noted where frames go to the pool and come from it. */
static void a_peak_that_nobody_looked_at_is_known_afterwards(void **state)
{
    const struct layout_policy *policies[] = { &bare, &with_magazine };
    static frame_t              held[3000];
    struct frame_sums           sums;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(policies); i++) {
        open_frames_flat(policies[i], 4096);
        for (unsigned n = 0; n < 3000; n++)
            held[n] = get(OWNER_USER, 0);
        for (unsigned n = 0; n < 3000; n++)
            frame_put(held[n]);
        frames_sums(&sums);
        assert_in_range(sums.peak_used, 2990, 3000);
    }
}

static void an_emptied_magazine_is_no_peak(void **state)
{
    struct frame_sums sums;

    (void)state;
    open_frames_flat(&with_magazine, 4096);
    frame_put(get(OWNER_USER, 0));
    frames_drain();
    frames_sums(&sums);
    assert_int_equal(sums.peak_used, 1);
}

/* A peak that comes and goes without a call that looks at the bitmap. */
static void a_peak_inside_the_magazine_counts(void **state)
{
    const unsigned flags[] = { 0, FRAME_ZERO };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        frame_t held[105];
        struct frame_sums sums;
        uint32_t base;

        open_pc(&with_magazine, 1u << 20);
        frames_sums(&sums);
        base = sums.peak_used;
        for (uint32_t n = 0; n < 100; n++)
            held[n] = get(OWNER_USER, flags[i]);
        for (uint32_t n = 60; n < 100; n++)
            frame_put(held[n]);
        frames_sums(&sums);
        assert_int_equal(sums.peak_used, base + 100);
        for (uint32_t n = 60; n < 105; n++)
            held[n] = get(OWNER_USER, flags[i]);
        for (uint32_t n = 70; n < 105; n++)
            frame_put(held[n]);
        frames_sums(&sums);
        assert_int_equal(sums.peak_used, base + 105);
    }
}

/* Everything at random, with a model that remembers owner and count of each frame. */
static void any_history_adds_up(void **state)
{
    static struct { enum owner owner; uint32_t count; } model[0x1000];

    (void)state;
    for (uint32_t round = 0; round < (IS_CHECKED ? 8 : 40); round++) {
        struct layout_policy policy = { .polarity = round & 1 ? ONE_IS_FREE : ONE_IS_USED,
                                        .search = (enum search)(round % 3), .magazine = round % 4 * 21 };
        uint32_t live = 0;

        open_pc(&policy, round % 5 ? 0x300 + 0x100 * round : 1u << 20);
        memset(model, 0, sizeof model);
        for (uint32_t step = 0; step < 3000; step++) {
            enum owner owner = (enum owner)(OWNER_TABLES + test_random(OWNER_COUNT - OWNER_TABLES));
            uint32_t at = test_random(0x1000), count = 1 + test_random(12), phase = step / 500 % 2;
            frame_t frame;

            switch (test_random(10)) {
            case 0: case 1: case 2: case 3:
                for (uint32_t n = 0; n < (phase ? 30 : 3); n++) {
                    if (frame_get(owner, test_random(8), &frame) != 0)
                        continue;
                    assert_int_equal(model[frame.no].count, 0);
                    model[frame.no].owner = owner;
                    model[frame.no].count = 1;
                    live++;
                }
                break;
            case 4: case 5: case 6:
                for (uint32_t n = 0; n < (phase ? 10 : 200); n++, at = test_random(0x1000)) {
                    if (model[at].count == 0)
                        continue;
                    assert_int_equal(frame_put((frame_t){ at }), model[at].count == 1);
                    live -= --model[at].count == 0;
                }
                break;
            case 7:
                if (frame_run_get(owner, count, 1u << test_random(4), 0, 0, &frame) == 0) {
                    for (uint32_t n = frame.no; n < frame.no + count; n++) {
                        assert_int_equal(model[n].count, 0);
                        model[n].owner = owner;
                        model[n].count = 1;
                    }
                    live += count;
                }
                break;
            case 8:
                if (model[at].count > 0) {
                    frame_share((frame_t){ at });
                    model[at].count++;
                    frame_change_owner((frame_t){ at }, model[at].owner, owner);
                    model[at].owner = owner;
                }
                break;
            case 9:
                if (test_random(3) == 0)
                    frames_idle();
                if (test_random(20) == 0)
                    frames_drain();
                break;
            }
            if (step % 300 == 0) {
                assert_int_equal(frames_free(), PC_FREE - live);
                for (uint32_t n = 0; n < 0x1000; n++)
                    if (model[n].count > 0) {
                        assert_int_equal(frame_owner((frame_t){ n }), model[n].owner);
                        assert_int_equal(frame_references((frame_t){ n }), model[n].count);
                    }
                check_frames();
            }
        }
        for (uint32_t n = 0; n < 0x1000; n++)
            for (; model[n].count > 0; model[n].count--)
                frame_put((frame_t){ n });
        assert_int_equal(frames_free(), PC_FREE);
        assert_int_equal(misuses(), 0);
        check_frames();
    }
}

/* 64 GiB, of which a few frames at both ends are touched. */
static void large_memory_works_the_same(void **state)
{
    struct memmap map;
    frame_t frame, first;

    (void)state;
    memmap_start(&map, UINT32_MAX - 1);
    memmap_add(&map, 0, 64 * GiB, true);
    memmap_own(&map, 0, 64 * GiB - 1 * GiB, OWNER_HELD);
    open_frames(&map, &with_magazine, 1u << 16);
    assert_int_equal(frames_free(), GiB / PAGE_SIZE);
    frame = get(OWNER_USER, FRAME_ZERO);
    assert_true(frame.no >= (63 * GiB) / PAGE_SIZE);
    assert_int_equal(frame_run_get(OWNER_USER, 1000, 512, 0, 0, &first), 0);
    assert_true(frame_put(frame));
    frame_run_put(first, 1000);
    assert_int_equal(frames_free(), GiB / PAGE_SIZE);
    assert_false(frame_put((frame_t){ 5 }));
    assert_int_equal(misuses(), 1);
}

/* A machine of eight frames: nothing is kept back that would make it useless. */
static void tiny_memory_works_too(void **state)
{
    (void)state;
    for (uint32_t count = 1; count < 70; count++) {
        struct frame_sums sums;

        open_frames_flat(&with_magazine, count);
        frames_sums(&sums);
        assert_true(sums.reserve <= count / 4);
        assert_int_equal(take_all(OWNER_USER, 0), count - sums.reserve);
        assert_int_equal(take_all(OWNER_USER, FRAME_SPARE), sums.reserve);
        check_frames();
    }
}

/* ---- Invariants broken on purpose ------------------------------------------------------- */

static void expect_named(const char *id)
{
    struct audit_report report = { 0 };

    assert_false(frames_ok());
    frames_audit(&report);
    assert_true(report_names(&report, id));
}

static void broken_pools_are_named(void **state)
{
    struct frame_record saved;
    frame_t frame;
    word_t bits;

    (void)state;
    open_pc(&with_magazine, 1u << 20);
    frame = get(OWNER_USER, 0);
    frame_put(get(OWNER_USER, 0));

    saved = frames.records[frame.no];
    frames.records[frame.no].state = state_of(0, OWNER_USER);
    expect_named("F1");
    frames.records[frame.no].state = state_of(2, OWNER_FREE);
    expect_named("F1");
    frames.records[frame.no].state = state_of(0, OWNER_FREE);   /* lost: free, in no bitmap and no magazine */
    expect_named("F1");
    frames.records[frame.no].state = state_of(1, OWNER_HEAP);
    expect_named("F3");
    frames.records[frame.no] = saved;

    bits = frames.pool.bitmap[frame.no / WORD_BITS];
    frames.pool.bitmap[frame.no / WORD_BITS] ^= (word_t)1 << frame.no % WORD_BITS;
    expect_named("F1");
    expect_named("F2");
    frames.pool.bitmap[frame.no / WORD_BITS] = bits;

    frame_magazines[0].ring[frame_magazines[0].newest++ % MAGAZINE_MOST] =
        frame_magazines[0].ring[frame_magazines[0].oldest % MAGAZINE_MOST];
    expect_named("F1");                                         /* in the magazine twice */
    frame_magazines[0].newest--;
    frame_magazines[0].ring[frame_magazines[0].newest++ % MAGAZINE_MOST] = 0x100;
    expect_named("F1");                                         /* in the magazine, and the kernel's image */
    frame_magazines[0].newest--;

    frame_magazines[0].came[OWNER_HEAP]++;
    expect_named("F3");
    frame_magazines[0].came[OWNER_HEAP]--;
    frames.ram++;
    expect_named("F3");
    frames.ram--;

    pool_give(&frames.pool, 0xA1);
    expect_named("F4");
    pool_keep_run(&frames.pool, 0xA1, 1);
    check_frames();
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
        cmocka_unit_test(the_map_becomes_owners_and_bits),
        cmocka_unit_test(sizes_are_as_promised),
        cmocka_unit_test(a_frame_is_taken_and_given_back),
        cmocka_unit_test(bits_follow_each_call),
        cmocka_unit_test(next_fit_does_not_reuse_before_it_wraps),
        cmocka_unit_test(the_newest_frame_of_the_magazine_comes_first),
        cmocka_unit_test(a_full_magazine_overflows_one_by_one),
        cmocka_unit_test(all_frames_come_once_and_all_come_back),
        cmocka_unit_test(no_memory_changes_nothing),
        cmocka_unit_test(the_reserve_is_for_those_who_may),
        cmocka_unit_test(low_frames_are_below_the_border),
        cmocka_unit_test(low_frames_that_were_cleared_ahead_are_found),
        cmocka_unit_test(high_memory_is_used_first),
        cmocka_unit_test(zeroed_frames_hold_zeros),
        cmocka_unit_test(idle_work_zeroes_ahead_and_ends),
        cmocka_unit_test(idle_work_without_a_magazine),
        cmocka_unit_test(a_write_after_free_is_found),
        cmocka_unit_test(a_shared_frame_lives_until_the_last_put),
        cmocka_unit_test(what_the_map_gave_can_be_shared_but_not_freed),
        cmocka_unit_test(a_count_that_reaches_its_end_sticks),
        cmocka_unit_test(sharing_a_free_frame_stops),
        cmocka_unit_test(owners_can_change),
        cmocka_unit_test(wrong_frees_are_refused_and_named),
        cmocka_unit_test(runs_are_taken_and_given_back),
        cmocka_unit_test(small_runs_spare_whole_areas),
        cmocka_unit_test(a_run_is_found_behind_the_magazine),
        cmocka_unit_test(runs_arrive_zeroed_when_asked),
        cmocka_unit_test(low_runs_are_below_the_border),
        cmocka_unit_test(a_run_not_wholly_ours_is_refused_whole),
        cmocka_unit_test(boot_memory_is_reclaimed_once),
        cmocka_unit_test(the_nth_call_fails_once),
        cmocka_unit_test(the_peak_is_the_most_ever_used),
        cmocka_unit_test(a_peak_inside_the_magazine_counts),
        cmocka_unit_test(a_peak_that_nobody_looked_at_is_known_afterwards),
        cmocka_unit_test(an_emptied_magazine_is_no_peak),
        cmocka_unit_test(any_history_adds_up),
        cmocka_unit_test(large_memory_works_the_same),
        cmocka_unit_test(tiny_memory_works_too),
        cmocka_unit_test(broken_pools_are_named),
    };

    return cmocka_run_group_tests_name("frame", tests, NULL, finish);
}
