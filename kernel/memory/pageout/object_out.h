/*
 * object_out.h - pages of objects that leave memory: of shared memory, memfds, files; and come back.
 *
 * What goes is a page that only its object and entries of programs refer to. All entries that show it are found through
 * the object's list of regions; they become empty, so the next touch asks the object for the page. The bytes go where
 * those of private pages go (page_out.h), into a swap slot, and the object's index has the slot in the place of the
 * frame: one, whoever maps the page. Whoever wants it then has it brought back (object_bring_in(),
 * spaces/object_parts.h), by faults, read(), write() alike.
 *
 * While a page is being packed or written the index still has its frame, with a mark. Who asks for the page gets the
 * frame, and takes the mark away: then the page stays. So no lock of the object is held meanwhile, nobody waits, and no
 * change is lost.
 *
 * Pages stay that a locked region shows, that somebody else has a reference to (a pipe, a call that copies), and those
 * of objects that the kernel itself uses (`stays`). There is no place but swap that a page could be read from again, so
 * none is merely dropped.
 *
 * Locking  all may sleep. object_page_out() and hand_look_at_object() take RWLOCK_CODER, and inside it the object's
 *          lock; the caller has a reference to the object, and may hold the lock of a map.
 * Cost     that of page_out.h, and for each page, or each window that is looked at, all regions that map the object.
 */
#ifndef QUIRE_MEMORY_OBJECT_OUT_H
#define QUIRE_MEMORY_OBJECT_OUT_H

#include "memory/pageout/page_out.h"
#include "memory/spaces/object.h"

struct hand;

/* Let a page go, unless more than `most` references name its frame: the object's is one, that of each entry another. */
enum page_out object_page_out(struct object *object, uint64_t page, uint32_t most);

/*
 * Let the pages [span) of a shared region go that this region shows, and no other entry, up to where there is no slot
 * left, or the caller is to end. The map lock is held.
 */
void object_pages_out(const struct region *region, struct span span);

/* Look at the object's next window for the hand (hand.h); what is cold goes. False: it has been over all of them. */
bool hand_look_at_object(struct hand *hand, struct object *object);

/*
 * The pages [span) of a region, private or shared, have not been used of late, by what the program says: the hand finds
 * them cold. The map lock is held.
 */
void pages_make_cold(const struct region *region, struct span span);

/*
 * Bring the page of a slot, which the caller has a reference to, into a frame, whole. Returns 1, as a pager does for a
 * page, or -EIO from the swap device. Called without a lock of base/rwlock.h.
 * A slot of the device is read, and waited for.
 */
long object_load(uint32_t slot, frame_t frame) MUST_CHECK;

#endif
