/*
 * event.h - eventfd: a counter that can be waited for. Source: eventfd(2).
 */
#ifndef QUIRE_FILES_EVENT_H
#define QUIRE_FILES_EVENT_H

#include "files/core/file.h"

/* NULL without memory. flags: O_NONBLOCK. With `semaphore` a read takes one, otherwise all. */
struct file *event_make(uint64_t value, uint32_t flags, bool semaphore);

#endif
