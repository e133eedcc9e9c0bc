/*
 * test_map_contents.c - mappings of files, promises of memory, and faults of stacks.
 */
#include "map_contents.h"

/* ---- Files ------------------------------------------------------------------------------------------------ */

/* Page 3 is a hole. */
static void make_contents(uint64_t pages) { make_contents_but(pages, 3); }

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
