/*
 * walk.h - following a path to its last part. Internal to path*.c, fs_context.c and walk.c.
 */
#ifndef QUIRE_FILES_WALK_H
#define QUIRE_FILES_WALK_H

#include "files/path/path.h"

/* The last part of a path: a name in a folder, or one of those that name no entry. */
enum last { LAST_NAME, LAST_DOT, LAST_DOTS, LAST_ROOT };

struct walk {
    struct fs_context *fs;
    struct node  *folder;           /* where the last part is looked up, a reference             */
    struct node  *node;             /* what the path names, a reference; NULL: there is no such entry */
    const char   *name;             /* the last part                                             */
    size_t        length;
    enum last     last;
    bool          slash;            /* the path ends in a slash: only a folder will do           */
    unsigned      flags;            /* WALK_*                                                    */
    struct node  *floor;            /* with WALK_BENEATH and WALK_IN_ROOT: where it began, a reference; else NULL */
    unsigned      moves;            /* moves_of_folders as it began                              */
    unsigned      links;            /* symbolic links followed so far                            */
    char         *text;             /* of the heap: the path after a link was put in, or NULL    */
};

/*
 * Whether a link that is the last part is followed: always by calls that look, or only when a slash comes after it;
 * never by calls that make, remove or rename entries. WALK_CREATES: a last part with a slash is -EISDIR at once (open).
 */
enum { WALK_FOLLOW = 1, WALK_SLASH_FOLLOWS = 2, WALK_CREATES = 4 };

/* A last name that is too long is no error yet: `length` says it, and the node is NULL. For rename(), which checks. */
enum { WALK_LONG_NAME = 8 };

/*
 * Restrictions of a walk (openat2(2)): it may not cross mounts (-EXDEV), follow /proc's links to open files (-ELOOP) or
 * any link (-ELOOP), leave what is below its start (-EXDEV). WALK_IN_ROOT: the start is the root, for links as well.
 * The last two are -EAGAIN where a ".." comes after a move that was made since the walk began: it may have led out.
 */
enum { WALK_SAME_MOUNT = 16, WALK_NO_MAGIC = 32, WALK_NO_LINKS = 64, WALK_BENEATH = 128, WALK_IN_ROOT = 256 };

/*
 * How often an entry has gone from one folder to another, or a folder has been covered by a mount. Counted right before
 * that is done: no thread sleeps between the two.
 */
extern unsigned moves_of_folders;

/*
 * Walk to the last part; may sleep. With WALK_SLASH_FOLLOWS what a slash comes after must be a folder. On success the
 * walk holds references until walk_end(); on error it holds nothing. The last part may be missing (node is NULL):
 * -ENOENT is only for parts before it, for an empty path, and for a link of /proc that leads nowhere. Else -ENOTDIR,
 * -EACCES for a folder that may not be searched or a link of /proc that is not the caller's to follow, -ENAMETOOLONG,
 * -ELOOP, -ENOMEM, and what the flags above forbid. No lock is held: the entry may be another's by the time one is.
 *
 * `path` must outlive the walk: `name` lies in it, or in `text`.
 */
int  walk_begin(struct walk *walk, struct fs_context *fs, struct node *start, const char *path,
                unsigned flags) MUST_CHECK;
void walk_end(struct walk *walk);

#endif
