/*
 * back.h - pages that come back from the swap device, whoever wants them or not: those of a space, and of all objects.
 */
#ifndef QUIRE_MEMORY_BACK_H
#define QUIRE_MEMORY_BACK_H

#include "base/types.h"

struct space;

/*
 * Bring back all pages of a space that are on the swap device, which the caller keeps from being destroyed; tables of
 * it that are out (layouts/tracker/out.h) come back first. What comes there meanwhile may stay. Returns 0; -ENOMEM:
 * there is no frame, and no room could be made; -EIO; -EINTR: `is_to_end`, asked between two pages, said so.
 * Locking  the space's map lock, as a reader; may sleep.
 * Cost     O(entries of the space), and a read for each page.
 */
int space_bring_back(struct space *space, bool (*is_to_end)(void)) MUST_CHECK;

/*
 * The same for the pages of all objects that there are.
 * Locking  the lock of one object after the other, as a reader; may sleep.
 * Cost     O(objects, and pages of those of which some are out), and a read for each page that is on the device.
 */
int objects_bring_back(bool (*is_to_end)(void)) MUST_CHECK;

#endif
