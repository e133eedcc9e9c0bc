/*
 * object.h - what tables.c and out.c share of a page-table object; no other file includes this.
 *
 * Locking  the space's tables lock and trackers_lock are held.
 */
#ifndef QUIRE_LAYOUTS_TRACKER_OBJECT_H
#define QUIRE_LAYOUTS_TRACKER_OBJECT_H

#include "layouts/tracker/tables.h"
#include "memory/spaces/space.h"

/* The directory's entry for a page of a program. */
static inline entry_t *object_directory(const struct space *space, page_t page)
{
    return &space->home.info->directory[mmu_index(page, MMU_LEVELS)];
}

/* The table of a page goes out, `absent` says where: nothing shows its frame any more. */
void object_table_out(struct space *space, page_t page, entry_t absent);

/* A table that was out has a frame again, which is not shown yet; has ceased to be. */
void object_table_back(struct space *space, page_t page);
void object_table_gone(struct space *space, page_t page);

#endif
