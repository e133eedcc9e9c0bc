/*
 * test_frame.c - frames with owners: taking, giving back, contents, sharing.
 *
 * Also compiled as a release build (test_frame_release.c), where frames hold no poison and the short ways through
 * frame_get() and frame_put() are taken.
 */
#include "frame_world.h"

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
    };

    return cmocka_run_group_tests_name("frame", tests, NULL, finish);
}
