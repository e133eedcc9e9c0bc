/*
 * make_room.h - pages of programs leave, one after the other, whoever's they are, when frames are short.
 *
 * make_room() and caller_is_ending() are declared in memory/pageout/hand.h, which says when pages go, and by whom they
 * are chosen. Here is what threads of programs do ahead of need: then no page is met twice, so what was used since the
 * last time stays. While a process ends for its memory (out_of_memory.h) no page leaves: who needs
 * memory waits for that instead.
 *
 * Some pages go and are back at once: those of who runs. Where the hand has been over all pages for fewer than
 * POOR_PAGES and than were wanted, POOR_MOST times, each within a second of the one before, that is no progress: an
 * instruction may need as many at once, and would never end. Memory is out then. With more, programs go on, though
 * slowly.
 *
 * Locking  a mutex inside, held while the hand moves: threads that need memory at one time wait for one another, and
 *          take what the first has made. Inside it process_lock, and the locks of hand.h. All may sleep.
 * Cost     hand.h; ahead of need at most 2 048 steps, and none for a while after these were in vain.
 */
#ifndef QUIRE_PROCESS_MAKE_ROOM_H
#define QUIRE_PROCESS_MAKE_ROOM_H

#include "memory/pageout/hand.h"

/* Called before a fault of a program is handled while `frames_wanted` is not 0: where frames are low a portion goes. */
void make_room_ahead(void);

/* For tests: the hand looks once, at one window of a program or an object. Returns how many pages have gone. */
size_t make_room_look(void);

/*
 * Whether the last refusal of make_room() was for that: the little that went makes the next try succeed, perhaps, but
 * not the program go on. A glance, without lock.
 */
bool room_is_poor(void);

/*
 * The memory of the first process from number *id on that has some, and its number; NULL: there is none. Its tables are
 * held: memory_release_tables().
 */
struct shared_space *memory_from(int32_t *id);

/* Where it is set, in a checked kernel: true if a frame was refused on purpose; *made is make_room()'s answer then. */
extern bool (*room_answers)(bool *made);

#endif
