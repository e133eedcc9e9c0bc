/*
 * test_map_calls.c - madvise, mincore, remap_file_pages, mremap that keeps the old place, and PROT_GROWSDOWN.
 */
#include "map_contents.h"

#include "memory/spaces/user.h"

enum { NORMAL = 0, WILL_NEED = 3, DONT_NEED = 4, FREE = 8, REMOVE = 9, COLD = 20, PAGE_OUT = 21, POPULATE_READ = 22,
       POPULATE_WRITE = 23, COLLAPSE = 25 };
enum { MAY_MOVE = 1, FIXED = 2, KEEP_OLD = 4 };

static void make_contents(uint64_t pages) { make_contents_but(pages, UINT64_MAX); }

static int advise(size_t first, size_t pages, int advice)
{
    return map_advise(&program, column(first), pages * PAGE_SIZE, advice);
}

/* ---- madvise --------------------------------------------------------------------------------------------- */

static void a_hole_is_made_in_the_file_itself(void)
{
    make_contents(6);
    assert_int_equal(map_file(0, 4, 1, R | W, MAP_IS_SHARED), 0);
    assert_int_equal(map_file(8, 6, 0, R | W, 0), 0);
    assert_int_equal(word_at(column(1)), 52);
    assert_int_equal(advise(1, 2, REMOVE), 0);
    assert_int_equal(word_at(column(0)), 51);
    assert_int_equal(word_at(column(1)), 0);
    assert_int_equal(word_at(column(2)), 0);
    assert_int_equal(word_at(column(3)), 54);
    assert_int_equal(word_at(column(10)), 0);           /* every mapping of the file sees it */
    assert_int_equal(word_at(column(12)), 54);
    assert_int_equal(advise(8, 1, REMOVE), -EACCES);    /* a private one makes no holes */
    assert_int_equal(map_fixed(20, 1, R | W), 0);
    assert_int_equal(advise(20, 1, REMOVE), -EINVAL);   /* nor a region without a file */
    assert_int_equal(map_lock(&program, column(0), PAGE_SIZE, false), 0);
    assert_int_equal(advise(0, 1, REMOVE), -EINVAL);
    assert_int_equal(map_unlock(&program, column(0), PAGE_SIZE), 0);
    object_release(contents);
}

static void who_may_not_write_makes_no_hole(void)
{
    struct map_request wanted = request(column(0), 2, R, MAP_IS_FIXED | MAP_IS_SHARED);

    make_contents(2);
    wanted.object = contents;
    wanted.may    = R;
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_int_equal(advise(0, 1, REMOVE), -EACCES);
    assert_int_equal(word_at(column(0)), 50);
    object_release(contents);
}

static void advice_that_changes_nothing_is_taken_all_the_same(void)
{
    paint("ww");
    assert_true(writes(&program, column(0), 7));
    assert_int_equal(advise(0, 2, COLD), 0);
    assert_int_equal(advise(0, 2, PAGE_OUT), 0);
    assert_int_equal(advise(0, 2, WILL_NEED), 0);
    assert_int_equal(advise(0, 2, NORMAL), 0);
    assert_int_equal(advise(0, 2, COLLAPSE), -EINVAL);
    assert_int_equal(advise(0, 3, COLD), -ENOMEM);
    assert_int_equal(advise(0, 0, COLD), 0);
    assert_int_equal(advise(0, 0, 99), -EINVAL);
    assert_int_equal(map_advise(&program, column(0) + 1, PAGE_SIZE, COLD), -EINVAL);
    assert_int_equal(map_lock(&program, column(0), PAGE_SIZE, false), 0);
    assert_int_equal(advise(0, 1, COLD), -EINVAL);
    assert_int_equal(advise(0, 1, DONT_NEED), -EINVAL);
    assert_int_equal(advise(1, 1, COLD), 0);
    assert_int_equal(map_unlock(&program, column(0), PAGE_SIZE), 0);
    assert_int_equal(word_at(column(0)), 7);
}

static void pages_are_brought_in_at_once(void)
{
    paint("wwr.");
    assert_int_equal(advise(0, 2, POPULATE_WRITE), 0);
    assert_int_equal(program.resident, 2);
    assert_int_equal(frames_owned(OWNER_USER), 2);
    assert_int_equal(advise(2, 1, POPULATE_READ), 0);
    assert_int_equal(program.resident, 3);
    assert_int_equal(frames_owned(OWNER_USER), 2);      /* read only: the zeros of all */
    assert_int_equal(advise(2, 1, POPULATE_WRITE), -EINVAL);
    assert_int_equal(advise(2, 2, POPULATE_READ), -ENOMEM);
    make_contents(2);
    assert_int_equal(map_file(8, 3, 0, R, 0), 0);
    assert_int_equal(advise(8, 2, POPULATE_READ), 0);
    assert_int_equal(advise(8, 3, POPULATE_READ), -EFAULT);     /* past the end of the file */
    object_release(contents);
}

/* ---- mincore --------------------------------------------------------------------------------------------- */

static void what_is_in_memory_is_told_page_by_page(void)
{
    uint8_t there[48];

    make_contents(40);
    object_punch(contents, 20, 40);
    memset(there, 9, sizeof there);
    assert_int_equal(map_file(0, 40, 0, R, MAP_IS_SHARED), 0);
    assert_int_equal(map_residency(&program, span_of(page_of(column(0)), 40), there), 0);
    for (unsigned n = 0; n < 40; n++)
        assert_int_equal(there[n], n < 20);             /* whether or not this program has touched them */
    assert_int_equal(there[40], 9);
    assert_int_equal(map_fixed(40, 4, R | W), 0);
    assert_true(writes(&program, column(41), 1));
    assert_int_equal(map_residency(&program, span_of(page_of(column(38)), 6), there), 0);
    for (unsigned n = 0; n < 6; n++)
        assert_int_equal(there[n], n == 3);
    assert_int_equal(protect(41, 1, 0), 0);
    assert_int_equal(map_residency(&program, span_of(page_of(column(41)), 1), there), 0);
    assert_int_equal(there[0], 1);                      /* out of reach, and there */
    assert_int_equal(map_residency(&program, span_of(page_of(column(43)), 2), there), -ENOMEM);
    object_release(contents);
}

/* ---- remap_file_pages ------------------------------------------------------------------------------------ */

static void another_part_of_the_file_is_shown(void)
{
    make_contents(8);
    assert_int_equal(map_file(0, 4, 0, R | W, MAP_IS_SHARED), 0);
    assert_int_equal(word_at(column(1)), 51);
    assert_int_equal(map_show_other(&program, column(1), 2 * PAGE_SIZE, 5), 0);
    assert_int_equal(word_at(column(0)), 50);
    assert_int_equal(word_at(column(1)), 55);
    assert_int_equal(word_at(column(2)), 56);
    assert_int_equal(word_at(column(3)), 53);
    assert_picture("w|ww|w");
    assert_true(writes(&program, column(1), 99));
    assert_int_equal(map_show_other(&program, column(1), 2 * PAGE_SIZE, 1), 0);
    assert_picture("wwww");                             /* as it was: one region again */
    assert_int_equal(word_at(column(1)), 51);
    assert_int_equal(map_show_other(&program, column(0), PAGE_SIZE, 5), 0);
    assert_int_equal(word_at(column(0)), 99);
    assert_int_equal(map_show_other(&program, column(0) + 5, PAGE_SIZE + 7, 0), 0);     /* rounded down */
    assert_int_equal(word_at(column(0)), 50);
    object_release(contents);
}

static void what_cannot_be_shown_is_refused(void)
{
    make_contents(8);
    assert_int_equal(map_file(0, 4, 0, R | W, MAP_IS_SHARED), 0);
    assert_int_equal(map_file(8, 2, 0, R | W, 0), 0);
    assert_int_equal(map_show_other(&program, column(0), 0, 1), -EINVAL);
    assert_int_equal(map_show_other(&program, column(0), PAGE_SIZE - 1, 1), -EINVAL);
    assert_int_equal(map_show_other(&program, column(3), 2 * PAGE_SIZE, 1), -EINVAL);   /* two regions */
    assert_int_equal(map_show_other(&program, column(4), PAGE_SIZE, 1), -EINVAL);       /* no region */
    assert_int_equal(map_show_other(&program, column(8), PAGE_SIZE, 1), -EINVAL);       /* a private one */
    assert_int_equal(map_show_other(&program, column(0), PAGE_SIZE, UINT64_MAX), -EINVAL);
    for (uint32_t n = 1; n <= 2; n++) {
        heap_drain();
        heap_fail_at(n);
        assert_int_equal(map_show_other(&program, column(1), PAGE_SIZE, 5), -ENOMEM);
        heap_fail_at(0);
        assert_picture("wwww");
    }
    object_release(contents);
}

/* ---- mremap ---------------------------------------------------------------------------------------------- */

static int move(size_t first, size_t pages, size_t wanted, uint32_t flags, vaddr_t place)
{
    return map_move(&program, column(first), pages * PAGE_SIZE, wanted * PAGE_SIZE, flags, place, &out);
}

static void the_old_place_stays_and_is_empty(void)
{
    paint("ww");
    assert_true(writes(&program, column(0), 7));
    assert_int_equal(move(0, 2, 2, MAY_MOVE | KEEP_OLD, column(20)), 0);
    assert_int_equal(out, column(20));
    assert_int_equal(word_at(column(20)), 7);
    assert_int_equal(word_at(column(0)), 0);            /* mapped, and nothing in it any more */
    assert_picture("ww..................ww");
    assert_int_equal(move(0, 2, 3, MAY_MOVE | KEEP_OLD, 0), -EINVAL);
    assert_int_equal(move(0, 2, 2, KEEP_OLD, 0), -EINVAL);
    assert_int_equal(move(0, 2, 2, MAY_MOVE | KEEP_OLD, column(20) + 1), -EINVAL);
    assert_int_equal(move(0, 2, 2, MAY_MOVE | KEEP_OLD, column(1)), -EINVAL);           /* over itself */
}

static void nonsense_is_not_moved(void)
{
    size_t all = (size_t)span_pages(layout.user);

    paint("ww");
    assert_int_equal(move(0, 2, 0, MAY_MOVE, 0), -EINVAL);
    assert_int_equal(move(0, 2, 2, 8, 0), -EINVAL);
    assert_int_equal(move(0, 2, 2, FIXED, 0), -EINVAL);
    assert_int_equal(map_move(&program, column(0) + 1, PAGE_SIZE, PAGE_SIZE, 0, 0, &out), -EINVAL);
    assert_int_equal(move(4, 1, 2, MAY_MOVE, 0), -EFAULT);
    assert_int_equal(move(0, 2, all + 1, MAY_MOVE, 0), -ENOMEM);
    assert_int_equal(move(0, 2, all + 1, MAY_MOVE | FIXED, column(9)), -EINVAL);
    assert_picture("ww");
}

static void what_is_locked_grows_with_its_pages(void)
{
    paint("ww");
    assert_int_equal(map_lock(&program, column(0), 2 * PAGE_SIZE, false), 0);
    assert_int_equal(program.resident, 2);
    assert_int_equal(move(0, 2, 4, 0, 0), 0);
    assert_int_equal(out, column(0));
    assert_int_equal(program.resident, 4);              /* brought in */
    assert_int_equal(program.locked, 4);
    assert_int_equal(map_unlock(&program, column(0), 4 * PAGE_SIZE), 0);
}

/* ---- PROT_GROWSDOWN -------------------------------------------------------------------------------------- */

static void rights_reach_down_to_where_a_stack_begins(void)
{
    struct map_request wanted = request(column(4), 4, R | W, MAP_IS_FIXED | MAP_GROWS_DOWN);

    wanted.name = "[stack]";
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_int_equal(map_fixed(10, 1, R | W), 0);
    assert_int_equal(map_protect_growing(&program, column(6), PAGE_SIZE, R), 0);
    assert_picture("....rrrw..w");
    assert_int_equal(map_protect_growing(&program, column(10), PAGE_SIZE, R), -EINVAL); /* grows nowhere */
    assert_int_equal(map_protect_growing(&program, column(2), PAGE_SIZE, R), -ENOMEM);
    assert_int_equal(map_protect_growing(&program, column(2), 6 * PAGE_SIZE, R | W), 0);
    assert_int_equal(map_protect_growing(&program, column(2), 0, R), 0);
}

/* ---- Memory of another space ----------------------------------------------------------------------------- */

static void a_range_is_cleared_to_the_byte(void)
{
    char bytes[16];

    paint("ww");
    memset(bytes, 'x', sizeof bytes);
    assert_int_equal(user_write_in(&program, column(1) - 8, bytes, 16), 0);
    assert_int_equal(user_clear_in(&program, column(1) - 5, 9), 0);
    assert_int_equal(user_read_in(&program, bytes, column(1) - 8, 16), 0);
    assert_memory_equal(bytes, "xxx\0\0\0\0\0\0\0\0\0xxxx", 16);
    assert_int_equal(user_clear_in(&program, column(2), 1), -EFAULT);
    assert_int_equal(user_clear_in(&program, UINTPTR_MAX, 2), -EFAULT);
    assert_true(user_range(page_address(layout.user.end - 1), PAGE_SIZE));
    assert_false(user_range(page_address(layout.user.end - 1), PAGE_SIZE + 1));
    assert_false(user_range(UINTPTR_MAX, 2));
    assert_true(user_range(page_address(layout.user.first), 1));
    assert_int_equal(user_range(page_address(layout.user.first) - 1, 1), 0);
    assert_true(user_range(0, 0));                      /* no bytes are no access */
}

static void who_may_write_to_a_file_is_known(void)
{
    make_contents(2);
    assert_false(object_is_writable(contents));
    assert_int_equal(map_file(0, 1, 0, R, 0), 0);
    assert_false(object_is_writable(contents));         /* a private mapping never does */
    assert_int_equal(map_file(4, 1, 0, R, MAP_IS_SHARED), 0);
    assert_true(object_is_writable(contents));          /* not now, but mprotect() may let it */
    assert_int_equal(unmap(4, 1), 0);
    assert_false(object_is_writable(contents));
    object_release(contents);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(a_hole_is_made_in_the_file_itself),
        on_machine(who_may_not_write_makes_no_hole),
        on_machine(advice_that_changes_nothing_is_taken_all_the_same),
        on_machine(pages_are_brought_in_at_once),
        on_machine(what_is_in_memory_is_told_page_by_page),
        on_machine(another_part_of_the_file_is_shown),
        on_machine(what_cannot_be_shown_is_refused),
        on_machine(the_old_place_stays_and_is_empty),
        on_machine(nonsense_is_not_moved),
        on_machine(what_is_locked_grows_with_its_pages),
        on_machine(rights_reach_down_to_where_a_stack_begins),
        on_machine(a_range_is_cleared_to_the_byte),
        on_machine(who_may_write_to_a_file_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
