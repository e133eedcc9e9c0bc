/*
 * watch.h - a watcher that is told of each change of a page's entry, at once, and may hold the machine up meanwhile.
 *
 * Checked kernels only: others have no watcher, and no code that asks for one. The cursor calls the watcher with
 * interrupts off and locks held, so the watcher takes no lock and does not sleep. Of directory entries and slots
 * (slot.h) it is not told.
 */
#ifndef QUIRE_MEMORY_WATCH_H
#define QUIRE_MEMORY_WATCH_H

#include "base/check.h"
#include "mmu.h"

struct space;
typedef void (*entry_watch)(const struct space *space, page_t page, entry_t old, entry_t new);
extern entry_watch entry_watcher;               /* NULL: none */

static inline void entry_changed(const struct space *space, page_t page, entry_t old, entry_t new)
{
    if (IS_CHECKED && entry_watcher != NULL && old.raw != new.raw)
        entry_watcher(space, page, old, new);
}

#endif
