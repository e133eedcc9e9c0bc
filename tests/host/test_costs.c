/*
 * test_costs.c - what calls about a program's memory cost, at the borders of batches, tables and regions: costs.txt.
 */
#include "map_world.h"

#include "costs.h"
#include "memory/pageout/hand.h"
#include "memory/pageout/page_out.h"
#include "memory/pageout/swap.h"
#include "memory/spaces/map_pages.h"
#include "memory/spaces/object.h"
#include "memory/spaces/populate.h"
#include "memory/spaces/user_walk.h"

enum { MAY_MOVE = 1, MOVE_FIXED = 2, KEEP_OLD = 4 };
enum { WILL_NEED = 3, DONT_NEED = 4, FREE = 8, REMOVE = 9, COLD = 20, PAGE_OUT = 21, POPULATE_READ = 22,
       POPULATE_WRITE = 23 };

static vaddr_t out;

static void fill(size_t first, size_t pages)
{
    for (size_t n = first; n < first + pages; n++)
        assert_true(writes(&program, column(n), (uint32_t)n + 1));
}

static void look(size_t first, size_t pages)
{
    for (size_t n = first; n < first + pages; n++)
        (void)word_at(column(n));
}

static void make(size_t pages)
{
    assert_int_equal(map_fixed(0, pages, R | W), 0);
    fill(0, pages);
}

static int advise(size_t first, size_t pages, int advice)
{
    return map_advise(&program, column(first), pages * PAGE_SIZE, advice);
}

/* Regions of two pages that cannot be joined. */
static void make_regions(size_t count)
{
    for (size_t n = 0; n < count; n++)
        assert_int_equal(map_fixed(2 * n, 2, n % 2 ? R : R | W), 0);
}

static const size_t sizes[] = { 1, 16, 17, 62, 63, 64, 65, 126, 257, 1100 };

/* ---- Pages --------------------------------------------------------------------------------------------- */

static void pages_come_and_go(void)
{
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        size_t n = sizes[i];

        COST("map # pages", n, assert_int_equal(map_fixed(0, n, R | W), 0));
        COST("read # pages that are not there", n, look(0, n));
        COST("write to # pages that were read", n, fill(0, n));
        COST("forget # pages", n, assert_int_equal(advise(0, n, DONT_NEED), 0));
        COST("write to # pages that are not there", n, fill(0, n));
        COST("unmap # pages", n, assert_int_equal(unmap(0, n), 0));
        COST("unmap # pages where nothing is", n, assert_int_equal(unmap(0, n), 0));
        COST("map # pages and bring them in", n, ({
            struct map_request wanted = request(column(0), n, R | W, MAP_IS_FIXED | MAP_POPULATE_NOW);

            assert_int_equal(map_create(&program, &wanted, &out), 0);
        }));
        COST("clear a program of # pages", n, map_clear(&program));
    }
}

static void pages_are_not_flushed_in_a_space_that_nobody_uses(void)
{
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        size_t n = sizes[i];

        make(n);
        space_activate(&kernel_space);
        COST("protect # pages of a space that is not in use", n, assert_int_equal(protect(0, n, R), 0));
        COST("unmap # pages of a space that is not in use", n, assert_int_equal(unmap(0, n), 0));
        space_activate(&program);
    }
}

static void rights_come_and_go(void)
{
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        size_t n = sizes[i];

        make(n);
        COST("take the right to write from # pages", n, assert_int_equal(protect(0, n, R), 0));
        COST("give it back to # pages", n, assert_int_equal(protect(0, n, R | W), 0));
        COST("take all rights from # pages", n, assert_int_equal(protect(0, n, 0), 0));
        COST("give # pages all rights", n, assert_int_equal(protect(0, n, R | W), 0));
        COST("give # pages the rights that they have", n, assert_int_equal(protect(0, n, R | W), 0));
        COST("protect a part of # pages", n, assert_int_equal(protect(n / 3, (n + 2) / 3, R), 0));
        assert_int_equal(unmap(0, n), 0);
    }
}

static void programs_fork(void)
{
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct space child;
        size_t       n = sizes[i];

        make(n);
        COST("create a space", n, assert_int_equal(space_create(&child), 0));
        COST("fork with # pages", n, assert_int_equal(map_copy(&child, &program), 0));
        COST("write to # pages after a fork", n, fill(0, n));
        COST("clear a child of # pages", n, map_clear(&child));
        COST("destroy a space", n, space_destroy(&child));
        assert_int_equal(unmap(0, n), 0);
    }
}

static void a_child_without_map_clear(void)
{
    for (size_t i = 0; i < COUNT_OF(sizes); i += 2) {
        struct space child;
        size_t       n = sizes[i];

        make(n);
        COST("advise against forking # pages", n, assert_int_equal(advise(0, n, 10), 0));
        assert_int_equal(space_create(&child), 0);
        COST("fork without them", n, assert_int_equal(map_copy(&child, &program), 0));
        COST("go to a space and back", n, (space_activate(&child), space_activate(&program)));
        map_clear(&child);
        space_destroy(&child);
        assert_int_equal(unmap(0, n), 0);
    }
}

static void pages_move(void)
{
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        size_t  n = sizes[i];
        vaddr_t to;

        make(n);
        COST("move # pages", n, assert_int_equal(map_move(&program, column(0), n * PAGE_SIZE, n * PAGE_SIZE,
                                                          MAY_MOVE | MOVE_FIXED, column(5000), &to), 0));
        COST("move # pages and keep their place", n,
             assert_int_equal(map_move(&program, to, n * PAGE_SIZE, n * PAGE_SIZE, MAY_MOVE | KEEP_OLD, 0, &to), 0));
        COST("grow # pages where they are", n,
             assert_int_equal(map_move(&program, column(5000), n * PAGE_SIZE, (n + 7) * PAGE_SIZE, 0, 0, &to), 0));
        COST("shrink what was # pages", n,
             assert_int_equal(map_move(&program, to, (n + 7) * PAGE_SIZE, PAGE_SIZE, 0, 0, &to), 0));
        COST("all of it goes", n, map_clear(&program));
    }
}

/* ---- Regions ------------------------------------------------------------------------------------------- */

static void many_regions_rest_at_each(void)
{
    static const size_t counts[] = { 1, 2, 3, 7, 20 };

    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        size_t n = counts[i], pages = 2 * n;

        COST("make # regions", n, make_regions(n));
        COST("tell # regions something", n, assert_int_equal(advise(0, pages, 12), 0));
        COST("tell # regions that they are needed", n, assert_int_equal(advise(0, pages, WILL_NEED), 0));
        COST("sync # regions", n, assert_int_equal(map_sync(&program, column(0), pages * PAGE_SIZE, 4), 0));
        COST("lock # regions", n, assert_int_equal(map_lock(&program, column(0), pages * PAGE_SIZE, false), 0));
        COST("lock # regions again", n, assert_int_equal(map_lock(&program, column(0), pages * PAGE_SIZE, false), 0));
        COST("unlock # regions", n, assert_int_equal(map_unlock(&program, column(0), pages * PAGE_SIZE), 0));
        COST("lock # regions on fault", n, assert_int_equal(map_lock_all(&program, true, false, true), 0));
        COST("unlock all of # regions", n, map_unlock_all(&program));
        COST("lock all of # regions", n, assert_int_equal(map_lock_all(&program, true, true, false), 0));
        COST("unlock the middle of # regions", n, assert_int_equal(map_unlock(&program, column(1), PAGE_SIZE), 0));
        map_unlock_all(&program);
        COST("protect # regions", n, assert_int_equal(protect(0, pages, R), 0));
        COST("unmap # regions", n, assert_int_equal(unmap(0, pages), 0));
    }
}

static void pages_are_brought_in_one_by_one(void)
{
    for (size_t i = 0; i < COUNT_OF(sizes); i += 2) {
        size_t n = sizes[i];

        assert_int_equal(map_fixed(0, n, R | W), 0);
        COST("bring in # pages to read", n, assert_int_equal(advise(0, n, POPULATE_READ), 0));
        COST("bring in # pages to write", n, assert_int_equal(advise(0, n, POPULATE_WRITE), 0));
        COST("bring in # pages that are there", n, assert_int_equal(advise(0, n, POPULATE_WRITE), 0));
        assert_int_equal(unmap(0, n), 0);
        assert_int_equal(map_fixed(0, n, R | W), 0);
        COST("lock # pages", n, assert_int_equal(map_lock(&program, column(0), n * PAGE_SIZE, false), 0));
        map_clear(&program);
    }
}

static void residency_is_looked_up_in_steps(void)
{
    static uint8_t there[1100];

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct map_request wanted = request(column(2000), sizes[i], R | W, MAP_IS_FIXED | MAP_IS_SHARED);
        size_t             n      = sizes[i];

        assert_int_equal(map_fixed(0, n, R | W), 0);
        for (size_t k = 0; k < n; k += 3)
            fill(k, 1);
        COST("ask which of # pages are in memory", n,
             assert_int_equal(map_residency(&program, span_of(page_of(column(0)), n), there), 0));
        for (size_t k = 0; k < n; k++)
            assert_int_equal(there[k], k % 3 == 0);
        assert_int_equal(map_create(&program, &wanted, &out), 0);
        for (size_t k = 0; k < n; k += 5)
            fill(2000 + k, 1);
        COST("ask which of # shared pages are in memory", n,
             assert_int_equal(map_residency(&program, span_of(page_of(column(2000)), n), there), 0));
        for (size_t k = 0; k < n; k++)
            assert_int_equal(there[k], k % 5 == 0);
        map_clear(&program);
    }
}

/* ---- Out and in ---------------------------------------------------------------------------------------- */

static void pages_go_out_and_come_in(void)
{
    static const size_t counts[] = { 1, 5, 11, 12, 13, 15, 16, 17, 40, 64, 70 };

    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        struct space child;
        size_t       n = counts[i];

        make(n);
        COST("let # pages go", n, assert_int_equal(advise(0, n, PAGE_OUT), 0));
        COST("let # pages go that have gone", n, assert_int_equal(advise(0, n, PAGE_OUT), 0));
        assert_int_equal(space_create(&child), 0);
        COST("fork with # pages that are out", n, assert_int_equal(map_copy(&child, &program), 0));
        COST("clear a child of # pages that are out", n, map_clear(&child));
        space_destroy(&child);
        COST("move # pages that are out", n,
             assert_int_equal(map_move(&program, column(0), n * PAGE_SIZE, n * PAGE_SIZE, MAY_MOVE | MOVE_FIXED,
                                       column(600), &out), 0));
        COST("bring # pages back", n, look(600, n));
        COST("let # pages go again", n, assert_int_equal(advise(600, n, PAGE_OUT), 0));
        COST("protect # pages that are out", n, assert_int_equal(protect(600, n, R), 0));
        COST("unmap # pages that are out", n, assert_int_equal(unmap(600, n), 0));
    }
}

static void the_hand_goes_round(void)
{
    static const size_t counts[] = { 1, 15, 16, 17, 40 };

    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        struct hand hand = { .next = page_of(column(0)) };
        size_t      n    = counts[i];

        make(n);
        for (unsigned turn = 0; turn < 3; turn++) {
            assert_true(hand_advance(&hand));
            COST("the hand looks at a window of # pages", n, hand_look(&hand, &program));
            kept_line("it has looked %zu times, %zu have gone, and goes on with page %zd", hand.looked, hand.gone,
                      hand.next == HAND_NONE ? -1 : (ssize_t)(hand.next - page_of(column(0))));
            if (hand.next == HAND_NONE)
                hand.next = page_of(column(0));
        }
        map_clear(&program);
    }
}

/* ---- Objects ------------------------------------------------------------------------------------------- */

static void objects_are_shown_and_cut(void)
{
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        size_t             n       = sizes[i];
        struct object     *object  = object_create(OWNER_SHARED, n);
        struct map_request shared  = request(column(0), n, R | W, MAP_IS_FIXED | MAP_IS_SHARED);
        struct map_request private = request(column(2000), n, R | W, MAP_IS_FIXED);

        assert_non_null(object);
        shared.object = private.object = object;
        COST("show an object of # pages", n, assert_int_equal(map_create(&program, &shared, &out), 0));
        assert_int_equal(map_create(&program, &private, &out), 0);
        COST("write to # pages of an object", n, fill(0, n));
        COST("read # pages of an object that are there", n, look(2000, n));
        COST("copy # pages of an object", n, fill(2000, n));
        COST("forget # copies", n, assert_int_equal(advise(2000, n, DONT_NEED), 0));
        COST("read # pages of an object again", n, look(2000, n));
        COST("punch # pages", n, object_punch(object, 0, n));
        fill(0, n);
        look(2000, n);
        COST("cut # pages off", n, object_resize(object, 0));
        COST("grow to # pages", n, object_resize(object, n));
        fill(0, n);
        COST("clear # pages", n, assert_int_equal(object_zero(object, 5, n * PAGE_SIZE - 5), 0));
        COST("hide an object of # pages", n, assert_int_equal(unmap(0, n) | unmap(2000, n), 0));
        COST("end an object of # pages", n, object_release(object));
    }
}

/* ---- The rest ------------------------------------------------------------------------------------------ */

static void the_break_moves(void)
{
    vaddr_t start = program.limits.break_start;

    for (size_t i = 0; i < COUNT_OF(sizes); i += 2) {
        size_t n = sizes[i];

        COST("move the break up by # pages", n, assert_int_equal(map_break(&program, start + n * PAGE_SIZE),
                                                                 start + n * PAGE_SIZE));
        COST("move the break by a byte", n, map_break(&program, start + n * PAGE_SIZE - 1));
        COST("move the break down by # pages", n, assert_int_equal(map_break(&program, start), start));
    }
}

static void pages_are_mapped_by_number(void)
{
    int status;

    for (size_t i = 0; i < COUNT_OF(sizes); i += 2) {
        size_t n = sizes[i];

        COST("map_pages of # pages", n, map_pages(&program, column(0), 0, n * PAGE_SIZE, &status));
        assert_int_equal(status, 0);
        assert_int_equal(unmap(0, n), 0);
    }
    COST("show # pages of the screen", 32, map_pages(&program, column(0), 0xA0000, 32 * PAGE_SIZE, &status));
    assert_int_equal(status, 0);
    COST("hide # pages of the screen", 32, assert_int_equal(unmap(0, 32), 0));
}

static void bytes_are_copied(void)
{
    static char bytes[70 * PAGE_SIZE];

    assert_int_equal(map_fixed(0, 80, R | W), 0);
    for (size_t n = 1; n < sizeof bytes; n = n * 5 + 3) {
        COST("write # bytes to a program", n, assert_int_equal(user_write_in(&program, column(0) + 7, bytes, n), 0));
        COST("read # bytes of a program", n, assert_int_equal(user_read_in(&program, bytes, column(0) + 7, n), 0));
        memset(bytes, 'a', n);
        assert_int_equal(user_write_in(&program, column(0) + 7, bytes, n), 0);
        COST("read a text of # bytes of a program", n,
             assert_int_equal(walk_read_text(&program, user_resolve_plainly, bytes, column(0) + 7, n), n));
        COST("clear # bytes of a program", n, assert_int_equal(user_clear_in(&program, column(0) + 7, n), 0));
    }
}

static void a_program_is_populated(void)
{
    static char bytes[3 * PAGE_SIZE];

    for (size_t i = 0; i < COUNT_OF(sizes); i += 2) {
        struct populate_image image = { bytes, sizeof bytes };
        struct span           span  = span_of(page_of(column(0)), sizes[i]);
        size_t                n     = sizes[i];

        assert_int_equal(map_fixed(0, n, R | W), 0);
        COST("populate # pages", n, assert_int_equal(populate_span(&program, span, map_rights(R | W), image, NULL), 0));
        assert_int_equal(unmap(0, n), 0);
    }
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(pages_come_and_go),
        on_machine(pages_are_not_flushed_in_a_space_that_nobody_uses),
        on_machine(rights_come_and_go),
        on_machine(programs_fork),
        on_machine(a_child_without_map_clear),
        on_machine(pages_move),
        on_machine(many_regions_rest_at_each),
        on_machine(pages_are_brought_in_one_by_one),
        on_machine(residency_is_looked_up_in_steps),
        on_machine(pages_go_out_and_come_in),
        on_machine(the_hand_goes_round),
        on_machine(objects_are_shown_and_cut),
        on_machine(the_break_moves),
        on_machine(pages_are_mapped_by_number),
        on_machine(bytes_are_copied),
        on_machine(a_program_is_populated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Other documents have other ways to reach tables, and other costs. */
int main(void) { return layout.access == ACCESS_DIRECT ? kept_run("test_costs", run_all) : 0; }
