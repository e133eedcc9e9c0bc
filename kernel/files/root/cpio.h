/*
 * cpio.h - a cpio archive (newc), unpacked into the file system.
 *
 * Whole pages of contents that begin on a page of memory become pages of the file, and are not copied; other bytes
 * are copied. Links between entries are kept, missing folders are made, what exists is replaced.
 *
 * Locking  the usual locks of paths and nodes; both calls may sleep. The first process's fs context is their caller's.
 * Errors   an archive that is cut off or damaged is refused with a reason; what was unpacked before stays.
 * Source   cpio(5) "New ASCII format"; Linux, Documentation/driver-api/early-userspace/buffer-format.rst.
 */
#ifndef QUIRE_FILES_CPIO_H
#define QUIRE_FILES_CPIO_H

#include "files/path/path.h"
#include "files/root/source.h"

/* Entries of this name only fill the space before contents that are to begin on a page; no file is made of them. */
#define CPIO_FILLING ".quire/padding"

/* Returns 0, or a negative errno and the reason in *why (text that lives for ever). */
int cpio_unpack(struct source *source, struct fs_context *fs, const char **why) MUST_CHECK;

/*
 * Unpack an archive that the boot loader left at [start, end) of physical memory, compressed by gzip or not, into
 * the context's root; the kernel of `quire run` refuses gzip with a reason. Returns as cpio_unpack() does. Afterwards
 * its whole frames are files' or free, also on error.
 */
int archive_unpack(paddr_t start, paddr_t end, struct fs_context *fs, const char **why) MUST_CHECK;

#endif
