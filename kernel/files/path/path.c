/*
 * path.c - what programs do with paths: open, make, remove, link; and from a node back to its path.
 */
#include "files/path/path.h"

#include "base/check.h"
#include "base/error.h"
#include "base/print.h"
#include "base/string.h"
#include "files/path/missing.h"
#include "files/path/walk.h"
#include "memory/heap/heap.h"
#include "process/process.h"

enum { SET_GROUP_ID = 02000, STICKY = 01000, OFFSET_LONGEST = 0x7FFFFFFF };

static bool is_type(const struct node *node, uint32_t type) { return (node->mode & S_FMT) == type; }

/* ---- Finding ----------------------------------------------------------------------------------- */

static int find_node(struct fs_context *fs, struct node *start, const char *path, unsigned flags, struct node **out)
{
    struct walk walk;
    int         err;

    if (*path == '\0' && (flags & PATH_EMPTY_IS_START)) {
        *out = start != NULL ? start : fs->here;
        node_hold(*out);
        return 0;
    }
    err = walk_begin(&walk, fs, start, path, WALK_SLASH_FOLLOWS | (flags & PATH_NO_FOLLOW ? 0 : WALK_FOLLOW));
    if (err != 0)
        return err;
    if (walk.node == NULL)
        err = -ENOENT;
    else if ((flags & PATH_MUST_BE_FOLDER) && !is_type(walk.node, S_FOLDER))
        err = -ENOTDIR;
    if (err == 0) {
        *out = walk.node;
        walk.node = NULL;
    }
    walk_end(&walk);
    return err;
}

int path_find(struct fs_context *fs, struct node *start, const char *path, unsigned flags, struct node **out)
{
    return missing_note(path, find_node(fs, start, path, flags, out));
}

int path_parent(struct fs_context *fs, struct node *start, const char *path, struct node **folder, const char **name,
                size_t *length)
{
    struct walk walk;
    int         err = walk_begin(&walk, fs, start, path, 0);

    if (err != 0)
        return err;
    if (walk.last != LAST_NAME)
        err = -EEXIST;
    if (err == 0) {
        *folder = walk.folder;
        node_hold(*folder);
        *name   = path + strlen(path) - strlen(walk.name);     /* links before it only change what is before it */
        *length = walk.length;
    }
    walk_end(&walk);
    return err;
}

/* ---- Making ------------------------------------------------------------------------------------- */

/* A folder that entries may be added to or taken from: still there, and the process may write it. */
static int may_change(const struct node *folder)
{
    if (folder->links == 0)
        return -ENOENT;
    return node_allows(folder, 3);
}

/* The owners of what a process makes: its user, and its group or the folder's. */
static void settle_entry(const struct node *folder, struct node *node)
{
    deep_assert(mutex_held(&folder->lock));
    node->uid = user_acting();
    node->gid = group_acting();
    if (folder->mode & SET_GROUP_ID) {
        node->gid = folder->gid;
        if (is_type(node, S_FOLDER))
            node->mode |= SET_GROUP_ID;
    }
}

static int make_entry(struct walk *walk, uint32_t mode, uint32_t device, struct node **out)
{
    struct node *folder = walk->folder;
    int          err    = may_change(folder);

    if (err != 0)
        return err;
    if (folder->operations->create == NULL)
        return -EPERM;
    mutex_take(&folder->lock);
    err = folder->operations->create(folder, walk->name, walk->length, mode, device, out);
    if (err == 0)
        settle_entry(folder, *out);
    mutex_drop(&folder->lock);
    return err;
}

static int make_at(struct fs_context *fs, struct node *start, const char *path, uint32_t mode, uint32_t device)
{
    struct walk  walk;
    struct node *node;
    int          err = walk_begin(&walk, fs, start, path, 0);

    if (err != 0)
        return err;
    if (walk.node != NULL || walk.last != LAST_NAME)
        err = -EEXIST;
    else if (walk.slash && !((mode & S_FMT) == S_FOLDER))
        err = -ENOENT;
    else
        err = make_entry(&walk, mode & (S_FMT | (07777 & ~fs->umask)), device, &node);
    if (err == 0)
        node_release(node);
    walk_end(&walk);
    return err;
}

int path_make_folder(struct fs_context *fs, struct node *start, const char *path, uint32_t mode)
{
    may_sleep();
    return make_at(fs, start, path, S_FOLDER | (mode & 01777), 0);
}

int path_make_node(struct fs_context *fs, struct node *start, const char *path, uint32_t mode, uint32_t device)
{
    uint32_t type = mode & S_FMT;

    may_sleep();
    if (type == 0)
        mode |= type = S_REGULAR;
    if (type == S_FOLDER)
        return -EPERM;
    if (type != S_REGULAR && type != S_PIPE && type != S_SOCKET && type != S_CHARACTER && type != S_BLOCK)
        return -EINVAL;
    if ((type == S_CHARACTER || type == S_BLOCK) && user_acting() != 0)
        return -EPERM;
    return make_at(fs, start, path, mode & (S_FMT | 07777), device);
}

int path_symlink(struct fs_context *fs, struct node *start, const char *path, const char *target)
{
    struct walk walk;
    int         err;

    may_sleep();
    if (*target == '\0')
        return -ENOENT;
    err = walk_begin(&walk, fs, start, path, 0);
    if (err != 0)
        return err;
    if (walk.node != NULL || walk.last != LAST_NAME)
        err = -EEXIST;
    else if (walk.slash)
        err = -ENOENT;
    else
        err = may_change(walk.folder);
    if (err == 0 && walk.folder->operations->symlink == NULL)
        err = -EPERM;
    if (err == 0) {
        mutex_take(&walk.folder->lock);
        err = walk.folder->operations->symlink(walk.folder, walk.name, walk.length, target);
        mutex_drop(&walk.folder->lock);
    }
    walk_end(&walk);
    return err;
}

/* ---- Opening ------------------------------------------------------------------------------------------ */

static unsigned access_wanted(uint32_t flags)
{
    unsigned wanted = (flags & O_ACCMODE) == O_RDONLY ? 4 : (flags & O_ACCMODE) == O_WRONLY ? 2 : 6;

    return flags & O_TRUNC ? wanted | 2 : wanted;
}

/* Whether a node that exists may be opened so. */
static int may_open(const struct node *node, uint32_t flags)
{
    if ((flags & O_DIRECTORY) && !is_type(node, S_FOLDER))
        return -ENOTDIR;
    if (flags & O_PATH)
        return 0;
    if (is_type(node, S_LINK))
        return -ELOOP;
    if ((is_type(node, S_CHARACTER) || is_type(node, S_BLOCK)) && node->system != NULL &&
        (node->system->flags & MOUNT_NO_DEVICES))
        return -EACCES;
    if (is_type(node, S_FOLDER) && ((access_wanted(flags) & 2) || (flags & O_CREAT)))
        return -EISDIR;
    if (is_type(node, S_SOCKET) || is_type(node, 0))    /* one that was never in a folder, such as an epoll */
        return -ENXIO;
    if (is_type(node, S_REGULAR) && !(flags & O_LARGEFILE) && node->bytes > OFFSET_LONGEST)
        return -EOVERFLOW;
    return node_allows(node, access_wanted(flags));
}

static bool flags_write_contents(uint32_t flags)
{
    return !(flags & O_PATH) && flags_write(flags);
}

/* An open file of a node. Takes over the reference. */
static int open_node(struct node *node, uint32_t flags, struct file **out)
{
    struct file *file = file_make(node, node->operations,
                                  flags & ~(uint32_t)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC));
    int          err  = 0;

    if (file == NULL) {
        node_release(node);
        return -ENOMEM;
    }
    if (is_type(node, S_REGULAR) && flags_write_contents(flags)) {
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

/* The walk's last part, made if it is missing and may be. Hands out a reference. */
static int node_to_open(struct walk *walk, uint32_t flags, uint32_t mode, struct node **out, bool *made)
{
    int err;

    *made = false;
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
    *made = true;
    return make_entry(walk, S_REGULAR | (mode & 07777 & ~walk->fs->umask), 0, out);
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
    settle_entry(folder, *out);
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
    err = find_node(fs, start, path, PATH_MUST_BE_FOLDER, &folder);
    if (err != 0)
        return err;
    err = folder->operations->create == NULL || folder->operations->remove == NULL ? -EOPNOTSUPP : may_change(folder);
    if (err == 0) {
        mutex_take(&folder->lock);
        err = make_nameless(folder, S_REGULAR | (mode & 07777 & ~fs->umask), &node);
        mutex_drop(&folder->lock);
    }
    node_release(folder);
    if (err != 0)
        return err;
    node->linkable = !(flags & O_EXCL);
    return open_node(node, flags & ~(uint32_t)O_EXCL, out);
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
    bool         made;
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
    err = open_node(node, flags, out);
    if (err != 0 || !(flags & O_TRUNC) || made || !is_type(node, S_REGULAR) || node->operations->resize == NULL)
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
    if (is_type(node, S_LINK))
        return -ELOOP;
    return is_type(node, S_REGULAR) ? node_allows(node, 1) : -EACCES;
}

static int find_program(struct fs_context *fs, struct node *start, const char *path, unsigned flags, struct file **out)
{
    struct node *node;
    int          err = find_node(fs, start, path, flags, &node);

    if (err != 0)
        return err;
    err = may_execute(node);
    if (err == 0)
        return open_node(node, O_RDONLY | O_LARGEFILE, out);
    node_release(node);
    return err;
}

int path_open_program(struct fs_context *fs, struct node *start, const char *path, unsigned flags, struct file **out)
{
    return missing_note(path, find_program(fs, start, path, flags, out));
}

/* ---- Removing and linking --------------------------------------------------------------------------------- */

/* In a sticky folder only the owners of folder or entry may remove it. */
static int may_remove(const struct node *folder, const struct node *node)
{
    uint32_t who = user_acting();
    int      err = may_change(folder);

    if (err == 0 && (folder->mode & STICKY) && who != 0 && who != folder->uid && who != node->uid)
        err = -EPERM;
    return err;
}

static int refuse_removal(const struct walk *walk, bool folder)
{
    if (walk->last != LAST_NAME && !folder)
        return -EISDIR;
    switch (walk->last) {
    case LAST_DOT:  return -EINVAL;
    case LAST_DOTS: return -ENOTEMPTY;
    case LAST_ROOT: return -EBUSY;
    case LAST_NAME: break;
    }
    if (node_is_read_only(walk->folder))
        return -EROFS;
    if (walk->node == NULL)
        return -ENOENT;
    if (folder && !is_type(walk->node, S_FOLDER))
        return -ENOTDIR;
    if (!folder && is_type(walk->node, S_FOLDER))
        return -EISDIR;
    if (!folder && walk->slash)
        return -ENOTDIR;
    if (walk->node == walk->node->system->root)
        return -EBUSY;
    return may_remove(walk->folder, walk->node);
}

int path_remove(struct fs_context *fs, struct node *start, const char *path, bool folder)
{
    struct walk walk;
    int         err = walk_begin(&walk, fs, start, path, 0);

    may_sleep();
    if (err != 0)
        return err;
    err = refuse_removal(&walk, folder);
    if (err == 0 && walk.folder->operations->remove == NULL)
        err = -EPERM;
    if (err == 0) {
        mutex_take(&walk.folder->lock);
        err = walk.folder->operations->remove(walk.folder, walk.name, walk.length, folder);
        mutex_drop(&walk.folder->lock);
    }
    walk_end(&walk);
    return err;
}

static int link_node(struct walk *to, struct node *node)
{
    int err;

    assert(!is_type(node, 0));
    if (to->node != NULL || to->last != LAST_NAME)
        return -EEXIST;
    if (to->slash)
        return -ENOENT;
    if (is_type(node, S_FOLDER))
        return -EPERM;
    if (to->folder->system != node->system)
        return -EXDEV;
    if (to->folder->operations->link == NULL)
        return -EPERM;
    err = may_change(to->folder);
    if (err != 0)
        return err;
    mutex_take(&to->folder->lock);
    err = -ENOENT;
    if (node->links > 0 || node->linkable)
        err = to->folder->operations->link(to->folder, to->name, to->length, node);
    if (err == 0)
        node->linkable = false;                 /* without names once more, it is gone */
    mutex_drop(&to->folder->lock);
    return err;
}

int path_link(struct fs_context *fs, struct node *from_start, const char *from, struct node *to_start, const char *to,
              unsigned flags)
{
    struct walk  walk;
    struct node *node;
    int          err = path_find(fs, from_start, from, flags, &node);

    may_sleep();
    if (err != 0)
        return err;
    err = walk_begin(&walk, fs, to_start, to, 0);
    if (err == 0) {
        err = link_node(&walk, node);
        walk_end(&walk);
    }
    node_release(node);
    return err;
}

/* Two folders' locks, by address; the same folder's once. */
static void lock_both(struct node *a, struct node *b)
{
    assert(a->system == b->system);
    if (a > b) {
        mutex_take(&b->lock);
        mutex_take(&a->lock);
    } else {
        mutex_take(&a->lock);
        if (a != b)
            mutex_take(&b->lock);
    }
}

static void unlock_both(struct node *a, struct node *b)
{
    mutex_drop(&a->lock);
    if (a != b)
        mutex_drop(&b->lock);
}

/* What has a slash behind it must be a folder; a new name takes over what the old one is. */
static bool slashes_fit(const struct walk *from, const struct walk *to, bool exchange)
{
    bool folder = is_type(from->node, S_FOLDER);

    if (from->slash && !folder)
        return false;
    return !to->slash || (exchange ? is_type(to->node, S_FOLDER) : folder);
}

static int may_rename(const struct walk *from, const struct walk *to, unsigned flags)
{
    int err;

    if (from->folder->system != to->folder->system)
        return -EXDEV;
    if (from->last != LAST_NAME || to->last != LAST_NAME)
        return (flags & RENAMING_NOREPLACE) && from->last == LAST_NAME ? -EEXIST : -EBUSY;
    if (from->node == NULL)
        return -ENOENT;
    if ((flags & RENAMING_NOREPLACE) && to->node != NULL)
        return -EEXIST;
    if ((flags & RENAMING_EXCHANGE) && to->node == NULL)
        return -ENOENT;
    if (!slashes_fit(from, to, flags & RENAMING_EXCHANGE))
        return -ENOTDIR;
    if (from->node == from->node->system->root || (to->node != NULL && to->node == to->node->system->root))
        return -EBUSY;
    err = may_remove(from->folder, from->node);
    if (err == 0)
        err = to->node != NULL ? may_remove(to->folder, to->node) : may_change(to->folder);
    return err == 0 && from->folder->operations->rename == NULL ? -EPERM : err;
}

static int rename_walks(struct walk *from, struct walk *to, unsigned flags)
{
    struct mutex *moves = &from->folder->system->moves;
    int           err   = may_rename(from, to, flags);

    if (err != 0)
        return err;
    if (from->folder != to->folder)
        mutex_take(moves);
    lock_both(from->folder, to->folder);
    err = from->folder->operations->rename(from->folder, from->name, from->length, to->folder, to->name, to->length,
                                           flags);
    unlock_both(from->folder, to->folder);
    if (from->folder != to->folder)
        mutex_drop(moves);
    return err;
}

int path_rename(struct fs_context *fs, struct node *from_start, const char *from, struct node *to_start, const char *to,
                unsigned flags)
{
    struct walk source, target;
    int         err;

    may_sleep();
    assert((flags & ~(unsigned)RENAMING_KNOWN) == 0 && (!(flags & RENAMING_EXCHANGE) || flags == RENAMING_EXCHANGE));
    err = walk_begin(&source, fs, from_start, from, 0);
    if (err != 0)
        return err;
    err = walk_begin(&target, fs, to_start, to, 0);
    if (err == 0) {
        err = rename_walks(&source, &target, flags);
        walk_end(&target);
    }
    walk_end(&source);
    return err;
}
