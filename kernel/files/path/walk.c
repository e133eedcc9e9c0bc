/*
 * walk.c - following a path, part by part.
 *
 * Symbolic links are put in place of their names in the text that is still to be walked, so that following
 * takes no recursion; LINKS_FOLLOWED bounds them. Each folder on the way is held by a reference.
 */
#include "files/path/walk.h"

#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "memory/heap/heap.h"

unsigned moves_of_folders;

static bool is_folder(const struct node *node) { return (node->mode & S_FMT) == S_FOLDER; }
static bool is_link(const struct node *node)   { return (node->mode & S_FMT) == S_LINK; }

/* The root that covers a folder, if any, in its stead. */
static struct node *through_mounts(struct node *node)
{
    while (node->mounted != NULL) {
        struct node *root = node->mounted;

        node_hold(root);
        node_release(node);
        node = root;
    }
    return node;
}

/* The entry of a folder by name, as a path sees it: through mounts. Takes the folder's lock. */
static int walk_look_up(struct node *folder, const char *name, size_t length, struct node **out)
{
    int err;

    may_sleep();
    assert(length > 0 && length <= NAME_LONGEST);
    if (folder->operations->look_up == NULL)
        return -ENOTDIR;
    mutex_take(&folder->lock);
    err = folder->operations->look_up(folder, name, length, out);
    mutex_drop(&folder->lock);
    if (err == 0)
        *out = through_mounts(*out);
    return err;
}

/*
 * The folder above, with a reference: the context's root is above itself, and above a mounted root is the folder above
 * the one that it covers.
 */
static int walk_up(struct fs_context *fs, struct node *folder, struct node **out)
{
    int err;

    may_sleep();
    assert(is_folder(folder));
    node_hold(folder);
    while (folder != fs->root && folder == folder->system->root && folder->system->covers != NULL) {
        struct node *below = folder->system->covers;

        node_hold(below);
        node_release(folder);
        folder = below;
    }
    if (folder == fs->root || folder == folder->system->root) {
        *out = folder;
        return 0;
    }
    err = walk_look_up(folder, "..", 2, out);
    node_release(folder);
    return err;
}

static void walk_to(struct walk *walk, struct node *node)
{
    node_release(walk->folder);
    walk->folder = node;
}

/* Down to a child or up to a parent, which may be in another file system. */
static int may_walk_to(const struct walk *walk, const struct node *node)
{
    return (walk->flags & WALK_SAME_MOUNT) && node->system != walk->folder->system ? -EXDEV : 0;
}

/* Where an absolute path begins. */
static int walk_to_root(struct walk *walk)
{
    struct node *root = walk->flags & WALK_IN_ROOT ? walk->floor : walk->fs->root;

    if (walk->flags & WALK_BENEATH)
        return -EXDEV;
    if (may_walk_to(walk, root) != 0)
        return -EXDEV;
    node_hold(root);
    walk_to(walk, root);
    return 0;
}

/* "..": from the floor there is no way up, or it leads back to the floor. */
static int walk_to_parent(struct walk *walk)
{
    struct node *above;
    int          err;

    if (walk->folder == walk->floor)
        return walk->flags & WALK_BENEATH ? -EXDEV : 0;
    err = walk_up(walk->fs, walk->folder, &above);
    if (err != 0)
        return err;
    err = walk->floor != NULL && walk->moves != moves_of_folders ? -EAGAIN : may_walk_to(walk, above);
    if (err != 0)
        node_release(above);
    else
        walk_to(walk, above);
    return err;
}

/* ---- Links ------------------------------------------------------------------------------------- */

/* Replace what is left of the path by a link's target and the rest behind it. *path moves to its start. */
static int put_link_in(struct walk *walk, struct node *link, const char *rest, const char **path)
{
    size_t behind = strlen(rest);
    char  *text   = heap_alloc(PATH_LONGEST, 0);
    long   length;

    if (text == NULL)
        return -ENOMEM;
    length = link->operations->read_link(link, text, PATH_LONGEST);
    if (length >= 0 && (size_t)length + behind + 2 > PATH_LONGEST)
        length = -ENAMETOOLONG;
    if (length == 0)
        length = -ENOENT;
    if (length < 0) {
        heap_free(text);
        return (int)length;
    }
    memcpy(text + length, rest, behind + 1);
    heap_free(walk->text);
    walk->text = text;
    *path = text;
    return *text == '/' ? walk_to_root(walk) : 0;
}

/* /proc's links lead straight to what is open, wherever that is. */
static int follow_magic(struct walk *walk, struct node *link)
{
    struct node *target;
    int          err;

    assert(link->operations->follow != NULL);
    if (walk->flags & WALK_NO_MAGIC)
        return -ELOOP;
    if (walk->flags & (WALK_BENEATH | WALK_IN_ROOT))
        return -EXDEV;
    err = link->operations->follow(link, &target);
    if (err != 0)
        return err;
    target = through_mounts(target);
    if (may_walk_to(walk, target) != 0) {
        node_release(target);
        return -EXDEV;
    }
    walk_to(walk, target);
    return 0;
}

/*
 * A link that another user has left in a folder where all users may leave links (/tmp) is not followed at a path's end:
 * it could lead to a file of the caller's. (Linux's protected_symlinks, which distributions set.)
 */
static bool is_trap(const struct node *folder, const struct node *link)
{
    return (folder->mode & 01002) == 01002 && link->uid != user_acting() && link->uid != folder->uid;
}

/* The walk is at a link that is to be followed; `rest` is the text behind it. Takes the reference to the link. */
static int follow_link(struct walk *walk, struct node *link, const char *rest, const char **path)
{
    int err = 0;

    if (++walk->links > LINKS_FOLLOWED || (walk->flags & WALK_NO_LINKS)) {
        err = -ELOOP;
    } else if (link->operations->follow != NULL) {
        err   = follow_magic(walk, link);
        *path = rest;
    } else if (link->operations->read_link == NULL) {
        err = -EINVAL;
    } else {
        err = put_link_in(walk, link, rest, path);
    }
    node_release(link);
    return err;
}

/* ---- Parts ------------------------------------------------------------------------------------------ */

static void walk_end_at(struct walk *walk, enum last last)
{
    node_hold(walk->folder);
    walk->node = walk->folder;
    walk->last = last;
}

static const char *end_of_part(const char *name)
{
    while (*name != '\0' && *name != '/')
        name++;
    return name;
}

/* What lies behind a part: where the next begins, and whether there was a slash. */
static const char *slashes_behind(const char *end, bool *slash)
{
    *slash = *end == '/';
    while (*end == '/')
        end++;
    return end;
}

static bool follows_last(const struct walk *walk)
{
    return (walk->flags & WALK_FOLLOW) || (walk->slash && (walk->flags & WALK_SLASH_FOLLOWS));
}

/* One part of the path that is a name. Returns 1 when the walk is over, 0 when it goes on at *path. */
static int walk_step(struct walk *walk, const char **path, const char *rest)
{
    bool         is_last = *rest == '\0';
    struct node *child;
    int          err;

    if (is_last && walk->slash && (walk->flags & WALK_CREATES))
        return -EISDIR;
    err = walk_look_up(walk->folder, walk->name, walk->length, &child);
    if (err == -ENOENT && is_last) {
        walk->node = NULL;
        return 1;
    }
    if (err != 0)
        return err;
    err = may_walk_to(walk, child);
    if (err != 0) {
        node_release(child);
        return err;
    }
    if (is_link(child) && is_last && follows_last(walk) && child->operations->follow == NULL &&
        is_trap(walk->folder, child)) {
        node_release(child);
        return -EACCES;
    }
    if (is_link(child) && (!is_last || follows_last(walk)))
        return follow_link(walk, child, walk->name + walk->length, path);
    if (is_last) {
        walk->node = child;
        return 1;
    }
    walk_to(walk, child);
    *path = rest;
    return 0;
}

static int walk_parts(struct walk *walk, const char *path)
{
    const char *whole = path;                       /* put_link_in() sees to the length of what takes its place */

    walk->last = LAST_ROOT;
    for (;;) {
        const char *rest;
        int         err;

        while (*path == '/') {
            walk->slash = true;
            path++;
        }
        if (*path == '\0') {                    /* the root, or where a followed link led */
            walk_end_at(walk, walk->last == LAST_NAME ? LAST_DOT : walk->last);
            return walk->slash && !is_folder(walk->node) ? -ENOTDIR : 0;
        }
        if (!is_folder(walk->folder))
            return -ENOTDIR;
        err = node_allows(walk->folder, 1);
        if (err != 0)
            return err;
        walk->name   = path;
        rest = end_of_part(path);
        if (walk->text == NULL && rest - whole >= PATH_LONGEST)
            return -ENAMETOOLONG;
        walk->length = (size_t)(rest - path);
        rest = slashes_behind(rest, &walk->slash);
        if (walk->length > NAME_LONGEST) {
            walk->last = LAST_NAME;
            return *rest == '\0' && (walk->flags & WALK_LONG_NAME) ? 0 : -ENAMETOOLONG;
        }
        if (walk->length == 1 && path[0] == '.') {
            walk->last = LAST_DOT;
            path = rest;
            continue;
        }
        if (walk->length == 2 && path[0] == '.' && path[1] == '.') {
            walk->last = LAST_DOTS;
            err = walk_to_parent(walk);
            if (err != 0)
                return err;
            path = rest;
            continue;
        }
        walk->last = LAST_NAME;
        err = walk_step(walk, &path, rest);
        if (err != 0)
            return err > 0 ? 0 : err;
    }
}

int walk_begin(struct walk *walk, struct fs_context *fs, struct node *start, const char *path, unsigned flags)
{
    int err;

    may_sleep();
    assert(fs != NULL && path != NULL);
    *walk = (struct walk){ .fs = fs, .flags = flags, .moves = moves_of_folders };
    if (*path == '\0')
        return -ENOENT;
    walk->folder = *path == '/' && !(flags & (WALK_BENEATH | WALK_IN_ROOT)) ? fs->root : start != NULL ? start
                   : fs->here;
    node_hold(walk->folder);
    walk->folder = through_mounts(walk->folder);
    if (flags & (WALK_BENEATH | WALK_IN_ROOT))
        node_hold(walk->floor = walk->folder);
    err = *path == '/' && (flags & WALK_BENEATH) ? -EXDEV : walk_parts(walk, path);
    if (err == 0 && (flags & WALK_SLASH_FOLLOWS) && walk->slash && walk->node != NULL && !is_folder(walk->node))
        err = -ENOTDIR;
    if (err != 0)
        walk_end(walk);
    return err;
}

void walk_end(struct walk *walk)
{
    if (walk->node != NULL)
        node_release(walk->node);
    node_release(walk->folder);
    if (walk->floor != NULL)
        node_release(walk->floor);
    heap_free(walk->text);
    walk->floor  = NULL;
    walk->node   = NULL;
    walk->folder = NULL;
    walk->text   = NULL;
}
