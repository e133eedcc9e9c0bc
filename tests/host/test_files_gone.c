/*
 * test_files_gone.c - who is on the way to files while they go: folders that are removed, systems that are unmounted.
 */
#include "files_world.h"

#include "base/error.h"

/* As the threads do that wait for a folder's lock while another one removes the folder. */
static int change(struct node *folder, int (*what)(struct node *folder, struct node *node), struct node *node)
{
    int err;

    mutex_take(&folder->lock);
    err = what(folder, node);
    mutex_drop(&folder->lock);
    return err;
}

static int link_there(struct node *folder, struct node *node)
{
    return folder->operations->link(folder, "x", 1, node);
}

static int make_there(struct node *folder, struct node *node)
{
    struct node *made;

    (void)node;
    return folder->operations->create(folder, "x", 1, S_REGULAR | 0600, 0, &made);
}

static int rename_there(struct node *folder, struct node *from)
{
    int err;

    mutex_take(&from->lock);
    err = from->operations->rename(from, "f", 1, folder, "x", 1, 0);
    mutex_drop(&from->lock);
    return err;
}

static int remove_there(struct node *folder, struct node *node)
{
    (void)node;
    return folder->operations->remove(folder, "f", 1, false);
}

/* Else the folder would hold its entry, and the entry the folder, for ever. */
static void nothing_comes_into_a_folder_that_is_gone(void **state)
{
    struct node *folder, *file;

    (void)state;
    start_files();
    assert_int_equal(path_make_folder(fs, NULL, "/d", 0755), 0);
    assert_int_equal(path_make_node(fs, NULL, "/f", S_REGULAR | 0600, 0, NULL), 0);
    folder = find("/d");
    file   = find("/f");
    assert_int_equal(path_remove(fs, NULL, "/d", true), 0);
    assert_int_equal(change(folder, link_there, file), -ENOENT);
    assert_int_equal(change(folder, make_there, NULL), -ENOENT);
    assert_int_equal(change(folder, rename_there, root->root), -ENOENT);
    assert_int_equal(path_mount(folder, root->root), -ENOENT);
    node_release(folder);
    node_release(file);
    stop_files();
}

/* The system has ended by the time the caller has its folder and its file, and uses them. */
static void who_comes_late_to_a_mount_does_not_end_it_again(void **state)
{
    struct file_system *other;
    struct node        *inside, *top, *above;
    struct file        *file;

    (void)state;
    start_files();
    other = mount_new("/m");
    assert_int_equal(path_make_folder(fs, NULL, "/m/d", 0755), 0);
    assert_int_equal(path_make_node(fs, NULL, "/m/d/f", S_REGULAR | 0600, 0, NULL), 0);
    inside = find("/m/d");
    top    = find("/m");
    assert_int_equal(path_unmount(other->root, 0), 0);

    assert_int_equal(change(top, make_there, NULL), -ENOENT);
    assert_int_equal(change(inside, make_there, NULL), -ENOENT);
    assert_int_equal(change(inside, remove_there, NULL), -ENOENT);
    assert_int_equal(path_find(fs, inside, "..", 0, &above), 0);
    assert_ptr_equal(above, top);
    node_release(above);
    node_use(top);
    node_unuse(top);
    file = file_make(top, top->operations, O_RDONLY);
    assert_non_null(file);
    file_release(file);
    node_use(inside);
    node_release(inside);
    node_unuse(inside);
    stop_files();
}

/* A mounted system is moved onto a folder while that, or its system, goes. */
static void no_mount_moves_to_what_is_gone(void **state)
{
    struct file_system *other, *leaving;
    struct node        *folder, *inside;

    (void)state;
    start_files();
    assert_int_equal(path_make_folder(fs, NULL, "/d", 0755), 0);
    other   = mount_new("/m");
    leaving = mount_new("/l");
    assert_int_equal(path_make_folder(fs, NULL, "/l/in", 0755), 0);
    inside = find("/l/in");
    folder = find("/d");
    assert_int_equal(path_remove(fs, NULL, "/d", true), 0);
    assert_int_equal(path_move_mount(other->root, folder), -ENOENT);
    assert_int_equal(path_unmount(leaving->root, 0), 0);
    assert_int_equal(path_move_mount(other->root, inside), -ENOENT);
    node_release(folder);
    node_release(inside);
    assert_int_equal(path_unmount(other->root, 0), 0);
    stop_files();
}

static unsigned rests;

static void count_rest(void) { rests++; }

/* Each keeps its name, and so the folder above it, until it goes itself: all of them at once, and others waited. */
static void a_chain_of_removed_folders_goes_with_rests(void **state)
{
    enum { DEEP = 50 };
    struct node *folders[DEEP];

    (void)state;
    start_files();
    for (unsigned i = 0; i < DEEP; i++) {
        assert_int_equal(path_make_folder(fs, i > 0 ? folders[i - 1] : NULL, "d", 0755), 0);
        assert_int_equal(path_find(fs, i > 0 ? folders[i - 1] : NULL, "d", 0, &folders[i]), 0);
    }
    for (unsigned i = DEEP; i-- > 0; )
        assert_int_equal(path_remove(fs, i > 0 ? folders[i - 1] : NULL, "d", true), 0);
    for (unsigned i = 0; i < DEEP - 1; i++)
        node_release(folders[i]);
    machine_at_rest(count_rest);
    node_release(folders[DEEP - 1]);
    machine_at_rest(NULL);
    assert_true(rests >= DEEP);
    stop_files();
}

static const struct node_operations *real_operations;

/* Behind the look-up another user's file gets the name. */
static int look_up_before_a_rename(struct node *folder, const char *name, size_t length, struct node **out)
{
    int err = real_operations->look_up(folder, name, length, out);

    folder->operations = real_operations;
    assert_int_equal(err, 0);
    assert_int_equal(folder->operations->rename(folder, "other", 5, folder, name, length, 0), 0);
    return err;
}

/* The caller may remove what the name was of, and not what it is of by the time the folder is locked. */
static void nobody_removes_what_got_the_name_meanwhile(void **state)
{
    enum { CALLER = 1, OTHER = 2 };
    struct node_operations operations;
    struct node           *folder, *node;

    (void)state;
    for (int i = 0; i < 3; i++) {
        start_files();
        assert_int_equal(path_make_folder(fs, NULL, "/d", 0), 0);
        make_file("/d/mine", "", 0);
        make_file("/d/other", "", 0);
        make_file("/d/third", "", 0);
        folder = find("/d");
        folder->mode |= 01777;
        folder->uid   = OTHER;
        for (int k = 0; k < 3; k++) {
            node = find(k == 0 ? "/d/mine" : k == 1 ? "/d/other" : "/d/third");
            node->uid = k == 1 ? OTHER : CALLER;
            node_release(node);
        }
        the_credentials.user.files             = CALLER;
        the_credentials.capabilities.effective = 0;
        operations         = *(real_operations = folder->operations);
        operations.look_up = look_up_before_a_rename;
        folder->operations = &operations;
        assert_int_equal(i == 0 ? path_remove(fs, NULL, "/d/mine", false)
                         : i == 1 ? path_rename(fs, NULL, "/d/mine", NULL, "/d/new", 0)
                                  : path_rename(fs, folder, "mine", folder, "third", 0), -EPERM);
        node = find("/d/mine");
        assert_int_equal(node->uid, OTHER);
        node_release(node);
        node_release(folder);
        start_thread();
        stop_files();
    }
}

static const char *moved_to;

/* Before the look-up of "..", the folder moves, or its parent is covered. */
static int look_up_beside_a_move(struct node *folder, const char *name, size_t length, struct node **out)
{
    folder->operations = real_operations;
    if (moved_to != NULL)
        assert_int_equal(path_rename(fs, NULL, "/in/d", NULL, moved_to, 0), 0);
    else
        mount_on("/in");
    return real_operations->look_up(folder, name, length, out);
}

/*
 * openat2() did not notice that a folder that it walks through came out from below the start, or that the start was
 * covered, and ".." led out. A new name in the same folder is no reason to say so.
 */
static void nobody_is_led_out_by_what_moves(void **state)
{
    static const unsigned    ways[] = { RESOLVE_BENEATH, RESOLVE_IN_ROOT, RESOLVE_NO_SYMLINKS };
    static const char *const to[]   = { "/out/d", NULL, "/in/e" };
    struct node_operations   operations;
    struct node             *start, *folder;
    struct file             *file;

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(ways) * COUNT_OF(to); i++) {
        unsigned way = ways[i % COUNT_OF(ways)];
        int      err;

        start_files();
        assert_int_equal(path_make_folder(fs, NULL, "/in", 0700), 0);
        assert_int_equal(path_make_folder(fs, NULL, "/in/d", 0700), 0);
        assert_int_equal(path_make_folder(fs, NULL, "/out", 0700), 0);
        make_file("/out/secret", "", 0);
        make_file("/in/secret", "", 0);
        make_file("/secret", "", 0);
        start    = find("/in");
        folder   = find("/in/d");
        moved_to = to[i / COUNT_OF(ways)];
        operations         = *(real_operations = folder->operations);
        operations.look_up = look_up_beside_a_move;
        folder->operations = &operations;
        err = path_open_within(fs, start, moved_to == NULL ? "d/../../secret" : "d/../secret", O_RDONLY, 0, way, &file);
        assert_int_equal(err, way == RESOLVE_NO_SYMLINKS || i / COUNT_OF(ways) == 2 ? 0 : -EAGAIN);
        if (err == 0)
            file_release(file);
        node_release(start);
        node_release(folder);
        if (moved_to == NULL) {
            folder = find("/in");
            assert_int_equal(path_unmount(folder, 0), 0);
            node_release(folder);
        }
        stop_files();
    }
}

/* Who is not in the folder's group makes no program that acts for it. */
static void no_stranger_makes_a_program_for_the_folders_group(void **state)
{
    enum { GROUP = 7 };
    struct node *folder, *node;

    (void)state;
    start_files();
    assert_int_equal(path_make_folder(fs, NULL, "/d", 0), 0);
    folder = find("/d");
    folder->mode |= 02777;
    folder->gid   = GROUP;
    for (int i = 0; i < 2; i++) {
        the_credentials.group.files            = i == 0 ? GROUP : GROUP + 1;
        the_credentials.capabilities.effective = 0;
        assert_int_equal(path_make_node(fs, folder, i == 0 ? "a" : "b", S_REGULAR | 02755, 0, NULL), 0);
        node = find(i == 0 ? "/d/a" : "/d/b");
        assert_int_equal(node->gid, GROUP);
        assert_int_equal(node->mode & 07777, i == 0 ? 02755 : 0755);
        node_release(node);
    }
    node_release(folder);
    start_thread();
    stop_files();
}

/* Mounts are bounded: -ENOSPC; and those that are taken away make room again. */
static void there_are_so_many_mounts_at_most(void **state)
{
    struct file_system *other;
    struct node        *folder;
    uint32_t            made = 0;
    int                 err;

    (void)state;
    start_files();
    assert_int_equal(path_make_folder(fs, NULL, "/m", 0755), 0);
    for (;; made++) {
        other  = tmpfs_new(0700);
        folder = find("/m");
        err    = path_mount(folder, other->root);
        node_release(folder);
        if (err != 0)
            break;
    }
    assert_int_equal(err, -ENOSPC);
    assert_true(made > 1000 && made < 10000);
    folder = find("/m");
    assert_int_equal(path_unmount(folder->system->root, 0), 0);
    node_release(folder);
    folder = find("/m");
    assert_int_equal(path_mount(folder, other->root), 0);
    node_release(folder);
    for (; made > 0; made--) {
        folder = find("/m");
        assert_int_equal(path_unmount(folder->system->root, 0), 0);
        node_release(folder);
    }
    stop_files();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_comes_into_a_folder_that_is_gone),
        cmocka_unit_test(who_comes_late_to_a_mount_does_not_end_it_again),
        cmocka_unit_test(no_mount_moves_to_what_is_gone),
        cmocka_unit_test(a_chain_of_removed_folders_goes_with_rests),
        cmocka_unit_test(nobody_removes_what_got_the_name_meanwhile),
        cmocka_unit_test(nobody_is_led_out_by_what_moves),
        cmocka_unit_test(no_stranger_makes_a_program_for_the_folders_group),
        cmocka_unit_test(there_are_so_many_mounts_at_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
