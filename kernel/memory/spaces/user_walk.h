/*
 * user_walk.h - a program's memory reached by following its tables, page by page.
 *
 * Usually the kernel reaches the current program's memory at the program's own addresses (arch/contract.h): the
 * processor translates, and a fault is resolved on the way. Two cases remain. A space that is not current, such as
 * a child's, has no addresses; and where the kernel has a space of its own (K17) no program ever has. Then each
 * page is looked up as the processor would, with the same rights asked and the same accessed and dirty
 * bits set, a missing one is brought in as by a fault, and its frame's bytes are copied through frame_view().
 *
 * The caller has checked the range (user_range()). Each call stops at the first byte that cannot be reached.
 * Interrupts are off from the look-up of a page until its bytes are copied, so that the frame cannot change hands
 * in between.
 *
 * Locking  a look-up takes the space's tables lock. Bringing in a missing page takes its map lock, may let pages of
 *          programs leave (pageout/hand.h), and may sleep: the caller holds no lock but mutexes. Where interrupts are
 *          off, the call fails with -EFAULT at a missing page instead.
 * Cost     a walk of the tables for each page, and the copy.
 */
#ifndef QUIRE_MEMORY_USER_WALK_H
#define QUIRE_MEMORY_USER_WALK_H

#include "base/types.h"
#include "memory/spaces/user.h"

struct space;

/* `resolve` brings in a missing page: fault_with_room() alone, or with what else that implies. 0, -EFAULT, -ENOMEM. */
int user_resolve_plainly(struct space *space, vaddr_t address, uint8_t access);

/* Each stores in *done how many bytes it has dealt with, and returns 0, -EFAULT or -ENOMEM. */
int walk_read(struct space *space, user_resolve resolve, void *to, user_t from, size_t bytes, size_t *done);
int walk_write(struct space *space, user_resolve resolve, user_t to, const void *from, size_t bytes, size_t *done);
int walk_clear(struct space *space, user_resolve resolve, user_t to, size_t bytes, size_t *done);

/* Copy up to and including a NUL. Returns the length without it, `bytes` when there was none, -EFAULT or -ENOMEM. */
long walk_read_text(struct space *space, user_resolve resolve, char *to, user_t from, size_t bytes);

/* A word. walk_exchange() refuses one that is not aligned. Return 0, -EFAULT or -ENOMEM. */
int walk_load(struct space *space, user_resolve resolve, user_t at, uint32_t *old);
int walk_exchange(struct space *space, user_resolve resolve, user_t at, uint32_t expect, uint32_t desired,
                  uint32_t *old);

#endif
