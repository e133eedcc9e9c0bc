/*
 * path.c - from a path to its node, and new entries: folders, nodes, symbolic links.
 */
#include "files/path/path_entry.h"

#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "files/path/missing.h"
#include "process/credentials.h"

enum { SET_GROUP_ID = 02000 };

/* ---- Finding ----------------------------------------------------------------------------------- */

int path_find_quietly(struct fs_context *fs, struct node *start, const char *path, unsigned flags, struct node **out)
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
    else if ((flags & PATH_MUST_BE_FOLDER) && !node_is(walk.node, S_FOLDER))
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
    return missing_note(path, path_find_quietly(fs, start, path, flags, out));
}

int path_parent(struct fs_context *fs, struct node *start, const char *path, struct node **folder, const char **name,
                size_t *length)
{
    struct walk walk;
    int         err = walk_begin(&walk, fs, start, path, WALK_LONG_NAME);

    if (err != 0)
        return err;
    if (walk.last != LAST_NAME || walk.length > NAME_LONGEST)
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

int folder_may_change(const struct node *folder)
{
    if (folder->links == 0)
        return -ENOENT;
    return node_allows(folder, 3);
}

void entry_settle(const struct node *folder, struct node *node)
{
    deep_assert(mutex_held(&folder->lock));
    node_own(node);
    if (folder->mode & SET_GROUP_ID) {
        node->gid = folder->gid;
        if (node_is(node, S_FOLDER))
            node->mode |= SET_GROUP_ID;
        else if ((node->mode & 02010) == 02010 && !acts_in_group(node->gid) && !has_capability(CAP_FSETID))
            node->mode &= ~(uint32_t)SET_GROUP_ID;
    }
}

int entry_make(struct walk *walk, uint32_t mode, uint32_t device, struct node **out)
{
    struct node *folder = walk->folder;
    int          err;

    may_sleep();
    deep_assert(walk->node == NULL && walk->last == LAST_NAME);
    err = folder_may_change(folder);
    if (err != 0)
        return err;
    if (folder->operations->create == NULL)
        return -EPERM;
    mutex_take(&folder->lock);
    err = folder->operations->create(folder, walk->name, walk->length, mode, device, out);
    if (err == 0)
        entry_settle(folder, *out);
    mutex_drop(&folder->lock);
    return err;
}

/* What there is already, or cannot be. */
static int entry_is_absent(const struct walk *walk, bool folder)
{
    if (walk->node != NULL || walk->last != LAST_NAME)
        return -EEXIST;
    return walk->slash && !folder ? -ENOENT : 0;
}

/* *out is the new node, with a reference; without `out` it has none. */
static int make_at(struct fs_context *fs, struct node *start, const char *path, uint32_t mode, uint32_t device,
                   struct node **out)
{
    struct walk  walk;
    struct node *node;
    int          err = walk_begin(&walk, fs, start, path, 0);

    if (err != 0)
        return err;
    err = entry_is_absent(&walk, (mode & S_FMT) == S_FOLDER);
    if (err == 0)
        err = entry_make(&walk, mode & (S_FMT | (07777 & ~fs->umask)), device, &node);
    if (err == 0 && out != NULL)
        *out = node;
    else if (err == 0)
        node_release(node);
    walk_end(&walk);
    return err;
}

int path_may_make(struct fs_context *fs, struct node *start, const char *path)
{
    struct walk walk;
    int         err;

    may_sleep();
    err = walk_begin(&walk, fs, start, path, 0);
    if (err != 0)
        return err;
    err = entry_is_absent(&walk, false);
    if (err == 0)
        err = folder_may_change(walk.folder);
    if (err == 0 && walk.folder->operations->create == NULL)
        err = -EPERM;
    walk_end(&walk);
    return err;
}

int path_make_folder(struct fs_context *fs, struct node *start, const char *path, uint32_t mode)
{
    may_sleep();
    return make_at(fs, start, path, S_FOLDER | (mode & 01777), 0, NULL);
}

int path_makes_node(uint32_t mode)
{
    uint32_t type = mode & S_FMT;

    if (type == S_FOLDER)
        return -EPERM;
    return type == 0 || type == S_REGULAR || type == S_PIPE || type == S_SOCKET || type == S_CHARACTER ||
           type == S_BLOCK ? 0 : -EINVAL;
}

int path_make_node(struct fs_context *fs, struct node *start, const char *path, uint32_t mode, uint32_t device,
                   struct node **out)
{
    int err = path_makes_node(mode);

    may_sleep();
    if (err != 0)
        return err;
    if ((mode & S_FMT) == 0)
        mode |= S_REGULAR;
    if (((mode & S_FMT) == S_CHARACTER || (mode & S_FMT) == S_BLOCK) && !has_capability(CAP_MKNOD))
        return -EPERM;
    return make_at(fs, start, path, mode & (S_FMT | 07777), device, out);
}

int path_symlink(struct fs_context *fs, struct node *start, const char *path, const char *target)
{
    struct walk  walk;
    struct node *node;
    int          err;

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
        err = folder_may_change(walk.folder);
    if (err == 0 && walk.folder->operations->symlink == NULL)
        err = -EPERM;
    if (err == 0) {
        mutex_take(&walk.folder->lock);
        err = walk.folder->operations->symlink(walk.folder, walk.name, walk.length, target, &node);
        if (err == 0)
            entry_settle(walk.folder, node);
        mutex_drop(&walk.folder->lock);
    }
    if (err == 0)
        node_release(node);
    walk_end(&walk);
    return err;
}
