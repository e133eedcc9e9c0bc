/*
 * back.h - pages of a space that come back from the swap device, whoever wants them or not.
 */
#ifndef QUIRE_MEMORY_BACK_H
#define QUIRE_MEMORY_BACK_H

#include "base/types.h"

struct space;

/*
 * Bring back all pages of a space that are on the swap device, which the caller keeps from being destroyed. What comes
 * there meanwhile may stay. Returns 0; -ENOMEM: there is no frame, and no room could be made; -EIO; -EINTR:
 * `is_to_end`, asked between two pages, said so.
 * Locking  the space's map lock, as a reader; may sleep.
 * Cost     O(entries of the space), and a read for each page.
 */
int space_bring_back(struct space *space, bool (*is_to_end)(void)) MUST_CHECK;

#endif
