/*
 * test_map_elsewhere.c - what moves a program's pages or shows them elsewhere: mremap, madvise, brk and fork.
 */
#include "map_world.h"

#include "memory/spaces/object.h"

enum { MAY_MOVE = 1, MOVE_FIXED = 2 };
enum { DONT_NEED = 4, DONT_FORK = 10, DO_FORK = 11 };

static vaddr_t out;

/* ---- mremap ------------------------------------------------------------------------------------------ */

static int resize(size_t first, size_t old, size_t new, uint32_t flags, size_t place)
{
    return map_move(&program, column(first), old * PAGE_SIZE, new * PAGE_SIZE, flags, column(place), &out);
}

static void a_mapping_shrinks_and_grows_in_place(void)
{
    paint("wwww....rr");
    assert_true(writes(&program, column(0), 5));
    assert_int_equal(resize(0, 4, 2, 0, 0), 0);
    assert_picture("ww......rr");
    assert_int_equal(resize(0, 2, 8, 0, 0), 0);
    assert_picture("wwwwwwwwrr");
    assert_int_equal(out, column(0));
    assert_int_equal(resize(0, 8, 9, 0, 0), -ENOMEM);
    assert_int_equal(word_at(column(0)), 5);
    assert_int_equal(program.charged, 8);
}

static void a_mapping_moves_with_its_pages(void)
{
    paint("wwwrr.......");
    assert_true(writes(&program, column(0), 10));
    assert_true(writes(&program, column(2), 12));
    assert_int_equal(resize(0, 3, 4, MAY_MOVE, 0), 0);
    assert_int_equal(out, 0x30000000 - 4 * PAGE_SIZE);
    assert_picture("...rr.......");
    assert_int_equal(word_at(out), 10);
    assert_int_equal(word_at(out + PAGE_SIZE), 0);
    assert_int_equal(word_at(out + 2 * PAGE_SIZE), 12);
    assert_true(writes(&program, out, 11));
    assert_int_equal(frames_owned(OWNER_USER), 2);
}

/* Pages in two tables, of which the first has moved when there is no memory for the second. */
static void move_without_memory(vaddr_t there)
{
    enum { PAGES = 2 * MMU_ENTRIES };
    size_t tables;

    assert_int_equal(map_fixed(0, PAGES, R | W), 0);
    for (size_t n = 0; n < PAGES; n += MMU_ENTRIES / 2)
        assert_true(writes(&program, column(n), 40 + n));
    tables = program.table_frames;
    assert_int_equal(map_move(&program, column(0), PAGES * PAGE_SIZE, PAGES * PAGE_SIZE, MAY_MOVE | MOVE_FIXED, there,
                              &out), 0);        /* there and back, so that the heap has what it needs from now on */
    assert_int_equal(map_move(&program, there, PAGES * PAGE_SIZE, PAGES * PAGE_SIZE, MAY_MOVE | MOVE_FIXED, column(0),
                              &out), 0);
    for (uint32_t k = 1; ; k++) {
        int err;

        frame_fail_at(k);
        err = map_move(&program, column(0), PAGES * PAGE_SIZE, PAGES * PAGE_SIZE, MAY_MOVE | MOVE_FIXED, there, &out);
        frame_fail_at(0);
        assert_true(k > 2 || err != 0);
        if (err == 0)
            break;
        assert_int_equal(err, -ENOMEM);
        assert_clean();
        assert_int_equal(program.map.count, 1);
        assert_int_equal(program.charged, PAGES);
        assert_int_equal(program.resident, 4);
        assert_int_equal(program.table_frames, tables);
        for (size_t n = 0; n < PAGES; n += MMU_ENTRIES / 2)
            assert_int_equal(word_at(column(n)), 40 + n);
        assert_true(k < 20);
    }
    for (size_t n = 0; n < PAGES; n += MMU_ENTRIES / 2)
        assert_int_equal(word_at(there + n * PAGE_SIZE), 40 + n);
    assert_int_equal(program.map.count, 1);
    assert_int_equal(program.resident, 4);
    assert_clean();
    map_clear(&program);
}

static void a_move_that_memory_ends_in_the_middle_of_changes_nothing(void)
{
    move_without_memory(0x28000000);
    move_without_memory(0x28000000 + (MMU_ENTRIES / 2 + 1) * PAGE_SIZE);        /* each old table in two new ones */
}

/* Nothing is shared meanwhile, and no table stays behind that has become empty. */
static void what_moves_is_as_it_was(void)
{
    entry_t before, after;
    size_t  tables;

    paint("ww");
    assert_true(writes(&program, column(0), 10));
    before = entry_at_page(&program, column(0));
    tables = program.table_frames;
    assert_int_equal(map_move(&program, column(0), 2 * PAGE_SIZE, 2 * PAGE_SIZE, MAY_MOVE | MOVE_FIXED, 0x28000000,
                              &out), 0);
    after = entry_at_page(&program, 0x28000000);
    assert_int_equal(after.raw, before.raw);
    assert_int_equal(frame_references(entry_frame(after)), 1);
    assert_int_equal(program.table_frames, tables);
    assert_int_equal(program.resident, 1);
}

static void a_mapping_moves_to_a_place(void)
{
    paint("wwww..rrrrrr");
    for (size_t n = 0; n < 4; n++)
        assert_true(writes(&program, column(n), 20 + n));
    assert_int_equal(resize(1, 2, 2, MAY_MOVE | MOVE_FIXED, 8), 0);
    assert_picture("w..w..rrwwrr");
    assert_int_equal(word_at(column(8)), 21);
    assert_int_equal(word_at(column(9)), 22);
    assert_int_equal(word_at(column(3)), 23);
}

static void mremap_refuses_what_linux_refuses(void)
{
    paint("wwrr....");
    assert_int_equal(map_move(&program, column(0) + 1, PAGE_SIZE, PAGE_SIZE, 0, 0, &out), -EINVAL);
    assert_int_equal(resize(0, 1, 0, 0, 0), -EINVAL);
    assert_int_equal(resize(0, 1, 1, MOVE_FIXED, 5), -EINVAL);
    assert_int_equal(resize(0, 1, 1, 64, 5), -EINVAL);
    assert_int_equal(resize(0, 2, 2, MAY_MOVE | MOVE_FIXED, 1), -EINVAL);
    assert_int_equal(resize(1, 2, 3, MAY_MOVE, 0), -EFAULT);
    assert_int_equal(resize(5, 1, 3, MAY_MOVE, 0), -EFAULT);
    program.limits.whole = 4 * PAGE_SIZE;
    assert_int_equal(resize(2, 2, 3, MAY_MOVE, 0), -ENOMEM);
    assert_picture("wwrr....");
}

/* With an old size of 0 the source is only looked at; a place that takes it away is refused, and nothing changes. */
static void mremap_refuses_a_place_that_takes_its_source(void)
{
    struct map_request shared = { .address = column(0), .bytes = 4 * PAGE_SIZE, .rights = R | W, .may = R | W,
                                  .flags = MAP_IS_FIXED | MAP_IS_SHARED };

    assert_int_equal(map_create(&program, &shared, &out), 0);
    assert_int_equal(resize(1, 0, 1, MAY_MOVE | MOVE_FIXED, 1), -EFAULT);
    assert_int_equal(resize(1, 0, 2, MAY_MOVE | MOVE_FIXED, 0), -EINVAL);
    assert_int_equal(resize(1, 0, 3, MAY_MOVE | MOVE_FIXED, 1), -EFAULT);
    assert_int_equal(span_pages(region_find(&program.map, page_of(column(0)))->span), 4);
    assert_int_equal(resize(1, 0, 1, MAY_MOVE | MOVE_FIXED, 2), 0);
}

/* ---- madvise, msync, brk ------------------------------------------------------------------------------- */

static void unneeded_pages_are_zeros_again(void)
{
    paint("wwww");
    for (size_t n = 0; n < 4; n++)
        assert_true(writes(&program, column(n), 30 + n));
    assert_int_equal(map_advise(&program, column(1), 2 * PAGE_SIZE, DONT_NEED), 0);
    assert_int_equal(frames_owned(OWNER_USER), 2);
    assert_int_equal(word_at(column(0)), 30);
    assert_int_equal(word_at(column(1)), 0);
    assert_int_equal(word_at(column(3)), 33);
}

static void advice_is_checked(void)
{
    paint("ww..ww");
    assert_int_equal(map_advise(&program, column(0), PAGE_SIZE, 99), -EINVAL);
    assert_int_equal(map_advise(&program, column(0) + 8, PAGE_SIZE, DONT_NEED), -EINVAL);
    assert_int_equal(map_advise(&program, column(0), 0, DONT_NEED), 0);
    assert_true(writes(&program, column(4), 1));
    assert_int_equal(map_advise(&program, column(1), 4 * PAGE_SIZE, DONT_NEED), -ENOMEM);
    assert_int_equal(word_at(column(4)), 0);                    /* behind the hole it was done all the same */
    assert_int_equal(map_sync(&program, column(0), 2 * PAGE_SIZE, 4), 0);
    assert_int_equal(map_sync(&program, column(0), 3 * PAGE_SIZE, 4), -ENOMEM);
    assert_int_equal(map_sync(&program, column(0), 6 * PAGE_SIZE, 4), -ENOMEM);     /* a hole between two regions */
    assert_int_equal(map_sync(&program, column(3), 3 * PAGE_SIZE, 4), -ENOMEM);     /* one in front of them */
    assert_int_equal(map_sync(&program, column(2), 2 * PAGE_SIZE, 4), -ENOMEM);     /* nothing else */
    assert_int_equal(map_sync(&program, column(4), 2 * PAGE_SIZE, 4), 0);
    assert_int_equal(map_sync(&program, column(0), PAGE_SIZE, 5), -EINVAL);
    assert_int_equal(map_sync(&program, column(0), PAGE_SIZE, 8), -EINVAL);
}

static void the_break_moves(void)
{
    vaddr_t start = program.limits.break_start;

    assert_int_equal(map_break(&program, 0), start);
    assert_int_equal(map_break(&program, start + 10), start + 10);
    assert_true(writes(&program, start, 1));
    assert_int_equal(map_break(&program, start + 3 * PAGE_SIZE), start + 3 * PAGE_SIZE);
    assert_int_equal(program.map.count, 1);
    assert_int_equal(program.pages, 3);
    assert_int_equal(map_break(&program, start + 1), start + 1);
    assert_int_equal(program.pages, 1);
    program.limits.data = 4 * PAGE_SIZE;
    assert_int_equal(map_break(&program, start + 5 * PAGE_SIZE), start + 1);
    assert_int_equal(map_break(&program, start), start);
    assert_int_equal(program.pages, 0);
}

/* ---- fork ---------------------------------------------------------------------------------------------- */

static struct space child;

static void make_child(void)
{
    assert_int_equal(space_create(&child), 0);
    assert_int_equal(map_copy(&child, &program), 0);
}

static void end_child(void)
{
    map_clear(&child);
    space_destroy(&child);
}

static uint32_t childs_word(vaddr_t at)
{
    uint32_t value = 0xBADBAD;

    assert_true(reads(&child, at, &value));
    return value;
}

static void a_child_has_its_own_copy(void)
{
    paint("wwwrr-");
    assert_true(writes(&program, column(0), 1));
    assert_true(writes(&program, column(1), 2));
    make_child();
    assert_picture_of(&child, "wwwrr-");
    assert_int_equal(frames_owned(OWNER_USER), 2);
    assert_clean();
    assert_true(writes(&program, column(0), 11));
    assert_true(writes(&child, column(1), 22));
    assert_int_equal(childs_word(column(0)), 1);
    assert_int_equal(word_at(column(0)), 11);
    assert_int_equal(word_at(column(1)), 2);
    assert_int_equal(childs_word(column(1)), 22);
    assert_true(writes(&child, column(0), 12));                 /* the last to show it keeps it */
    assert_int_equal(frames_owned(OWNER_USER), 4);
    assert_int_equal(map_committed, 6);
    assert_clean();
    end_child();
    assert_int_equal(frames_owned(OWNER_USER), 2);
}

static void shared_memory_is_seen_by_both(void)
{
    struct map_request wanted = request(column(0), 3, R | W, MAP_IS_FIXED | MAP_IS_SHARED);

    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_true(writes(&program, column(0), 1));
    assert_int_equal(word_at(column(1)), 0);
    make_child();
    assert_true(writes(&child, column(1), 2));
    assert_int_equal(word_at(column(1)), 2);
    assert_int_equal(childs_word(column(0)), 1);
    assert_clean();
    end_child();
    assert_int_equal(frames_owned(OWNER_SHARED), 2);
}

static void what_must_not_be_forked_is_not(void)
{
    paint("wwww");
    assert_int_equal(map_advise(&program, column(1), 2 * PAGE_SIZE, DONT_FORK), 0);
    assert_picture("w|ww|w");
    make_child();
    assert_picture_of(&child, "w..w");
    end_child();
    assert_int_equal(map_advise(&program, column(0), 4 * PAGE_SIZE, DO_FORK), 0);
    assert_picture("wwww");
}

static void pages_out_of_reach_are_copied_too(void)
{
    paint("ww");
    assert_true(writes(&program, column(0), 9));
    assert_int_equal(protect(0, 1, 0), 0);
    make_child();
    assert_int_equal(map_protect(&child, column(0), PAGE_SIZE, R | W), 0);
    assert_int_equal(protect(0, 1, R | W), 0);
    assert_true(writes(&child, column(0), 10));
    assert_int_equal(word_at(column(0)), 9);
    assert_int_equal(childs_word(column(0)), 10);
    assert_clean();
    end_child();
}

/* While a relative shows a page, mprotect() gives neither of them the right to write to it. */
static void pages_of_relatives_stay_shared(void)
{
    paint("ww");
    assert_true(writes(&program, column(0), 9));
    assert_true(writes(&program, column(1), 8));
    make_child();
    assert_int_equal(protect(0, 2, R), 0);
    assert_int_equal(protect(0, 2, R | W), 0);
    assert_false(is_writable(column(0)) || is_writable(column(1)));
    assert_true(writes(&program, column(0), 10));
    assert_int_equal(childs_word(column(0)), 9);
    assert_clean();
    end_child();
    assert_int_equal(protect(0, 2, R), 0);
    assert_int_equal(protect(0, 2, R | W), 0);
    assert_true(is_writable(column(0)) && is_writable(column(1)));
    assert_int_equal(word_at(column(1)), 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(pages_of_relatives_stay_shared),
        on_machine(what_moves_is_as_it_was),
        on_machine(a_mapping_shrinks_and_grows_in_place),
        on_machine(a_mapping_moves_with_its_pages),
        on_machine(a_move_that_memory_ends_in_the_middle_of_changes_nothing),
        on_machine(a_mapping_moves_to_a_place),
        on_machine(mremap_refuses_what_linux_refuses),
        on_machine(mremap_refuses_a_place_that_takes_its_source),
        on_machine(unneeded_pages_are_zeros_again),
        on_machine(advice_is_checked),
        on_machine(the_break_moves),
        on_machine(a_child_has_its_own_copy),
        on_machine(shared_memory_is_seen_by_both),
        on_machine(what_must_not_be_forked_is_not),
        on_machine(pages_out_of_reach_are_copied_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
