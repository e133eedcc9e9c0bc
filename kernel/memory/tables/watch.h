/*
 * watch.h - a watcher that is told of each change of a page's entry, at once, and may hold the machine up meanwhile.
 *
 * Checked kernels only: in others there is no watcher, and nothing is asked. The watcher is called by the editor, with
 * interrupts off and locks held: it takes none, and does not sleep. Directory entries and short views (slot.h) are not
 * told.
 */
#ifndef QUIRE_MEMORY_WATCH_H
#define QUIRE_MEMORY_WATCH_H

#include "base/check.h"
#include "mmu.h"

struct space;
typedef void (*entry_watch)(const struct space *space, page_t page, entry_t old, entry_t new);
extern entry_watch entry_watcher;               /* cursor.c; NULL: nobody */

static inline void entry_changed(const struct space *space, page_t page, entry_t old, entry_t new)
{
    if (IS_CHECKED && entry_watcher != NULL && old.raw != new.raw)
        entry_watcher(space, page, old, new);
}

#endif
