/*
 * process_around.h - for tests of kernel/process: what it asks of others, which are counted, and are nothing else:
 * files, folders and terminals, the floor above, the clock. Time stands still until tick().
 *
 * A part of process_world.h, which includes it.
 */
#ifndef QUIRE_TESTS_PROCESS_AROUND_H
#define QUIRE_TESTS_PROCESS_AROUND_H

#include "heap_world.h"

#include "arch/contract.h"
#include "base/error.h"
#include "memory/check/corrupt.h"
#include "process/above.h"
#include "process/chore.h"
#include "process/family.h"
#include "process/parts.h"

/* ---- What they have of files ----------------------------------------------------------------------------- */

struct files      { int references; };
struct fs_context { int references; };
struct node       { int uses, runners; };

static int  parts_alive;                        /* tables of files, and contexts */
static void (*on_part_gone)(void);              /* when the next goes: a process that ends has no memory then */
static bool no_memory_for_parts;
static unsigned no_memory_for_part;             /* for the so-manieth from now on; 0: for each there is some */

void files_hold(struct files *files) { files->references++; }
void fs_context_hold(struct fs_context *fs) { fs->references++; }

static inline void *new_part(size_t bytes)
{
    struct files *part;

    if (no_memory_for_parts || (no_memory_for_part > 0 && --no_memory_for_part == 0))
        return NULL;
    part = calloc(1, bytes);
    part->references = 1;
    parts_alive++;
    return part;
}

void files_release(struct files *files)
{
    assert_true(files->references > 0);
    if (--files->references == 0) {
        void (*act)(void) = on_part_gone;

        free(files);
        parts_alive--;
        on_part_gone = NULL;
        if (act != NULL)
            act();
    }
}

void fs_context_release(struct fs_context *fs) { files_release((struct files *)fs); }

struct files *files_copy(struct files *files)
{
    assert_true(files->references > 0);
    return new_part(sizeof *files);
}

struct fs_context *fs_context_copy(const struct fs_context *fs)
{
    assert_true(fs->references > 0);
    return new_part(sizeof *fs);
}

void node_use(struct node *node)   { node->uses++; }
void node_unuse(struct node *node) { node->uses--; }
void node_end_runner(struct node *node) { node->runners--; }

int node_add_runner(struct node *node)
{
    if (node->runners < 0)
        return -ETXTBSY;
    node->runners++;
    return 0;
}

static unsigned terminals_left;
static void (*on_terminal_left)(void);          /* by each that ends, which may wait there */

void terminal_leave(struct process *process)
{
    (void)process;
    terminals_left++;
    if (on_terminal_left != NULL)
        on_terminal_left();
}

/* ---- The floor above ------------------------------------------------------------------------------------- */

static char     told[512];                      /* the last line for the user of the machine */
static unsigned samples, lines_told, endings, ends;
static int32_t  the_program;                    /* the number of the one the machine was started for */

bool init_is_program(const struct process *process)     { return process->id == the_program; }
void init_note_ending(const struct process *process)    { endings += process->memory != NULL; }
void init_note_end(const struct process *process)       { ends += process->memory == NULL; }
void report_sample(void)                                { samples++; }

void report_say(const char *line)
{
    snprintf(told, sizeof told, "%s", line);
    lines_told++;
}

/* Programs of the kernel's own, under a layout that has them: none here. */
void builtin_note_end(struct process *process);
void builtin_note_reason(const char *reason);
void builtin_ended(struct process *process);
bool builtin_is_quiet(void);

void builtin_note_end(struct process *process)      { (void)process; }
void builtin_note_reason(const char *reason)        { (void)reason; }
void builtin_ended(struct process *process)         { (void)process; }
bool builtin_is_quiet(void)                         { return false; }

#ifndef WITH_CORRUPTIONS
extern const struct corruption process_corruptions[];
const struct corruption process_corruptions[] = { { 0 } };
#endif

/* ---- Time ------------------------------------------------------------------------------------------------ */

enum { TICK = 10000000 };

static uint64_t the_time;
static uint64_t alarm_moment = NEVER;
static void   (*on_ring)(void);
static void   (*on_wait)(void);                 /* instead of a tick, while no thread is ready */
static void   (*on_let_in)(void);               /* between two portions of long work           */
static void   (*on_interrupts)(void);           /* whenever they are on again                  */

uint64_t clock_counter(void)              { return the_time; }
uint64_t host_ticks(void)                 { return the_time; }
uint64_t clock_span(uint64_t ticks)       { return ticks; }
uint64_t clock_read_wall(void)            { return 1000000000000000000ull; }
paddr_t  alarm_registers(void)            { return 0; }
void     alarm_set(uint64_t moment)       { alarm_moment = moment; }
void     interrupts_let_in(void)          { if (on_let_in != NULL) on_let_in(); }
void     host_interrupts_on(void)         { if (on_interrupts != NULL) on_interrupts(); }

void alarm_start(volatile void *registers, void (*ring)(void))
{
    (void)registers;
    on_ring = ring;
}

/* Time advances by so much, and the alarm rings on the way. */
static inline void pass_time(uint64_t nanoseconds)
{
    unsigned long interrupts = interrupts_off();
    uint64_t      until = the_time + nanoseconds;

    while (alarm_moment <= until) {
        the_time     = alarm_moment > the_time ? alarm_moment : the_time;
        alarm_moment = NEVER;
        on_ring();
    }
    the_time = until;
    interrupts_restore(interrupts);
}

static inline void tick(void) { pass_time(TICK); }

/* No thread is ready: an interrupt comes, always that of the clock. */
void cpu_wait(void)
{
    if (on_wait != NULL)
        on_wait();
    else
        tick();
}

#endif
