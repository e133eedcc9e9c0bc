/*
 * frame_magazine.h - each CPU's magazine of frames, and the state that the files of the frame pool share.
 *
 * Internal to the files frame*.c, the checks of frames (memory/check) and probes of claims. Between a call and the
 * bitmap stands the CPU's magazine, so that most calls touch no shared word but the frame's own record:
 *
 *   ring     frames given back lately, still warm in the cache. The newest is handed out first; when the ring is full
 *            the oldest goes back to the bitmap, one for one, so that no call ever pays for many, but the one that
 *            another CPU has asked to empty it all.
 *   claim    what is left of the frames claimed at once from one word of the bitmap: at most a ring's, not the reserve
 *   clean    frames zeroed in idle time
 *
 * A frame in a magazine reads used in the bitmap, and belongs to FREE. `room` is how many frames the ring may hold: the
 * document's `magazine`, and 0 while the pool is short or another CPU needs frames; each frame given back then goes to
 * the bitmap at once.
 *
 * Locking  a magazine belongs to its CPU, which uses it with interrupts off. Another CPU may only read counters, and
 *          write `room` and `wanted` under the pool lock; frames_drain() empties it while no CPU is inside a call.
 */
#ifndef QUIRE_MEMORY_FRAME_MAGAZINE_H
#define QUIRE_MEMORY_FRAME_MAGAZINE_H

#include "base/lock.h"
#include "cpu.h"
#include "memory/frames/frame.h"
#include "memory/frames/pool.h"

/* Most frames a ring holds: above this a magazine only hides memory from others. */
enum { MAGAZINE_MOST = 64, CLEAN_MOST = 32 };

struct frame_magazine {
    uint32_t newest, oldest;        /* ring positions: [oldest, newest), modulo MAGAZINE_MOST      */
    uint32_t room;                  /* [a] see above                                            */
    uint32_t lowest;                /* fewest frames in the ring since the peak was looked at   */
    uint32_t wanted;                /* [a] 1: empty everything at the next call                 */
    uint32_t clean_count;
    uint32_t base;                  /* frame of the claim's bit 0                               */
    uint32_t zeroed;                /* [a] change in free frames known to hold zeros            */
    word_t   claim;
    unsigned long changes;          /* [a] frame_change_owner(), which counts in both below     */
    unsigned long came[OWNER_COUNT], went[OWNER_COUNT];     /* [a] frames that became, or ceased to be,
                                     * an owner's on this CPU; two counters, because one that goes up and
                                     * down with each pair of calls would wait for itself       */
    uint32_t ring[MAGAZINE_MOST];
    uint32_t clean[CLEAN_MOST];
} __attribute__((aligned(128)));    /* two cache lines: they are fetched in pairs               */

struct frames {
    struct frame_record *records;   /* [c]                                                      */
    uint32_t    end;                /* [c] frames with a record                                 */
    uint32_t    magazine;              /* [c] room of a ring while the pool is not short          */
    unsigned    always;             /* [c] flags that every frame_get() has: FRAME_ZERO, or 0   */
    bool        low_matters;        /* [c] some RAM has no permanent address                    */
    uint32_t    unusual;            /* [a] not 0: no frame_get() may take the short way         */
    uint32_t    fail_at;            /* [a] frame_fail_at()                                      */
    uint32_t    reserve;            /* [c] free bits that only FRAME_SPARE may use              */
    uint32_t    ram;                /* [c]                                                      */
    uint32_t    free_at_first;      /* [c] bits that were free before the first was marked (K4); 0 where none is */
    uint32_t    owned[OWNER_COUNT]; /* [c] frames by owner when the pool opened                 */
    uint32_t    misuses, pinned;    /* [a]                                                      */
    /* Fields that change often lie in another cache line than those that every call reads. */
    uint32_t    peak __attribute__((aligned(64)));          /* [pool lock] most frames not free */
    bool        is_short;           /* [pool lock] fewer free bits than the reserve             */
    struct pool pool;               /* [pool lock]                                              */
};

extern struct frames frames;
extern struct frame_magazine  frame_magazines[MAX_CPUS];
extern struct lock   pool_lock;

/*
 * For sums and audits: take the pool lock, unless this CPU holds it already, as in a panic. Returns whether it was
 * taken, for pool_leave().
 */
static inline bool pool_enter(lock_state *state)
{
    if (lock_held(&pool_lock))
        return false;
    *state = lock_take(&pool_lock);
    return true;
}

static inline void pool_leave(bool taken, lock_state state)
{
    if (taken)
        lock_drop(&pool_lock, state);
}

/* ---- A record's state ------------------------------------------------------------------ */

/*
 * bits 0..19 references, 20..24 owner; of a free frame also 25..29 its last owner, 30 it holds zeros, 31 it holds the
 * poison. The references stop counting at STATE_PINNED: a frame that was ever shared so often is never freed, which
 * loses one frame where a wrapped count would hand it out while in use. It takes a million mappings to get there.
 */
enum {
    STATE_PINNED      = (1 << 20) - 1,
    STATE_OWNER_SHIFT = 20,
    STATE_LAST_SHIFT  = 25,
    STATE_ZEROED      = 1 << 30,
};
#define STATE_POISONED (1u << 31)

_Static_assert(OWNER_COUNT <= 32, "a state has five bits for an owner");

static inline uint32_t   state_count(uint32_t state) { return state & STATE_PINNED; }
static inline enum owner state_owner(uint32_t state) { return (enum owner)(state >> STATE_OWNER_SHIFT & 31); }
static inline enum owner state_last(uint32_t state)  { return (enum owner)(state >> STATE_LAST_SHIFT & 31); }
static inline uint32_t   state_of(uint32_t count, enum owner owner)
{
    return count | (uint32_t)owner << STATE_OWNER_SHIFT;
}
static inline uint32_t   state_freed_by(enum owner last)
{
    return state_of(0, OWNER_FREE) | (uint32_t)last << STATE_LAST_SHIFT;
}
static inline bool state_free(uint32_t state)
{
    return (state & (STATE_PINNED | 31u << STATE_OWNER_SHIFT)) == state_of(0, OWNER_FREE);
}
/* Free, and nothing is known of the contents. */
static inline bool state_free_plain(uint32_t state)
{
    return (state & ~(31u << STATE_LAST_SHIFT)) == state_of(0, OWNER_FREE);
}

/* Owners from TABLES on get their frames from the pool; those before it have them from the map. */
static inline bool owner_is_given(enum owner owner) { return owner >= OWNER_TABLES && owner < OWNER_COUNT; }

/*
 * Whether the next put frees the frame: the count is 1, and the owner got the frame from the pool
 * (owner_is_given()). One comparison, by rotating the word.
 */
static inline bool state_single(uint32_t state)
{
    uint32_t past = state - state_of(1, OWNER_TABLES);

    return (past >> STATE_OWNER_SHIFT | past << (32 - STATE_OWNER_SHIFT)) < OWNER_COUNT - OWNER_TABLES;
}

static inline struct frame_record *record_of(uint32_t frame)
{
    struct frame_record *record = &frames.records[frame];

#ifdef TOUCH
    TOUCH(record);
#endif
    return record;
}

/* Acquire: a CPU that sees that others have dropped their references also sees their earlier writes. */
static inline uint32_t state_read(const struct frame_record *record)
{
    return __atomic_load_n(&record->state, __ATOMIC_ACQUIRE);
}

/* Only for the holder of the one reference, and for the CPU whose magazine has the free frame: no other writes then. */
static inline void state_write(struct frame_record *record, uint32_t state)
{
    __atomic_store_n(&record->state, state, __ATOMIC_RELAXED);
}

/* Counters with one writer and readers anywhere: no tearing, no read-modify-write on the bus. */
#define count_add(counter, n) \
    __atomic_store_n(&(counter), __atomic_load_n(&(counter), __ATOMIC_RELAXED) + (n), __ATOMIC_RELAXED)
#define count_read(counter) __atomic_load_n(&(counter), __ATOMIC_RELAXED)

/* ---- Magazines: interrupts are off for all of these ----------------------------------------- */

/* The slow halves of taking and giving: another source than the ring's newest; a ring without room. POOL_NONE: none. */
uint32_t frame_magazine_take(struct frame_magazine *magazine, unsigned flags);
void     frame_magazine_give(struct frame_magazine *magazine, uint32_t frame);

/* Whether this is the call that frame_fail_at() lets fail. */
bool frame_magazine_fails(void);

/* All of a magazine goes to the bitmap. The caller holds the pool lock. */
void frame_magazine_empty(struct frame_magazine *magazine);

/* Ask the other CPUs to empty their magazines at their next call, and to put nothing into the rings; [pool lock]. */
void frame_magazines_want(const struct frame_magazine *mine);

/*
 * Bring the peak up to date before the number of free bits changes; and after it the peak, the rooms of magazines, and
 * FRAMES_LOW in `frames_wanted`. [pool lock] With one CPU and no frames zeroed ahead the peak is exact, else never too
 * small. Cost: frame_magazines_adjust() mostly a few comparisons.
 */
void peak_note(struct frame_magazine *mine);
void frame_magazines_adjust(struct frame_magazine *mine);

/* The number of frames in a magazine; the n-th of them. */
uint32_t frame_magazine_count(const struct frame_magazine *magazine);
uint32_t frame_magazine_frame(const struct frame_magazine *magazine, uint32_t n);       /* n < frame_magazine_count() */

/* ---- Contents --------------------------------------------------------------------------- */

/* Fill a frame with zeros, or with the poison. */
void contents_clear(uint32_t frame);
void contents_poison(uint32_t frame);
/* Whether a free frame with this state holds what the state says. */
bool contents_ok(uint32_t frame, uint32_t state);

#endif
