/*
 * test_files.c - rules of contents and folders that random operations seldom meet.
 */
#include "files_world.h"

/* ---- Contents --------------------------------------------------------------------------------- */

static void holes_read_as_zeros_and_cost_nothing(void **state)
{
    static char  zeros[3 * PAGE_SIZE], read[3 * PAGE_SIZE];
    struct file *file;
    uint64_t     far = 5 * GiB;

    (void)state;
    start_files();
    file = open_file("f", O_CREAT | O_RDWR);
    assert_int_equal(put(file, "x", 1, far), 1);
    assert_int_equal(file->node->bytes, far + 1);
    assert_int_equal(frames_owned(OWNER_FILE), 1);
    memset(read, 1, sizeof read);
    assert_int_equal(get(file, read, sizeof read, far - sizeof read), sizeof read);
    assert_memory_equal(read, zeros, sizeof read);
    assert_int_equal(get(file, read, 10, far), 1);
    assert_int_equal(read[0], 'x');
    assert_int_equal(get(file, read, 10, far + 1), 0);
    file_release(file);
    stop_files();
}

static void what_is_cut_off_comes_back_as_zeros(void **state)
{
    static const char long_text[] = "0123456789";
    char              read[16];
    struct file      *file;

    (void)state;
    start_files();
    file = open_file("f", O_CREAT | O_RDWR);
    assert_int_equal(put(file, long_text, 10, PAGE_SIZE - 5), 10);
    assert_int_equal(node_resize(file->node, PAGE_SIZE - 2), 0);
    assert_int_equal(frames_owned(OWNER_FILE), 1);
    assert_int_equal(node_resize(file->node, PAGE_SIZE + 5), 0);
    assert_int_equal(get(file, read, 10, PAGE_SIZE - 5), 10);
    assert_memory_equal(read, "012\0\0\0\0\0\0\0", 10);
    file_release(file);
    stop_files();
}

static void a_write_from_bad_memory_writes_what_it_could(void **state)
{
    struct file  *file;
    struct buffer bad = { .user = BAD, .bytes = PAGE_SIZE };

    (void)state;
    start_files();
    file = open_file("f", O_CREAT | O_RDWR);
    assert_int_equal(file_write(file, &bad), -EFAULT);
    assert_int_equal(file->node->bytes, 0);
    assert_int_equal(frames_owned(OWNER_FILE), 0);
    assert_int_equal(put(file, "abc", 3, 0), 3);
    bad = (struct buffer){ .user = BAD, .bytes = 1 };
    assert_int_equal(file_read_at(file, &bad, 0), -EFAULT);
    file_release(file);
    stop_files();
}

static void limits_on_size_are_obeyed(void **state)
{
    char         text[8] = "12345678";
    struct file *file;

    (void)state;
    start_files();
    file = open_file("f", O_CREAT | O_RDWR);
    the_process.limits[1].soft = 5;
    assert_int_equal(put(file, text, 8, 0), 5);
    assert_int_equal(last_signal, 0);
    assert_int_equal(put(file, text, 8, 5), -EFBIG);
    assert_int_equal(last_signal, SIGXFSZ);
    the_process.limits[1].soft = LIMIT_NONE;
    assert_int_equal(put(file, text, 8, FILE_LARGEST - 3), 3);
    assert_int_equal(put(file, text, 8, FILE_LARGEST), -EFBIG);
    assert_int_equal(node_resize(file->node, FILE_LARGEST + 1), -EFBIG);
    file_release(file);
    stop_files();
}

static void removed_but_open_files_live_on(void **state)
{
    char         read[4];
    struct file *file;

    (void)state;
    start_files();
    make_file("f", "abc", 3);
    file = open_file("f", O_RDWR);
    assert_int_equal(path_remove(fs, NULL, "f", false), 0);
    assert_int_equal(get(file, read, 4, 0), 3);
    assert_int_equal(file->node->links, 0);
    mutex_take(&root->root->lock);
    assert_int_equal(root->root->operations->link(root->root, "g", 1, file->node), -ENOENT);
    mutex_drop(&root->root->lock);
    file_release(file);
    assert_int_equal(frames_owned(OWNER_FILE), 0);
    stop_files();
}

/* ---- Folders ------------------------------------------------------------------------------------------- */

static unsigned listed;
static uint64_t go_on;

static bool take_some(void *data, const char *name, size_t length, uint64_t inode, uint32_t mode, uint64_t next)
{
    (void)name, (void)length, (void)inode, (void)mode;
    if (listed == *(unsigned *)data)
        return false;
    listed++;
    go_on = next;
    return true;
}

static void a_listing_goes_on_though_entries_go(void **state)
{
    enum { MANY = 1000 };
    unsigned     seen = 0, most;
    struct node *folder;
    char         name[16];

    (void)state;
    start_files();
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "n%u", i);
        make_file(name, "", 0);
    }
    folder = find("/");
    go_on  = 0;
    do {                                        /* every entry once, and each is removed when it has been seen */
        listed = 0;
        most   = 7;
        list_folder(folder, go_on, take_some, &most);
        for (unsigned i = 0; i < listed; i++) {
            if (seen + i < 2)
                continue;
            snprintf(name, sizeof name, "n%u", seen + i - 2);
            assert_int_equal(path_remove(fs, NULL, name, false), 0);
        }
        seen += listed;
    } while (listed > 0);
    assert_int_equal(seen, MANY + 2);
    node_release(folder);
    stop_files();
}

static void make_or_remove(unsigned first, unsigned count, bool make)
{
    char name[16];

    for (unsigned n = first; n < first + count; n++) {
        snprintf(name, sizeof name, "f%u", n);
        if (make)
            file_release(open_file(name, O_CREAT | O_RDWR));
        else
            assert_int_equal(path_remove(fs, NULL, name, false), 0);
    }
}

/* The table of 5000 entries is of 64 KiB; it once stayed for as long as the folder did. */
static void a_folder_that_was_large_becomes_small_again(void **state)
{
    enum { MANY = 5000, LEFT = 3 };
    struct heap_sums before, after;

    (void)state;
    start_files();
    make_or_remove(MANY, LEFT, true);
    heap_sums(&before);
    make_or_remove(0, MANY, true);
    check_files();
    for (unsigned n = 0; n < MANY; n += 500) {
        make_or_remove(n, 500, false);
        check_files();
    }
    heap_sums(&after);
    assert_int_equal(after.live_bytes, before.live_bytes);
    assert_int_equal(after.live_blocks, before.live_blocks);
    make_or_remove(MANY, LEFT, false);
    stop_files();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holes_read_as_zeros_and_cost_nothing),
        cmocka_unit_test(what_is_cut_off_comes_back_as_zeros),
        cmocka_unit_test(a_write_from_bad_memory_writes_what_it_could),
        cmocka_unit_test(limits_on_size_are_obeyed),
        cmocka_unit_test(removed_but_open_files_live_on),
        cmocka_unit_test(a_listing_goes_on_though_entries_go),
        cmocka_unit_test(a_folder_that_was_large_becomes_small_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
