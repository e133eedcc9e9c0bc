/*
 * test_map.c - mmap, munmap, mprotect, mremap, madvise, brk and fork: pictures, and Linux's errors.
 */
#include "map_world.h"

#include "memory/spaces/object.h"
#include "memory/tables/table.h"

enum { MAY_MOVE = 1, MOVE_FIXED = 2 };
enum { DONT_NEED = 4, DONT_FORK = 10, DO_FORK = 11 };

static vaddr_t out;

/* ---- mmap --------------------------------------------------------------------------------------- */

static void neighbours_that_mean_the_same_are_one_region(void)
{
    paint("ww......");
    assert_int_equal(map_fixed(2, 2, R | W), 0);
    assert_picture("wwww....");
    assert_int_equal(map_fixed(6, 1, R | W), 0);
    assert_picture("wwww..w.");
    assert_int_equal(map_fixed(4, 2, R | W), 0);
    assert_picture("wwwwwww.");
    assert_int_equal(program.map.count, 1);
    assert_int_equal(program.pages, 7);
}

static void neighbours_that_differ_stay_apart(void)
{
    paint("wwrrwwxx--");
    assert_picture("wwrrwwxx--");
    assert_int_equal(program.map.count, 5);
}

static void a_fixed_mapping_replaces_what_was_there(void)
{
    paint("wwwwwwww");
    assert_true(writes(&program, column(3), 7));
    assert_int_equal(map_fixed(2, 3, R), 0);
    assert_picture("wwrrrwww");
    assert_int_equal(word_at(column(3)), 0);
}

static void no_replace_refuses_what_is_taken(void)
{
    struct map_request wanted = request(column(1), 3, R, MAP_IS_FIXED | MAP_NO_REPLACE);

    paint("...w....");
    assert_int_equal(map_create(&program, &wanted, &out), -EEXIST);
    wanted.bytes = 2 * PAGE_SIZE;
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_picture(".rrw....");
}

static void a_hint_is_taken_if_it_is_free(void)
{
    struct map_request wanted = request(column(2) + 5, 2, R, 0);

    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_int_equal(out, column(2));
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_int_equal(out, 0x30000000 - 2 * PAGE_SIZE);      /* taken: highest below map_end */
    assert_picture("..rr....");
}

static void places_go_down_from_the_top(void)
{
    struct map_request wanted = request(0, 3, R | W, 0);

    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_int_equal(out, 0x30000000 - 3 * PAGE_SIZE);
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_int_equal(out, 0x30000000 - 6 * PAGE_SIZE);
    assert_int_equal(program.map.count, 1);
}

static void mmap_refuses_what_linux_refuses(void)
{
    struct map_request wanted = request(column(0), 1, R, MAP_IS_FIXED);
    vaddr_t            first  = page_address(layout.purpose[PURPOSE_USER]->span.first);
    vaddr_t            end    = page_address(layout.purpose[PURPOSE_USER]->span.end);

    wanted.bytes = 0;
    assert_int_equal(map_create(&program, &wanted, &out), -EINVAL);
    wanted = request(column(0) + 1, 1, R, MAP_IS_FIXED);
    assert_int_equal(map_create(&program, &wanted, &out), -EINVAL);
    wanted = request(first - PAGE_SIZE, 1, R, MAP_IS_FIXED);
    assert_int_equal(map_create(&program, &wanted, &out), -EPERM);
    wanted = request(first, 1, R, MAP_IS_FIXED);
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    wanted = request(end - PAGE_SIZE, 2, R, MAP_IS_FIXED);
    assert_int_equal(map_create(&program, &wanted, &out), -ENOMEM);
    wanted = request(end - PAGE_SIZE, 1, R, MAP_IS_FIXED);
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    wanted = request(0, (end >> PAGE_SHIFT) + 1, R, 0);
    assert_int_equal(map_create(&program, &wanted, &out), -ENOMEM);
    wanted = request(0, 2, R, 0);
    wanted.offset = UINT64_MAX;
    assert_int_equal(map_create(&program, &wanted, &out), -EOVERFLOW);
    assert_int_equal(program.map.count, 2);
}

static void limits_are_kept(void)
{
    struct map_request wanted = request(0, 4, R | W, 0);

    program.limits.whole = 6 * PAGE_SIZE;
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_int_equal(map_create(&program, &wanted, &out), -ENOMEM);
    program.limits.whole = SIZE_MAX;
    program.limits.data  = 6 * PAGE_SIZE;
    assert_int_equal(map_create(&program, &wanted, &out), -ENOMEM);
    wanted.rights = R;
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_int_equal(map_committed, 4);
}

static void promises_are_counted(void)
{
    size_t             all    = frames_end();
    struct map_request wanted = request(0, all + 1, R | W, 0);

    assert_int_equal(map_create(&program, &wanted, &out), -ENOMEM);         /* mode 0: more than can ever be */
    wanted.flags = MAP_NO_RESERVE;
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_int_equal(map_committed, 0);
    map_overcommit = 1;
    wanted.flags = 0;
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_int_equal(map_committed, all + 1);
    map_overcommit = 2;
    wanted.bytes = PAGE_SIZE;
    assert_int_equal(map_create(&program, &wanted, &out), -ENOMEM);
    map_overcommit = 0;
}

static void populate_makes_the_pages_present(void)
{
    struct map_request wanted = request(column(0), 5, R | W, MAP_IS_FIXED | MAP_POPULATE_NOW);

    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_int_equal(program.resident, 5);
    assert_int_equal(frames_owned(OWNER_USER), 5);
}

/* ---- munmap --------------------------------------------------------------------------------------- */

static void unmap_middle_leaves_two_regions(void)
{
    paint("wwwwwwww..");
    for (size_t n = 0; n < 8; n++)
        assert_true(writes(&program, column(n), 100 + n));
    assert_int_equal(unmap(2, 3), 0);
    assert_picture("ww...www..");
    assert_int_equal(word_at(column(1)), 101);
    assert_int_equal(word_at(column(5)), 105);
    assert_false(writes(&program, column(3), 1));
    assert_int_equal(verdict.code, 1);
    assert_int_equal(frames_owned(OWNER_USER), 5);
}

static void unmap_across_regions_needs_no_memory(void)
{
    paint("wwrrrrxx..");
    heap_fail_at(1);
    assert_int_equal(unmap(1, 6), 0);
    heap_fail_at(0);
    assert_picture("w......x..");
}

static size_t live_blocks(void)
{
    struct heap_sums sums;

    heap_drain();
    heap_sums(&sums);
    return sums.live_blocks;
}

/* Pages that may be written are charged; the two regions that would be new are given back. */
static void rights_that_would_be_charged_too_much_change_nothing(void)
{
    enum { LARGE = 16 * MiB / PAGE_SIZE };          /* as much as there is */
    size_t blocks;

    assert_int_equal(map_fixed(0, LARGE, R), 0);
    map_overcommit = 2;
    blocks = live_blocks();
    assert_int_equal(map_protect(&program, column(1), (LARGE - 2) * PAGE_SIZE, R | W), -ENOMEM);
    assert_int_equal(live_blocks(), blocks);
    assert_int_equal(program.map.count, 1);
    assert_int_equal(program.charged, 0);
    assert_int_equal(map_protect(&program, column(1), PAGE_SIZE, R | W), 0);
    assert_picture("rwrrrr");
    assert_int_equal(live_blocks(), blocks + 2);
    map_overcommit = 0;
}

static void unmap_of_nothing_is_no_error(void)
{
    paint("ww....ww");
    assert_int_equal(unmap(2, 4), 0);
    assert_int_equal(map_remove(&program, column(0) + 1, PAGE_SIZE), -EINVAL);
    assert_int_equal(map_remove(&program, column(0), 0), -EINVAL);
    assert_int_equal(map_remove(&program, page_address(layout.user.end), PAGE_SIZE), -EINVAL);
    assert_int_equal(map_remove(&program, column(0), SIZE_MAX - PAGE_SIZE), -EINVAL);
    assert_int_equal(map_remove(&program, column(0), SIZE_MAX), -EINVAL);
    assert_picture("ww....ww");
}

/* ---- mprotect -------------------------------------------------------------------------------------- */

static void protect_splits_and_joins(void)
{
    paint("wwwwwwww");
    assert_int_equal(protect(2, 3, R), 0);
    assert_picture("wwrrrwww");
    assert_int_equal(protect(4, 2, R), 0);
    assert_picture("wwrrrrww");
    assert_int_equal(protect(2, 4, R | W), 0);
    assert_picture("wwwwwwww");
    assert_int_equal(program.map.count, 1);
    assert_int_equal(program.charged, 8);
}

static void rights_taken_are_gone_and_come_back(void)
{
    paint("www");
    assert_true(writes(&program, column(1), 42));
    assert_int_equal(protect(1, 1, R), 0);
    assert_int_equal(word_at(column(1)), 42);
    assert_false(writes(&program, column(1), 43));
    assert_int_equal(verdict.code, 2);
    assert_int_equal(protect(1, 1, 0), 0);
    assert_false(reads(&program, column(1), &(uint32_t){ 0 }));
    assert_int_equal(verdict.code, 2);
    assert_int_equal(protect(1, 1, R | W), 0);
    assert_int_equal(word_at(column(1)), 42);
    assert_true(writes(&program, column(1), 43));
    assert_int_equal(frames_owned(OWNER_USER), 1);
    assert_picture("www");
}

static entry_t entry_at_page(struct space *space, vaddr_t at)
{
    lock_state state = lock_take(&space->tables_lock);
    unsigned   level;
    entry_t    entry = table_lookup(space, page_of(at), &level);

    lock_drop(&space->tables_lock, state);
    return entry;
}

static bool is_writable(vaddr_t at) { return entry_rights(entry_at_page(&program, at)).user & W; }

/* The right to write comes back with the call, and not by a fault, where no other entry can show the frame. */
static void what_is_a_programs_alone_can_be_written_at_once(void)
{
    uint64_t reused = fault_counts[FAULT_REUSE];

    paint("wwww");
    assert_true(writes(&program, column(0), 1));
    assert_true(writes(&program, column(1), 2));
    assert_int_equal(word_at(column(2)), 0);                    /* the frame of zeros */
    assert_int_equal(protect(0, 4, R), 0);
    assert_false(is_writable(column(0)));
    assert_false(writes(&program, column(0), 3));
    assert_int_equal(protect(0, 4, R | W), 0);
    assert_true(is_writable(column(0)) && is_writable(column(1)));
    assert_false(is_writable(column(2)) || is_writable(column(3)));
    assert_int_equal(protect(1, 1, 0), 0);
    assert_int_equal(protect(0, 4, R | W), 0);
    assert_true(is_writable(column(1)));
    assert_true(writes(&program, column(0), 3) && writes(&program, column(1), 4) && writes(&program, column(2), 5));
    assert_int_equal(fault_counts[FAULT_REUSE], reused);
    assert_clean();
}

static void protect_stops_at_a_hole(void)
{
    paint("www..www");
    assert_int_equal(protect(1, 6, R), -ENOMEM);
    assert_picture("wrr..www");
    assert_int_equal(map_protect(&program, column(0) + 1, PAGE_SIZE, R), -EINVAL);
    assert_int_equal(map_protect(&program, column(3), 0, R), 0);
    assert_int_equal(map_protect(&program, column(0), SIZE_MAX - PAGE_SIZE, R), -ENOMEM);
    assert_picture("wrr..www");
}

static void protect_gives_no_more_than_may_be(void)
{
    struct map_request wanted = request(column(4), 4, R, MAP_IS_FIXED);

    paint("wwww....");
    wanted.may = R;
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    assert_int_equal(protect(2, 4, R | X), -EACCES);
    assert_picture("wwxxrrrr");
}

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

/* ---- Files ------------------------------------------------------------------------------------------------ */

static struct object *contents;

static int map_file(size_t first, size_t pages, uint64_t offset, uint8_t rights, uint32_t flags)
{
    struct map_request wanted = request(column(first), pages, rights, MAP_IS_FIXED | flags);

    wanted.object = contents;
    wanted.offset = offset;
    return map_create(&program, &wanted, &out);
}

/* Contents: word 0 of page n is 50 + n; page 3 is a hole. */
static void make_contents(uint64_t pages)
{
    frame_t frame;

    contents = object_create(OWNER_FILE, pages);
    assert_non_null(contents);
    for (uint64_t n = 0; n < pages; n++) {
        if (n == 3)
            continue;
        assert_int_equal(object_page(contents, n, true, &frame), 0);
        *(uint32_t *)&machine_ram[frame_address(frame)] = 50 + (uint32_t)n;
        frame_put(frame);
    }
}

static uint32_t word_in_contents(uint64_t page)
{
    frame_t  frame;
    uint32_t word;

    assert_int_equal(object_page(contents, page, false, &frame), 0);
    assert_true(frame_exists(frame));
    word = *(uint32_t *)&machine_ram[frame_address(frame)];
    frame_put(frame);
    return word;
}

static void file_neighbours_join_where_the_file_goes_on(void)
{
    make_contents(8);
    assert_int_equal(map_file(0, 2, 0, R, 0), 0);
    assert_int_equal(map_file(2, 2, 2, R, 0), 0);
    assert_picture("rrrr....");
    assert_int_equal(map_file(4, 2, 5, R, 0), 0);
    assert_picture("rrrr|rr..");
    assert_int_equal(unmap(1, 1), 0);
    assert_int_equal(word_at(column(2)), 52);
    assert_int_equal(word_at(column(4)), 55);
    assert_picture("r.rr|rr..");
    object_release(contents);
}

/* Sixteen pages at a time, of those that are in memory, inside the region, and nothing in the way. */
static void reading_a_file_brings_in_its_neighbours(void)
{
    make_contents(40);
    assert_int_equal(map_file(0, 40, 0, R | W, 0), 0);
    assert_true(writes(&program, column(5), 1));
    assert_int_equal(program.resident, 1);
    assert_int_equal(word_at(column(9)), 59);
    assert_int_equal(program.resident, 15);                     /* all of the sixteen but the hole */
    assert_int_equal(word_at(column(5)), 1);
    assert_int_equal(word_at(column(15)), 65);
    assert_true(writes(&program, column(15), 2));
    assert_int_equal(word_in_contents(15), 65);
    assert_int_equal(word_at(column(39)), 89);
    assert_int_equal(program.resident, 23);
    assert_clean();
    object_release(contents);
}

static void private_changes_stay_private(void)
{
    make_contents(4);
    assert_int_equal(map_file(0, 4, 0, R | W, 0), 0);
    assert_int_equal(word_at(column(1)), 51);
    assert_true(writes(&program, column(1), 1));
    assert_true(writes(&program, column(2), 2));
    assert_true(writes(&program, column(3), 3));                /* a hole */
    assert_int_equal(word_at(column(1)), 1);
    assert_int_equal(word_at(column(2)), 2);
    assert_int_equal(word_in_contents(1), 51);
    assert_int_equal(word_in_contents(2), 52);
    assert_int_equal(frames_owned(OWNER_USER), 3);
    assert_clean();
    object_release(contents);
}

static void shared_changes_are_the_files(void)
{
    make_contents(4);
    assert_int_equal(map_file(0, 4, 0, R | W, MAP_IS_SHARED), 0);
    assert_true(writes(&program, column(1), 1));
    assert_true(writes(&program, column(3), 3));
    assert_int_equal(word_in_contents(1), 1);
    assert_int_equal(word_in_contents(3), 3);
    assert_int_equal(frames_owned(OWNER_USER), 0);
    object_release(contents);
}

/* A reader of a hole must see later writes of others there, and must not reach the shared zeros by mprotect(). */
static void a_hole_read_through_a_shared_mapping_is_the_files_page(void)
{
    make_contents(4);
    assert_int_equal(map_file(0, 4, 0, R, MAP_IS_SHARED), 0);
    assert_int_equal(map_file(4, 4, 0, R | W, MAP_IS_SHARED), 0);
    assert_int_equal(word_at(column(3)), 0);
    assert_true(writes(&program, column(7), 5));
    assert_int_equal(word_at(column(3)), 5);
    assert_int_equal(protect(0, 4, R | W), 0);
    assert_true(writes(&program, column(3), 6));
    assert_int_equal(word_in_contents(3), 6);
    assert_int_equal(map_fixed(8, 1, R), 0);
    assert_int_equal(word_at(column(8)), 0);
    assert_clean();
    object_release(contents);
}

static void past_the_end_of_a_file_is_a_bus_error(void)
{
    make_contents(3);
    assert_int_equal(map_file(0, 5, 0, R | W, 0), 0);
    assert_false(reads(&program, column(3), &(uint32_t){ 0 }));
    assert_int_equal(verdict.signal, 7);
    assert_int_equal(verdict.code, 2);
    assert_int_equal(verdict.address, column(3));
    assert_false(writes(&program, column(4), 1));
    assert_int_equal(verdict.signal, 7);
    object_release(contents);
}

static void truncation_takes_pages_away_from_everybody(void)
{
    make_contents(6);
    assert_int_equal(map_file(0, 6, 0, R | W, MAP_IS_SHARED), 0);
    assert_int_equal(map_file(8, 2, 4, R | W, 0), 0);
    for (size_t n = 0; n < 6; n++)
        assert_true(writes(&program, column(n), 1));
    assert_true(writes(&program, column(8), 1));
    object_resize(contents, 2);
    assert_clean();
    assert_int_equal(frames_owned(OWNER_FILE), 2);
    assert_int_equal(frames_owned(OWNER_USER), 0);
    assert_int_equal(word_at(column(1)), 1);
    assert_false(reads(&program, column(2), &(uint32_t){ 0 }));
    assert_false(reads(&program, column(8), &(uint32_t){ 0 }));
    object_resize(contents, 6);
    assert_int_equal(word_at(column(5)), 0);
    object_release(contents);
}

/* Holes in a file: mappings of the file lose the pages, and a private copy stays. */
static void a_hole_takes_pages_away_from_who_shares_them(void)
{
    make_contents(6);
    assert_int_equal(map_file(0, 6, 0, R | W, MAP_IS_SHARED), 0);
    assert_int_equal(map_file(8, 3, 2, R | W, 0), 0);
    for (size_t n = 0; n < 6; n++)
        assert_true(writes(&program, column(n), 100 + (uint32_t)n));
    assert_int_equal(word_at(column(8)), 102);
    assert_true(writes(&program, column(9), 7));
    object_punch(contents, 2, 4);
    assert_clean();
    assert_int_equal(frames_owned(OWNER_FILE), 4);
    assert_int_equal(word_at(column(1)), 101);
    assert_int_equal(word_at(column(2)), 0);
    assert_int_equal(word_at(column(3)), 0);
    assert_int_equal(word_at(column(4)), 104);
    assert_int_equal(word_at(column(8)), 0);            /* not written since: the file's page */
    assert_int_equal(word_at(column(9)), 7);
    assert_true(writes(&program, column(2), 5));
    assert_int_equal(word_in_contents(2), 5);
    assert_clean();
    object_release(contents);
}

/* ---- Promises ------------------------------------------------------------------------------------------------ */

static void as_many_pages_are_promised_as_there_are_frames(void)
{
    size_t all = memmap_ram(memory_map());

    assert_int_equal(map_charge(&program, all + 1), -ENOMEM);
    assert_int_equal(map_committed, 0);
    assert_int_equal(map_charge(&program, all), 0);
    assert_int_equal(map_committed, all);
    assert_int_equal(map_charge(&program, all), 0);     /* mode 0 looks at each request alone */
    map_uncharge(&program, 2 * all);
    map_overcommit = 2;                                 /* half of all, and of all requests together */
    assert_int_equal(map_charge(&program, all / 2 + 1), -ENOMEM);
    assert_int_equal(map_charge(&program, all / 2 - 1), 0);
    assert_int_equal(map_charge(&program, 1), 0);
    assert_int_equal(map_charge(&program, 1), -ENOMEM);
    map_overcommit = 1;                                 /* whatever is asked */
    assert_int_equal(map_charge(&program, 10 * all), 0);
    assert_int_equal(program.charged, all / 2 + 10 * all);
    map_uncharge(&program, all / 2 + 10 * all);
    assert_int_equal(map_committed, 0);
    map_overcommit = 0;
}

/* ---- Faults of stacks ---------------------------------------------------------------------------------------- */

static void make_stack(size_t first, size_t pages)
{
    struct map_request wanted = request(column(first), pages, R | W, MAP_IS_FIXED | MAP_GROWS_DOWN);

    wanted.name = "[stack]";
    assert_int_equal(map_create(&program, &wanted, &out), 0);
}

static void a_stack_grows_to_its_limit(void)
{
    program.limits.stack = 16 * PAGE_SIZE;
    make_stack(1000, 2);
    assert_true(writes(&program, column(995), 1));
    assert_int_equal(program.pages, 7);
    assert_true(writes(&program, column(986), 1));
    assert_int_equal(program.pages, 16);
    assert_int_equal(program.charged, 16);
    assert_false(writes(&program, column(985), 1));
    assert_int_equal(verdict.signal, 11);
    assert_int_equal(verdict.code, 1);
    assert_non_null(strstr(verdict.reason, "a stack limited to 64 KiB"));
}

static void a_stack_keeps_its_distance(void)
{
    make_stack(1000, 2);
    assert_int_equal(map_fixed(500, 10, R), 0);
    assert_true(writes(&program, column(510 + 256), 1));
    assert_false(writes(&program, column(510 + 255), 1));
    assert_int_equal(protect(500, 10, 0), 0);                   /* pages without rights need no distance */
    assert_true(writes(&program, column(510 + 255), 1));
}

static void faults_nowhere_are_told_apart(void)
{
    paint("rr..ww");
    assert_false(writes(&program, column(0), 1));
    assert_int_equal(verdict.code, 2);
    assert_false(reads(&program, column(2), &(uint32_t){ 0 }));
    assert_int_equal(verdict.code, 1);
    assert_false(reads(&program, 0, &(uint32_t){ 0 }));
    assert_int_equal(verdict.code, 1);
    assert_int_equal(verdict.address, 0);
}

static void one_frame_of_zeros_serves_all_readers(void)
{
    uint32_t before;

    paint("wwwwwwww");
    assert_int_equal(word_at(column(0)), 0);
    before = frames_free();
    for (size_t n = 1; n < 8; n++)
        assert_int_equal(word_at(column(n)), 0);
    assert_int_equal(frames_free(), before);
    assert_int_equal(frames_owned(OWNER_USER), 0);
    assert_true(writes(&program, column(3), 3));
    assert_int_equal(word_at(column(4)), 0);
    assert_int_equal(frames_owned(OWNER_USER), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(neighbours_that_mean_the_same_are_one_region),
        on_machine(neighbours_that_differ_stay_apart),
        on_machine(a_fixed_mapping_replaces_what_was_there),
        on_machine(no_replace_refuses_what_is_taken),
        on_machine(a_hint_is_taken_if_it_is_free),
        on_machine(places_go_down_from_the_top),
        on_machine(mmap_refuses_what_linux_refuses),
        on_machine(limits_are_kept),
        on_machine(promises_are_counted),
        on_machine(populate_makes_the_pages_present),
        on_machine(unmap_middle_leaves_two_regions),
        on_machine(unmap_across_regions_needs_no_memory),
        on_machine(rights_that_would_be_charged_too_much_change_nothing),
        on_machine(unmap_of_nothing_is_no_error),
        on_machine(protect_splits_and_joins),
        on_machine(rights_taken_are_gone_and_come_back),
        on_machine(what_is_a_programs_alone_can_be_written_at_once),
        on_machine(pages_of_relatives_stay_shared),
        on_machine(what_moves_is_as_it_was),
        on_machine(protect_stops_at_a_hole),
        on_machine(protect_gives_no_more_than_may_be),
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
        on_machine(file_neighbours_join_where_the_file_goes_on),
        on_machine(reading_a_file_brings_in_its_neighbours),
        on_machine(private_changes_stay_private),
        on_machine(shared_changes_are_the_files),
        on_machine(a_hole_read_through_a_shared_mapping_is_the_files_page),
        on_machine(past_the_end_of_a_file_is_a_bus_error),
        on_machine(truncation_takes_pages_away_from_everybody),
        on_machine(a_hole_takes_pages_away_from_who_shares_them),
        on_machine(as_many_pages_are_promised_as_there_are_frames),
        on_machine(a_stack_grows_to_its_limit),
        on_machine(a_stack_keeps_its_distance),
        on_machine(faults_nowhere_are_told_apart),
        on_machine(one_frame_of_zeros_serves_all_readers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
