/*
 * source.h - a stream of bytes: an archive in memory, or the decompressed contents of one.
 */
#ifndef QUIRE_FILES_SOURCE_H
#define QUIRE_FILES_SOURCE_H

#include "base/types.h"

struct source {
    /* The next bytes, as many as `bytes`; fewer only at the end. Negative: an errno, and `problem` says why. */
    long (*read)(struct source *source, void *to, size_t bytes);
    /*
     * If the next PAGE_SIZE bytes are a frame of their own that may be taken over: move past it and hand out the
     * reference, owner FILE. Otherwise false. NULL: never.
     */
    bool (*take_frame)(struct source *source, frame_t *out);
    const char *problem;            /* why read() has failed; NULL otherwise */
};

/* Exactly `bytes`, or false. */
static inline bool source_read_all(struct source *source, void *to, size_t bytes)
{
    return source->read(source, to, bytes) == (long)bytes;
}

#endif
