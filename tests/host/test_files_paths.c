/*
 * test_files_paths.c - paths: how they are told back, how long they may be, mounts on the way, and who may go there.
 */
#include "files_world.h"

static void paths_are_told_back(void **state)
{
    char         text[64];
    struct node *folder, *file;

    (void)state;
    start_files();
    assert_int_equal(path_make_folder(fs, NULL, "/one", 0755), 0);
    assert_int_equal(path_make_folder(fs, NULL, "/one/two", 0755), 0);
    make_file("/one/two/f", "", 0);
    folder = find("/one/two");
    file   = find("/one/two/f");
    assert_int_equal(path_of(fs, root->root, text, sizeof text), 1);
    assert_string_equal(text, "/");
    assert_int_equal(path_of(fs, folder, text, sizeof text), 8);
    assert_string_equal(text, "/one/two");
    assert_int_equal(path_of(fs, folder, text, 8), -ERANGE);
    assert_int_equal(path_of(fs, folder, text, 9), 8);
    assert_int_equal(path_rename(fs, NULL, "/one", NULL, "/three", 0), 0);
    path_describe(fs, file, text, sizeof text);
    assert_string_equal(text, "/three/two/f");
    assert_int_equal(path_remove(fs, NULL, "/three/two/f", false), 0);
    path_describe(fs, file, text, sizeof text);
    assert_string_equal(text, "/three/two/f (deleted)");
    assert_int_equal(path_remove(fs, NULL, "/three/two", true), 0);
    assert_int_equal(path_of(fs, folder, text, sizeof text), -ENOENT);
    node_release(folder);
    node_release(file);
    stop_files();
}

static void long_names_and_paths_are_refused(void **state)
{
    static char  path[PATH_LONGEST + 10];
    struct node *node;

    (void)state;
    start_files();
    memset(path, 'n', NAME_LONGEST);
    assert_int_equal(path_make_folder(fs, NULL, path, 0755), 0);
    path[NAME_LONGEST] = 'n';
    assert_int_equal(path_make_folder(fs, NULL, path, 0755), -ENAMETOOLONG);
    for (unsigned i = 0; i < PATH_LONGEST; i++)
        path[i] = i % 2 ? '.' : '/';
    path[PATH_LONGEST - 1] = '\0';
    assert_int_equal(path_find(fs, NULL, path, 0, &node), 0);
    node_release(node);
    path[PATH_LONGEST - 1] = '.';
    assert_int_equal(path_find(fs, NULL, path, 0, &node), -ENAMETOOLONG);
    stop_files();
}

static void mounts_are_walked_in_and_out(void **state)
{
    struct file_system *other;
    struct node        *folder, *inside, *up;
    char                text[32];

    (void)state;
    start_files();
    assert_int_equal(path_make_folder(fs, NULL, "/m", 0755), 0);
    other  = tmpfs_new(0700);
    folder = find("/m");
    assert_int_equal(path_mount(folder, other->root), 0);
    assert_int_equal(path_mount(folder, other->root), -EBUSY);
    inside = find("/m");
    assert_ptr_equal(inside, other->root);
    assert_int_equal(path_make_folder(fs, NULL, "/m/d", 0755), 0);
    up = find("/m/d/../..");
    assert_ptr_equal(up, root->root);
    path_of(fs, inside, text, sizeof text);
    assert_string_equal(text, "/m");
    assert_int_equal(path_remove(fs, NULL, "/m", true), -EBUSY);
    assert_int_equal(path_rename(fs, NULL, "/m", NULL, "/n", 0), -EBUSY);
    assert_int_equal(path_rename(fs, NULL, "/m/d", NULL, "/d", 0), -EXDEV);
    node_release(up);
    node_release(inside);

    folder->mounted = NULL;                     /* the test cleans up by hand */
    other->covers   = NULL;
    systems_mounted = NULL;
    node_release(folder);
    node_release(folder);
    node_release(other->root);
    tmpfs_destroy(other);
    stop_files();
}

/* The first request only marks the mount, and a use of the mount removes the mark. */
static void an_expiring_mount_that_is_used_begins_anew(void **state)
{
    struct file_system *other;
    struct node        *folder;
    struct file        *file;

    (void)state;
    start_files();
    other = mount_new("/m");
    assert_int_equal(path_unmount(other->root, UNMOUNT_EXPIRED), -EAGAIN);
    assert_int_equal(path_open(fs, NULL, "/m/f", O_RDWR | O_CREAT, 0600, &file), 0);
    assert_int_equal(path_unmount(other->root, UNMOUNT_EXPIRED), -EBUSY);
    file_release(file);
    assert_int_equal(path_unmount(other->root, UNMOUNT_EXPIRED), -EAGAIN);
    assert_int_equal(path_unmount(other->root, UNMOUNT_EXPIRED), 0);
    assert_int_equal(path_find(fs, NULL, "/m/f", 0, &folder), -ENOENT);
    stop_files();
}

static void others_may_do_what_the_mode_says(void **state)
{
    struct file *file;

    (void)state;
    start_files();
    make_file("f", "", 0);
    assert_int_equal(path_make_folder(fs, NULL, "t", 01777), 0);
    make_file("t/of_root", "", 0);
    the_credentials.user.files = the_credentials.group.files = 1000;
    the_credentials.capabilities.effective = 0;
    assert_int_equal(path_open(fs, NULL, "f", O_RDWR, 0, &file), -EACCES);
    assert_int_equal(path_open(fs, NULL, "new", O_RDWR | O_CREAT, 0, &file), -EACCES);
    make_file("t/mine", "", 0);
    assert_int_equal(path_remove(fs, NULL, "t/of_root", false), -EPERM);
    assert_int_equal(path_rename(fs, NULL, "t/mine", NULL, "t/of_root", 0), -EPERM);
    assert_int_equal(path_remove(fs, NULL, "t/mine", false), 0);
    start_thread();
    stop_files();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_told_back),
        cmocka_unit_test(long_names_and_paths_are_refused),
        cmocka_unit_test(mounts_are_walked_in_and_out),
        cmocka_unit_test(an_expiring_mount_that_is_used_begins_anew),
        cmocka_unit_test(others_may_do_what_the_mode_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
