/*
 * shared.h - variables of which each process has a copy of its own, and so has the kernel.
 *
 * Applications that are linked into the kernel's image share its code. Their variables must not be shared, but they
 * are linked only once: in the region `original` of the document, sections .data_shared and .bss_shared. That region
 * holds the variables' first values, and no space shows it: a page of it is present only inside shared_copy(),
 * for the kernel alone and for reading. Every process begins with a copy of the region, and the kernel has one.
 *
 * Code reaches its copy through a segment whose base is the distance from the original to the copy (APP_SHARED in
 * layouts/firmware/apps/app.h): the address that the linker gave a variable, taken in that segment, is the variable's
 * place in the copy. Without the segment it is an address in `original`, and faults.
 *
 * Locking  a lock of rank STACKS, and interrupts off, while the original is open. shared_copy() takes the heap's before
 *          that, and the space's map lock (user_write_in()) after it.
 * Cost     a copy takes the time to copy it, and as many pages flushed as the original has.
 * Source   claims G12, G15 to G17.
 *
 * Invariant: S5 (space.h), no page of `original` is present
 */
#ifndef QUIRE_MEMORY_SHARED_H
#define QUIRE_MEMORY_SHARED_H

#include "base/types.h"

struct space;

/* Copy the original into the kernel's own copy. Before there are processes. */
void shared_start(void);

/* For probes: called whenever the original is open; it must not sleep. NULL: none. */
extern void (*shared_watch)(void);

/* The bytes of all shared variables; 0 where the document has no such regions. */
size_t shared_bytes(void);

/* How far a copy at this address is from the original, modulo the address space. */
vaddr_t shared_distance(vaddr_t copy);

/* The address in the kernel's own copy of a variable that the linker has put at `linked`. */
void *shared_own(vaddr_t linked);

/*
 * Write a copy to `to` in a space that need not be current. Returns 0, -ENOMEM, or -EFAULT where the space has no
 * writable memory.
 */
int shared_copy(struct space *space, vaddr_t to) MUST_CHECK;

#endif
