/*
 * epoll.h - a set of watched files that is kept between waits.
 *
 * An entry belongs to a descriptor number and its open file, which it does not keep open: when the open file
 * ends the entry goes. Each wait looks at every entry: O(entries).
 *
 * Level-triggered, one-shot, and edge-triggered by node->news: an edge is news since the last report, or a bit that
 * was not set then. Nodes that do not count news are reported by level.
 *
 * Limits   an epoll in an epoll is refused (-EINVAL); poll() of an epoll answers, but does not wake.
 * Source   epoll(7), epoll_ctl(2).
 */
#ifndef QUIRE_FILES_EPOLL_H
#define QUIRE_FILES_EPOLL_H

#include "files/file.h"

enum { EPOLL_ADD = 1, EPOLL_DELETE = 2, EPOLL_MODIFY = 3 };

struct epoll_event { uint32_t events; uint64_t data; } __attribute__((packed, aligned(4)));    /* on x86 */

struct file *epoll_make(void);                              /* NULL without memory      */
int  epoll_control(struct file *epoll, int what, int number, struct file *file, const struct epoll_event *event) MUST_CHECK;
long epoll_wait_for(struct file *epoll, struct epoll_event *out, size_t most, uint64_t deadline);

/* An open file ends. */
void epoll_forget(struct file *file);

#endif
