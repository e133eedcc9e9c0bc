/*
 * hand.h - which pages leave when memory is short: those that were not touched since they were looked at last.
 *
 * A *hand* goes over the pages of all programs, round and round, as that of a clock: a window of a few pages in one
 * space after the other, then the next window. So pages that several programs show since a fork, which have the same
 * address in each, are looked at together, and their frames come free. A page that the processor has noted as accessed
 * loses that note, and gets a second chance; one that still lacks it when the hand comes again is cold and goes out, if
 * it may (pageout/page_out.h). A page that did not shrink is passed over until it was touched again, PAGE_REFUSED
 * times: it is not packed in vain each time round.
 *
 * Behind the last window of programs come the pages of objects, object by object (pageout/object_out.h), and then the
 * round begins again: so each page is looked at once a round, whosever it is. Of those, what read() and write() have
 * asked for counts as accessed as well.
 *
 * When  `frames_wanted` (frames/frame.h) says that frames are short: before a fault of a program is handled, a portion
 *       of pages goes; and where a frame was refused, whoever asked for it on behalf of a program makes room and tries
 *       again. Only when that made no progress is memory out (process/out_of_memory.h).
 * Who   the thread that needs the memory, and others that need it wait for it. No thread of the kernel's own does it:
 *       packing is work of the processor, so a second thread would only take its turns from the one that waits, and
 *       every machine would have its stack. The swap device, where there is one, writes several pages at once.
 *
 * Locking  make_room() and fault_with_room() take locks that sleep: the caller holds no
 *          lock but mutexes. hand_look() takes the map lock of the space as a reader, and inside it RWLOCK_CODER;
 *          hand_look_at_objects() that, and an object's.
 * Cost     a page that stays: some forty instructions; one that goes: page_out.h; a window of an object: the regions
 *          that map it. Interrupts are off for a window, the entries of one table, or the copy of a page.
 */
#ifndef QUIRE_MEMORY_HAND_H
#define QUIRE_MEMORY_HAND_H

#include "base/error.h"
#include "base/types.h"
#include "memory/frames/frame.h"

struct fault_verdict;
struct space;

/* Pages of a window, aligned: that many may be out in some of the spaces that show them before a frame is free. */
enum { HAND_WINDOW = 16 };
#define HAND_NONE ((page_t)-1)

struct hand {
    struct span window;                 /* the pages it looks at, in one space after the other               */
    page_t      next;                   /* where the next window begins, as far as is known; HAND_NONE: at 0 */
    size_t      looked, gone;           /* added up: steps, and pages that have gone                         */
    bool        full;                   /* page_out() found no place for one                                 */
    bool        objects;                /* it is among the objects                                           */
};

/* Look at the window in a space, which the caller keeps from being destroyed; what is cold goes. */
void hand_look(struct hand *hand, struct space *space);

/* All spaces have been looked at: on to the next window. False: that is the first again. */
bool hand_advance(struct hand *hand);

/* Look at the next window of the next object. False: all of them have been looked at. */
bool hand_look_at_objects(struct hand *hand);

/* space_fault(), for others than the program itself: where a frame is lacking, make room and try again. */
int fault_with_room(struct space *space, vaddr_t address, uint8_t access, struct fault_verdict *verdict) MUST_CHECK;

/* ---- Defined in a room above: process/make_room.c; arch/host/sleep.c without processes ------------------------ */

/* How many pages are let go for one that asks: few more than one at a time, so that the next who ask find some. */
enum { ROOM_PORTION = 32 };

/*
 * A frame was refused (frames_were_refused()). Let about so many pages of programs go. False: none could go, although
 * the hand has been over all of them twice, or too few time after time (process/make_room.h); or the current thread is
 * to end. May sleep.
 */
bool make_room(size_t want);

/* Whether the current thread is to end, so that what it does for many pages may end half done. A glance. */
bool caller_is_ending(void);

/* Whether a call that has changed nothing, and has ended with `err`, is worth another try. May sleep. */
static inline bool room_was_made(long err)
{
    return err == -ENOMEM && frames_were_refused() && make_room(ROOM_PORTION);
}

#endif
