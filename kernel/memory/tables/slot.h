/*
 * slot.h - looking at the bytes of a frame.
 *
 * frame_view() answers with a kernel pointer. Where the layout has a permanent mapping of
 * the frame (direct map, identity) the pointer is that; otherwise the frame is shown
 * in a temporary slot, a page of the slots region that belongs to this CPU and to one
 * purpose. A view lasts until the same CPU asks for the same purpose again, so each purpose is one
 * level of nesting and no view needs to be closed.
 *
 * Locking  none; the caller runs with interrupts off or otherwise cannot be preempted or
 *          interrupted by a user of the same purpose.
 * Cost     direct: an addition. Slot: one entry written and one page flushed, and nothing at
 *          all when the slot shows that frame already.
 * Source   layouts/higher-half/layout.md, whose kernel sees four megabytes of physical memory and no more.
 */
#ifndef QUIRE_MEMORY_SLOT_H
#define QUIRE_MEMORY_SLOT_H

#include "base/types.h"
#include "cpu.h"
#include "memory/layout.h"
#include "mmu.h"

enum slot {
    SLOT_ROOT,          /* a root table that is not the current one   */
    SLOT_TABLE,         /* a last-level table                         */
    SLOT_MIDDLE,        /* tables between, for ports that have them   */
    SLOT_FROM,          /* page copy                                  */
    SLOT_TO,            /* page copy, zeroing                         */
    SLOT_POOL,          /* the pool's own: poison, zero in advance    */
    SLOT_INSPECT,       /* auditor, panic, console                    */
    SLOT_COUNT,
};

/*
 * `table` is the port's boot_slot_table: the last-level table that maps the slots region,
 * always reachable; NULL where tables have one level, and the root in use has the slots. Until slots_start() only
 * permanently mapped frames can be viewed.
 */
void slots_start(entry_t *table);

/* So many frames, from the first on, have permanent kernel addresses; grows while the direct map is built. */
extern uint32_t direct_frames;
static inline paddr_t direct_end(void) { return (paddr_t)direct_frames << PAGE_SHIFT; }

void *frame_view_in_slot(frame_t frame, enum slot slot);

/* Whether a frame has a permanent kernel address there, so that its view needs no slot and lasts. */
static inline bool frame_is_direct(frame_t frame) { return frame.no < direct_frames; }

static inline void *frame_view(frame_t frame, enum slot slot)
{
    if (frame_is_direct(frame))
        return pointer_to(layout.kernel_offset + ((vaddr_t)frame.no << PAGE_SHIFT));
    return frame_view_in_slot(frame, slot);
}

/* The permanent kernel pointer of [physical, physical + bytes), or NULL if there is none. */
void *physical_pointer(paddr_t physical, size_t bytes);

/*
 * Fill a frame with zeros, or `bytes` bytes of it from byte `from` on; copy a frame. Interrupts are off meanwhile.
 * Cost: the bytes.
 */
void frame_clear(frame_t frame);
void frame_clear_part(frame_t frame, size_t from, size_t bytes);
void frame_copy(frame_t to, frame_t from);

#endif
