/*
 * pipe.h - pipes and fifos: bytes from writers to readers, in order, a page at a time.
 *
 * A pipe holds up to its capacity (64 KiB at first) in pages that it takes from the pool as they are filled and
 * gives back as they are emptied; one empty page is kept, so that a dialogue takes none.
 * A write of at most PIPE_ATOMIC bytes is never mixed with another's.
 *
 * Owning   the pipe belongs to its node; for a fifo it exists while somebody has the fifo open.
 * Locking  node->lock; who must wait sleeps on node->ready without it.
 * Errors   -EPIPE and SIGPIPE without readers; -EAGAIN where waiting is not wanted; -ERESTARTSYS for a signal.
 * Source   pipe(7), fifo(7).
 */
#ifndef QUIRE_FILES_PIPE_H
#define QUIRE_FILES_PIPE_H

#include "files/core/file.h"

enum { PIPE_ATOMIC = 4096, PIPE_CAPACITY = 65536, PIPE_LARGEST = 1 << 20 };

/* Both ends of a new pipe. flags: O_NONBLOCK, O_DIRECT (refused with -EINVAL). */
int pipe_make(uint32_t flags, struct file **reader, struct file **writer) MUST_CHECK;

/* fcntl's F_GETPIPE_SZ and F_SETPIPE_SZ: a capacity or a negative errno; -EBADF for what is no pipe. */
long pipe_capacity(struct file *file);
long pipe_set_capacity(struct file *file, size_t bytes);

extern const struct node_operations fifo_operations;

#endif
