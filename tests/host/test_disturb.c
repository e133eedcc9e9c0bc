/*
 * test_disturb.c - what is done to a program's pages for no reason: to which page, in which order, and that it is not
 * noticed.
 */
#include "map_world.h"

#include "memory/check/disturb.h"
#include "memory/pageout/page_out.h"
#include "memory/spaces/object.h"
#include "memory/tables/cursor.h"

enum { PAGES = 12, LOOKS = 256 };

static entry_t entry_of(size_t n) { return entry_at_page(&program, column(n)); }

static bool is_there(size_t n) { return entry_present(entry_of(n)); }

static void fill(size_t first, size_t pages)
{
    for (size_t n = first; n < first + pages; n++)
        assert_true(writes(&program, column(n), (uint32_t)n + 1));
}

static void look(size_t first, size_t pages)
{
    for (size_t n = first; n < first + pages; n++)
        assert_int_equal(word_at(column(n)), n + 1);
    assert_clean();
}

/* So many pages, whatever earlier tests have asked for. */
static void ask_for(const struct space *space, size_t first, size_t pages)
{
    for (size_t n = first; n < first + pages; n++)
        disturb_spare(space, page_of(column(n)));
}

static void ask_for_none(void)
{
    for (unsigned i = 0; i < DISTURB_SPARED; i++)
        disturb_spare(&program, 0);
}

/* ---- Which page --------------------------------------------------------------------------------------- */

static void one_page_after_the_other_leaves(void)
{
    page_t at = 0;

    ask_for_none();
    assert_int_equal(map_fixed(0, PAGES, R | W), 0);
    fill(0, PAGES);
    for (size_t n = 0; n < PAGES; n++) {
        assert_int_equal(disturb_evict(&program, &at), 1);
        assert_int_equal(at, page_of(column(n)) + 1);
        assert_int_equal(program.swapped, n + 1);
        assert_false(is_there(n));
    }
    assert_int_equal(disturb_evict(&program, &at), 0);          /* none is left */
    assert_int_equal(word_at(column(5)), 6);
    assert_int_equal(disturb_evict(&program, &at), 1);          /* and around */
    assert_int_equal(at, page_of(column(5)) + 1);
    assert_int_equal(word_at(column(5)), 6);
    assert_int_equal(word_at(column(2)), 3);
    assert_int_equal(disturb_evict(&program, &at), 1);          /* behind the last one first, then those before */
    assert_false(is_there(2));
    assert_int_equal(disturb_evict(&program, &at), 1);
    assert_false(is_there(5));
    look(0, PAGES);
}

/* In several regions, the last of which may end the round. */
static void regions_are_searched_in_turn(void)
{
    static const size_t goes[] = { 1, 2, 8, 9, 1 };
    page_t              at = page_of(column(1));

    ask_for_none();
    assert_int_equal(map_fixed(0, 3, R | W), 0);
    assert_int_equal(map_fixed(4, 2, R), 0);                    /* nothing is there */
    assert_int_equal(map_fixed(8, 2, R | W), 0);
    fill(1, 2);
    fill(8, 2);
    for (unsigned i = 0; i < COUNT_OF(goes); i++) {
        assert_int_equal(disturb_evict(&program, &at), 1);
        assert_int_equal(at, page_of(column(goes[i])) + 1);
        assert_int_equal(program.swapped, 1);
        assert_int_equal(word_at(column(goes[i])), goes[i] + 1);
    }
    assert_clean();
}

static void some_pages_stay(void)
{
    struct map_request wanted = request(column(30), 2, R | W, MAP_IS_FIXED | MAP_IS_SHARED);
    page_t             at = 0;
    vaddr_t            out;
    uint32_t           value;

    ask_for_none();
    assert_int_equal(map_fixed(0, 12, R | W), 0);
    fill(0, 4);
    assert_int_equal(word_at(column(5)), 0);                    /* the frame of zeros */
    assert_int_equal(map_lock(&program, column(0), 2 * PAGE_SIZE, false), 0);
    assert_int_equal(protect(2, 1, 0), 0);                      /* nobody may touch it */
    wanted.object = object_create(OWNER_SHARED, 2);
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_true(writes(&program, column(30), 5));
    assert_int_equal(disturb_evict(&program, &at), 1);
    assert_false(is_there(3));
    assert_int_equal(disturb_evict(&program, &at), 0);
    assert_int_equal(disturb_move(&program, &at), 0);
    assert_true(is_there(0) && is_there(1) && is_there(5) && is_there(30));
    assert_int_equal(protect(2, 1, R | W), 0);
    map_unlock_all(&program);
    look(0, 4);
    assert_true(reads(&program, column(30), &value) && value == 5);
    assert_int_equal(unmap(30, 2), 0);
    object_release(wanted.object);
}

/* DISTURB_SPARED pages, of this space, and no more. */
static void what_was_asked_for_lately_stays(void)
{
    struct space other;
    page_t       at = 0;
    unsigned     gone = 0;

    assert_int_equal(space_create(&other), 0);
    assert_int_equal(map_fixed(0, PAGES, R | W), 0);
    fill(0, PAGES);
    ask_for(&other, 0, DISTURB_SPARED);                         /* another's pages of the same numbers */
    ask_for(&program, 1, DISTURB_SPARED);
    while (gone < 3 * PAGES && disturb_evict(&program, &at) == 1)
        gone++;
    assert_int_equal(gone, PAGES - DISTURB_SPARED);
    for (size_t n = 0; n < PAGES; n++)
        assert_int_equal(is_there(n), n >= 1 && n <= DISTURB_SPARED);
    ask_for(&program, 0, 1);                                    /* the one that was asked for first is spared no more */
    assert_int_equal(disturb_evict(&program, &at), 1);
    assert_false(is_there(1));
    assert_int_equal(disturb_evict(&program, &at), 0);
    ask_for(&other, 0, DISTURB_SPARED);
    while (gone < 3 * PAGES && disturb_evict(&program, &at) == 1)
        gone++;
    assert_int_equal(gone, PAGES - 1);
    look(0, PAGES);
    space_destroy(&other);
}

/* A search looks at so many entries; the next one goes on behind them. */
static void a_search_ends_after_so_many_looks(void)
{
    enum { MANY = 2 * LOOKS + 40 };
    page_t   at = page_of(column(0));
    unsigned searches = 0;

    ask_for_none();
    assert_int_equal(map_fixed(0, MANY + 1, R | W), 0);
    assert_int_equal(map_fixed(MANY + 2, 1, R | W), 0);
    for (size_t n = 0; n < MANY; n++)
        assert_int_equal(word_at(column(n)), 0);                /* entries, all of the frame of zeros */
    fill(MANY, 1);
    while (searches < 5 && disturb_evict(&program, &at) == 0) {
        searches++;
        assert_int_equal(at, page_of(column(0)) + searches * (LOOKS + 1));
    }
    assert_int_equal(searches, 2);
    assert_false(is_there(MANY));
    assert_int_equal(word_at(column(MANY)), MANY + 1);
    assert_int_equal(unmap(0, MANY + 3), 0);
}

/* Also in the last region: a search that ended there does not begin again at the first page of all. */
static void a_search_ends_in_the_last_region_as_well(void)
{
    enum { MANY = LOOKS + 40 };
    page_t   at = page_of(column(0));
    unsigned searches = 0;

    ask_for_none();
    assert_int_equal(map_fixed(0, MANY + 1, R | W), 0);
    for (size_t n = 0; n < MANY; n++)
        assert_int_equal(word_at(column(n)), 0);
    fill(MANY, 1);
    while (searches < 5 && disturb_evict(&program, &at) == 0)
        searches++;
    assert_int_equal(searches, 1);
    assert_false(is_there(MANY));
    assert_int_equal(unmap(0, MANY + 1), 0);
}

/* ---- What is done to it ------------------------------------------------------------------------------- */

static void a_page_that_moves_has_another_frame_and_all_else_as_before(void)
{
    page_t   at = page_of(column(0));
    uint32_t user, resident;

    ask_for_none();
    assert_int_equal(map_fixed(0, 4, R | W), 0);
    fill(0, 4);
    for (unsigned word = 0; word < PAGE_SIZE / 4; word++)
        assert_true(writes(&program, column(2) + 4 * word, word * 7));
    assert_int_equal(protect(2, 1, R), 0);
    user     = frames_owned(OWNER_USER);
    resident = program.resident;
    for (size_t n = 0; n < 4; n++) {
        frame_t before = entry_frame(entry_of(n));
        uint8_t rights = entry_rights(entry_of(n)).user;

        assert_int_equal(disturb_move(&program, &at), 1);
        assert_false(frame_is(entry_frame(entry_of(n)), before));
        assert_int_equal(entry_rights(entry_of(n)).user, rights);
        assert_int_equal(at, page_of(column(n)) + 1);
        assert_clean();
    }
    assert_int_equal(frames_owned(OWNER_USER), user);
    assert_int_equal(program.resident, resident);
    for (unsigned word = 0; word < PAGE_SIZE / 4; word++)
        assert_int_equal(word_at(column(2) + 4 * word), word * 7);
    assert_int_equal(word_at(column(1)), 2);
    assert_false(writes(&program, column(2), 1));
    assert_true(writes(&program, column(3), 9));
}

/* The other keeps the frame that both have shown. */
static void what_a_fork_shares_moves_for_one(void)
{
    struct space child;
    page_t       at = page_of(column(0));
    frame_t      before;
    uint32_t     value;

    ask_for_none();
    assert_int_equal(map_fixed(0, 1, R | W), 0);
    fill(0, 1);
    assert_int_equal(space_create(&child), 0);
    assert_int_equal(map_copy(&child, &program), 0);
    before = entry_frame(entry_of(0));
    assert_int_equal(frame_references(before), 2);
    assert_int_equal(disturb_move(&program, &at), 1);
    assert_int_equal(frame_references(before), 1);
    assert_true(frame_is(entry_frame(entry_at_page(&child, column(0))), before));
    assert_true(writes(&program, column(0), 77));
    space_activate(&child);
    assert_true(reads(&child, column(0), &value) && value == 1);
    space_activate(&program);
    assert_clean();
    map_clear(&child);
    space_destroy(&child);
}

static void without_a_frame_a_page_neither_moves_nor_leaves(void)
{
    page_t at = page_of(column(0));

    ask_for_none();
    assert_int_equal(map_fixed(0, 2, R | W), 0);
    fill(0, 2);
    frame_fail_at(1);
    assert_int_equal(disturb_move(&program, &at), 0);
    assert_int_equal(frame_fail_left(), 0);
    look(0, 2);
    at = page_of(column(0));
    frame_fail_at(1);
    assert_int_equal(disturb_evict(&program, &at), 0);
    assert_int_equal(frame_fail_left(), 0);
    frame_fail_at(0);
    look(0, 2);
    assert_true(writes(&program, column(0), 8));
    assert_int_equal(word_at(column(0)), 8);
    assert_clean();
}

/* ---- Entries ------------------------------------------------------------------------------------------ */

static struct object *object;

static void show_object(size_t first, uint32_t flags)
{
    struct map_request wanted = request(column(first), 4, R | W, MAP_IS_FIXED | flags);
    vaddr_t            out;

    wanted.object = object;
    assert_int_equal(map_create(&program, &wanted, &out), 0);
}

/* Columns 0..3 are a program's own, of which two show zeros; 4..7 show an object, and 8..11 a copy of its page 1. */
static void entries_go_that_a_fault_can_make_again(void)
{
    ask_for_none();
    object = object_create(OWNER_FILE, 4);
    assert_int_equal(map_fixed(0, 4, R | W), 0);
    show_object(4, MAP_IS_SHARED);
    show_object(8, 0);
    for (size_t n = 4; n < 8; n++)
        assert_true(writes(&program, column(n), (uint32_t)n + 1));
    fill(0, 2);
    for (size_t n = 2; n < 12; n++)
        (void)word_at(column(n));
    fill(9, 1);
    assert_int_equal(program.resident, 12);
    assert_int_equal(disturb_entries(&program), 12 - 3);
    for (size_t n = 0; n < 12; n++)
        assert_int_equal(is_there(n), n < 2 || n == 9);
    assert_int_equal(program.resident, 3);
    assert_int_equal(object->resident, 4);
    assert_clean();
    assert_int_equal(disturb_entries(&program), 0);
    look(0, 2);
    look(4, 4);
    look(9, 1);
    assert_int_equal(word_at(column(2)), 0);
    assert_int_equal(word_at(column(8)), 5);
    assert_int_equal(unmap(0, 12), 0);
    object_release(object);
}

static void entries_stay_that_are_locked_or_were_asked_for(void)
{
    ask_for_none();
    assert_int_equal(map_fixed(0, 4, R | W), 0);
    assert_int_equal(map_fixed(6, 4, R | W), 0);
    for (size_t n = 0; n < 10; n++)
        if (n < 4 || n >= 6)
            assert_int_equal(word_at(column(n)), 0);
    assert_int_equal(map_lock(&program, column(6), 2 * PAGE_SIZE, false), 0);
    ask_for(&program, 1, 1);
    assert_int_equal(disturb_entries(&program), 5);
    for (size_t n = 0; n < 10; n++)
        assert_int_equal(is_there(n), n == 1 || n == 6 || n == 7);
    map_unlock_all(&program);
    assert_clean();
}

/* What is out is no entry of a fault's making: it stays out, and is not counted. */
static void entries_that_are_out_stay(void)
{
    page_t at = 0;

    ask_for_none();
    assert_int_equal(map_fixed(0, 2, R | W), 0);
    fill(0, 2);
    assert_int_equal(disturb_evict(&program, &at), 1);
    assert_int_equal(disturb_entries(&program), 0);
    assert_int_equal(program.swapped, 1);
    look(0, 2);
}

static unsigned rests;

static void count_rest(void) { rests++; }

/* All of a space is much: others run in between, in each region, and in each part of a large one. */
static void between_regions_others_run(void)
{
    ask_for_none();
    assert_int_equal(map_fixed(0, 4, R | W), 0);
    assert_int_equal(map_fixed(6, 4, R | W), 0);
    assert_int_equal(map_fixed(12, 4, R | W), 0);
    for (size_t n = 0; n < 16; n += 6)
        assert_int_equal(word_at(column(n)), 0);
    machine_at_rest(count_rest);
    assert_int_equal(disturb_entries(&program), 3);
    machine_at_rest(NULL);
    assert_true(rests >= 3);
    assert_clean();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(one_page_after_the_other_leaves),
        on_machine(regions_are_searched_in_turn),
        on_machine(some_pages_stay),
        on_machine(what_was_asked_for_lately_stays),
        on_machine(a_search_ends_after_so_many_looks),
        on_machine(a_search_ends_in_the_last_region_as_well),
        on_machine(a_page_that_moves_has_another_frame_and_all_else_as_before),
        on_machine(what_a_fork_shares_moves_for_one),
        on_machine(without_a_frame_a_page_neither_moves_nor_leaves),
        on_machine(entries_go_that_a_fault_can_make_again),
        on_machine(entries_stay_that_are_locked_or_were_asked_for),
        on_machine(entries_that_are_out_stay),
        on_machine(between_regions_others_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
