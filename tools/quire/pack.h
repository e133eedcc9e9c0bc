/*
 * pack.h - a tree as one archive: cpio in its "newc" form, as an initial RAM disk has it.
 *
 * The contents of every file of a page or more begin at a page boundary of the archive, which a boot loader puts at one
 * in memory, so the guest can map them where they lie. Entries named PACK_PADDING fill the space before them: they are
 * plain files with zeros, of which a guest sees nothing (CHANNEL_FOLDER is not for programs). A file that has several
 * names here has one inode number in the archive; the first of its names has the contents.
 */
#ifndef QUIRE_PACK_H
#define QUIRE_PACK_H

#include "tree.h"

#define PACK_PADDING ".quire/padding"

enum { PACK_PAGE = 4096 };
#define PACK_LARGEST (3ull << 30)       /* bytes of files that a machine with 32-bit addresses can be given */

/*
 * The archive in memory, as a file descriptor that a child may inherit. Returns 0 and *fd,
 * *size (the caller closes it), or an exit status of sandbox.h, and has complained.
 */
int pack(const struct tree *tree, int *fd, uint64_t *size);

/*
 * The same archive as gzip makes it: half the size, but nothing in it can be mapped where it lies. *fd is another then.
 */
int pack_smaller(int *fd, uint64_t *size);

#endif
