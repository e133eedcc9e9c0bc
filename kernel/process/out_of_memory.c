/*
 * out_of_memory.c - choosing the process that ends when no frame is left.
 *
 * A process that has been told to end needs turns of its own until its frames are free, so the thread that asked waits
 * for it, and asks again. A lock that this thread holds may keep the process from ending; after PATIENCE another
 * process is chosen.
 */
#include "process/out_of_memory.h"

#include "base/check.h"
#include "base/print.h"
#include "base/string.h"
#include "memory/frames/frame.h"
#include "process/above.h"
#include "process/family.h"
#include "process/tour.h"

enum { PATIENCE_NANOSECONDS = 1000000000, PAUSE_NANOSECONDS = 10000000, LINE = 320 };

/* The best choice so far, and the figures that the report gives of it. */
struct choice {
    const struct process      *not;             /* told to end long ago, and still there; or NULL */
    const struct shared_space *memory;          /* NULL: no process may be ended                  */
    int64_t  score, ram;
    uint64_t pages, started;
    int32_t  id, adjust;
    bool     alone;                             /* the one that asks, as no other may be ended    */
    char     name[16];
};

/*
 * [process_lock] The last one chosen, until its memory is back (then id is 0); by its start, too, as its number may be
 * another's by now. And how many have given theirs back.
 */
static struct { int32_t id; uint32_t gone; uint64_t started, until; } ending;

uint64_t process_pages(const struct process *process)
{
    const struct shared_space *memory = process->memory;

    return memory != NULL ? (uint64_t)memory->space.resident + memory->space.swapped + memory->space.table_frames : 0;
}

/* By one that waits in vfork(), and is looked at itself. CLONE_VFORK without CLONE_VM lends nothing. */
static bool memory_is_lent(const struct process *process)
{
    const struct process *caller = process_numbered(process->vfork_caller);

    return caller != NULL && caller->memory == process->memory;
}

static bool may_be_ended(const struct process *process)
{
    return process->memory != NULL && process->thread_count > 0 && !memory_is_lent(process) &&
           process->oom_score_adj != -OOM_ADJUST_MOST;
}

static void consider_process(const struct process *process, struct choice *best)
{
    int64_t score = (int64_t)process_pages(process) + process->oom_score_adj * best->ram / OOM_ADJUST_MOST;

    if (!may_be_ended(process) || process == best->not || (best->memory != NULL && score <= best->score))
        return;
    best->memory  = process->memory;
    best->score   = score;
    best->pages   = process_pages(process);
    best->id      = process->id;
    best->started = process->start_time;
    best->adjust  = process->oom_score_adj;
    text_copy(best->name, process->name, sizeof best->name);
}

/* The lock is held, and dropped after each process. */
static void choose_process(struct choice *best, lock_state *state)
{
    const struct process *p;

    for (int32_t id = -1; (p = process_beyond(id, state)) != NULL; process_lock_rest(state)) {  /* bound: rests */
        id = p->id;
        consider_process(p, best);
    }
}

/* The same. */
static void end_all_with(const struct shared_space *memory, lock_state *state)
{
    struct signal_info kill = { .number = SIGKILL };
    struct process    *p;

    for (int32_t id = -1; (p = process_beyond(id, state)) != NULL; process_lock_rest(state)) {  /* bound: rests */
        id = p->id;
        if (p->memory == memory)
            signal_process(p, &kill);
    }
}

static void report_choice(const struct choice *choice, const struct frame_sums *sums)
{
    const struct process *self = current_process();
    char                  line[LINE];
    int                   used;

    if (choice->memory == self->memory)
        used = format_text(line, sizeof line, "out of memory: process %d (%s) is killed: it asked for a page, ",
                           self->id, self->name);
    else
        used = format_text(line, sizeof line,
                           "out of memory: process %d (%s) is killed: process %d (%s) asked for a page, and it ",
                           choice->id, choice->name, self->id, self->name);
    if ((size_t)used < sizeof line)
        used += format_text(line + used, sizeof line - (size_t)used, "has %llu pages and oom_score_adj %d, %s; frames:",
                            (unsigned long long)choice->pages, choice->adjust,
                            choice->alone ? "and no other may be ended" : "the highest score");
    for (unsigned i = OWNER_FREE; i < OWNER_COUNT; i++)
        if (sums->owned[i] != 0 && (size_t)used < sizeof line)
            used += format_text(line + used, sizeof line - (size_t)used, " %s %u", owner_names[i], sums->owned[i]);
    if ((size_t)used < sizeof line)
        format_text(line + used, sizeof line - (size_t)used, ", in all %u", sums->ram);
    text_make_plain(line);
    report_say(line);
}

/*
 * True while the process that was chosen last still gives its memory back, which it names no more by then, and has time
 * to end. The lock is held.
 */
static bool one_is_ending(const struct process **late)
{
    struct process *last = ending.id != 0 ? process_numbered(ending.id) : NULL;

    if (last == NULL || last->state == PROCESS_ZOMBIE || last->start_time != ending.started) {
        ending.gone += ending.id != 0;
        ending.id    = 0;
        return false;
    }
    *late = last;
    return clock_now() < ending.until;
}

/*
 * The thread was refused its frame before memory came back: it has not tried again since, and now it should. The lock
 * is held.
 */
static bool asks_with_old_news(struct thread *self)
{
    bool old = self->memory_gone != ending.gone;

    self->memory_gone = ending.gone;
    return old;
}

bool memory_is_coming(void)
{
    lock_state            state = lock_take(&process_lock);
    const struct process *late  = NULL;
    bool                  comes = one_is_ending(&late);

    lock_drop(&process_lock, state);
    return comes;
}

void wait_for_memory(void) { schedule_pause(clock_now() + PAUSE_NANOSECONDS); }

/* Returns false when there was nothing to do but wait, or to try again. */
static bool end_one(struct choice *choice)
{
    struct process *self  = current_process();
    lock_state      state = lock_take(&process_lock);
    bool            waits = one_is_ending(&choice->not) || asks_with_old_news(current_thread());

    if (!waits) {
        choose_process(choice, &state);
        if (choice->memory == NULL) {
            *choice = (struct choice){ .memory = self->memory, .pages = process_pages(self), .id = self->id,
                                       .started = self->start_time, .adjust = self->oom_score_adj,
                                       .alone = true };
            text_copy(choice->name, self->name, sizeof choice->name);
        }
        end_all_with(choice->memory, &state);
        ending.id      = choice->id;
        ending.started = choice->started;
        ending.until   = clock_now() + PATIENCE_NANOSECONDS;
    }
    lock_drop(&process_lock, state);
    return !waits;
}

/* What an ending thread still touches, such as its list of locks, may be out: it does without. */
bool thread_is_ending(const struct thread *thread)
{
    return signal_kills(thread) || (thread->process != NULL && thread->process->exiting);
}

bool process_give_memory_back(void)
{
    struct thread    *self = current_thread();
    struct frame_sums sums;
    struct choice     choice = { 0 };

    may_give_way();
    assert(self->process != NULL && self->process->memory != NULL);
    if (thread_is_ending(self))
        return false;
    frames_sums(&sums);
    choice.ram = sums.ram;
    if (end_one(&choice))
        report_choice(&choice, &sums);
    if (thread_is_ending(self))
        return false;
    wait_for_memory();
    return true;
}
