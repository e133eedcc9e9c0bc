/*
 * path.h - from names to nodes.
 *
 * struct fs_context holds a process's root, working directory and umask. Counted, shared by CLONE_FS.
 * All text here is kernel memory; linux/ copies it in from programs first.
 *
 * Locking  calls that take a path may sleep, and take the locks of folders on the way, one at a time; renaming takes
 *          two. Removing and renaming look the last part up again under these: what is asked of the entry is asked of
 *          the one that goes. Mounts have no lock: each changes, and path_of() goes up through them, where no thread
 *          sleeps; where many are taken away, others run between one and the next.
 * Owning   a node or open file that is handed out carries a reference for the caller. path_parent()'s name lies in the
 *          caller's path.
 * Errors   0 or a negative errno, as Linux gives for the call that is named like the function.
 */
#ifndef QUIRE_FILES_PATH_H
#define QUIRE_FILES_PATH_H

#include "files/core/file.h"

struct fs_context {
    uint32_t     references;
    struct node *root, *here;
    uint32_t     umask;
};

/* Root and working directory are `root`, with a reference each; NULL without memory. Copies: process/parts.h. */
struct fs_context *fs_context_new(struct node *root);

enum { PATH_NO_FOLLOW = 1, PATH_MUST_BE_FOLDER = 2, PATH_EMPTY_IS_START = 4 };

/* The node a path names, with a reference. `start` is where a relative path begins (NULL: fs->here). */
int path_find(struct fs_context *fs, struct node *start, const char *path, unsigned flags,
              struct node **out) MUST_CHECK;

/*
 * The folder that holds (or would hold) the path's last part, referenced, and that part's name inside `path`. -EEXIST:
 * there is such a folder or its parent, but the last part is no name that an entry may have.
 */
int path_parent(struct fs_context *fs, struct node *start, const char *path, struct node **folder, const char **name,
                size_t *length) MUST_CHECK;

/* open(2) as a whole. -ENOMEM: nothing was made or emptied, so the call may be made again. */
int path_open(struct fs_context *fs, struct node *start, const char *path, uint32_t flags, uint32_t mode,
              struct file **out) MUST_CHECK;

/* openat2(2): the same, where the way there is restricted; Linux's RESOLVE_*. */
enum {
    RESOLVE_NO_XDEV = 1, RESOLVE_NO_MAGICLINKS = 2, RESOLVE_NO_SYMLINKS = 4, RESOLVE_BENEATH = 8, RESOLVE_IN_ROOT = 16,
    RESOLVE_CACHED = 32, RESOLVE_KNOWN = 63,
};
int path_open_within(struct fs_context *fs, struct node *start, const char *path, uint32_t flags, uint32_t mode,
                     unsigned resolve, struct file **out) MUST_CHECK;

/*
 * A file to execute, open for reading; only the right to execute it is asked for. flags: PATH_NO_FOLLOW,
 * PATH_EMPTY_IS_START. -ELOOP for a symbolic link that is not followed, -EACCES for what is no regular file.
 */
int path_open_program(struct fs_context *fs, struct node *start, const char *path, unsigned flags,
                      struct file **out) MUST_CHECK;

int path_make_folder(struct fs_context *fs, struct node *start, const char *path, uint32_t mode) MUST_CHECK;
int path_makes_node(uint32_t mode) MUST_CHECK;      /* what is refused whatever the path: -EINVAL, -EPERM */
/*
 * *out is the new node itself, with a reference for the caller: its name may lead elsewhere at once. NULL: not wanted.
 */
int path_make_node(struct fs_context *fs, struct node *start, const char *path, uint32_t mode,
                   uint32_t device, struct node **out) MUST_CHECK;
/* What path_make_node() would be told of a path, of a file that is no folder; nothing is made. */
int path_may_make(struct fs_context *fs, struct node *start, const char *path) MUST_CHECK;
int path_remove(struct fs_context *fs, struct node *start, const char *path, bool folder) MUST_CHECK;
/* flags: PATH_NO_FOLLOW, PATH_EMPTY_IS_START, for what gets another name. */
int path_link(struct fs_context *fs, struct node *from_start, const char *from, struct node *to_start, const char *to,
              unsigned flags) MUST_CHECK;
int path_symlink(struct fs_context *fs, struct node *start, const char *path, const char *target) MUST_CHECK;
int path_rename(struct fs_context *fs, struct node *from_start, const char *from, struct node *to_start, const char *to,
                unsigned flags) MUST_CHECK;

/*
 * The absolute path of a node (getcwd, /proc/self/maps). Returns the length; -ERANGE; -ENOENT when no folder
 * has it any more or it lies outside the context's root. Text is terminated.
 */
long path_of(struct fs_context *fs, struct node *node, char *to, size_t size);
/* The same for people and /proc/PID/fd: also for nodes that were deleted, or never had a name. */
long path_describe(struct fs_context *fs, struct node *node, char *to, size_t size);

/*
 * Mounting: `root` covers the folder; the system keeps a reference to both. -ENOTDIR for what is no folder, -EBUSY for
 * one that is covered, or a system that covers one already; -ENOENT for a folder that has gone, -EINVAL for one that is
 * another node at each look-up (NODE_FLEETING), -ENOSPC when there are too many mounts. The kernel mounts /proc, /sys
 * and /dev/shm at start.
 */
int path_mount(struct node *folder, struct node *root) MUST_CHECK;
/*
 * A mounted system covers another folder from now on, all that is mounted in it included. -EINVAL for what is no root,
 * or the first of all, and for no folder; -ELOOP for a folder within it; and as above.
 */
int path_move_mount(struct node *root, struct node *folder) MUST_CHECK;
/*
 * Take a mounted system away, given its root: -EINVAL for what is no root, -EBUSY for the first of all, and while it is
 * used or others are mounted in it. UNMOUNT_LAZILY: now from the paths, all that is mounted in it included, and for
 * good with its last user. UNMOUNT_EXPIRED: -EAGAIN unless it was asked for before, and there has been no user since.
 */
enum { UNMOUNT_LAZILY = 2, UNMOUNT_EXPIRED = 4 };
int path_unmount(struct node *root, unsigned how) MUST_CHECK;
/* The very first, which covers no folder. Takes no reference: the root has that of its system. */
void path_mount_root(struct node *root);
extern struct file_system *systems_mounted;     /* all, in the order of mounting; the first is the root's */

#endif
