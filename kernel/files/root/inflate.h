/*
 * inflate.h - gzip files, decompressed as they are read.
 *
 * Owning   inflate_open() takes 33 KiB from the heap for what a stream can refer back to; inflate_close() gives it
 *          back.
 * Errors   what is damaged is refused with a reason in source->problem; nothing is read past the end.
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
