/*
 * test_tracker.c - page-table objects: their cost, growth, moves and end, and failures without memory.
 *
 * Runs only for layouts whose table access is `tracked`. The machine's translation cache changes by flushes only, so an
 * object that moved without a flush would still be seen at its old place.
 */
#include <layout.h>

#ifdef LAYOUT_ACCESS_TRACKED

#include "tests/host/clean.h"
#include "tests/host/cursor_world.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cpu.h"
#include "layouts/tracker/master.h"
#include "memory/tables/slot.h"
#include "layouts/tracker/list.h"
#include "layouts/tracker/tracker.h"

static const struct rights user_data = { READ | WRITE, READ | WRITE };

/* The first page of the n-th table of user space, page B being the 0th. */
static page_t page_of_table(unsigned n) { return layout.user.first + n * MMU_ENTRIES; }

static int try_map(struct space *s, page_t page, frame_t frame)
{
    struct cursor c;
    int           err = cursor_open(&c, s, span_of(page, 1), CURSOR_BUILD);

    if (err != 0)
        return err;
    cursor_map(&c, page, frame, user_data, CACHE_BACK);
    cursor_close(&c);
    return 0;
}

static void map_in(struct space *s, page_t page, uint32_t word)
{
    assert_int_equal(try_map(s, page, new_frame(word)), 0);
}

static void discard_in(struct space *s, page_t page)
{
    struct cursor c;

    assert_int_equal(cursor_open(&c, s, span_of(page, 1), 0), 0);
    cursor_discard(&c, page);
    cursor_close(&c);
}

/* Make another space, with one region over all of it, so that the auditor accepts its pages. */
struct another {
    struct space  space;
    struct region all;
};

static int try_create(struct another *a)
{
    int err = space_create(&a->space);

    if (err != 0)
        return err;
    a->all = (struct region){ .span = layout.user, .name = "all", .rights = all.rights };
    assert_int_equal(region_insert(&a->space.map, &a->all), 0);
    return 0;
}

static void create(struct another *a) { assert_int_equal(try_create(a), 0); }

static vaddr_t  object_of(const struct space *s) { return address_of(s->home.info); }
static uint32_t pages_of(const struct space *s)  { return tracker_at(s->home.tracker)->pcount; }

static bool read_faults(vaddr_t address)
{
    struct machine_fault fault;

    return MACHINE_FAULTS(&fault, (void)*(volatile uint32_t *)pointer_to(address));
}

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
        if (!(entries[page] & 1) || page < page_of((vaddr_t)direct_end))
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

static void create_long(struct another *a)
{
    create(a);
    map_in(&a->space, layout.user.end - 1, 1);
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

/* ---- Without memory, without room ---------------------------------------------------------------------------- */

/*
 * Let allocation k fail, for k = 1, 2, ... until the object has moved: to the top, or below others that have it. The
 * fourth from the top lies in two pages of the list.
 */
static void move_without_memory(unsigned above)
{
    struct another behind, others[3];
    int            err = -ENOMEM;
    uint32_t       k = 1;

    start();
    create(&behind);
    for (unsigned i = 0; i < above; i++)
        create_long(&others[i]);
    map_in(&space, page_of_table(0), 7);
    for (; err == -ENOMEM; k++) {
        struct frame_sums before, after;
        vaddr_t           object = object_of(&space);
        frame_t           frame = new_frame(8);
        uint32_t          value;

        frames_sums(&before);
        frame_fail_at(k);
        err = try_map(&space, layout.user.end - 1, frame);
        frame_fail_at(0);
        if (err != 0) {
            frames_sums(&after);
            assert_memory_equal(before.owned, after.owned, sizeof before.owned);
            assert_int_equal(object_of(&space), object);
            assert_int_equal(pages_of(&space), 2);
            frame_put(frame);
        }
        assert_clean();
        assert_true(user_reads(page_of_table(0), &value));
        assert_int_equal(value, 7);
    }
    assert_int_equal(err, 0);
    assert_in_range(k, 4, 10);                      /* a table and a page of the list, at least */
    discard_in(&space, page_of_table(0));
    discard_in(&space, layout.user.end - 1);
    for (unsigned i = 0; i < above; i++)
        space_destroy(&others[i].space);
    space_destroy(&behind.space);
    end();
}

static void without_memory_a_move_changes_nothing(void **state)
{
    (void)state;
    move_without_memory(0);
    move_without_memory(3);
}

/* Places that lie in three pages of the list: those made already go again. */
static void without_memory_no_page_of_the_list_is_left(void **state)
{
    struct span places = span_of(5 * POINTERS_A_PAGE - 1, POINTERS_A_PAGE + 2);
    lock_state  locked;
    uint32_t    free;

    (void)state;
    start();
    free   = frames_free();
    locked = lock_take(&trackers_lock);
    for (uint32_t k = 1; k <= 3; k++) {
        frame_fail_at(k);
        assert_int_equal(lists_prepare(places), -ENOMEM);
        assert_int_equal(frames_free(), free);
    }
    frame_fail_at(0);
    assert_int_equal(lists_prepare(places), 0);
    assert_int_equal(frames_free(), free - 3);
    for (uint32_t n = 4; n <= 6; n++)
        assert_int_equal(pinned_page_out(trackers_list_page(n)), 0);
    lock_drop(&trackers_lock, locked);
    end();
}

/* The first space of a page of trackers takes the most frames: root, page B, a page of trackers. */
static void without_memory_no_space_is_half_made(void **state)
{
    static struct another spaces[TRACKERS_A_PAGE];
    int                   err = -ENOMEM;
    unsigned              made = 0;
    uint32_t              k = 1;

    (void)state;
    start();
    while (made < TRACKERS_A_PAGE - 2)              /* the master table and `space` have one each */
        create(&spaces[made++]);
    assert_false(pinned_page_is_there(trackers_page(1)));
    for (; err == -ENOMEM; k++) {
        uint32_t free = frames_free();

        frame_fail_at(k);
        err = try_create(&spaces[made]);
        frame_fail_at(0);
        if (err != 0)
            assert_int_equal(frames_free(), free);
        assert_clean();
    }
    assert_int_equal(err, 0);
    assert_int_equal(k, 5);
    made++;
    assert_int_equal(spaces[made - 1].space.home.tracker, TRACKERS_A_PAGE);    /* the 513th page table */
    assert_true(pinned_page_is_there(trackers_page(1)));
    while (made > 0)
        space_destroy(&spaces[--made].space);
    assert_false(pinned_page_is_there(trackers_page(1)));
    end();
}

enum { LONG_ONES = 1200 };

/*
 * Objects of the greatest length fill the region; then growth is refused, and the object is unchanged. A short one
 * still finds a place to move to.
 */
static void without_room_an_object_stays_as_it_is(void **state)
{
    static struct another spaces[LONG_ONES];
    unsigned              made = 0;
    uint32_t              value;
    frame_t               frame;
    int                   err = 0;

    (void)state;
    assert_null(machine_boot(64 * MiB));
    while (err == 0 && made < LONG_ONES) {
        create(&spaces[made]);
        map_in(&spaces[made].space, page_of_table(0), made);
        frame = new_frame(made);
        err   = try_map(&spaces[made].space, layout.user.end - 1, frame);
        made++;
    }
    assert_int_equal(err, -ENOMEM);
    frame_put(frame);
    assert_in_range(made, 1000, LONG_ONES - 1);
    assert_int_equal(pages_of(&spaces[made - 1].space), 2);
    assert_int_equal(tracked_counts().refused, 1);
    assert_true(machine_load(&spaces[made - 1].space, page_address(page_of_table(0)), true, &value,
                             &(struct machine_fault){ 0 }));
    assert_int_equal(value, made - 1);
    assert_clean();
    create(&spaces[made]);
    map_in(&spaces[made - 1].space, page_of_table(1), 1);
    assert_int_equal(pages_of(&spaces[made - 1].space), 3);
    assert_int_equal(tracked_counts().refused, 1);
    assert_clean();
    space_destroy(&spaces[made].space);
    space_destroy(&spaces[0].space);                /* room for one */
    map_in(&spaces[made - 1].space, layout.user.end - 1, 1);
    assert_clean();
    while (made > 1)
        space_destroy(&spaces[--made].space);
    assert_int_equal(owned(OWNER_TEST), 0);
    assert_clean();
    machine_stop();
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

/* ---- Random lives ------------------------------------------------------------------------------------------------ */

enum { LIVES = 24, STEPS = 3000, TABLES = 12, SOMETIMES = 150, LONGEST = 241 };

static struct another lives[LIVES];
static bool           alive[LIVES], there[LIVES][TABLES];

static void live(unsigned n)
{
    unsigned table = (unsigned)rand() % TABLES, number = table == TABLES - 1 ? 479 : table;

    if (!alive[n]) {
        create(&lives[n]);
        alive[n] = true;
    } else if (rand() % 8 == 0) {
        space_destroy(&lives[n].space);
        alive[n] = false;
        memset(there[n], 0, sizeof there[n]);
    } else if (!there[n][table]) {
        map_in(&lives[n].space, page_of_table(number) + n, n * 100 + table);
        there[n][table] = true;
    } else {
        uint32_t             value;
        struct machine_fault fault;

        assert_true(machine_load(&lives[n].space, page_address(page_of_table(number) + n), true, &value, &fault));
        assert_int_equal(value, n * 100 + table);
        discard_in(&lives[n].space, page_of_table(number) + n);
        there[n][table] = false;
    }
}

static bool all_free(struct span places)
{
    while (!span_empty(places) && lists_at((uint32_t)places.first) == 0)
        places.first++;
    return span_empty(places);
}

/* A search begins where the last one ended: it finds what a look at every place finds. */
static void assert_search_misses_nothing(void)
{
    lock_state  state = lock_take(&trackers_lock);
    page_t      low = 0, high = lists_places() - LONGEST;
    struct span found;

    while (lists_at((uint32_t)low) != 0)
        low++;
    while (!all_free(span_of(high, LONGEST)))
        high--;
    assert_true(lists_find_lowest(&found));
    assert_int_equal(found.first, low);
    assert_true(lists_find_run(5, &found));
    assert_int_equal(found.first, high);
    assert_int_equal(found.end, high + 3);
    lock_drop(&trackers_lock, state);
}

static void objects_live_random_lives(void **state)
{
    uint32_t free;

    (void)state;
    start();
    free = frames_free();
    srand(4);
    for (unsigned step = 0; step < STEPS; step++) {
        live((unsigned)rand() % LIVES);
        assert_search_misses_nothing();
        if (step % SOMETIMES == 0)
            assert_clean();
    }
    assert_in_range(tracked_counts().moved, 50, STEPS);
    for (unsigned n = 0; n < LIVES; n++)
        if (alive[n])
            space_destroy(&lives[n].space);
    assert_int_equal(frames_free(), free);
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
        cmocka_unit_test(without_memory_a_move_changes_nothing),
        cmocka_unit_test(without_memory_no_page_of_the_list_is_left),
        cmocka_unit_test(without_memory_no_space_is_half_made),
        cmocka_unit_test(without_room_an_object_stays_as_it_is),
        cmocka_unit_test(a_page_that_is_needed_does_not_go),
        cmocka_unit_test(objects_live_random_lives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

#include <stdio.h>

int main(void)
{
    puts("no tests: tables are no objects under this layout");
    return 0;
}

#endif
