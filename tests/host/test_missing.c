/*
 * test_missing.c - paths that were not found, counted for the report: order, bounds, and names that are no good for a
 * terminal.
 */
#include "files/path/missing.h"
#include "files_world.h"

static char     told[MISSING_PATHS + 1][MISSING_TEXT];
static uint32_t times_told[MISSING_PATHS + 1], told_count;

static void tell(const char *text, uint32_t times, void *none)
{
    (void)none;
    assert_true(told_count < MISSING_PATHS);
    strcpy(told[told_count], text);
    times_told[told_count++] = times;
}

static void look(const char *path)
{
    struct node *node;

    assert_int_equal(path_find(fs, NULL, path, 0, &node), -ENOENT);
}

static void tell_all(void)
{
    told_count = 0;
    missing_each(tell, NULL);
}

static void start(void)
{
    start_files();
    missing_begin();
}

static void stop_counting(void)
{
    missing_end();
    stop_files();
}

static void nothing_is_counted_before_it_begins(void **state)
{
    (void)state;
    start_files();
    look("/a");
    tell_all();
    assert_int_equal(told_count, 0);
    stop_files();
}

static void the_most_asked_come_first_then_the_latest(void **state)
{
    (void)state;
    start();
    look("/once");
    for (int i = 0; i < 3; i++)
        look("/often");
    look("/later");
    tell_all();
    assert_int_equal(told_count, 3);
    assert_string_equal(told[0], "/often");
    assert_int_equal(times_told[0], 3);
    assert_string_equal(told[1], "/later");
    assert_string_equal(told[2], "/once");
    stop_counting();
}

static void what_is_found_or_made_is_not_counted(void **state)
{
    struct file *file;

    (void)state;
    start();
    make_file("/here", "x", 1);
    file_release(open_file("/here", O_RDONLY));
    assert_int_equal(path_open(fs, NULL, "/here/below", O_RDONLY, 0, &file), -ENOTDIR);
    assert_int_equal(path_open(fs, NULL, "/not", O_RDONLY, 0, &file), -ENOENT);
    assert_int_equal(path_open(fs, NULL, "/no/folder", O_CREAT | O_WRONLY, 0644, &file), -ENOENT);
    tell_all();
    assert_int_equal(told_count, 2);
    assert_string_equal(told[0], "/no/folder");
    assert_string_equal(told[1], "/not");
    stop_counting();
}

static void memory_is_bounded_and_what_is_asked_often_stays(void **state)
{
    char path[32];

    (void)state;
    start();
    for (int i = 0; i < 5; i++)
        look("/often");
    for (int i = 0; i < 10 * MISSING_PATHS; i++) {
        snprintf(path, sizeof path, "/%d", i);
        look(path);
    }
    tell_all();
    assert_int_equal(told_count, MISSING_PATHS);
    assert_string_equal(told[0], "/often");
    assert_string_equal(told[1], path);
    assert_int_equal(missing_lost(), 9 * MISSING_PATHS + 1);
    stop_counting();
}

static void paths_are_shown_as_text_and_cut(void **state)
{
    char path[600];

    (void)state;
    start();
    look("/\033[2J\n\177end");
    memset(path, 'x', sizeof path);
    for (size_t i = 0; i < sizeof path; i += 100)
        path[i] = '/';
    path[sizeof path - 1] = '\0';
    look(path);
    path[sizeof path - 2] = 'y';                /* another one, though it looks the same */
    look(path);
    tell_all();
    assert_int_equal(told_count, 3);
    assert_string_equal(told[2], "/?[2J??end");
    assert_int_equal(strlen(told[0]), MISSING_TEXT - 1);
    assert_string_equal(told[0] + MISSING_TEXT - 4, "...");
    stop_counting();
}

static void without_memory_nothing_is_counted(void **state)
{
    (void)state;
    start_files();
    heap_fail_at(1);
    missing_begin();
    heap_fail_at(0);
    look("/a");
    tell_all();
    assert_int_equal(told_count, 0);
    stop_counting();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_counted_before_it_begins),
        cmocka_unit_test(the_most_asked_come_first_then_the_latest),
        cmocka_unit_test(what_is_found_or_made_is_not_counted),
        cmocka_unit_test(memory_is_bounded_and_what_is_asked_often_stays),
        cmocka_unit_test(paths_are_shown_as_text_and_cut),
        cmocka_unit_test(without_memory_nothing_is_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
