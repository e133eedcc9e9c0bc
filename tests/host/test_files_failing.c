/*
 * test_files_failing.c - every allocation of an operation on files fails once, and nothing has changed.
 */
#include "files_world.h"

#include "files/core/descriptor.h"
#include "files/core/lock.h"
#include "files/ipc/pipe.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_memory_nothing_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
