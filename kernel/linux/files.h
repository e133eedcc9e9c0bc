/*
 * files.h - functions of several families of calls about files: descriptors, and paths copied in from programs.
 */
#ifndef QUIRE_LINUX_FILES_H
#define QUIRE_LINUX_FILES_H

#include "files/core/descriptor.h"
#include "files/path/path.h"

enum {
    AT_FDCWD = -100, AT_SYMLINK_NOFOLLOW = 0x100, AT_REMOVEDIR = 0x200, AT_SYMLINK_FOLLOW = 0x400,
    AT_NO_AUTOMOUNT = 0x800, AT_EMPTY_PATH = 0x1000, AT_EACCESS = 0x200, AT_STATX_SYNC_TYPE = 0x6000,
};
enum { BUFFERS_A_CALL = 1024 };         /* IOV_MAX */

/* A path of a program in kernel memory, and where it begins. */
struct named {
    char        *path;
    struct node *start;                 /* a reference, or NULL: the working directory, or the path is absolute */
};
/*
 * Copy a path in. Returns 0, -EFAULT, -ENAMETOOLONG, -ENOENT for an empty path, -ENOMEM, -EBADF, or -ENOTDIR. On
 * success named_end() must follow. An empty path may be allowed (AT_EMPTY_PATH): it names the file of `folder` itself,
 * or with AT_FDCWD the working folder.
 */
int  named_begin(struct named *named, int folder, user_t path) MUST_CHECK;
int  named_begin_or_empty(struct named *named, int folder, user_t path, bool may_be_empty) MUST_CHECK;
void named_end(struct named *named);
/*
 * The second half of named_begin(), for calls that have the path: find where it begins. 0, -EBADF, -ENOTDIR; then the
 * path is the caller's still, to be freed.
 */
int  named_start(struct named *named, int folder) MUST_CHECK;

/* Copy a program's text to the heap; the caller frees it. 0, -EFAULT, -ENAMETOOLONG (PATH_LONGEST), -ENOMEM. */
int text_in(user_t from, char **out) MUST_CHECK;

/* The open file of a descriptor of the current process, with a reference; NULL: -EBADF. */
struct file *file_of(int descriptor);
/* The same; NULL also for an open file that is only a path (O_PATH), which most calls treat as closed. */
struct file *whole_file_of(int descriptor);

/*
 * Find the node that a path, or with AT_EMPTY_PATH a descriptor, names, with a reference. flags: AT_SYMLINK_NOFOLLOW,
 * AT_EMPTY_PATH. Returns 0, or what named_begin() and path_find() return.
 */
int node_of(int folder, user_t path, unsigned flags, struct node **out) MUST_CHECK;

/*
 * Make a new descriptor for an open file. Takes the reference, also on failure. Returns the number, -EMFILE or -ENOMEM.
 */
long new_descriptor(struct file *file, bool close_on_exec);
/*
 * For a call that leaves something behind, which is made again when memory was short (dispatch.c), and must not find
 * that: reserve a number first, as new_descriptor() finds it, and at the end give it to the open file, or give it back
 * if err is not 0. settle_descriptor() returns the number or err.
 */
long reserve_descriptor(void) MUST_CHECK;
long settle_descriptor(long number, long err, struct file *file, bool close_on_exec);
/*
 * Make two new descriptors and write their numbers to `to`: pipe(2), socketpair(2). Takes both references, also on
 * failure. Returns 0, -EMFILE, -ENOMEM or -EFAULT: then neither number is its file's any more; one that another thread
 * has given to another file meanwhile stays.
 */
long new_descriptor_pair(struct file *first, struct file *second, bool close_on_exec, user_t to);

/*
 * Pieces of a file of which a read or a write is one message (sockets, packet pipes, reads of event counters): it
 * fills the pieces, or takes them all. move_message() returns as read() and write() do, -ENOMEM too; pieces without
 * bytes move nothing. Both may sleep: whether a read gets a packet, only its bytes tell.
 */
bool moves_messages(struct file *file, bool writing);
long move_message(struct file *file, bool writing, struct buffer *pieces, size_t count);
/* Read or write at a position, or (AT_POSITION) at the file's own. Returns bytes moved, or a negative errno. */
#define AT_POSITION (-1)
long move_bytes(struct file *file, bool writing, struct buffer *buffer, int64_t at);

/*
 * Count a call of the current thread that has moved `done` bytes, or that its file has refused, for /proc/PID/io.
 * Returns done.
 */
long count_moved(bool writing, long done);

/*
 * As splice() would: bytes of a file that is no stream, from *at on, which moves on with them, or AT_POSITION, which
 * stays, into a pipe. Returns as pipe_fill_from().
 */
long pipe_fill_with_file(struct file *pipe, struct file *from, int64_t *at, size_t bytes);

/*
 * Set a mask of signals for one call (ppoll, pselect6, epoll_pwait): the thread's own mask is restored when the call
 * has ended and the handler of a signal, if one came, has run. A call that is made again before that, for want of
 * memory, leaves alone which mask is to be restored. Returns 0, -EINVAL for another size than a mask's, -EFAULT.
 */
int  mask_for_call(user_t mask, size_t bytes) MUST_CHECK;

#endif
