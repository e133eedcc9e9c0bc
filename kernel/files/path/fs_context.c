/*
 * fs_context.c - where a process's paths begin, what covers which folder, and from a node back to its path.
 */
#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "base/string.h"
#include "files/path/walk.h"
#include "memory/heap/heap.h"

struct file_system *systems_mounted;

struct fs_context *fs_context_new(struct node *root)
{
    struct fs_context *fs = heap_alloc(sizeof *fs, 0);

    assert((root->mode & S_FMT) == S_FOLDER);
    if (fs != NULL) {
        *fs = (struct fs_context){ .references = 1, .root = root, .here = root, .umask = 022 };
        node_use(root);
        node_use(root);
    }
    return fs;
}

struct fs_context *fs_context_copy(const struct fs_context *fs)
{
    struct fs_context *copy = heap_alloc(sizeof *copy, 0);

    assert(fs->references > 0);
    if (copy != NULL) {
        *copy = *fs;
        copy->references = 1;
        node_use(copy->root);
        node_use(copy->here);
    }
    return copy;
}

void fs_context_hold(struct fs_context *fs) { __atomic_add_fetch(&fs->references, 1, __ATOMIC_RELAXED); }

void fs_context_release(struct fs_context *fs)
{
    if (__atomic_sub_fetch(&fs->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    node_unuse(fs->root);
    node_unuse(fs->here);
    heap_free_sized(fs, sizeof *fs);
}

/* ---- Mounting ------------------------------------------------------------------------------------------------ */

/*
 * Taking a mount away goes through all of them once for each that is mounted in it, with nothing in between. Linux has
 * such a limit, too (fs.mount-max).
 */
enum { MOUNTS_MOST = 2048 };
static unsigned mount_count;

static void list_mount(struct file_system *system)
{
    struct file_system **at = &systems_mounted;

    while (*at != NULL)
        at = &(*at)->next;
    *at = system;
    mount_count++;
}

void path_mount_root(struct node *root) { list_mount(root->system); }

static void cover_folder(struct node *folder, struct node *root)
{
    assert(folder->mounted == NULL && root->system->covers == NULL);
    node_hold(folder);
    moves_of_folders++;
    root->system->covers = folder;
    folder->mounted = root;
}

static void uncover_folder(struct file_system *system)
{
    struct node *folder = system->covers;

    assert(folder != NULL && folder->mounted == system->root);
    folder->mounted = NULL;
    system->covers  = NULL;
    node_release(folder);
}

/* Whether the folder may be covered. */
static int refuse_cover(const struct node *folder)
{
    if (folder->links == 0 || folder->system->leaving)
        return -ENOENT;                         /* removed, or unmounted, while the caller was on the way */
    if ((folder->operations->traits & NODE_FLEETING) && folder != folder->system->root)
        return -EINVAL;                         /* the next look-up would not find what covers it */
    return folder->mounted != NULL ? -EBUSY : 0;
}

/* The system keeps a reference to both. */
int path_mount(struct node *folder, struct node *root)
{
    int err;

    assert(root == root->system->root);
    if ((folder->mode & S_FMT) != S_FOLDER)
        return -ENOTDIR;
    err = root->system->covers != NULL ? -EBUSY : mount_count >= MOUNTS_MOST ? -ENOSPC : refuse_cover(folder);
    if (err != 0)
        return err;
    node_hold(root);
    cover_folder(folder, root);
    list_mount(root->system);
    return 0;
}

/* Whether a node lies in the system, or in one that is mounted in it. O(depth of mounts). */
static bool is_within(const struct node *node, const struct file_system *system)
{
    const struct file_system *at = node->system;

    while (at != system && at->covers != NULL)
        at = at->covers->system;
    return at == system;
}

int path_move_mount(struct node *root, struct node *folder)
{
    struct file_system *system = root->system;
    int                 err;

    if (root != system->root || system->covers == NULL || (folder->mode & S_FMT) != S_FOLDER)
        return -EINVAL;
    if (is_within(folder, system))
        return -ELOOP;
    err = refuse_cover(folder);
    if (err != 0)
        return err;
    uncover_folder(system);
    cover_folder(folder, root);
    return 0;
}

/* Another system that is mounted in this one. */
static struct file_system *mounted_inside(const struct file_system *system)
{
    struct file_system *other = systems_mounted;

    while (other != NULL && (other->covers == NULL || other->covers->system != system))
        other = other->next;
    return other;
}

/*
 * Take a system and all that is mounted in it, however deep, out of the list: a list of them, the innermost first. What
 * is mounted in another is mostly younger than that, so going through the list once more finds no more of them.
 */
static struct file_system *unlist_mounts(struct file_system *system)
{
    struct file_system *leaving = NULL, *before;

    do {
        before = leaving;
        for (struct file_system **at = &systems_mounted; *at != NULL; ) {
            struct file_system *here = *at;

            if (here != system && (here->covers == NULL || !here->covers->system->leaving)) {
                at = &here->next;
                continue;
            }
            *at = here->next;
            mount_count--;
            here->leaving = true;
            here->next    = leaving;
            leaving       = here;
        }
    } while (leaving != before);
    return leaving;
}

static void take_mount_away(struct file_system *system)
{
    struct file_system *next;

    assert(system->covers != NULL);
    for (struct file_system *at = unlist_mounts(system); at != NULL; at = next) {
        next = at->next;
        uncover_folder(at);
        node_release(at->root);
        at->gone = true;
        system_end(at);
    }
}

int path_unmount(struct node *root, unsigned how)
{
    struct file_system *system = root->system;

    if (system == NULL || root != system->root)
        return -EINVAL;
    if (system->covers == NULL)
        return -EBUSY;                          /* the first of all stays */
    if (!(how & UNMOUNT_LAZILY) && (system->users > 0 || mounted_inside(system) != NULL))
        return -EBUSY;
    if ((how & UNMOUNT_EXPIRED) && !__atomic_exchange_n(&system->expiring, true, __ATOMIC_RELAXED))
        return -EAGAIN;
    take_mount_away(system);
    return 0;
}

/* ---- From a node to its path --------------------------------------------------------------------------------- */

/* Up from a root to what it covers, as often as it takes. */
static struct node *out_of_root(const struct fs_context *fs, struct node *node)
{
    while (node != fs->root && node == node->system->root && node->system->covers != NULL)
        node = node->system->covers;
    return node;
}

/*
 * The path, put together from its end, in the last bytes of `to`. Names and parents do not change while no thread
 * sleeps; a kernel that is preemptible here must hold the folders' locks. Returns its start, or a negative errno.
 */
static long path_backwards(const struct fs_context *fs, struct node *node, char *to, size_t size)
{
    size_t at = size;

    if (size < 2)
        return -ERANGE;
    to[--at] = '\0';
    for (;;) {
        const char *name;
        size_t      length;

        node = out_of_root(fs, node);
        if (node == fs->root)
            break;
        if (node == node->system->root || node->operations->whereabouts == NULL)
            return -ENOENT;
        node = node->operations->whereabouts(node, &name, &length);
        if (node == NULL)
            return -ENOENT;
        if (length + 1 > at)
            return -ERANGE;
        at -= length;
        memcpy(to + at, name, length);
        to[--at] = '/';
    }
    if (at == size - 1) {
        if (at == 0)
            return -ERANGE;
        to[--at] = '/';
    }
    return (long)at;
}

static long path_text(const struct fs_context *fs, struct node *node, char *to, size_t size)
{
    long start = path_backwards(fs, node, to, size);

    if (start < 0)
        return start;
    memmove(to, to + start, size - (size_t)start);
    return (long)(size - (size_t)start - 1);
}

long path_of(struct fs_context *fs, struct node *node, char *to, size_t size)
{
    if (node->links == 0 && node != fs->root)
        return -ENOENT;
    return path_text(fs, node, to, size);
}

long path_describe(struct fs_context *fs, struct node *node, char *to, size_t size)
{
    static const char deleted[] = " (deleted)";
    long              length;

    if (node->operations->describe != NULL)
        return node->operations->describe(node, to, size);
    length = path_text(fs, node, to, size);
    if (length < 0 || node->links != 0)
        return length;
    if ((size_t)length + sizeof deleted > size)
        return -ERANGE;
    memcpy(to + length, deleted, sizeof deleted);
    return length + (long)sizeof deleted - 1;
}
