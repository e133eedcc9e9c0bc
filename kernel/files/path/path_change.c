/*
 * path_change.c - entries that there are: removed, linked once more, renamed.
 */
#include "base/check.h"
#include "base/error.h"
#include "files/path/path_entry.h"

enum { STICKY = 01000 };

/* In a sticky folder only the owners of folder or entry may remove it. */
static int may_remove(const struct node *folder, const struct node *node)
{
    int err = folder_may_change(folder);

    if (err == 0 && (folder->mode & STICKY) && user_acting() != folder->uid && !acts_as_owner(node))
        err = -EPERM;
    return err;
}

/*
 * The last part once more, now that its folder's lock is held: since the walk somebody may have given the name to
 * another node, which the caller may have no right to remove.
 */
static int look_again(struct walk *walk)
{
    struct node *before = walk->node;
    int          err;

    deep_assert(mutex_held(&walk->folder->lock) && walk->last == LAST_NAME);
    walk->node = NULL;
    err = walk->folder->operations->look_up(walk->folder, walk->name, walk->length, &walk->node);
    if (before != NULL)
        node_release(before);
    return err == -ENOENT ? 0 : err;
}

static int refuse_removal(const struct walk *walk, bool folder)
{
    int err;

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
    if (!folder && walk->slash)
        return node_is(walk->node, S_FOLDER) ? -EISDIR : -ENOTDIR;
    err = may_remove(walk->folder, walk->node);
    if (err != 0)
        return err;
    if (folder != node_is(walk->node, S_FOLDER))
        return folder ? -ENOTDIR : -EISDIR;
    return 0;
}

int path_remove(struct fs_context *fs, struct node *start, const char *path, bool folder)
{
    struct walk walk;
    int         err;

    may_sleep();
    err = walk_begin(&walk, fs, start, path, 0);
    if (err != 0)
        return err;
    mutex_take(&walk.folder->lock);
    err = walk.last == LAST_NAME ? look_again(&walk) : 0;
    if (err == 0)
        err = refuse_removal(&walk, folder);
    if (err == 0 && walk.folder->operations->remove == NULL)
        err = -EPERM;
    if (err == 0)
        err = walk.folder->operations->remove(walk.folder, walk.name, walk.length, folder);
    mutex_drop(&walk.folder->lock);
    walk_end(&walk);
    return err;
}

/*
 * Another name for a file of another user could be used against that user: the caller must have the right to copy it,
 * and its set-id bits must be of no use. (Linux's protected_hardlinks, which distributions set.)
 */
static bool may_link(const struct node *node)
{
    bool set_id = (node->mode & 04000) || (node->mode & 02010) == 02010;

    return acts_as_owner(node) || (node_is(node, S_REGULAR) && !set_id && node_allows(node, 6) == 0);
}

static int link_node(struct walk *to, struct node *node)
{
    int err;

    if (to->node != NULL || to->last != LAST_NAME)
        return -EEXIST;
    if (to->slash)
        return -ENOENT;
    if (node_is(node, S_FOLDER))
        return -EPERM;
    if (to->folder->system != node->system)
        return -EXDEV;
    if (!may_link(node))
        return -EPERM;
    if (to->folder->operations->link == NULL)
        return -EPERM;
    err = folder_may_change(to->folder);
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
    int          err;

    may_sleep();
    err = path_find(fs, from_start, from, flags, &node);
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

/* Two folders' locks, by address (file.h, Locking); the same folder's once. */
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
    bool folder = node_is(from->node, S_FOLDER);

    if (from->slash && !folder)
        return false;
    return !to->slash || (exchange ? node_is(to->node, S_FOLDER) : folder);
}

/*
 * Whether `node` is the folder, or lies on the way from it to the root of its system, which may be as long as a program
 * likes. The system's `moves` is held, so no folder on the way gets another parent meanwhile.
 */
static bool is_or_holds(const struct node *node, struct node *folder)
{
    while (folder != NULL && folder != node && folder != folder->system->root &&
           folder->operations->whereabouts != NULL) {
        const char *name;
        size_t      length;

        folder = folder->operations->whereabouts(folder, &name, &length);
        point_of_rest();
    }
    return folder == node;
}

/* A folder that would come into itself, or one that would go although the other is in it: not in one folder. */
static int refuse_circle(const struct walk *from, const struct walk *to, unsigned flags)
{
    if (from->folder == to->folder)
        return 0;
    if (is_or_holds(from->node, to->folder))
        return -EINVAL;
    if (to->node == NULL || !is_or_holds(to->node, from->folder))
        return 0;
    return flags & RENAMING_EXCHANGE ? -EINVAL : -ENOTEMPTY;
}

/* What needs no locks, or is needed to take them. */
static int can_rename(const struct walk *from, const struct walk *to, unsigned flags)
{
    if (from->folder->system != to->folder->system)
        return -EXDEV;
    if (from->last != LAST_NAME || to->last != LAST_NAME)
        return (flags & RENAMING_NOREPLACE) && from->last == LAST_NAME ? -EEXIST : -EBUSY;
    if (node_is_read_only(from->folder))
        return -EROFS;
    if (from->length > NAME_LONGEST)
        return -ENAMETOOLONG;
    if (from->node == NULL)
        return -ENOENT;
    if (to->length > NAME_LONGEST)
        return -ENAMETOOLONG;
    return 0;
}

/* Into another folder: if it is a folder, its ".." changes. */
static int may_move(const struct node *node) { return node_is(node, S_FOLDER) ? node_allows(node, 2) : 0; }

/* 1: both names are of one node already, so nothing is to be done. The folders' locks are held. */
static int may_rename(const struct walk *from, const struct walk *to, unsigned flags)
{
    int err;

    if (from->node == NULL)
        return -ENOENT;
    if ((flags & RENAMING_NOREPLACE) && to->node != NULL)
        return -EEXIST;
    if ((flags & RENAMING_EXCHANGE) && to->node == NULL)
        return -ENOENT;
    if (!slashes_fit(from, to, flags & RENAMING_EXCHANGE))
        return -ENOTDIR;
    err = refuse_circle(from, to, flags);
    if (err != 0)
        return err;
    if (from->node == to->node)
        return 1;
    err = may_remove(from->folder, from->node);
    if (err == 0)
        err = to->node != NULL ? may_remove(to->folder, to->node) : folder_may_change(to->folder);
    if (err == 0 && from->folder != to->folder)
        err = may_move(from->node);
    if (err == 0 && from->folder != to->folder && (flags & RENAMING_EXCHANGE))
        err = may_move(to->node);
    return err == 0 && from->folder->operations->rename == NULL ? -EPERM : err;
}

static int rename_walks(struct walk *from, struct walk *to, unsigned flags)
{
    struct mutex *moves = &from->folder->system->moves;
    int           err   = can_rename(from, to, flags);

    if (err != 0)
        return err;
    if (from->folder != to->folder)
        mutex_take(moves);
    lock_both(from->folder, to->folder);
    err = look_again(from);
    if (err == 0)
        err = look_again(to);
    if (err == 0)
        err = may_rename(from, to, flags);
    if (err == 0) {
        moves_of_folders += from->folder != to->folder;
        err = from->folder->operations->rename(from->folder, from->name, from->length, to->folder, to->name,
                                               to->length, flags);
    }
    unlock_both(from->folder, to->folder);
    if (from->folder != to->folder)
        mutex_drop(moves);
    return err > 0 ? 0 : err;
}

int path_rename(struct fs_context *fs, struct node *from_start, const char *from, struct node *to_start, const char *to,
                unsigned flags)
{
    struct walk source, target;
    int         err;

    may_sleep();
    assert((flags & ~(unsigned)RENAMING_KNOWN) == 0 && (!(flags & RENAMING_EXCHANGE) || flags == RENAMING_EXCHANGE));
    err = walk_begin(&source, fs, from_start, from, WALK_LONG_NAME);
    if (err != 0)
        return err;
    err = walk_begin(&target, fs, to_start, to, WALK_LONG_NAME);
    if (err == 0) {
        err = rename_walks(&source, &target, flags);
        walk_end(&target);
    }
    walk_end(&source);
    return err;
}
