/*
 * tmpfs.h - files that live in memory: the root file system, and every tmpfs that is mounted.
 *
 * A regular file's contents are an object (memory/spaces/object.h): read(), write() and mappings use
 * the same frames. A page that was never written is a hole and costs nothing. Folders keep their entries
 * in order of age, and beyond a few also in a hash table. All bookkeeping is on the kernel heap.
 *
 * Owning   an entry holds a reference to its node, a node to the folders of its entries; the file system
 *          to its root. A node without entries and users is freed, with its contents. Until then it keeps its last
 *          name, and that name's folder, to say where it was.
 * Locking  node->lock, as file.h says; system->moves around what changes a folder's parent. Reads and writes have
 *          points of rest between pages, with node->lock held; so has the end of a node whose name holds removed
 *          folders, behind each of them.
 * Cost     look-up O(1) expected; a listing O(entries) a call; a page of a file O(log pages).
 * Errors   -ENOMEM when there is no heap, or no frame, also after other pages have left (pageout/hand.h), for which a
 *          write may sleep, and so may a read of a page that is out; -EIO where the swap device cannot give it back.
 *          (Linux: -ENOSPC when a tmpfs has reached its size; here memory is the only limit.)
 *          -ENOENT for a change in a folder that was removed, or whose file system has ended; else as on Linux.
 *
 * Invariants (tmpfs_ok):
 *   T1  a node's links equal the entries that name it, plus for a folder 1 ("."), plus its subfolders (".."); the root
 *       has one more
 *   T2  a folder's count equals its entries; each is found by its hash; ages ascend
 *   T3  a folder's entries name it as their folder, and no folder has two entries
 */
#ifndef QUIRE_FILES_TMPFS_H
#define QUIRE_FILES_TMPFS_H

#include "files/core/file.h"

/* A new, empty file system whose root folder has these rights; NULL without memory. */
struct file_system *tmpfs_new(uint32_t mode);

/* A regular file in no folder (memfd_create). `name` is shown in /proc. NULL without memory. */
struct node *tmpfs_unnamed(const char *name);

/*
 * Put a frame that the caller owns, of owner FILE, at a page of a regular file that is a hole; takes the reference on
 * success. -ENOMEM, -EEXIST where there is a page, -ENXIO beyond the last one.
 */
int tmpfs_adopt(struct node *node, uint64_t page, frame_t frame) MUST_CHECK;

/* T1 to T3 hold, while no other thread changes the file system: for tests. */
bool tmpfs_ok(struct file_system *system);

/*
 * Let go of all entries and of the root of a file system that has ended (file_system.end). May sleep; with points of
 * rest. Cost: O(entries).
 */
void tmpfs_destroy(struct file_system *system);

#endif
