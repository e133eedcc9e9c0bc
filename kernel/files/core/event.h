/*
 * event.h - eventfd: a counter that can be waited for. Source: eventfd(2).
 *
 * Reading takes 8 bytes and waits while the counter is zero; writing adds 8 bytes' worth and waits while the sum would
 * not stay below UINT64_MAX. Without O_NONBLOCK both sleep, and a signal ends them with -ERESTARTSYS.
 *
 * Locking  the counter belongs to its node's lock, which is taken inside.
 * Cost     constant, and waking who waits.
 */
#ifndef QUIRE_FILES_EVENT_H
#define QUIRE_FILES_EVENT_H

#include "files/core/file.h"

/*
 * An open file with a counter that begins with `value`, below UINT64_MAX; flags: O_NONBLOCK or 0. With `semaphore` a
 * read takes one, otherwise all. The caller has the only reference. NULL without memory.
 */
struct file *event_make(uint64_t value, uint32_t flags, bool semaphore);

#endif
