/*
 * pipe.h - pipes and fifos: bytes from writers to readers, in order, a page at a time.
 *
 * A pipe holds up to its capacity (64 KiB at first) in pages that it takes from the pool as they are filled and
 * gives back as they are emptied; one empty page is kept, so that a dialogue takes none.
 * A write of at most PIPE_ATOMIC bytes is never mixed with another's. A writer with O_DIRECT writes packets of at most
 * a page: a read gets one packet, and the part that it has no room for is lost. But what fits into a page that a stream
 * has begun is part of the stream, as on Linux.
 *
 * Owning   the pipe belongs to its node, and exists while that has open files.
 * Locking  node->lock; two pipes' by address. A thread that must wait sleeps on node->ready without it. Bytes are
 *          copied from and to programs with it. Polls and pipe_capacity() look without it.
 * Errors   -EPIPE and SIGPIPE without readers; -EAGAIN where waiting is not wanted; -ERESTARTSYS for a signal; -EFAULT;
 *          -ENOMEM for a page. An error after the first byte is returned by the next call: this one returns the bytes
 *          moved. Opening: -ENXIO for a fifo's writer that will not wait for a reader, and for a pipe that has just
 *          lost its last open file.
 * Source   pipe(7), fifo(7).
 */
#ifndef QUIRE_FILES_PIPE_H
#define QUIRE_FILES_PIPE_H

#include "files/core/file.h"

enum { PIPE_ATOMIC = 4096, PIPE_CAPACITY = 65536, PIPE_LARGEST = 1 << 20 };

/* Both ends of a new pipe, a reference each. flags: O_NONBLOCK; O_DIRECT, for the writer. 0, -EINVAL, -ENOMEM. */
int pipe_make(uint32_t flags, struct file **reader, struct file **writer) MUST_CHECK;

/*
 * fcntl's F_GETPIPE_SZ and F_SETPIPE_SZ: a capacity, in bytes, a power of two of at least a page, or a negative errno.
 * -EBADF for a file that is no pipe, -EBUSY when the pipe holds more, -ENOMEM; beyond PIPE_LARGEST -EPERM, -ENOMEM for
 * who may have more (CAP_SYS_RESOURCE), -EINVAL for what no int holds.
 */
long pipe_capacity(struct file *file);
long pipe_set_capacity(struct file *file, size_t bytes);

/* Whether the open file is an end of a pipe or fifo, and not only a path. */
bool pipe_is(const struct file *file);

/* Whether the next read gets a packet; it waits for bytes as that read would. */
bool pipe_has_packet(struct file *file);

/* Wait for a page of room, or for bytes. 1; 0 at the end of what can be read; -EPIPE with SIGPIPE; -ERESTARTSYS. */
int pipe_wait(struct file *file, bool writing) MUST_CHECK;

/*
 * splice(2), tee(2): between a pipe and any other file, in pieces of a page. `wait`: wait for bytes, or for room,
 * before the first piece; else -EAGAIN. `bytes` is not 0. Each returns the bytes moved, 0 at the end of the bytes, or a
 * negative errno when none was moved. Between the pieces of one pipe others may run, and a signal ends the call.
 *
 * The actor gets or fills part of a piece and returns how much, or an errno; less than all of it ends the call. It is
 * called without a lock and may sleep. Others who want this end of the pipe wait meanwhile, as for bytes or for room.
 * Memory for what it fills is there before it is called: no byte that it has read is lost.
 */
struct pipe_actor { long (*move)(struct pipe_actor *actor, struct buffer *piece); };
long pipe_empty_into(struct file *file, size_t bytes, bool wait, struct pipe_actor *actor);
long pipe_fill_from(struct file *file, size_t bytes, bool wait, struct pipe_actor *actor);
/* From one pipe to another one, which is not the same; with `keep` the bytes stay in the first, too. */
long pipe_move(struct file *from, struct file *to, size_t bytes, bool wait, bool keep);

extern const struct node_operations fifo_operations;

#endif
