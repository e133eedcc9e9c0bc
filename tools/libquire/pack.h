/*
 * pack.h - a tree as one archive: cpio in its "newc" form, as an initial RAM disk has it.
 *
 * The contents of every file of a page or more begin at a page boundary of the archive, which a boot loader loads to
 * one in memory, so the guest can map them in place. Entries named PACK_PADDING fill the space before them: they are
 * plain files with zeros in CHANNEL_FOLDER, which programs do not see. A file that has several
 * names here has one inode number in the archive; the first of its names has the contents.
 */
#ifndef QUIRE_PACK_H
#define QUIRE_PACK_H

#include "tree.h"

#define PACK_PADDING ".quire/padding"

enum { PACK_PAGE = 4096 };
#define PACK_LARGEST (3ull << 30)       /* bytes of files that a machine with 32-bit addresses can be given */

/*
 * Write the archive to memory with a file descriptor, which a child may inherit. Returns 0 and *fd,
 * *size (the caller closes it), or, after a complaint, an exit status of sandbox.h.
 */
int pack(const struct tree *tree, int *fd, uint64_t *size);

/*
 * Compress the archive with gzip: half the size, but the guest cannot map files in place. *fd becomes another.
 */
int pack_smaller(int *fd, uint64_t *size);

#endif
