/*
 * test_files.c - rules of files that random operations seldom meet, and every allocation made to fail.
 */
#include "files_world.h"

#include "files/core/descriptor.h"
#include "files/core/lock.h"
#include "files/ipc/pipe.h"

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

/* ---- Paths ------------------------------------------------------------------------------------------ */

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
    assert_int_equal(path_make_folder(fs, NULL, "/m", 0755), 0);
    other  = tmpfs_new(0700);
    folder = find("/m");
    assert_int_equal(path_mount(folder, other->root), 0);
    node_release(folder);
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

/* ---- Every allocation fails once -------------------------------------------------------------------------- */

static uint64_t hash;

static void hash_bytes(const void *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ ((const uint8_t *)bytes)[i]) * 1099511628211ull;
}

static bool hash_entry(void *data, const char *name, size_t length, uint64_t inode, uint32_t mode, uint64_t next);

static void hash_node(struct node *node)
{
    uint64_t facts[] = { node->mode, node->links, node->bytes, node->inode };

    hash_bytes(facts, sizeof facts);
    if ((node->mode & S_FMT) == S_FOLDER)
        list_folder(node, 2, hash_entry, node);
}

static bool hash_entry(void *data, const char *name, size_t length, uint64_t inode, uint32_t mode, uint64_t next)
{
    struct node *child;

    (void)inode, (void)mode, (void)next;
    hash_bytes(name, length);
    assert_int_equal(((struct node *)data)->operations->look_up(data, name, length, &child), 0);
    hash_node(child);
    node_release(child);
    return true;
}

static uint64_t fingerprint(void)
{
    hash = 14695981039346656037ull;
    hash_node(root->root);
    return hash;
}

static char page_of_text[2 * PAGE_SIZE];

static int do_folder(void)   { return path_make_folder(fs, NULL, "/d/new", 0755); }
static int do_symlink(void)  { return path_symlink(fs, NULL, "/d/new", "a target"); }
static int do_link(void)     { return path_link(fs, NULL, "/f", NULL, "/d/new", PATH_NO_FOLLOW); }
static int do_rename(void)   { return path_rename(fs, NULL, "/f", NULL, "/d/g", 0); }
static int do_through(void)  { return path_make_folder(fs, NULL, "/l/new", 0755); }
static int do_whiteout(void) { return path_rename(fs, NULL, "/f", NULL, "/d/w", 4); }
static int do_exchange(void) { return path_rename(fs, NULL, "/f", NULL, "/d", 2); }
static int do_open(void)
{
    struct file *file;
    int          err = path_open(fs, NULL, "/f", O_RDWR | O_LARGEFILE, 0, &file);

    if (err == 0)
        file_release(file);
    return err;
}

/* Made again, it would find its own file. */
static int do_make(void)
{
    struct file *file;
    int          err = path_open(fs, NULL, "/new", O_CREAT | O_EXCL | O_RDWR | O_LARGEFILE, 0, &file);

    if (err == 0)
        file_release(file);
    return err;
}

static int do_write(void)
{
    struct file *file = NULL;
    long         done;
    int          err = path_open(fs, NULL, "/f", O_WRONLY | O_LARGEFILE, 0, &file);

    if (err != 0)
        return err;
    done = put(file, page_of_text, PAGE_SIZE, 16 * PAGE_SIZE);
    file_release(file);
    return done < 0 ? (int)done : 0;
}

static int do_pipe(void)
{
    struct file *one, *other;
    int          err = pipe_make(0, &one, &other);

    if (err == 0) {
        file_release(one);
        file_release(other);
    }
    return err;
}

static int do_lock(void)
{
    struct lock_request request = { .owner = &request, .kind = LOCK_EXCLUSIVE, .first = 0, .last = 9 };
    struct node        *node    = find("/f");
    int                 err     = lock_set(node, &request, false);

    locks_drop_owner(node, &request);
    node_release(node);
    return err == -ENOLCK ? -ENOMEM : err;
}

static int do_descriptors(void)
{
    struct files *files = files_new();
    struct files *copy  = files != NULL ? files_copy(files) : NULL;
    int           err   = copy != NULL ? 0 : -ENOMEM;

    if (copy != NULL)
        files_release(copy);
    if (files != NULL)
        files_release(files);
    return err;
}

static void sweep(const char *name, int (*action)(void), void (*fail_at)(uint32_t))
{
    for (uint32_t n = 1; n < 50; n++) {
        uint64_t before = fingerprint();
        int      err;

        fail_at(n);
        err = action();
        fail_at(0);
        check_files();
        if (err == 0)
            return;
        if (err != -ENOMEM)
            fail_msg("%s: allocation %u failed, and so it said %d", name, (unsigned)n, err);
        if (fingerprint() != before)
            fail_msg("%s: allocation %u failed, and something has changed", name, (unsigned)n);
    }
    fail_msg("%s never gets through", name);
}

static void without_memory_nothing_changes(void **state)
{
    static const struct { const char *name; int (*action)(void); } actions[] = {
        { "mkdir", do_folder }, { "symlink", do_symlink }, { "link", do_link }, { "rename", do_rename },
        { "open", do_open }, { "through a link", do_through }, { "exchange", do_exchange }, { "write", do_write },
        { "whiteout", do_whiteout }, { "pipe", do_pipe }, { "lock", do_lock }, { "descriptors", do_descriptors },
        { "open and make", do_make },
    };

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(actions); i++) {
        for (unsigned kind = 0; kind < 2; kind++) {
            start_files();
            assert_int_equal(path_make_folder(fs, NULL, "/d", 0755), 0);
            assert_int_equal(path_symlink(fs, NULL, "/l", "d"), 0);
            make_file("/f", "abc", 3);
            heap_drain();
            sweep(actions[i].name, actions[i].action, kind == 0 ? heap_fail_at : frame_fail_at);
            stop_files();
        }
    }
}

/* ---- Descriptors --------------------------------------------------------------------------------------------- */

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

/* ---- Record locks against an array of bytes --------------------------------------------------------------------- */

enum { LOCK_BYTES = 24, OWNERS_OF_LOCKS = 3 };

static void locks_agree_with_an_array(void **state)
{
    static const void *owners[OWNERS_OF_LOCKS] = { "a", "b", "c" };
    enum lock_kind     held[OWNERS_OF_LOCKS][LOCK_BYTES];
    struct node       *node;
    uint64_t           random = 88172645463325252ull;

    (void)state;
    start_files();
    make_file("f", "", 0);
    node = find("f");
    for (unsigned i = 0; i < OWNERS_OF_LOCKS; i++)
        for (unsigned b = 0; b < LOCK_BYTES; b++)
            held[i][b] = LOCK_NONE;
    for (unsigned step = 0; step < 20000; step++) {
        struct lock_request request;
        unsigned            who, first, last;
        bool                free_for_us = true;

        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        who   = (unsigned)(random >> 8) % OWNERS_OF_LOCKS;
        first = (unsigned)(random >> 16) % LOCK_BYTES;
        last  = first + (unsigned)(random >> 24) % (LOCK_BYTES - first);
        request = (struct lock_request){ .owner = owners[who], .kind = (enum lock_kind)((random >> 40) % 3),
                                         .first = first, .last = last == LOCK_BYTES - 1 ? UINT64_MAX : last };
        for (unsigned other = 0; other < OWNERS_OF_LOCKS; other++)
            for (unsigned b = first; b <= last && other != who; b++)
                free_for_us &= held[other][b] == LOCK_NONE ||
                    (held[other][b] == LOCK_SHARED && request.kind == LOCK_SHARED);
        free_for_us |= request.kind == LOCK_NONE;
        assert_int_equal(lock_set(node, &request, false), free_for_us ? 0 : -EAGAIN);
        assert_true(locks_ok(node));
        for (unsigned b = first; b <= last && free_for_us; b++)
            held[who][b] = request.kind;
    }
    for (unsigned i = 0; i < OWNERS_OF_LOCKS; i++)
        locks_drop_owner(node, owners[i]);
    assert_null(node->locks);
    node_release(node);
    stop_files();
}

/* ---- A folder's table ----------------------------------------------------------------------------- */

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
        cmocka_unit_test(paths_are_told_back),
        cmocka_unit_test(long_names_and_paths_are_refused),
        cmocka_unit_test(mounts_are_walked_in_and_out),
        cmocka_unit_test(an_expiring_mount_that_is_used_begins_anew),
        cmocka_unit_test(others_may_do_what_the_mode_says),
        cmocka_unit_test(a_listing_goes_on_though_entries_go),
        cmocka_unit_test(a_folder_that_was_large_becomes_small_again),
        cmocka_unit_test(without_memory_nothing_changes),
        cmocka_unit_test(the_lowest_free_number_is_given),
        cmocka_unit_test(a_reserved_number_is_kept),
        cmocka_unit_test(numbers_far_apart_are_found_and_copied),
        cmocka_unit_test(locks_agree_with_an_array),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
