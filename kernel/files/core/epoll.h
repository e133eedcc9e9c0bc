/*
 * epoll.h - a set of watched files that is kept between waits.
 *
 * An entry belongs to a descriptor number and its open file, which it does not keep open: when the open file
 * ends the entry goes. Each entry stands in its file's queue for as long as it exists; a wake of the queue for what
 * the entry asks for puts it on the epoll's list of those that may be ready, and a wait looks at these alone.
 *
 * Level-triggered entries stay on the list for as long as they are ready. Edge-triggered ones come back only with the
 * next wake: a pipe's reader is told of each write, its writer when a full pipe has room again, a socket of each
 * arrival, and of each message that its peer has read once less than half of the peer's room is taken. One-shot entries
 * are silent until they are modified. With EXCLUSIVE, of several epolls that watch a file only one with a waiting
 * thread is woken.
 *
 * An epoll may watch epolls, NESTED_DEEPEST of them one in another; never itself, not through others either.
 *
 * Locking  a mutex for the sets of all epolls (epolls_lock, outer), the node's mutex of each for its entries, outer
 *          epolls before inner ones. All calls may sleep. Wakers take neither lock: under the run queue's they push
 *          onto a list with atomic operations.
 * Cost     epoll_wait: O(entries that were woken, or are still ready), epoll_ctl: O(1) expected. Where epolls watch
 *          epolls an addition looks at all entries of those below the new one as well, and at the paths up from their
 *          files. A wake: O(epolls that watch the file, and those around them: at most the numbers in NESTED_PATHS).
 *          The end of an epoll: O(entries), of a watched file: O(its entries). Waits, polls, long searches and ends
 *          have points of rest, one an entry, with the locks held.
 * Errors   -EINVAL for a file that is no epoll, the epoll itself, a wrong operation, EXCLUSIVE where it is not allowed,
 *          and nesting by too many paths; -EPERM for files that are always ready; -EEXIST; -ENOENT; -ELOOP for circles
 *          and nesting too deep; -ENOMEM.
 * Source   epoll(7), epoll_ctl(2), epoll_wait(2); Linux, fs/eventpoll.c for what is an edge, and for its limits.
 *
 * Invariants (epoll_broken):
 *   V1  an entry is in the table of its epoll, under its hash, and in the list of its open file; `count` counts them
 *   V2  an entry's waiter stands in a queue for as long as the entry exists
 *   V3  the ready list is sound in both directions and holds entries of this epoll
 *   V4  no epoll reaches itself
 */
#ifndef QUIRE_FILES_EPOLL_H
#define QUIRE_FILES_EPOLL_H

#include "files/core/file.h"

enum { EPOLL_ADD = 1, EPOLL_DELETE = 2, EPOLL_MODIFY = 3, NESTED_DEEPEST = 4 };

struct epoll_event { uint32_t events; uint64_t data; } __attribute__((packed, aligned(4)));    /* on x86 */

/* With one reference; NULL without memory. */
struct file *epoll_make(void);
/*
 * The caller holds references on both files, neither of which is only a path (O_PATH). `event` may be NULL to delete.
 */
int  epoll_control(struct file *epoll, int what, int number, struct file *file,
                   const struct epoll_event *event) MUST_CHECK;

/*
 * Up to `most` events, one at least, each put in the buffer as a struct epoll_event; `deadline` as for poll_wait().
 * Returns how many; 0 at the deadline; -EINTR; -EFAULT when the first cannot be put: an event that could not be put
 * stays to be reported.
 */
long epoll_wait_for(struct file *epoll, struct buffer *to, size_t most, uint64_t deadline);

/* Called when an open file ends: takes it out of all epolls. May sleep. */
void epoll_forget(struct file *file);

/* The first of V1 to V4 that does not hold, while no other thread changes the epoll; NULL when all do. */
const char *epoll_broken(const struct file *epoll);
static inline bool epoll_ok(const struct file *epoll) { return epoll_broken(epoll) == NULL; }

#endif
