/*
 * test_tracker.c - page-table objects: their start and their cost, how they grow and move, pins.
 *
 * Runs only for layouts whose table access is `tracked`.
 */
#include "tracker_world.h"

#ifdef LAYOUT_ACCESS_TRACKED

/* ---- The start -------------------------------------------------------------------------------------- */

static void paging_starts_in_the_order_of_the_document(void **state)
{
    const struct master_sight *sight;

    (void)state;
    start();
    for (enum master_step step = MASTER_TRACKERS; step < MASTER_STEPS; step++) {
        sight = master_history(step);
        assert_true(sight->trackers);
        assert_int_equal(sight->table, step >= MASTER_TABLE);
        assert_int_equal(sight->linked, step >= MASTER_LINKED);
        assert_int_equal(sight->low, step >= MASTER_LOW ? 256 : 0);
        assert_int_equal(sight->structures > 0, step >= MASTER_STRUCTURES);
        assert_int_equal(sight->active, step == MASTER_ACTIVE);
    }
    end();
}

/* Every word of the master table, read in physical memory: identity, or present because it was mapped. */
static void the_master_table_is_identity(void **state)
{
    const uint32_t *entries = NULL;
    uint32_t        absent = 0;

    (void)state;
    start();
    entries = (const uint32_t *)&machine_ram[layout.master + PAGE_SIZE];
    for (uint32_t page = 0; page < MMU_SPACE_END; page++) {
        absent += !(entries[page] & 1);
        if (!(entries[page] & 1) || page < page_of((vaddr_t)direct_end()))
            assert_int_equal(entries[page] >> 12, page);
    }
    assert_in_range(absent, MMU_SPACE_END / 2, MMU_SPACE_END);
    end();
}

static void a_machine_without_room_for_the_master_table_is_refused(void **state)
{
    const uint64_t hole  = (layout.master + 2 * MiB) & ~(MiB - 1);
    const uint64_t image = (paddr_t)layout.purpose[PURPOSE_BOOT]->frame * PAGE_SIZE;
    const struct boot_range ranges[] = {
        { 0, 640 * KiB, BOOT_USABLE }, { MiB, hole - MiB, BOOT_USABLE }, { image, 16 * MiB - image, BOOT_USABLE },
    };
    struct machine_config config = { .ram_bytes = 16 * MiB, .ranges = ranges, .range_count = COUNT_OF(ranges) };
    struct start_facts    facts;
    const char           *problem;

    (void)state;
    machine_start(&config, &facts);
    problem = memory_start(&facts);
    assert_non_null(problem);
    assert_non_null(strstr(problem, "layout tracker wants RAM for master, from 0x00100000 to 0x00500fff: this machine "
                                    "has none there"));
    machine_stop();
}

static void a_module_where_the_master_table_belongs_is_refused(void **state)
{
    struct machine_config config = { .ram_bytes = 16 * MiB };
    struct start_facts    facts;
    struct boot_info      info;
    const char           *problem;

    (void)state;
    machine_start(&config, &facts);
    info = *facts.info;
    info.module_count = 1;
    info.modules[0].start = layout.master + MiB;
    info.modules[0].end   = layout.master + 2 * MiB;
    facts.info = &info;
    problem = memory_start(&facts);
    assert_non_null(problem);
    assert_non_null(strstr(problem, "the boot loader has put something where"));
    machine_stop();
}

/* ---- The cost of a space -------------------------------------------------------------------------------- */

static void a_space_costs_two_tables(void **state)
{
    struct another one;
    uint32_t       tables, free;

    (void)state;
    start();
    tables = owned(OWNER_TABLES);
    free   = frames_free();
    create(&one);
    assert_int_equal(owned(OWNER_TABLES), tables + 2);
    assert_int_equal(frames_free(), free - 2);
    assert_int_equal(pages_of(&one.space), 2);
    map_in(&one.space, page_of_table(0), 1);
    map_in(&one.space, page_of_table(1) - 1, 2);
    assert_int_equal(owned(OWNER_TABLES), tables + 2);
    assert_clean();
    discard_in(&one.space, page_of_table(0));
    discard_in(&one.space, page_of_table(1) - 1);
    assert_int_equal(owned(OWNER_TABLES), tables + 2);      /* page B stays */
    space_destroy(&one.space);
    assert_int_equal(frames_free(), free);
    end();
}

static void entries_lie_where_arithmetic_says(void **state)
{
    static const unsigned numbers[] = { 0, 1, 2, 77, 479 };

    (void)state;
    start();
    for (unsigned i = 0; i < COUNT_OF(numbers); i++) {
        page_t   page = page_of_table(numbers[i]) + 13 * i;
        uint32_t word;

        map_in(&space, page, 0xE000 + i);
        word = *(uint32_t *)pointer_to(object_of(&space) + 0x1000 + 4 * (page - layout.user.first));
        assert_true(word & 1);
        assert_int_equal(*(uint32_t *)&machine_ram[(paddr_t)(word >> 12) * PAGE_SIZE], 0xE000 + i);
        assert_int_equal(pages_of(&space), numbers[i] + 2);
        assert_memory_equal(pointer_to(object_of(&space)), &machine_ram[frame_address(space.root)], PAGE_SIZE);
    }
    assert_clean();
    assert_true(read_faults(object_of(&space) + 0x1000 + 5 * PAGE_SIZE));      /* no table, no frame */
    for (unsigned i = COUNT_OF(numbers); i-- > 0; ) {
        discard_in(&space, page_of_table(numbers[i]) + 13 * i);
        assert_int_equal(pages_of(&space), i == 0 ? 2 : numbers[i - 1] + 2);    /* it ends with its last table */
    }
    end();
}

/* ---- Growing and moving ---------------------------------------------------------------------------------- */

static void an_object_grows_where_it_is_while_it_can(void **state)
{
    struct tracked_counts counts;
    vaddr_t               before;

    (void)state;
    start();
    before = object_of(&space);
    for (unsigned n = 1; n < 6; n++)
        map_in(&space, page_of_table(n), n);
    counts = tracked_counts();
    assert_int_equal(object_of(&space), before);
    assert_int_equal(counts.moved, 0);
    assert_int_equal(counts.grown, 5);
    assert_int_equal(counts.pages, 7);
    assert_clean();
    for (unsigned n = 1; n < 6; n++)
        discard_in(&space, page_of_table(n));
    assert_int_equal(tracked_counts().pages, 2);
    end();
}

/* Others move after it and are placed below, not in the room behind it. */
static void an_object_that_has_moved_has_room_to_grow(void **state)
{
    struct another one, others[5];
    uint32_t       moved;
    vaddr_t        at;

    (void)state;
    start();
    create(&one);
    for (unsigned i = 0; i < COUNT_OF(others); i++)
        create(&others[i]);
    map_in(&one.space, page_of_table(1), 1);                        /* others[0] is in the way */
    at = object_of(&one.space);
    for (unsigned i = 0; i < COUNT_OF(others); i++)
        map_in(&others[i].space, page_of_table(i == 3 ? 479 : 1 + i), 1);
    moved = tracked_counts().moved;
    assert_int_equal(moved, 5);                                     /* the last has nobody behind it */
    for (unsigned n = 2; n < 480; n += 53)
        map_in(&one.space, page_of_table(n), n);
    for (unsigned i = 0; i < COUNT_OF(others); i++)
        map_in(&others[i].space, layout.user.end - 2, 2);
    assert_int_equal(object_of(&one.space), at);
    assert_int_equal(tracked_counts().moved, moved);
    assert_clean();
    for (unsigned i = 0; i < COUNT_OF(others); i++)
        space_destroy(&others[i].space);
    space_destroy(&one.space);
    assert_clean();
    end();
}

/* The words of pages A and B, but for the bits that the processor may set at any time. */
static void copy_words(uint32_t *to, vaddr_t object)
{
    for (unsigned i = 0; i < 2 * PAGE_SIZE / 4; i++)
        to[i] = ((volatile uint32_t *)pointer_to(object))[i] & ~0x60u;
}

/* The space is in use, another object is right behind its own, and both have been read at their places. */
static void an_object_is_moved_out_of_anothers_way(void **state)
{
    struct another  behind;
    static uint32_t before[2 * PAGE_SIZE / 4], after[2 * PAGE_SIZE / 4];
    vaddr_t         from, to;
    uint32_t        value;
    frame_t         root;

    (void)state;
    start();
    root = mmu_active();
    create(&behind);
    from = object_of(&space);
    assert_int_equal(object_of(&behind.space), from + 2 * PAGE_SIZE);
    map_in(&space, page_of_table(0) + 5, 0x5AFE);
    assert_true(user_reads(page_of_table(0) + 5, &value));
    copy_words(before, from);
    map_in(&space, page_of_table(1), 0x1111);                       /* collides */
    to = object_of(&space);
    assert_int_not_equal(to, from);
    copy_words(after, to);
    before[page_of_table(1) / MMU_ENTRIES] = after[page_of_table(1) / MMU_ENTRIES];     /* the new table's */
    assert_memory_equal(after, before, sizeof before);
    assert_true(read_faults(from) && read_faults(from + PAGE_SIZE));
    assert_true(frame_is(mmu_active(), root) && frame_is(space.root, root));
    assert_true(user_reads(page_of_table(0) + 5, &value));
    assert_int_equal(value, 0x5AFE);
    assert_true(user_reads(page_of_table(1), &value));
    assert_int_equal(tracker_at(space.home.tracker)->pt_ptr, to);
    assert_int_equal(tracked_counts().moved, 1);
    assert_clean();
    discard_in(&space, page_of_table(0) + 5);
    discard_in(&space, page_of_table(1));
    space_destroy(&behind.space);
    create(&behind);                                                /* the old place is free again */
    assert_int_equal(object_of(&behind.space), from);
    space_destroy(&behind.space);
    end();
}

/* The n-th flush of a move is left out, for every n: the outdated translations are noticed. */
static void a_move_without_one_of_its_flushes_is_noticed(void **state)
{
    unsigned noticed = 0, flushes = 0;

    (void)state;
    for (uint32_t n = 1, pending = 0; pending == 0; n++) {
        struct another behind;
        vaddr_t        from;

        start();
        create(&behind);
        from = object_of(&space);
        map_in(&space, page_of_table(0), 1);
        (void)*(volatile uint32_t *)pointer_to(from);
        (void)*(volatile uint32_t *)pointer_to(from + PAGE_SIZE);
        machine_skip_flush(n);
        map_in(&space, page_of_table(1), 2);
        pending = machine_skip_pending();
        machine_skip_flush(0);
        assert_int_not_equal(object_of(&space), from);
        if (pending == 0) {
            flushes++;
            noticed += !machine_tlb_ok();
        }
        mmu_flush_all();                            /* the flush that was left out */
        space_activate(&kernel_space);
        space_destroy(&behind.space);
        space_destroy(&space);
        machine_stop();
    }
    assert_in_range(flushes, 2, 100);
    assert_in_range(noticed, 2, flushes);           /* both pages of the old place at least */
}

/* ---- Pins ------------------------------------------------------------------------------------------------------ */

static int take_out(page_t page)
{
    lock_state state = lock_take(&trackers_lock);
    int        err   = pinned_page_out(page);

    lock_drop(&trackers_lock, state);
    return err;
}

static void a_page_that_is_needed_does_not_go(void **state)
{
    struct another one;

    (void)state;
    start();
    assert_int_equal(take_out(trackers_page(0)), -EBUSY);
    assert_int_equal(take_out(trackers_list_page(0)), -EBUSY);
    assert_int_equal(take_out(trackers_list_page(1)), -ENOENT);
    create(&one);
    assert_int_equal(pinned_page_pins(trackers_list_page(0)), 2);
    assert_int_equal(pinned_page_pins(trackers_page(0)), 3);
    space_destroy(&one.space);
    assert_int_equal(pinned_page_pins(trackers_list_page(0)), 1);
    assert_clean();
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paging_starts_in_the_order_of_the_document),
        cmocka_unit_test(the_master_table_is_identity),
        cmocka_unit_test(a_machine_without_room_for_the_master_table_is_refused),
        cmocka_unit_test(a_module_where_the_master_table_belongs_is_refused),
        cmocka_unit_test(a_space_costs_two_tables),
        cmocka_unit_test(entries_lie_where_arithmetic_says),
        cmocka_unit_test(an_object_grows_where_it_is_while_it_can),
        cmocka_unit_test(an_object_is_moved_out_of_anothers_way),
        cmocka_unit_test(an_object_that_has_moved_has_room_to_grow),
        cmocka_unit_test(a_move_without_one_of_its_flushes_is_noticed),
        cmocka_unit_test(a_page_that_is_needed_does_not_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void) { return no_tests(); }

#endif
