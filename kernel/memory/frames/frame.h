/*
 * frame.h - physical memory, one frame at a time.
 *
 * A frame is PAGE_SIZE bytes of RAM, named by number. Numbers cross this interface, never pointers, because most RAM
 * may have no permanent kernel address; memory/tables/slot.h gives a view of a frame's bytes.
 *
 * Each frame has a record: owner kind, reference count, flags, and one link that its owner may use as it likes. The
 * bitmap (pool.h) says free or used, at the place and in the polarity that the layout's document asks for; the record
 * says the rest.
 *
 * Owning   frame_get() hands the caller one reference; frame_put() ends it; at zero the frame is free and must not be
 *          touched again.
 * Locking  pool lock (rank POOL) inside, and not even that while this CPU's magazine serves; callable with any lock of
 *          a lower rank held and from interrupts. Counts are atomic.
 * Cost     frame_get(), frame_put(): O(1), whatever the amount of memory. A call touches at most 12 words of metadata,
 *          counted in a test; a CPU that is asked to give up its magazine pays for that once. No allocation, no
 *          sleeping. Zeroing costs a page of writes. Runs: O(areas of 512 frames), for rare use.
 * Misuse   giving back a frame that is free (double free), that the pool never gave (foreign), or a run of which a
 *          frame is still shared, is detected, counted and printed with the frame's last owner, and changes nothing.
 * Source   which RAM exists: memory/frames/memmap.h. Policies: layout.policy; claims K2..K12, A8, A9, M6, M7.
 *
 * Invariants (frames_ok):
 *   F1  bit, record and owner agree: free in the bitmap iff owner FREE and count 0, but for frames in
 *       a CPU's magazine, which are free, used in the bitmap, and in one magazine once
 *   F2  the free counts of the areas equal the bits, and each area is in the set of its class alone
 *   F3  sums by owner equal the records counted, and add up to all RAM
 *   F4  no frame outside RAM is free in the bitmap
 *   F5  a free frame holds the poison, or zeros if its record says so (checked builds)
 */
#ifndef QUIRE_MEMORY_FRAME_H
#define QUIRE_MEMORY_FRAME_H

#include "base/types.h"
#include "memory/frames/memmap.h"
#include "memory/frames/owner.h"

struct layout_policy;

/* Exactly 8 bytes: frame records of 4 GiB fill 8 MiB. */
struct frame_record {
    uint32_t state;                 /* [a] count, owner, flags: frame.c alone knows how   */
    uint32_t link;                  /* [owner's lock] for the owner's use                 */
};

_Static_assert(sizeof(struct frame_record) == 8, "layouts reserve 8 bytes a frame");

/*
 * The reserve is a number of free frames, not particular ones, that only FRAME_SPARE gets: 1/256 of RAM, at least 4
 * and at most 64, or 1/16 of a RAM of fewer than 64 frames. It is for work that must not wait for memory, above all
 * work that ends with more memory free than before; get_next_page() asks for it.
 *
 * FRAME_LOW asks for a frame below low_end. Under the search `fullest` all other calls get frames from above low_end
 * first, so that low memory lasts; searches by address keep the order that the document promises.
 */
enum {
    FRAME_ZERO = 1,                 /* arrive filled with zeros                           */
    FRAME_LOW  = 2,                 /* must have a permanent kernel address (direct map)  */
    FRAME_SPARE = 4,                /* may use the reserve                                */
};

#define FRAME_POISON 0xF4EEF4EEu    /* what free frames hold in checked builds */

/* Bytes of metadata frames_open() wants for frames [0, end): bitmap as the layout places it, and the rest. */
uint64_t frames_bitmap_bytes(const struct layout_policy *policy, uint32_t end);
uint64_t frames_record_bytes(uint32_t end);
uint64_t frames_summary_bytes(uint32_t end);

/*
 * Open the pool. Everything `map` calls free becomes free; everything else keeps its owner with a count of 1 and a link
 * of 0. Afterwards the map is not read again. `low_end` is the first frame that has no permanent kernel address. The
 * three blocks of memory, aligned to 8 bytes, are the pool's from now on; they are written in full. Checked builds
 * poison frames as they are given back, not here.
 */
void frames_open(const struct memmap *map, const struct layout_policy *policy, uint32_t low_end,
                 void *bitmap, void *summary, struct frame_record *records);
bool frames_are_open(void);
void frames_close(void);            /* the memory is gone: a machine in a test was switched off */

/*
 * Take a free frame; count 1, link 0. Returns 0, or -ENOMEM (then *out is unchanged).
 * Without FRAME_ZERO the contents are undefined (in checked builds a poison, never zeros).
 * Memory for user space is always taken with FRAME_ZERO, or overwritten whole.
 * With several CPUs -ENOMEM may come while others have frames in magazine; they are asked to return them.
 */
int frame_get(enum owner owner, unsigned flags, frame_t *out) MUST_CHECK;

/* Drop a reference. Returns true when it was the last and the frame became free. */
bool frame_put(frame_t frame);

/* frame_put() for a caller who may be wrong about the frame's owner: another owner's frame is a misuse, and stays. */
bool frame_put_of(frame_t frame, enum owner owner);

/*
 * One more reference to a frame that has one. Cannot fail: a count that reaches 2^20 - 1 stays there for good and the
 * frame is never freed (frame_sums.pinned): one frame lost, where a count that wrapped would hand out a frame in use.
 * Frames that the map gave (a module) can be shared too; the map's own reference is never dropped.
 */
void frame_share(frame_t frame);

/* frame_put() of each frame of a list; a frame may be in it more than once. In line, one by one: frame_many.h. */
void frame_put_all(const frame_t *frames_put, size_t count);

/* Keep a frame for good: from now on its references are not counted any more. For the frame of zeros. */
void frame_pin(frame_t frame);
bool frame_is_pinned(frame_t frame);

/*
 * Let entries of programs show a frame that is never handed out (ABSENT or HELD, with a record): from now on its
 * references are not counted, so that entries may come and go like others.
 */
void frame_show(frame_t frame);

/*
 * Take `count` frames in a row, the first a multiple of `align` (a power of two, in frames), all below frame `below`
 * (0: no bound). Exact on one CPU: fails with -ENOMEM only if no such run exists, or if it would cut into the reserve
 * without FRAME_SPARE; frames in other CPUs' magazines are asked for, and not waited for. Lowest first; up to 512
 * frames come from areas already broken into, if they fit there. Each is then an ordinary frame with count 1, to be
 * given back singly or with frame_run_put(), which frees all of a run or, if one of its frames has another reference or
 * was never given, none.
 */
int  frame_run_get(enum owner owner, uint32_t count, uint32_t align, uint32_t below, unsigned flags,
                   frame_t *first) MUST_CHECK;
void frame_run_put(frame_t first, uint32_t count);

/*
 * Give RAM that the map had for `owner` (boot code, modules) to the pool: of [first, first + count) those
 * frames that belong to `owner` and have one reference. Others are left as they are.
 */
void frame_reclaim(frame_t first, uint32_t count, enum owner owner);

/*
 * A frame without a record has no references, belongs to ABSENT and is no RAM; it has no link. frame_change_owner()
 * takes a frame that belongs to `from` and has references, which stay as they are.
 */
uint32_t   frame_references(frame_t frame);
enum owner frame_owner(frame_t frame);
bool       frame_is_sole(frame_t frame, enum owner owner);      /* one reference, and this owner; not of the map's */
void       frame_change_owner(frame_t frame, enum owner from, enum owner to);
uint32_t   frame_link(frame_t frame);
void       frame_set_link(frame_t frame, uint32_t link);
void       frame_count_link(frame_t frame, int more);           /* the link, a number here, grows by `more` */
bool       frame_is_ram(frame_t frame);

/* Idle work: zero one free frame in advance. False when no frame needs it. */
bool frames_idle(void);
/* Empty the magazines of all CPUs into the bitmap, before counting bits. No other CPU may be inside a call. */
void frames_drain(void);

struct frame_sums {
    uint32_t owned[OWNER_COUNT];    /* frames by owner                                      */
    uint32_t ram;                   /* all RAM; equals the sum of owned[] without ABSENT     */
    uint32_t magazine;                 /* of the free ones, those in CPUs' magazines               */
    uint32_t reserve;               /* of the free ones, those only FRAME_SPARE may take     */
    uint32_t zeroed;                /* of the free ones, those known to hold zeros           */
    uint32_t peak_used;             /* most frames ever not free; never too few, too many by at
                                     * most the magazines of other CPUs and frames zeroed ahead */
    uint64_t gets, puts;            /* frames handed out and given back; each CPU's part may
                                     * wrap at 2^32 on a 32-bit processor                    */
    uint32_t misuses;               /* double, foreign and shared-run frees refused; writes
                                     * to free frames found (checked builds)                 */
    uint32_t pinned;                /* frames shared so often that they are never freed      */
};

void frames_sums(struct frame_sums *out);

/*
 * The longest run of free frames, and the free 2 MiB areas, aligned. Takes no lock: exact while no CPU takes or gives
 * frames. Cost: the bitmap.
 */
struct frame_runs { uint32_t largest, free_areas; };
void frames_runs(struct frame_runs *out);       /* O(areas and partly used words), for people   */
uint32_t frames_owned(enum owner owner);        /* one of the sums; O(CPUs), FREE: O(CPUs * owners) */
uint32_t frames_free(void);                     /* frames_owned(OWNER_FREE)                     */
uint32_t frames_end(void);          /* one past the highest frame with a record              */

/*
 * Whether frames are short. FRAMES_LOW: fewer than the reserve and as many again are free in the bitmap.
 * FRAMES_REFUSED: the running thread has found none since it asked frames_were_refused() last; a switch of threads
 * keeps the bit for the one that goes (process/schedule.c). memory/pageout/hand.h says who does what then.
 */
enum { FRAMES_LOW = 1, FRAMES_REFUSED = 2 };
extern uint32_t frames_wanted;                  /* [a] bits of these */
bool frames_were_refused(void);                 /* and are not any more */

/* The bitmap's raw bytes, for claims A9 and K2. */
const uint8_t *frames_bitmap(size_t *bytes);

struct audit_report;
void frames_audit(struct audit_report *report);     /* F1..F5 */
bool frames_ok(void);
/* A slice of it: F1, F2, F4, F5 for one area of 512 frames, area < frames_areas(). */
void     frames_audit_area(uint32_t area, struct audit_report *report);
uint32_t frames_areas(void);

/*
 * Failure sweep: let the n-th frame_get() or frame_run_get() from now on fail (1 = the next; 0 = none), once.
 * The kernel heap counts its own with heap_fail_at(). frame_fail_left(): how many are left until then; 0: it has
 * failed.
 */
void     frame_fail_at(uint32_t n);
uint32_t frame_fail_left(void);

#endif
