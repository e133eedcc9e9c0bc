/*
 * buffer.h - where bytes come from or go to, for code that need not know whose memory that is: a program's, or the
 * kernel's.
 *
 * Locking  what user.h says of a program's memory: its page faults may sleep, so no spin lock is held. With a frame,
 *          interrupts are off for at most a page's bytes at a time.
 * Cost     the bytes.
 */
#ifndef QUIRE_MEMORY_BUFFER_H
#define QUIRE_MEMORY_BUFFER_H

#include "memory/spaces/user.h"

struct buffer {
    bool   kernel;                  /* whose memory it is: the kernel's, which is there         */
    union { user_t user; char *memory; };
    size_t bytes;                   /* left; buffer_put/get count it down and move on         */
};
/*
 * Copy to or from the buffer, or fill it with zeros, moving it on; never beyond its end. Return how many bytes were
 * copied: fewer than were asked for, and than the buffer had left, mean -EFAULT.
 */
size_t buffer_put(struct buffer *buffer, const void *from, size_t bytes);
size_t buffer_get(struct buffer *buffer, void *to, size_t bytes);
size_t buffer_clear(struct buffer *buffer, size_t bytes);
/* The same with part of a frame, which the caller holds a reference to. */
size_t buffer_put_frame(struct buffer *buffer, frame_t frame, size_t from, size_t bytes);
size_t buffer_get_frame(struct buffer *buffer, frame_t frame, size_t to, size_t bytes);

#endif
