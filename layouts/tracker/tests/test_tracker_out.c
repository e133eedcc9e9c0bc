/*
 * test_tracker_out.c - page tables that leave memory and come back, and pages of the list with them.
 *
 * Entries of kind SWAP name real slots, so that the whole audit must agree at any moment.
 */
#include "tracker_world.h"

#ifdef LAYOUT_ACCESS_TRACKED

#include "layouts/tracker/out.h"
#include "memory/pageout/swap.h"
#include "memory/tables/table.h"

static struct another idle;

static uint32_t slots_in_use(void)
{
    struct swap_sums sums;

    swap_sums(&sums);
    return sums.used;
}

static void audit_all(void)
{
    static struct audit_report report;

    audit_full(&report);
    if (report.failed != 0)
        fail_msg("%s: %s", report.failures[0].id, report.failures[0].text);
}

static uint32_t new_slot(uint8_t mark)
{
    uint32_t slot;

    assert_int_equal(swap_store(&mark, 1, &slot), 0);
    return slot;
}

/* Let pages be out, each in a slot of its own. */
static void put_out(struct space *s, page_t page, size_t count)
{
    struct cursor     c;
    struct cursor_run run = { .count = 1, .filled = 1, .swapped = 1 };

    for (size_t i = 0; i < count; i++) {
        entry_t entry = entry_absent(ENTRY_SWAP, new_slot((uint8_t)i), (struct rights){ 0, 0 });

        assert_int_equal(cursor_open(&c, s, span_of(page + i, 1), CURSOR_BUILD), 0);
        cursor_copy_in(&c, page + i, &entry, run);
        cursor_close(&c);
    }
}

static entry_t entry_in(struct space *s, page_t page)
{
    unsigned level;

    return table_lookup(s, page, &level);
}

static bool is_table(struct space *s, unsigned n)
{
    return entry_kind(entry_read(entry_at(s, page_of_table(n), 2)), 2) == ENTRY_TABLE;
}

static void assert_slot(struct space *s, page_t page, uint8_t mark)
{
    uint8_t bytes[SWAP_MOST];

    assert_int_equal(entry_kind(entry_in(s, page), 1), ENTRY_SWAP);
    assert_int_equal(swap_peek(entry_slot_number(entry_in(s, page)), bytes), 1);
    assert_int_equal(bytes[0], mark);
}

/* Bring back what is out of a span's tables. */
static int bring_back(struct space *s, struct span span)
{
    int err = 0;

    for (page_t page = span.first; page < span.end && err == 0; page += MMU_ENTRIES) {
        struct cursor c;

        if (table_home_is_out(s, page) && (err = cursor_open(&c, s, span_of(page, 1), CURSOR_BUILD)) == 0)
            cursor_close(&c);
    }
    return err;
}

static void start_idle(void)
{
    start();
    create(&idle);
}

static void end_idle(void)
{
    audit_all();
    region_remove(&idle.space.map, &idle.all);
    space_destroy(&idle.space);
    assert_int_equal(slots_in_use(), 0);
    audit_all();
    end();
}

static void a_table_goes_and_comes_back(void **state __attribute__((unused)))
{
    uint32_t     free;
    struct cursor c;

    start_idle();
    put_out(&idle.space, page_of_table(3) + 5, 100);
    put_out(&idle.space, page_of_table(3) + 1000, 24);
    audit_all();
    free = frames_owned(OWNER_TABLES);
    assert_true(table_home_go(&idle.space, page_of_table(3) + 7));
    assert_int_equal(frames_owned(OWNER_TABLES), free - 1);
    assert_false(table_home_go(&idle.space, page_of_table(3) + 7));
    assert_int_equal(idle.space.home.out, 1);
    assert_int_equal(pages_of(&idle.space), 5);             /* the tracker's count stays */
    assert_true(table_home_is_out(&idle.space, page_of_table(3)));
    assert_true(read_faults(object_of(&idle.space) + 4 * PAGE_SIZE));
    assert_null(entry_at(&idle.space, page_of_table(3) + 5, 1));
    audit_all();
    for (unsigned i = 0; i < 100; i++)
        assert_slot(&idle.space, page_of_table(3) + 5 + i, (uint8_t)i);
    assert_int_equal(entry_in(&idle.space, page_of_table(3) + 4).raw, 0);
    assert_int_equal(entry_in(&idle.space, page_of_table(3) + 105).raw, 0);

    assert_int_equal(cursor_open(&c, &idle.space, span_of(page_of_table(3) + 6, 1), CURSOR_BUILD), 0);
    cursor_close(&c);
    assert_int_equal(idle.space.home.out, 0);
    assert_int_equal(frames_owned(OWNER_TABLES), free);
    for (unsigned i = 0; i < 24; i++)
        assert_slot(&idle.space, page_of_table(3) + 1000 + i, (uint8_t)i);
    end_idle();
}

/* A page that is present, or a space in use, keeps its table. */
static void a_table_that_is_needed_stays(void **state __attribute__((unused)))
{
    start_idle();
    put_out(&idle.space, page_of_table(1), 10);
    map_in(&idle.space, page_of_table(1) + 900, 1);
    assert_false(table_home_go(&idle.space, page_of_table(1)));
    assert_false(table_home_go(&idle.space, page_of_table(1)));             /* by the hint */
    discard_in(&idle.space, page_of_table(1) + 900);
    assert_true(table_home_go(&idle.space, page_of_table(1)));
    put_out(&space, page_of_table(1), 10);
    assert_false(table_home_go(&space, page_of_table(1)));
    assert_false(table_home_go(&idle.space, page_of_table(2)));             /* none */
    assert_false(table_home_go(&idle.space, layout.user.first - 1));        /* no program's */
    pages_discard(&space, span_of(page_of_table(1), 10));
    end_idle();
}

/* Slots far from each other take more bytes than a slot has room for: such a table stays. One in order goes. */
static void a_table_that_does_not_shrink_stays(void **state __attribute__((unused)))
{
    static uint32_t slots[2048];
    struct cursor   c;

    start_idle();
    put_out(&idle.space, page_of_table(1), MMU_ENTRIES);
    assert_true(table_home_go(&idle.space, page_of_table(1)));
    for (unsigned i = 0; i < COUNT_OF(slots); i++)
        slots[i] = new_slot(1);
    for (unsigned i = 0; i < MMU_ENTRIES; i++) {
        entry_t entry = entry_absent(ENTRY_SWAP, slots[i / 2 + i % 2 * MMU_ENTRIES], (struct rights){ 0, 0 });

        swap_share(entry_slot_number(entry));
        assert_int_equal(cursor_open(&c, &idle.space, span_of(page_of_table(2) + i, 1), CURSOR_BUILD), 0);
        cursor_copy_in(&c, page_of_table(2) + i, &entry, (struct cursor_run){ 1, 1, 0, 1 });
        cursor_close(&c);
    }
    for (unsigned i = 0; i < COUNT_OF(slots); i++)
        swap_put(slots[i]);
    audit_all();
    assert_false(table_home_go(&idle.space, page_of_table(2)));
    audit_all();
    end_idle();
}

static void pages_are_dropped_where_they_are(void **state __attribute__((unused)))
{
    uint32_t tables;

    start_idle();
    put_out(&idle.space, page_of_table(1) + 10, 300);
    put_out(&idle.space, page_of_table(2), 1);
    assert_true(table_home_go(&idle.space, page_of_table(1)));
    assert_true(table_home_go(&idle.space, page_of_table(2)));
    tables = frames_owned(OWNER_TABLES);
    pages_discard(&idle.space, span_of(page_of_table(1) + 100, 50));        /* in the middle */
    audit_all();
    assert_int_equal(entry_in(&idle.space, page_of_table(1) + 100).raw, 0);
    assert_int_equal(entry_in(&idle.space, page_of_table(1) + 149).raw, 0);
    assert_slot(&idle.space, page_of_table(1) + 99, 89);
    assert_slot(&idle.space, page_of_table(1) + 150, 140);
    assert_slot(&idle.space, page_of_table(1) + 309, (uint8_t)299);
    pages_discard(&idle.space, span_of(page_of_table(1), 12));              /* the first */
    assert_slot(&idle.space, page_of_table(1) + 12, 2);
    pages_discard(&idle.space, span_of(page_of_table(1) + 300, 500));       /* the last */
    assert_slot(&idle.space, page_of_table(1) + 299, (uint8_t)289);
    audit_all();
    pages_protect(&idle.space, (struct span){ page_of_table(1), page_of_table(3) }, (struct rights){ READ, READ },
                  false);
    assert_int_equal(frames_owned(OWNER_TABLES), tables);                   /* none of it brought one back */
    pages_discard(&idle.space, (struct span){ page_of_table(1), page_of_table(2) });
    assert_int_equal(idle.space.home.out, 1);
    assert_int_equal(pages_of(&idle.space), 4);
    pages_discard(&idle.space, span_of(page_of_table(2), 1));
    assert_int_equal(idle.space.home.out, 0);
    assert_int_equal(pages_of(&idle.space), TRACKED_LEAST);                 /* the object is as short as it was */
    assert_int_equal(idle.space.swapped, 0);
    end_idle();
}

static bool is_even(page_t page, entry_t entry, const void *how)
{
    (void)entry, (void)how;
    return page % 2 == 0;
}

static void some_pages_are_dropped(void **state __attribute__((unused)))
{
    page_t page;

    start_idle();
    put_out(&idle.space, page_of_table(1), 200);
    assert_true(table_home_go(&idle.space, page_of_table(1)));
    for (page = page_of_table(1); page < page_of_table(1) + 150; )
        page = pages_discard_some(&idle.space, (struct span){ page, page_of_table(1) + 150 }, is_even, NULL);
    for (unsigned i = 0; i < 200; i++)
        if (i < 150 && i % 2 == 0)
            assert_int_equal(entry_in(&idle.space, page_of_table(1) + i).raw, 0);
        else
            assert_slot(&idle.space, page_of_table(1) + i, (uint8_t)i);
    end_idle();
}

/* Page B goes as well, and when it has lost its entries it is still the space's. */
static void an_object_sleeps(void **state __attribute__((unused)))
{
    static struct another behind;
    page_t                list;
    uint32_t              pins;

    start_idle();
    create(&behind);
    put_out(&idle.space, layout.user.first + 3, 2);
    put_out(&idle.space, layout.user.end - 7, 3);               /* it moves: a page of the list of its own */
    list = trackers_list_page((uint32_t)lists_places_of(span_of(page_of(object_of(&idle.space)), 1)).first /
                              POINTERS_A_PAGE);
    pins = pinned_page_pins(list);
    assert_true(pins > 200);
    audit_all();
    assert_true(table_home_go(&idle.space, layout.user.end - 1));
    assert_int_equal(pinned_page_pins(list), pins);
    assert_true(table_home_go(&idle.space, layout.user.first));
    assert_false(pinned_page_is_there(list));
    assert_int_equal(lists_owned[list - trackers_list_page(0)], pins);
    audit_all();

    map_in(&idle.space, page_of_table(100), 1);                             /* a new table wakes it, too */
    assert_true(pinned_page_is_there(list));
    assert_int_equal(pinned_page_pins(list), pins);
    audit_all();
    discard_in(&idle.space, page_of_table(100));
    assert_false(pinned_page_is_there(list));
    audit_all();
    assert_int_equal(bring_back(&idle.space, layout.user), 0);
    assert_true(pinned_page_is_there(list));
    assert_true(is_table(&idle.space, 0));
    assert_slot(&idle.space, layout.user.end - 5, 2);
    audit_all();
    assert_true(table_home_go(&idle.space, layout.user.end - 1));
    assert_true(table_home_go(&idle.space, layout.user.first));
    pages_discard(&idle.space, layout.user);
    assert_int_equal(idle.space.home.out, 1);                               /* page B, with nothing in it */
    assert_int_equal(pages_of(&idle.space), TRACKED_LEAST);
    region_remove(&behind.space.map, &behind.all);
    space_destroy(&behind.space);
    end_idle();
}

/* Others are placed beside an object that sleeps, and what it owns stays its own. */
static void others_keep_clear_of_a_sleeper(void **state __attribute__((unused)))
{
    static struct another others[4];
    vaddr_t               object;

    start_idle();
    put_out(&idle.space, layout.user.end - 7, 3);
    put_out(&idle.space, layout.user.first, 1);
    assert_true(table_home_go(&idle.space, layout.user.end - 1));
    assert_true(table_home_go(&idle.space, layout.user.first));
    object = object_of(&idle.space);
    for (unsigned i = 0; i < COUNT_OF(others); i++) {
        create(&others[i]);
        map_in(&others[i].space, layout.user.end - 1, i);
        assert_true(object_of(&others[i].space) + 481 * PAGE_SIZE <= object ||
                    object_of(&others[i].space) >= object + 481 * PAGE_SIZE);
    }
    audit_all();
    assert_int_equal(bring_back(&idle.space, layout.user), 0);
    audit_all();
    assert_true(table_home_go(&idle.space, layout.user.end - 1));
    for (unsigned i = 0; i < COUNT_OF(others); i++) {
        discard_in(&others[i].space, layout.user.end - 1);
        region_remove(&others[i].space.map, &others[i].all);
        space_destroy(&others[i].space);
    }
    assert_int_equal(object_of(&idle.space), object);
    end_idle();
}

/* A table that cannot come back for want of a frame stays out; nothing has changed. */
static void coming_back_may_fail(void **state __attribute__((unused)))
{
    static frame_t taken[8192];
    uint32_t       count = 0;
    struct cursor  c;

    start_idle();
    put_out(&idle.space, layout.user.first, 40);
    put_out(&idle.space, page_of_table(1), 40);
    assert_true(table_home_go(&idle.space, page_of_table(1)));
    assert_true(table_home_go(&idle.space, layout.user.first));
    while (frame_get(OWNER_TEST, 0, &taken[count]) == 0)
        count++;
    assert_int_equal(cursor_open(&c, &idle.space, span_of(page_of_table(1), 1), CURSOR_BUILD), -ENOMEM);
    assert_int_equal(bring_back(&idle.space, layout.user), -ENOMEM);
    audit_all();
    pages_discard(&idle.space, span_of(page_of_table(1) + 10, 10));         /* needs none */
    audit_all();
    while (count > 0)
        frame_put(taken[--count]);
    assert_int_equal(bring_back(&idle.space, layout.user), 0);
    assert_slot(&idle.space, page_of_table(1) + 9, 9);
    end_idle();
}

/* Random tables, of slots in any order: each entry is the same before, while it is out, and afterwards. */
static void any_table_is_kept(void **state __attribute__((unused)))
{
    static uint32_t slots[MMU_ENTRIES], want[MMU_ENTRIES];
    uint32_t        made = 0;

    srand(7);
    start_idle();
    for (unsigned round = 0; round < 30; round++) {
        page_t page = page_of_table(1 + round % 3);

        while (made < MMU_ENTRIES)
            slots[made++] = new_slot(1);
        memset(want, 0, sizeof want);
        for (unsigned i = 0; i < MMU_ENTRIES; i++) {
            uint32_t pick = (uint32_t)rand() % made;

            if (rand() % 30 < (int)round || made < 100)
                continue;
            want[i]     = entry_absent(ENTRY_SWAP, slots[pick], (struct rights){ 0, 0 }).raw;
            slots[pick] = slots[--made];
            {
                struct cursor c;
                entry_t       entry = { want[i] };

                assert_int_equal(cursor_open(&c, &idle.space, span_of(page + i, 1), CURSOR_BUILD), 0);
                cursor_copy_in(&c, page + i, &entry, (struct cursor_run){ 1, 1, 0, 1 });
                cursor_close(&c);
            }
        }
        if (table_home_go(&idle.space, page)) {
            page_t from = page + (page_t)rand() % 1000, to = from + 1 + (page_t)rand() % (page + MMU_ENTRIES - from);

            for (unsigned i = 0; i < MMU_ENTRIES; i++)
                assert_int_equal(entry_in(&idle.space, page + i).raw, want[i]);
            pages_discard(&idle.space, (struct span){ from, to });
            for (page_t p = from; p < to; p++)
                want[p - page] = 0;
            if (rand() % 2)
                assert_int_equal(bring_back(&idle.space, span_of(page, MMU_ENTRIES)), 0);
            for (unsigned i = 0; i < MMU_ENTRIES; i++)
                assert_int_equal(entry_in(&idle.space, page + i).raw, want[i]);
        }
        pages_discard(&idle.space, span_of(page, MMU_ENTRIES));
        assert_int_equal(idle.space.swapped, 0);
    }
    while (made > 0)
        swap_put(slots[--made]);
    end_idle();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_goes_and_comes_back),
        cmocka_unit_test(a_table_that_is_needed_stays),
        cmocka_unit_test(a_table_that_does_not_shrink_stays),
        cmocka_unit_test(pages_are_dropped_where_they_are),
        cmocka_unit_test(some_pages_are_dropped),
        cmocka_unit_test(an_object_sleeps),
        cmocka_unit_test(others_keep_clear_of_a_sleeper),
        cmocka_unit_test(coming_back_may_fail),
        cmocka_unit_test(any_table_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void) { return no_tests(); }

#endif
