/*
 * path_entry.h - functions that path.c, path_open.c and path_change.c share. Internal to these three.
 */
#ifndef QUIRE_FILES_PATH_ENTRY_H
#define QUIRE_FILES_PATH_ENTRY_H

#include "files/path/walk.h"

/* S_REGULAR and so on; 0: a node that was never in a folder, such as an epoll's. */
static inline bool node_is(const struct node *node, uint32_t type) { return (node->mode & S_FMT) == type; }

/* path_find() for callers that call missing_note() themselves. */
int path_find_quietly(struct fs_context *fs, struct node *start, const char *path, unsigned flags,
                      struct node **out) MUST_CHECK;

/*
 * Whether entries may be added to the folder, or removed: 0, -ENOENT when the folder itself was removed, -EROFS, or
 * -EACCES when the process may not write it.
 */
int folder_may_change(const struct node *folder) MUST_CHECK;

/* The owners of a node that a process makes: its user, and its group or the folder's. The folder's lock is held. */
void entry_settle(const struct node *folder, struct node *node);

/* A new node at the walk's last part, with a reference for the caller. Takes the folder's lock. */
int entry_make(struct walk *walk, uint32_t mode, uint32_t device, struct node **out) MUST_CHECK;

#endif
