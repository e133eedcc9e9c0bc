/*
 * make_room.c - frames are short: the hand (memory/pageout/hand.h) goes over the programs, by the numbers of processes,
 * and over the objects.
 */
#include "process/make_room.h"

#include "base/check.h"
#include "base/rwlock.h"
#include "memory/frames/frame.h"
#include "process/family.h"
#include "process/out_of_memory.h"
#include "process/tour.h"

/*
 * Rounds: the first begins anywhere, so three go over every page twice. Ahead of need no page is met twice: one that
 * was used since the last portion stays, or with hardly any memory what one instruction touches would go at each of its
 * faults. Poor yields (make_room.h) in a row, of how many pages at most, and how long one counts. Steps ahead of need,
 * and portions that are left out after some were in vain, at most.
 */
enum { ROUNDS = 3, ROUNDS_AHEAD = 1, POOR_MOST = 16, POOR_PAGES = 8, POOR_NANOSECONDS = 1000000000 };
enum { STEPS_AHEAD = 2048, PAUSES_MOST = 255 };

static struct mutex turn = MUTEX("page-out");

static struct {                         /* [turn] */
    int32_t     process;                /* the number of the process that is looked at next, or a lower one */
    struct hand hand;
    uint32_t    poor;                   /* calls in a row that went over all pages for less than was wanted */
    uint64_t    poor_until;             /* when they are forgotten                                          */
    bool        is_poor;                /* the last portion was refused for their number                    */
    uint32_t    pause, pauses;          /* portions ahead of need that are left out now, and next time      */
} at = { .hand = { .window = { 0, HAND_WINDOW }, .next = HAND_NONE } };

bool (*room_answers)(bool *made);

static uint32_t pages_gone;             /* [a] since the start; may wrap */

struct shared_space *memory_from(int32_t *id)
{
    lock_state            state  = lock_take(&process_lock);
    struct shared_space  *memory = NULL;
    const struct process *process;

    for (int32_t beyond = *id - 1; memory == NULL; process_lock_rest(&state)) {     /* bound: rests */
        process = process_beyond(beyond, &state);
        if (process == NULL)
            break;
        beyond = process->id;
        memory = process->memory;
        *id    = beyond;
        if (memory != NULL)
            memory_hold_tables(memory);
    }
    lock_drop(&process_lock, state);
    return memory;
}

/* One look; false where the hand has come round, and begins again. */
static bool move_on(void)
{
    int32_t              id = at.process;
    struct shared_space *memory;

    deep_assert(mutex_held(&turn));
    point_of_rest();
    if (at.hand.objects)
        return at.hand.objects = hand_look_at_objects(&at.hand);
    memory     = memory_from(&id);
    at.process = memory != NULL ? id + 1 : 0;
    if (memory == NULL) {
        at.hand.objects = !hand_advance(&at.hand);
        return true;
    }
    hand_look(&at.hand, &memory->space);
    memory_release_tables(memory);
    return true;
}

static void note_yield(bool enough, bool went_over_all)
{
    uint64_t now = clock_now();

    if (enough || now >= at.poor_until)
        at.poor = 0;
    if (enough || !went_over_all)
        return;
    at.poor++;
    at.poor_until = now + POOR_NANOSECONDS;
}

/* Returns how many pages have gone. */
static size_t let_go(size_t want, size_t steps, unsigned most)
{
    unsigned rounds = 0;

    at.hand.looked = at.hand.gone = 0;
    at.hand.full   = false;
    /* bound: rests */
    while (at.hand.gone < want && at.hand.looked < steps && rounds < most && !at.hand.full && !memory_is_coming())
        rounds += !move_on();
    __atomic_add_fetch(&pages_gone, at.hand.gone, __ATOMIC_RELAXED);
    note_yield(at.hand.gone >= (want < POOR_PAGES ? want : POOR_PAGES), rounds >= ROUNDS);
    return at.hand.gone;
}

/* Whether a thread that was refused a frame may try again. */
static bool let_portion_go(size_t want)
{
    size_t gone = let_go(want, SIZE_MAX, ROUNDS);

    at.is_poor = at.poor >= POOR_MOST;
    if (at.is_poor)
        at.poor = 0;
    return gone > 0 && !at.is_poor;
}

bool caller_is_ending(void) { return thread_is_ending(current_thread()); }

bool room_is_poor(void) { return at.is_poor; }

bool make_room(size_t want)
{
    uint32_t gone = __atomic_load_n(&pages_gone, __ATOMIC_RELAXED);
    bool     made;

    may_sleep();
    deep_assert(rwlock_none_held());
    if (IS_CHECKED && room_answers != NULL && room_answers(&made))
        return made;
    if (thread_is_ending(current_thread()))
        return false;
    if (memory_is_coming()) {
        wait_for_memory();
        return true;
    }
    mutex_take(&turn);
    /* Another thread may have made room while this one waited. */
    made = __atomic_load_n(&pages_gone, __ATOMIC_RELAXED) != gone || let_portion_go(want);
    mutex_drop(&turn);
    return made;
}

size_t make_room_look(void)
{
    size_t gone = 0;

    may_sleep();
    assert(rwlock_none_held());
    if (thread_is_ending(current_thread()) || memory_is_coming())
        return 0;
    mutex_take(&turn);
    at.hand.gone = 0;
    at.hand.full = false;
    (void)move_on();
    gone = at.hand.gone;
    __atomic_add_fetch(&pages_gone, gone, __ATOMIC_RELAXED);
    mutex_drop(&turn);
    return gone;
}

void make_room_ahead(void)
{
    may_sleep();
    if (!(__atomic_load_n(&frames_wanted, __ATOMIC_RELAXED) & FRAMES_LOW))
        return;                                 /* a call that nobody repeats found no frame */
    if (thread_is_ending(current_thread()) || memory_is_coming())
        return;
    mutex_take(&turn);
    if (at.pause > 0)
        at.pause--;
    else if (let_go(ROOM_PORTION, STEPS_AHEAD, ROUNDS_AHEAD) > 0)
        at.pauses = 0;
    else if (at.pauses < PAUSES_MOST)
        at.pause = at.pauses = 2 * at.pauses + 1;
    else
        at.pause = at.pauses;
    mutex_drop(&turn);
}
