/*
 * path_open.c - open(2) as a whole: what may be opened, what is made for it, and files without a name.
 */
#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "files/path/missing.h"
#include "files/path/path_entry.h"
#include "memory/heap/heap.h"

enum { OFFSET_LONGEST = 0x7FFFFFFF };

static unsigned access_wanted(uint32_t flags)
{
    unsigned wanted = (flags & O_ACCMODE) == O_RDONLY ? 4 : (flags & O_ACCMODE) == O_WRONLY ? 2 : 6;

    return flags & O_TRUNC ? wanted | 2 : wanted;
}

/* Whether a node that exists may be opened so. */
static int may_open(const struct node *node, uint32_t flags)
{
    if ((flags & O_DIRECTORY) && !node_is(node, S_FOLDER))
        return -ENOTDIR;
    if (flags & O_PATH)
        return 0;
    if (node_is(node, S_LINK))
        return -ELOOP;
    if ((node_is(node, S_CHARACTER) || node_is(node, S_BLOCK)) && node->system != NULL &&
        (node->system->flags & MOUNT_NO_DEVICES))
        return -EACCES;
    if (node_is(node, S_FOLDER) && ((access_wanted(flags) & 2) || (flags & O_CREAT)))
        return -EISDIR;
    if (node_is(node, S_SOCKET) || node_is(node, 0))    /* one that was never in a folder, such as an epoll */
        return -ENXIO;
    if (node_is(node, S_REGULAR) && !(flags & O_LARGEFILE) && node->bytes > OFFSET_LONGEST)
        return -EOVERFLOW;
    return node_allows(node, access_wanted(flags));
}

static bool flags_write_contents(uint32_t flags)
{
    return !(flags & O_PATH) && flags_write(flags);
}

/* An open file of a node, in `file` (file_make_in). Takes over the reference. */
static int open_node(struct node *node, struct file *file, uint32_t flags, struct file **out)
{
    int err = 0;

    file = file_make_in(file, node, node->operations,
                        flags & ~(uint32_t)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC));

    if (file == NULL) {
        node_release(node);
        return -ENOMEM;
    }
    if (node_is(node, S_REGULAR) && flags_write_contents(flags)) {
        err = node_add_writer(node);
        file->counts = err == 0;
    }
    if (flags & O_NOCTTY)
        file->flags |= O_NOCTTY;                /* for the terminal's open(), which takes it out */
    if (err == 0 && node->operations->open != NULL && !(flags & O_PATH))
        err = node->operations->open(node, file);
    file->flags &= ~(uint32_t)O_NOCTTY;
    if (err != 0) {
        file_abandon(file);
        return err;
    }
    *out = file;
    return 0;
}

static struct file *file_room(void) { return heap_alloc(sizeof(struct file), 0); }

/*
 * The walk's last part, made if it is missing and may be. Hands out a reference. *made: NULL, or memory for the open
 * file of what was made, which must not fail any more: the call would find the file there when it is made again.
 */
static int node_to_open(struct walk *walk, uint32_t flags, uint32_t mode, struct node **out, struct file **made)
{
    int err;

    *made = NULL;
    if (walk->node != NULL) {
        if ((flags & O_CREAT) && (flags & O_EXCL))
            return -EEXIST;
        err = may_open(walk->node, flags);
        if (err != 0)
            return err;
        *out = walk->node;
        node_hold(*out);
        return 0;
    }
    if (!(flags & O_CREAT))
        return -ENOENT;
    *made = file_room();
    if (*made == NULL)
        return -ENOMEM;
    err = entry_make(walk, S_REGULAR | (mode & 07777 & ~walk->fs->umask), 0, out);
    if (err != 0)
        heap_free_sized(*made, sizeof **made);
    return err;
}

static unsigned walk_flags(uint32_t flags)
{
    unsigned follow = (flags & O_NOFOLLOW) || (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL) ? 0 : WALK_FOLLOW;

    return follow | (flags & O_CREAT ? WALK_CREATES : WALK_SLASH_FOLLOWS);
}

/* O_TRUNC: an open file that only reads counts as a writer for this moment. */
static int empty_file(struct node *node, bool counted)
{
    int err = counted ? 0 : node_add_writer(node);

    if (err != 0)
        return err;
    err = node_resize(node, 0);
    if (!counted)
        node_end_writer(node);
    return err;
}

/* Made with a name that it loses before anybody else can see it; the name is kept to say what it was. */
static int make_nameless(struct node *folder, uint32_t mode, struct node **out)
{
    uint64_t accessed = folder->accessed, modified = folder->modified, changed = folder->changed;
    char     name[24];
    int      err, length;

    assert(mutex_held(&folder->lock));
    do {
        length = format_text(name, sizeof name, "#%llu", (unsigned long long)++folder->system->last_inode);
        err    = folder->operations->create(folder, name, (size_t)length, mode, 0, out);
    } while (err == -EEXIST);
    if (err != 0)
        return err;
    entry_settle(folder, *out);
    err = folder->operations->remove(folder, name, (size_t)length, false);
    assert(err == 0);
    folder->accessed = accessed;
    folder->modified = modified;
    folder->changed  = changed;
    return 0;
}

/* O_TMPFILE: the path is that of a folder in whose file system the file is to be. */
static int open_nameless(struct fs_context *fs, struct node *start, const char *path, uint32_t flags, uint32_t mode,
                         struct file **out)
{
    struct node *folder, *node;
    int          err;

    if (!flags_write_contents(flags) || (flags & O_CREAT))
        return -EINVAL;
    err = path_find_quietly(fs, start, path, PATH_MUST_BE_FOLDER, &folder);
    if (err != 0)
        return err;
    err = folder_may_change(folder);
    if (folder->operations->create == NULL || folder->operations->remove == NULL)
        err = -EOPNOTSUPP;
    if (err == 0) {
        mutex_take(&folder->lock);
        err = make_nameless(folder, S_REGULAR | (mode & 07777 & ~fs->umask), &node);
        mutex_drop(&folder->lock);
    }
    node_release(folder);
    if (err != 0)
        return err;
    node->linkable = !(flags & O_EXCL);
    return open_node(node, file_room(), flags & ~(uint32_t)O_EXCL, out);
}

/* What an open walk may not do. All that is in memory is as good as cached. */
static unsigned walk_restrictions(unsigned resolve)
{
    return (resolve & RESOLVE_NO_XDEV ? WALK_SAME_MOUNT : 0) | (resolve & RESOLVE_NO_MAGICLINKS ? WALK_NO_MAGIC : 0) |
           (resolve & RESOLVE_NO_SYMLINKS ? WALK_NO_LINKS : 0) | (resolve & RESOLVE_BENEATH ? WALK_BENEATH : 0) |
           (resolve & RESOLVE_IN_ROOT ? WALK_IN_ROOT : 0);
}

static int find_and_open(struct fs_context *fs, struct node *start, const char *path, uint32_t flags, uint32_t mode,
                         unsigned resolve, struct file **out)
{
    struct walk  walk;
    struct node *node;
    struct file *made;
    int          err;

    if (flags & O_PATH)
        flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    if ((flags & O_TMPFILE) == O_TMPFILE)
        return resolve != 0 ? -EOPNOTSUPP : open_nameless(fs, start, path, flags, mode, out);
    if ((flags & O_CREAT) && (flags & O_DIRECTORY))
        return -EINVAL;
    err = walk_begin(&walk, fs, start, path, walk_flags(flags) | walk_restrictions(resolve));
    if (err != 0)
        return err;
    err = node_to_open(&walk, flags, mode, &node, &made);
    walk_end(&walk);
    if (err != 0)
        return err;
    err = open_node(node, made != NULL ? made : file_room(), flags, out);
    if (err != 0 || !(flags & O_TRUNC) || made != NULL || !node_is(node, S_REGULAR) || node->operations->resize == NULL)
        return err;
    err = empty_file(node, flags_write_contents(flags));
    if (err != 0)
        file_release(*out);
    return err;
}

int path_open_within(struct fs_context *fs, struct node *start, const char *path, uint32_t flags, uint32_t mode,
                     unsigned resolve, struct file **out)
{
    may_sleep();
    return missing_note(path, find_and_open(fs, start, path, flags, mode, resolve, out));
}

int path_open(struct fs_context *fs, struct node *start, const char *path, uint32_t flags, uint32_t mode,
              struct file **out)
{
    may_sleep();
    return path_open_within(fs, start, path, flags, mode, 0, out);
}

static int may_execute(const struct node *node)
{
    if (node_is(node, S_LINK))
        return -ELOOP;
    return node_is(node, S_REGULAR) ? node_allows(node, 1) : -EACCES;
}

static int find_program(struct fs_context *fs, struct node *start, const char *path, unsigned flags, struct file **out)
{
    struct node *node;
    int          err = path_find_quietly(fs, start, path, flags, &node);

    if (err != 0)
        return err;
    err = may_execute(node);
    if (err == 0)
        return open_node(node, file_room(), O_RDONLY | O_LARGEFILE, out);
    node_release(node);
    return err;
}

int path_open_program(struct fs_context *fs, struct node *start, const char *path, unsigned flags, struct file **out)
{
    return missing_note(path, find_program(fs, start, path, flags, out));
}
