/*
 * test_frame_borders.c - frames at the ends of what numbers allow: the reserve, references by the million, what is
 * asked of other processors, both ways to open the bitmap, and each word of the auditor.
 *
 * Also compiled as a release build (test_frame_borders_release.c).
 */
#include "frame_world.h"
#include "memory/frames/frame_many.h"

static struct frame_magazine *const mine = &frame_magazines[0];

/* ---- Opening ------------------------------------------------------------------------------------------- */

static void the_reserve_is_one_frame_in_256(void **state)
{
    static const struct { uint32_t ram, reserve; } all[] = {
        { 15, 0 }, { 16, 1 }, { 31, 1 }, { 32, 2 }, { 47, 2 }, { 48, 3 }, { 63, 3 }, { 64, 4 }, { 1279, 4 },
        { 1280, 5 }, { 5119, 19 }, { 5120, 20 }, { 16383, 63 }, { 16384, 64 }, { 16640, 64 }, { 40000, 64 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        struct frame_sums sums;

        open_frames_flat(&bare, all[i].ram);
        frames_sums(&sums);
        assert_int_equal(sums.ram, all[i].ram);
        if (sums.reserve != all[i].reserve)
            fail_msg("of %u frames %u are kept back", all[i].ram, sums.reserve);
    }
}

/* Some map: RAM, reserved memory, holes, with owners here and there; the last ranges may be no RAM. */
static void make_map(struct memmap *map)
{
    static const enum owner owners[] = { OWNER_HELD, OWNER_IMAGE, OWNER_BOOT };
    uint32_t at = test_random(2) * 3;

    memmap_start(map, 4000);
    for (unsigned n = 0; n < 12; n++) {
        uint32_t count = 1 + test_random(200);

        memmap_add(map, (uint64_t)at << PAGE_SHIFT, (uint64_t)count << PAGE_SHIFT, n == 0 || test_random(3) > 0);
        at += count + (test_random(2) ? test_random(100) : 0);
    }
    for (unsigned n = 0; n < 6; n++) {
        paddr_t from = (paddr_t)test_random(at) << PAGE_SHIFT;

        memmap_own(map, from, from + ((paddr_t)test_random(90) << PAGE_SHIFT), owners[n % COUNT_OF(owners)]);
    }
}

/* Whether all bits are free at first and others are marked, or the other way round: they say the same in the end. */
static void both_ways_to_open_the_bitmap_end_alike(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 60; round++) {
        struct layout_policy policy = { .polarity = round & 1 ? ONE_IS_FREE : ONE_IS_USED, .search = SEARCH_FIRST };
        struct memmap        map;

        make_map(&map);
        for (unsigned marked = 0; marked < 2; marked++) {
            policy.unlisted = marked ? UNLISTED_MARKED : UNLISTED_USED;
            open_frames(&map, &policy, 1u << 20);
            assert_int_equal(frames.free_at_first, marked ? frames_end() : 0);
            for (uint32_t n = 0; n < frames_end(); n++) {
                const struct memmap_range *range = memmap_find(&map, (frame_t){ n });
                bool                       ram   = range != NULL && range->ram;
                bool                       free  = ram && range->owner == OWNER_FREE;

                assert_int_equal(pool_is_free(&frames.pool, n), free);
                assert_int_equal(frame_owner((frame_t){ n }), ram ? range->owner : OWNER_ABSENT);
                assert_int_equal(frame_references((frame_t){ n }), ram && !free);
                assert_int_equal(frame_link((frame_t){ n }), 0);
            }
            assert_int_equal(frames.ram, memmap_ram(&map));
            check_frames();
        }
    }
}

static void a_pool_that_is_opened_knows_nothing_of_the_one_before(void **state)
{
    frame_t frame;

    (void)state;
    open_frames_flat(&with_magazine, 64);
    take_all(OWNER_USER, FRAME_SPARE);
    assert_int_equal(frames_wanted, FRAMES_LOW);
    assert_int_equal(frame_get(OWNER_USER, 0, &frame), -ENOMEM);
    assert_int_equal(frames_wanted, FRAMES_LOW | FRAMES_REFUSED);
    frame_fail_at(5);
    open_frames_flat(&with_magazine, 1024);
    assert_int_equal(frames_wanted, 0);
    assert_int_equal(frames.unusual, 0);
    for (unsigned n = 0; n < 10; n++)
        frame_put(get(OWNER_USER, 0));
    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++) {
        assert_int_equal(frame_magazines[cpu].wanted, 0);
        assert_int_equal(frame_magazines[cpu].room, with_magazine.magazine);
    }
    open_frames_flat(&with_magazine, 7);                /* of so few none is kept back */
    assert_int_equal(frames_wanted, 0);
    open_frames_flat(&with_magazine, 16);
    take_all(OWNER_USER, 0);
    assert_int_equal(frames_wanted & FRAMES_LOW, FRAMES_LOW);
}

/* The map has so many frames of others that what is free is little at once. */
static void little_memory_is_told_from_the_start(void **state)
{
    (void)state;
    for (uint32_t free = 7; free <= 9; free++) {
        struct memmap map;

        memmap_start(&map, UINT32_MAX - 1);
        memmap_add(&map, 0, 1024 * PAGE_SIZE, true);    /* 4 are kept back */
        memmap_own(&map, 0, (1024 - free) * PAGE_SIZE, OWNER_HELD);
        open_frames(&map, &with_magazine, 1u << 20);
        assert_int_equal(frames_wanted, free < 8 ? FRAMES_LOW : 0);
    }
}

/* Where the document wants zeros always, they come the short way as well. */
static void zeros_that_are_always_wanted_come_from_the_magazine_too(void **state)
{
    struct layout_policy policy = with_magazine;
    frame_t              frame;

    (void)state;
    policy.zeroing = ZERO_ALL;
    open_frames_flat(&policy, 1024);
    assert_int_equal(frames.unusual, FRAME_ZERO);
    for (unsigned n = 0; n < 200; n++) {
        frame = get(OWNER_USER, 0);
        assert_true(page_holds(frame_words(frame), 0));
        memset(frame_words(frame), 0x33, PAGE_SIZE);
        frame_put(frame);
        if (n % 50 == 0) {
            frame_fail_at(1);
            assert_int_equal(frame_get(OWNER_USER, 0, &frame), -ENOMEM);
            assert_int_equal(frames.unusual, FRAME_ZERO);
        }
    }
}

/* ---- Other processors ---------------------------------------------------------------------------------- */

static unsigned asked(void)
{
    unsigned count = 0;

    for (unsigned cpu = 1; cpu < MAX_CPUS; cpu++) {
        assert_int_equal(frame_magazines[cpu].wanted, frame_magazines[1].wanted);
        count += frame_magazines[cpu].wanted;
        if (frame_magazines[cpu].wanted)
            assert_int_equal(frame_magazines[cpu].room, 0);
    }
    assert_int_equal(mine->wanted, 0);
    return count;
}

static void others_are_asked_for_their_frames_when_nothing_else_is_left(void **state)
{
    frame_t  other, frame, ours = NO_FRAME;
    uint32_t theirs;

    (void)state;
    open_frames_flat(&with_magazine, 512);
    host_cpu = 1;
    frame_put(get(OWNER_USER, 0));
    other  = get(OWNER_USER, 0);
    theirs = frame_magazine_count(&frame_magazines[1]);
    assert_true(theirs > 10);
    host_cpu = 0;
    while (frames_idle())
        ;
    while (mine->claim != 0 || mine->newest != mine->oldest || frames.pool.free > frames.reserve)
        ours = get(OWNER_USER, 0);
    assert_int_equal(asked(), 0);
    assert_int_equal(mine->clean_count, CLEAN_MOST);
    while (mine->clean_count > 0) {
        ours = get(OWNER_USER, 0);                      /* those that are clean still do */
        assert_int_equal(asked(), 0);
    }
    assert_int_equal(frame_get(OWNER_USER, 0, &frame), -ENOMEM);
    assert_int_equal(asked(), MAX_CPUS - 1);
    assert_int_equal(frame_magazine_count(&frame_magazines[1]), theirs);
    host_cpu = 1;
    frame_put(other);                                   /* its next call gives back all that it has */
    assert_int_equal(frame_magazine_count(&frame_magazines[1]), 0);
    assert_int_equal(frame_magazines[1].wanted, 0);
    assert_int_equal(frame_magazines[1].room, with_magazine.magazine);
    host_cpu = 0;
    assert_int_equal(frame_get(OWNER_USER, 0, &frame), 0);
    frame_put(frame);
    frame_put(ours);
    check_frames();
}

/* A run that is not to be had, and low frames that are not, are asked of others as well. */
static void others_are_asked_for_runs_and_low_frames_too(void **state)
{
    frame_t frame;

    (void)state;
    open_frames_flat(&with_magazine, 512);
    assert_int_equal(frame_run_get(OWNER_USER, 509, 1, 0, 0, &frame), -ENOMEM);
    assert_int_equal(asked(), MAX_CPUS - 1);
    open_frames_flat(&with_magazine, 512);
    assert_int_equal(frame_run_get(OWNER_USER, 508, 1, 0, 0, &frame), 0);
    assert_int_equal(asked(), 0);

    for (unsigned spare = 0; spare < 2; spare++) {
        struct memmap map;

        memmap_start(&map, UINT32_MAX - 1);
        memmap_add(&map, 0, 512 * PAGE_SIZE, true);
        open_frames(&map, &with_magazine, 40);
        for (unsigned n = 0; n < 40; n++)
            frame = get(OWNER_USER, FRAME_LOW | (spare ? FRAME_SPARE : 0));
        assert_int_equal(asked(), 0);
        assert_int_equal(frame_get(OWNER_USER, FRAME_LOW, &frame), -ENOMEM);
        assert_int_equal(asked(), MAX_CPUS - 1);
    }
}

/* ---- Zeroing ahead ------------------------------------------------------------------------------------- */

static void half_of_the_magazine_is_zeroed_ahead(void **state)
{
    static const struct { uint32_t magazine, clean; } all[] = { { 1, 0 }, { 2, 1 }, { 10, 5 }, { 63, 31 }, { 64, 32 } };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        struct layout_policy policy = { .search = SEARCH_FULLEST, .magazine = all[i].magazine };

        open_frames_flat(&policy, 1024);
        while (frames_idle())
            ;
        assert_int_equal(mine->clean_count, all[i].clean);
        check_frames();
    }
    open_frames_flat(&with_magazine, 1024);
    take_all(OWNER_USER, 0);
    assert_false(frames_idle());                        /* nothing is cleared while memory is short */
}

/* A frame that was cleared ahead remembers who had it last, and is told from one that holds the poison. */
static void a_frame_that_was_cleared_ahead_remembers_its_owner(void **state)
{
    frame_t frame;

    (void)state;
    open_frames_flat(&with_magazine, 1024);
    frame = get(OWNER_STACK, 0);
    frame_put(frame);
    frames_drain();
    while (frames_idle())
        ;
    assert_int_equal(frames.records[frame.no].state, state_freed_by(OWNER_STACK) | STATE_ZEROED);
    printed_forget();
    assert_false(frame_put(frame));
    assert_non_null(strstr(printed(), "frames: double free: frame 0x0, owner stacks, by @0x"));
    assert_int_equal(frame.no, 0);
    check_frames();
}

/* ---- Runs ---------------------------------------------------------------------------------------------- */

/* Up to 512 frames come from areas that are broken into, across a border as well; more from wherever it is lowest. */
static void a_run_of_512_may_lie_in_two_areas_that_are_broken_into(void **state)
{
    frame_t first, end;

    (void)state;
    for (uint32_t count = 511; count <= 513; count++) {
        open_frames_flat(&bare, 3 * 512);
        assert_int_equal(frame_run_get(OWNER_USER, 3 * 512 - 4, 1, 0, FRAME_SPARE, &first), 0);
        assert_int_equal(frame_run_get(OWNER_USER, 4, 1, 0, FRAME_SPARE, &end), 0);
        for (uint32_t n = 0; n < 3 * 512 - 4; n++)
            if (n != 512)
                assert_true(frame_put((frame_t){ n }));
        frame_run_put(end, 3);                          /* frame 512 is in use, and the last of all */
        assert_int_equal(frame_run_get(OWNER_STACK, count, 1, 0, FRAME_SPARE, &first), 0);
        assert_int_equal(first.no, 513);                /* below it lie 512 in a row, all of an area */
        check_frames();
    }
}

/* ---- Many references ----------------------------------------------------------------------------------- */

static void set_references(frame_t frame, uint32_t count)
{
    frames.records[frame.no].state = state_of(count, OWNER_USER);
}

static uint32_t pinned(void)
{
    struct frame_sums sums;

    frames_sums(&sums);
    return sums.pinned;
}

static void frames_are_shared_in_line_up_to_the_last_reference_that_is_counted(void **state)
{
    static const struct { uint32_t before, after, pinned; } all[] = {
        { 1, 2, 0 }, { 2, 3, 0 }, { 3, 4, 0 }, { STATE_PINNED - 3, STATE_PINNED - 2, 0 },
        { STATE_PINNED - 2, STATE_PINNED - 1, 0 }, { STATE_PINNED - 1, STATE_PINNED, 1 },
        { STATE_PINNED, STATE_PINNED, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        frame_t list[3];

        open_frames_flat(&with_magazine, 1024);
        for (size_t n = 0; n < COUNT_OF(list); n++)
            list[n] = get(OWNER_USER, 0);
        set_references(list[1], all[i].before);
        for (size_t n = 0; n < COUNT_OF(list); n++)
            frame_share_in_line(list[n]);
        assert_int_equal(frame_references(list[0]), 2);
        assert_int_equal(frame_references(list[1]), all[i].after);
        assert_int_equal(frame_references(list[2]), 2);
        assert_int_equal(pinned(), all[i].pinned);
    }
}

static void a_list_of_frames_is_given_back_but_for_those_that_stay_for_good(void **state)
{
    static const struct { uint32_t before, after, misuses; } all[] = {
        { 0, 0, 1 }, { 1, 0, 0 }, { 2, 1, 0 }, { 3, 2, 0 }, { STATE_PINNED - 1, STATE_PINNED - 2, 0 },
        { STATE_PINNED, STATE_PINNED, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        frame_t list[5];

        open_frames_flat(&with_magazine, 1024);
        list[0] = get(OWNER_USER, 0);
        list[1] = get(OWNER_USER, 0);
        list[2] = (frame_t){ 1024 };                    /* the first that is none */
        list[3] = NO_FRAME;
        list[4] = get(OWNER_USER, 0);
        if (all[i].before == 0)
            frame_put(list[1]);
        else
            set_references(list[1], all[i].before);
        frame_put_all(list, COUNT_OF(list));
        assert_int_equal(frame_references(list[0]) + frame_references(list[4]), 0);
        assert_int_equal(frame_references(list[1]), all[i].after);
        assert_int_equal(misuses(), 2 + all[i].misuses);
        assert_int_equal(pinned(), 0);
    }
}

static void a_frame_that_is_kept_for_good_is_counted_once(void **state)
{
    frame_t frame;

    (void)state;
    open_frames_flat(&with_magazine, 1024);
    frame = get(OWNER_SHARED, 0);
    assert_false(frame_is_pinned(frame));
    frame_share(frame);
    frame_pin(frame);
    assert_true(frame_is_pinned(frame));
    assert_int_equal(frame_references(frame), STATE_PINNED);
    assert_int_equal(frame_owner(frame), OWNER_SHARED);
    assert_int_equal(pinned(), 1);
    frame_share(frame);
    assert_false(frame_put(frame));
    assert_int_equal(pinned(), 1);
    assert_int_equal(misuses(), 0);
    check_frames();
}

/* ---- The auditor's words ------------------------------------------------------------------------------- */

/* The one complaint of some kind, and how many there are. */
static void assert_says(const char *id, const char *text, uint32_t failed)
{
    struct audit_report report = { 0 };

    frames_audit(&report);
    for (uint32_t i = 0; i < report.failed && i < AUDIT_FAILURES; i++)
        if (strcmp(report.failures[i].id, id) == 0 && strcmp(report.failures[i].text, text) == 0) {
            assert_int_equal(report.failed, failed);
            return;
        }
    report_show(&report);
    fail_msg("nobody says: %s %s", id, text);
}

static void the_auditor_names_frames_owners_and_numbers(void **state)
{
    struct frame_record *record;
    struct audit_report  report = { 0 };

    (void)state;
    open_pc(&with_magazine, 1u << 20);
    frame_put(get(OWNER_HEAP, 0));
    frames_audit(&report);
    assert_int_equal(report.failed, 0);
    assert_int_equal(report.checked, 0x1000);
    record = &frames.records[0x100];
    record->state = state_of(0, OWNER_IMAGE);
    assert_says("F1", "frame 0x100 belongs to image and has 0 references", 1);
    record->state = state_of(3, OWNER_FREE);
    assert_says("F1", "frame 0x100 belongs to free and has 3 references", 3);
    assert_says("F3", "127 frames belong to image, the sum says 128", 3);
    record->state = state_of(0, OWNER_FREE);
    assert_says("F1", "frame 0x100 is free, but used in the bitmap and 0 times in magazines", 3);
    record->state = state_of(1, OWNER_IMAGE);
    frames.records[0x800].state = state_of(1, OWNER_STACK);
    assert_says("F1", "frame 0x800 is free in the bitmap, but belongs to stacks", 3);
    frames.records[0x800].state = state_of(0, OWNER_FREE);

    mine->ring[mine->newest++ % MAGAZINE_MOST] = 0x100;
    assert_says("F1", "frame 0x100 is in a magazine, but not free, or in the bitmap too", 1);
    mine->ring[(mine->newest - 1) % MAGAZINE_MOST] = 0x1000;
    assert_says("F1", "frame 0x1000 is in a magazine, but not free, or in the bitmap too", 1);
    mine->ring[(mine->newest - 1) % MAGAZINE_MOST] = 0x800;
    assert_says("F1", "frame 0x800 is in a magazine, but not free, or in the bitmap too", 1);
    mine->newest--;
    frame_magazines[MAX_CPUS - 1].clean[frame_magazines[MAX_CPUS - 1].clean_count++] = 0xFFF;
    assert_says("F1", "frame 0xfff is in a magazine, but not free, or in the bitmap too", 1);
    frame_magazines[MAX_CPUS - 1].clean_count = 0;

    frames.ram++;
    assert_says("F3", "the owners have 4000 frames, RAM is 4001", 1);
    frames.ram--;
    frame_magazines[2].went[OWNER_BOOT]++;
    assert_says("F3", "16 frames belong to boot, the sum says 15", 2);
    frame_magazines[2].went[OWNER_BOOT]--;
    pool_give(&frames.pool, 0xA1);
    assert_says("F4", "frame 0xa1 is no RAM, yet free in the bitmap", 1);
    pool_keep_run(&frames.pool, 0xA1, 1);
    check_frames();

    open_frames_flat(&bare, 1000);                      /* bits behind the last frame, in its area */
    frames.pool.bitmap[1000 / WORD_BITS] ^= (word_t)1 << 1000 % WORD_BITS;
    assert_says("F4", "frame 0x3e8 is past the last frame, yet free in the bitmap", 2);
    assert_says("F2", "area 1 says 488 free frames, its bits 489", 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reserve_is_one_frame_in_256),
        cmocka_unit_test(both_ways_to_open_the_bitmap_end_alike),
        cmocka_unit_test(a_pool_that_is_opened_knows_nothing_of_the_one_before),
        cmocka_unit_test(little_memory_is_told_from_the_start),
        cmocka_unit_test(zeros_that_are_always_wanted_come_from_the_magazine_too),
        cmocka_unit_test(others_are_asked_for_their_frames_when_nothing_else_is_left),
        cmocka_unit_test(others_are_asked_for_runs_and_low_frames_too),
        cmocka_unit_test(half_of_the_magazine_is_zeroed_ahead),
        cmocka_unit_test(a_frame_that_was_cleared_ahead_remembers_its_owner),
        cmocka_unit_test(a_run_of_512_may_lie_in_two_areas_that_are_broken_into),
        cmocka_unit_test(frames_are_shared_in_line_up_to_the_last_reference_that_is_counted),
        cmocka_unit_test(a_list_of_frames_is_given_back_but_for_those_that_stay_for_good),
        cmocka_unit_test(a_frame_that_is_kept_for_good_is_counted_once),
        cmocka_unit_test(the_auditor_names_frames_owners_and_numbers),
    };

    return cmocka_run_group_tests_name("frame_borders", tests, NULL, finish);
}
