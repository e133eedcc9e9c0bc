/*
 * test_files_random.c - random operations on Quire's files in memory and on the host's: same errors, same trees.
 *
 * Linux is asked by number, so that its headers and ours do not meet. Where this machine has no tmpfs for us the test
 * is skipped.
 */
#include "files_world.h"

#include <sys/syscall.h>
#include <unistd.h>

enum { ROUNDS = 12, STEPS = 600, DEEP = 12, TEXT = 600, CONTENTS = 40000 };

static int      there;                          /* the folder on this machine, a descriptor */
static uint64_t seed;
static char     folder[64];

static uint32_t chance(uint32_t limit)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed >> 32) * limit >> 32);
}

/* Linux answers with -1 and errno, Quire with a negative errno. */
static long linux_says(long result) { return result == -1 ? -errno : result; }

/* ---- Paths -------------------------------------------------------------------------------------- */

static const char *part(void)
{
    static const char *const parts[] = { "qa", "qb", "qc", "qd", "qe", ".", ".." };

    return parts[chance(40) < 38 ? chance(5) : 5 + chance(2)];
}

static void make_path(char *out)
{
    unsigned parts = 1 + chance(10) / 4;
    bool     up = false;

    out[0] = '\0';
    for (unsigned i = 0; i < parts; i++) {
        const char *next = part();

        if (strcmp(next, "..") == 0 && up)
            next = "qa";
        up |= strcmp(next, "..") == 0;
        strcat(out, next);
        if (i + 1 < parts || chance(25) == 0)
            strcat(out, chance(20) ? "/" : "//");
    }
}

/* ---- One step on both sides --------------------------------------------------------------------------- */

static char     path_a[TEXT], path_b[TEXT];
static uint8_t  bytes_here[CONTENTS], bytes_there[CONTENTS];

static void same(const char *what, long ours, long theirs)
{
    if (ours != theirs)
        fail_msg("%s '%s' '%s': ours %ld, Linux %ld", what, path_a, path_b, ours, theirs);
}

static void step_open(void)
{
    static const uint32_t flags[] = { O_CREAT, O_CREAT | O_EXCL, O_TRUNC, O_APPEND, O_NOFOLLOW, O_DIRECTORY, 0,
                                      O_CREAT };
    uint32_t     chosen = flags[chance(COUNT_OF(flags))] | flags[chance(COUNT_OF(flags))] | chance(3);
    struct file *file;
    long         ours, theirs;
    uint64_t     at   = chance(4) ? chance(CONTENTS) : 4096 * (uint64_t)chance(4);
    size_t       size = 1 + chance(chance(2) ? 100 : 9000);

    if ((chosen & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY))
        return;                                     /* kernels differ */
    ours   = path_open(fs, NULL, path_a, chosen | O_LARGEFILE, 0644, &file);
    theirs = linux_says(syscall(SYS_openat, there, path_a, chosen, 0644));
    same("open", ours, theirs < 0 ? theirs : 0);
    if (ours != 0)
        return;
    memset(bytes_here, (int)chance(255) + 1, size);
    if ((file->node->mode & S_FMT) == S_REGULAR) {
        struct buffer buffer = { .user = (user_t)bytes_here, .bytes = size };
        uint64_t      out;

        same("seek", file_seek(file, (int64_t)at, 0, &out), linux_says(lseek((int)theirs, (long)at, 0)) == (long)at
             ? 0 : -1);
        same("write", file_write(file, &buffer), linux_says(write((int)theirs, bytes_here, size)));
        same("where", (long)file->at, linux_says(lseek((int)theirs, 0, 1)));
    }
    memset(bytes_here, 0, sizeof bytes_here);
    memset(bytes_there, 0, sizeof bytes_there);
    same("read", get(file, bytes_here, CONTENTS, at), linux_says(pread((int)theirs, bytes_there, CONTENTS, (long)at)));
    assert_memory_equal(bytes_here, bytes_there, CONTENTS);
    if (chance(3) == 0)
        same("ftruncate", (file->flags & O_ACCMODE) == O_RDONLY ? -EINVAL : node_resize(file->node, at),
             linux_says(ftruncate((int)theirs, (long)at)));
    file_release(file);
    close((int)theirs);
}

static void step_rename(void)
{
    static const unsigned kinds[] = { 1, 2, 4, 5 };
    unsigned              flags   = chance(4) == 0 ? kinds[chance(4)] : 0;

    same("rename", path_rename(fs, NULL, path_a, NULL, path_b, flags),
         linux_says(syscall(SYS_renameat2, there, path_a, there, path_b, flags)));
}

static void step_symlink(void)
{
    strcpy(path_b, part());
    if (chance(3) == 0)
        make_path(path_b);
    same("symlink", path_symlink(fs, NULL, path_a, path_b), linux_says(symlinkat(path_b, there, path_a)));
}

static void step(void)
{
    make_path(path_a);
    make_path(path_b);
    switch (chance(12)) {
    case 0: case 1:
        same("mkdir", path_make_folder(fs, NULL, path_a, 0755), linux_says(syscall(SYS_mkdirat, there, path_a, 0755)));
        break;
    case 2:
        same("rmdir", path_remove(fs, NULL, path_a, true), linux_says(unlinkat(there, path_a, 0x200)));
        break;
    case 3:
        same("unlink", path_remove(fs, NULL, path_a, false), linux_says(unlinkat(there, path_a, 0)));
        break;
    case 4:
        same("link", path_link(fs, NULL, path_a, NULL, path_b, PATH_NO_FOLLOW),
             linux_says(linkat(there, path_a, there, path_b, 0)));
        break;
    case 5:
        step_symlink();
        break;
    case 6: case 7:
        step_rename();
        break;
    default:
        step_open();
    }
}

/* ---- Comparing the trees --------------------------------------------------------------------------------- */

/* The fields of the kernel's statx that are compared. */
struct linux_statx {
    uint32_t mask, block;
    uint64_t attributes;
    uint32_t links, uid, gid;
    uint16_t mode, pad;
    uint64_t inode, bytes, rest[26];
};

static unsigned entries_seen;

/* One entry at a time: it is looked up by its path, which takes the folder's lock. */
struct next_entry { char name[TEXT]; uint64_t next; bool found; };

static bool take_entry(void *data, const char *name, size_t length, uint64_t inode, uint32_t mode, uint64_t next)
{
    struct next_entry *entry = data;

    (void)inode, (void)mode;
    if (entry->found)
        return false;
    assert_true(length < TEXT);
    memcpy(entry->name, name, length);
    entry->name[length] = '\0';
    entry->next  = next;
    entry->found = true;
    return true;
}

static void compare_entry(const char *folder, const char *name);

static void compare_node(struct node *node, const char *path)
{
    struct linux_statx status;
    long               err = linux_says(syscall(SYS_statx, there, path, 0x100, 0x7FF, &status));

    if (err != 0)
        fail_msg("%s is not there on Linux: %ld", path, err);
    strcpy(path_a, path);
    same("mode of", node->mode, status.mode);
    same("links of", node->links, status.links);
    entries_seen++;
    if ((node->mode & S_FMT) == S_FOLDER) {
        struct next_entry entry = { .next = 2 };

        do {
            entry.found = false;
            list_folder(node, entry.next, take_entry, &entry);
            if (entry.found)
                compare_entry(path, entry.name);
        } while (entry.found);
    } else if ((node->mode & S_FMT) == S_LINK) {
        char target[TEXT] = { 0 }, other[TEXT] = { 0 };

        same("readlink", node->operations->read_link(node, target, TEXT),
             linux_says(readlinkat(there, path, other, TEXT)));
        assert_string_equal(target, other);
    } else {
        same("size of", (long)node->bytes, (long)status.bytes);
    }
}

static void compare_entry(const char *folder, const char *name)
{
    char         path[4 * TEXT];
    struct node *node;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(path_find(fs, NULL, path, PATH_NO_FOLLOW, &node), 0);
    compare_node(node, path);
    node_release(node);
}

/* Every entry of Quire's is Linux's; links of folders and equal answers to look-ups see to the rest. */
static void compare_all(void)
{
    struct node *node;

    entries_seen = 0;
    node = find(".");
    compare_node(node, ".");
    node_release(node);
}

/* ---- The rounds ---------------------------------------------------------------------------------------------- */

/* Deep inside, so that ".." in links does not leave the test's folder. */
static void go_deep(void)
{
    for (unsigned i = 0; i < DEEP; i++) {
        struct node *node;
        long         next;

        assert_int_equal(path_make_folder(fs, NULL, "deep", 0755), 0);
        node = find("deep");
        node_release(fs->here);
        fs->here = node;
        assert_int_equal(syscall(SYS_mkdirat, there, "deep", 0755), 0);
        next = syscall(SYS_openat, there, "deep", O_DIRECTORY, 0);
        assert_true(next >= 0);
        close(there);
        there = (int)next;
    }
}

static void random_operations_agree_with_linux(void **state)
{
    (void)state;
    for (unsigned round = 1; round <= ROUNDS; round++) {
        char command[128];

        seed = 0x9E3779B97F4A7C15ull * round;
        strcpy(folder, "/dev/shm/quire-files-XXXXXX");
        if (mkdtemp(folder) == NULL)
            skip();
        syscall(SYS_umask, 0);
        there = (int)syscall(SYS_openat, -100, folder, O_DIRECTORY, 0);
        start_files();
        go_deep();
        for (unsigned n = 0; n < STEPS; n++) {
            step();
            if (n % 50 == 0) {
                check_files();
                compare_all();
            }
        }
        compare_all();
        close(there);
        stop_files();
        snprintf(command, sizeof command, "rm -rf %s", folder);
        assert_int_equal(system(command), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(random_operations_agree_with_linux) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
