/*
 * torture.c - the words, when each switch acts, and allocations that fail. See torture.h.
 */
#include "process/torture.h"

#include "base/check.h"
#include "base/error.h"
#include "base/number.h"
#include "base/string.h"
#include "memory/check/disturb.h"
#include "memory/frames/frame.h"
#include "memory/heap/heap.h"
#include "process/make_room.h"
#include "process/process.h"

/* ---- The words ------------------------------------------------------------------------------------------ */

enum { EVICT, HAND, MOVE, TABLES, SWITCH, FAIL, SWITCHES };
static const char *const switch_names[SWITCHES] = { "evict", "hand", "move", "tables", "switch", "fail" };

static uint32_t every[SWITCHES];            /* [c] at every how many events; 0: never                       */
static uint32_t events[SWITCHES];           /* [a]                                                         */
static bool     may_order;                  /* [c]                                                         */

static struct torture_done done;            /* [a] */

/* One switch, up to a comma or the word's end; NULL: it is none. */
static const char *note_switch(const char *at)
{
    unsigned which = 0;
    uint64_t number = 1;
    size_t   length;

    while (which < SWITCHES && strncmp(at, switch_names[which], strlen(switch_names[which])) != 0)
        which++;
    if (which == SWITCHES)
        return NULL;
    length = strlen(switch_names[which]);
    if (at[length] == ':') {
        at = number_parse(at + length + 1, &number);
        if (at == NULL || number == 0 || number > UINT32_MAX)
            return NULL;
        every[which] = (uint32_t)number;
        return at;
    }
    if (which == FAIL)
        may_order = true;
    else
        every[which] = 1;
    return at + length;
}

static void watch_threads(void);

const char *torture_note(const char *command_line)
{
    static const char name[] = "torture=";

    for (const char *at = command_line; *at != '\0'; at++) {
        if ((at != command_line && at[-1] != ' ') || strncmp(at, name, sizeof name - 1) != 0)
            continue;
        if (!IS_CHECKED)
            return "torture= is for checked kernels, which `make CHECKED=1` builds";
        at += sizeof name - 2;
        do                                      /* from the = or a comma on */
            at = note_switch(at + 1);
        while (at != NULL && *at == ',');
        watch_threads();
        return at != NULL && (*at == ' ' || *at == '\0')
                   ? NULL
                   : "torture= knows evict, hand, move, tables, switch and fail, with `:` and a number, and commas "
                     "between them";
    }
    return NULL;
}

static bool is_due(unsigned which)
{
    return every[which] != 0 && __atomic_add_fetch(&events[which], 1, __ATOMIC_RELAXED) % every[which] == 0;
}

/* ---- Pages ---------------------------------------------------------------------------------------------- */

static void happen(struct space *space)
{
    static page_t evicted_at, moved_at;

    if (is_due(EVICT))
        __atomic_add_fetch(&done.evicted, disturb_evict(space, &evicted_at), __ATOMIC_RELAXED);
    if (is_due(HAND))
        __atomic_add_fetch(&done.cold, make_room_look(), __ATOMIC_RELAXED);
    if (is_due(MOVE))
        __atomic_add_fetch(&done.moved, disturb_move(space, &moved_at), __ATOMIC_RELAXED);
    if (is_due(TABLES))
        __atomic_add_fetch(&done.dropped, disturb_entries(space), __ATOMIC_RELAXED);
}

void torture_fault(struct space *space, vaddr_t address)
{
    disturb_spare(space, page_of(address));
    happen(space);
}

/* ---- Turns ---------------------------------------------------------------------------------------------- */

/* Others that compute would use their turns: a thread that gives way very often would never come to its end. */
enum { SHORT_TURN = 1000000 };              /* nanoseconds */

static void end_turn(struct timer *timer)
{
    schedule_hurry();
    if (schedule_ready() > 0)
        timer_arm(timer, clock_now() + SHORT_TURN);
}

/* What may sleep must bear it that others run, each time: so they do. */
static void let_others_run(void)
{
    static struct timer turn = { .fire = end_turn };

    if (current_thread()->process == NULL || schedule_ready() == 0 || !is_due(SWITCH))
        return;
    __atomic_add_fetch(&done.switched, 1, __ATOMIC_RELAXED);
    if (!turn.armed)
        timer_arm(&turn, clock_now() + SHORT_TURN);
    schedule();
}

/* ---- Failures ----------------------------------------------------------------------------------------------- */

enum failing { FRAME, BLOCK, FRAME_AGAIN };

/* An order, and the call that it is about: one at a time. */
static struct {
    const struct thread *thread;            /* whose call; NULL: there is none             */
    enum failing         what;
    uint32_t             count;
    bool                 by_program;        /* it is a program's order                     */
    bool                 ordered;           /* the call that wrote the order has not ended */
    bool                 active;            /* the call has begun                          */
    uint32_t             left;              /* allocations until it fails, while another thread runs */
    bool                 answered;          /* room was asked for, for the refused frame   */
} order;                                    /* [the thread's own, but for another's order] */

static uint32_t left(void) { return order.what == BLOCK ? heap_fail_left() : frame_fail_left(); }

static void fail_at(uint32_t n) { (order.what == BLOCK ? heap_fail_at : frame_fail_at)(n); }

static void begin_failing(void)
{
    order.active   = true;
    order.answered = false;
    fail_at(order.count);
}

static void end_failing(void)
{
    done.hit = left() == 0;
    done.failed += done.hit;
    frame_fail_at(0);
    heap_fail_at(0);
    order.thread = NULL;
    order.active = false;
}

/*
 * Only what the thread itself takes is counted. A thread that waits in its call lets others have their failures, if
 * nobody has ordered its own. Interrupts are off.
 */
static void watch_switch(const struct thread *from, const struct thread *to)
{
    if (!order.active || (from != order.thread && to != order.thread))
        return;
    if (from == order.thread)
        order.left = left();
    fail_at(to == order.thread ? order.left : 0);
    if (from == order.thread && (!order.by_program || from->phase == THREAD_DEAD))
        order.active = false, order.thread = NULL;
}

/* What make_room() answers where a frame was refused on purpose. */
static bool answer_for_room(bool *made)
{
    if (order.thread != current_thread() || !order.active || order.answered || order.what == BLOCK || left() != 0)
        return false;
    order.answered = true;
    *made          = order.what == FRAME_AGAIN;
    return true;
}

static void watch_threads(void)
{
    room_answers   = answer_for_room;
    switch_watcher = watch_switch;
    if (every[SWITCH] != 0)
        sleep_watcher = let_others_run;
}

int torture_order(const char *text)
{
    static const char *const names[] = { [FRAME] = "frame ", [BLOCK] = "heap ", [FRAME_AGAIN] = "again " };
    uint64_t                 count;

    if (!may_order)
        return -EPERM;
    for (unsigned i = 0; i < COUNT_OF(names); i++) {
        if (strncmp(text, names[i], strlen(names[i])) != 0)
            continue;
        if (number_parse(text + strlen(names[i]), &count) == NULL || count == 0 || count > UINT32_MAX)
            return -EINVAL;
        frame_fail_at(0);
        heap_fail_at(0);
        order.what       = (enum failing)i;
        order.count      = (uint32_t)count;
        order.by_program = true;
        order.ordered    = true;
        order.active     = false;
        order.thread     = current_thread();
        return 0;
    }
    return -EINVAL;
}

void torture_call_begins(void)
{
    if (every[FAIL] != 0 && order.thread == NULL) {
        order.thread     = current_thread();
        order.what       = FRAME_AGAIN;
        order.count      = every[FAIL];
        order.by_program = false;
        order.ordered    = false;
    }
    if (order.thread == current_thread() && !order.ordered)
        begin_failing();
}

void torture_call_ends(void)
{
    struct process *self = current_process();

    if (order.thread == current_thread()) {
        if (order.active)
            end_failing();
        order.ordered = false;
    }
    if (self->memory != NULL)
        happen(&self->memory->space);
}

struct torture_done torture_done(void) { return done; }
