/*
 * inflate.h - gzip files, decompressed as they are read.
 *
 * Only the first member of a file is read. Of its header the name, the comment and the header's own checksum are passed
 * over; the checksum and the length of the contents are checked at the end.
 *
 * Owning   inflate_open() takes 34 KiB from the heap, most of it for the window that a stream can refer back to;
 *          inflate_close() gives them back. Up to 512 bytes are read ahead.
 * Locking  the caller's. May sleep if `from` does.
 * Errors   damaged data makes read() return -EINVAL, with a reason in source->problem; so does a file that is not gzip,
 *          at the first read().
 * Cost     a few dozen instructions for each bit of a code: small, not fast.
 * Source   RFC 1951 (DEFLATE), RFC 1952 (gzip).
 */
#ifndef QUIRE_FILES_INFLATE_H
#define QUIRE_FILES_INFLATE_H

#include "files/root/source.h"

struct inflate;

/* The contents of the gzip file that `from` yields, as a source; NULL without memory. `from` must outlive it. */
struct source *inflate_open(struct source *from);
void           inflate_close(struct source *source);

#endif
