/*
 * test_descriptors.c - numbers of open files: the lowest that is free, and tables that grow and are copied.
 */
#include "files_world.h"

#include "files/core/descriptor.h"

/* For calls that leave something behind: the number is nobody's until they have their file. */
static void a_reserved_number_is_kept(void **state)
{
    struct files *files, *copy;
    struct file  *file;

    (void)state;
    start_files();
    files = files_new();
    file  = open_file("f", O_CREAT | O_RDWR);
    file_hold(file);
    assert_int_equal(descriptor_add(files, file, 0, false, 64), 0);
    assert_int_equal(descriptor_add(files, NULL, 0, false, 64), 1);
    assert_int_equal(descriptor_add(files, NULL, 0, false, 64), 2);
    assert_true(files_ok(files));
    assert_null(descriptor_file(files, 1));
    assert_int_equal(descriptor_close(files, 1), -EBADF);
    assert_int_equal(descriptor_flag(files, 1), -EBADF);
    assert_int_equal(descriptor_next(files, 1), -1);
    assert_int_equal(descriptor_put(files, 1, file, false, 64), -EBUSY);
    assert_int_equal(descriptor_add(files, NULL, 0, false, 3), -EMFILE);
    copy = files_copy(files);
    assert_true(files_ok(copy));
    assert_int_equal(descriptor_add(copy, NULL, 0, false, 64), 1);
    descriptor_settle(copy, 1, NULL, false);
    files_release(copy);
    for (int i = 64; i < 600; i += 100) {       /* the table grows */
        file_hold(file);
        assert_int_equal(descriptor_put(files, i, file, false, 600), 0);
        assert_true(files_ok(files));
    }
    file_hold(file);
    descriptor_settle(files, 1, file, true);
    descriptor_settle(files, 2, NULL, false);
    assert_int_equal(descriptor_flag(files, 1), 1);
    assert_true(files_ok(files));
    file_hold(file);
    assert_int_equal(descriptor_add(files, file, 0, false, 64), 2);
    files_release(files);
    assert_int_equal(file->references, 1);
    file_release(file);
    stop_files();
}

static void the_lowest_free_number_is_given(void **state)
{
    struct files *files, *copy;
    struct file  *file;

    (void)state;
    start_files();
    files = files_new();
    file  = open_file("f", O_CREAT | O_RDWR);
    for (int i = 0; i < 40; i++) {
        file_hold(file);
        assert_int_equal(descriptor_add(files, file, 0, i % 2, 64), i);
    }
    assert_int_equal(descriptor_close(files, 7), 0);
    assert_int_equal(descriptor_close(files, 7), -EBADF);
    assert_int_equal(descriptor_close(files, -1), -EBADF);
    assert_int_equal(descriptor_close(files, 4000), -EBADF);
    file_hold(file);
    assert_int_equal(descriptor_add(files, file, 0, false, 64), 7);
    assert_int_equal(descriptor_add(files, file, 0, false, 40), -EMFILE);
    assert_int_equal(descriptor_put(files, 64, file, false, 64), -EBADF);
    file_hold(file);
    assert_int_equal(descriptor_put(files, 63, file, false, 64), 0);
    copy = files_copy(files);
    assert_non_null(copy);
    assert_int_equal(descriptor_next(copy, 40), 63);
    assert_int_equal(descriptor_next(copy, 64), -1);
    files_close_on_exec(copy);
    assert_int_equal(descriptor_flag(copy, 1), -EBADF);
    assert_int_equal(descriptor_flag(files, 1), 1);
    assert_int_equal(descriptor_flag(copy, 2), 0);
    assert_int_equal(descriptor_flag(copy, 7), 0);
    assert_true(files_ok(files) && files_ok(copy));
    files_release(copy);
    for (int i = 64; i < 5000; i++) {           /* the table grows several times */
        file_hold(file);
        assert_int_equal(descriptor_put(files, i, file, i % 3 == 0, 5000), 0);
    }
    assert_true(files_ok(files));
    assert_int_equal(descriptor_close(files, 4999), 0);
    assert_int_equal(descriptor_close(files, 3000), 0);
    file_hold(file);
    assert_int_equal(descriptor_add(files, file, 64, true, 5000), 3000);
    assert_int_equal(descriptor_flag(files, 3000), 1);
    assert_int_equal(descriptor_set_flag(files, 3000, false), 0);
    files_close_on_exec(files);
    assert_int_equal(descriptor_flag(files, 3000), 0);
    assert_int_equal(descriptor_flag(files, 66), -EBADF);
    assert_true(files_ok(files));
    files_release(files);
    assert_int_equal(file->references, 1);
    file_release(file);
    stop_files();
}

/* Numbers further apart than one stretch of a search, and of copying and growing, goes. */
static void numbers_far_apart_are_found_and_copied(void **state)
{
    static const int numbers[] = { 0, 511, 512, 20000, 300000 };
    struct files    *files, *copy;
    struct file     *file;

    (void)state;
    start_files();
    files = files_new();
    file  = open_file("f", O_CREAT | O_RDWR);
    for (unsigned i = 0; i < COUNT_OF(numbers); i++) {
        file_hold(file);
        assert_int_equal(descriptor_put(files, numbers[i], file, i % 2 == 1, 400000), 0);
        assert_true(files_ok(files));
    }
    for (unsigned i = 1; i < COUNT_OF(numbers); i++)
        assert_int_equal(descriptor_next(files, numbers[i - 1] + 1), numbers[i]);
    assert_int_equal(descriptor_next(files, 300001), -1);
    copy = files_copy(files);
    assert_non_null(copy);
    assert_int_equal(descriptor_next(copy, 20001), 300000);
    files_close_on_exec(copy);
    assert_int_equal(descriptor_flag(copy, 511), -EBADF);
    assert_int_equal(descriptor_flag(copy, 20000), -EBADF);
    assert_int_equal(descriptor_flag(copy, 300000), 0);
    assert_int_equal(descriptor_close(files, 300000), 0);
    assert_true(files_ok(files) && files_ok(copy));
    files_release(copy);
    copy = files_copy(files);
    assert_int_equal(descriptor_next(copy, 20001), -1);
    files_release(copy);
    files_release(files);
    assert_int_equal(file->references, 1);
    file_release(file);
    stop_files();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lowest_free_number_is_given),
        cmocka_unit_test(a_reserved_number_is_kept),
        cmocka_unit_test(numbers_far_apart_are_found_and_copied),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
