/*
 * traces.h - random programs of memory operations, whose memory must be the same under Quire and under Linux.
 *
 * A step is an operation on memory that lies in three windows of addresses. After it the program looks at all of them.
 * A step's lines begin with its number. In a child the number of the step that forked comes behind it, with a `>` for
 * each fork that made the process:
 *
 *   NUMBER name arguments = result, what came back
 *   NUMBER shows PLACE=DIGEST ...       the pages that show something else than at the last look: 0 for zeros,
 *                                       -SIGNAL.CODE for an access that fails; pages that are not mapped are -11.1
 *   NUMBER maps PLACE-END RIGHTS OBJECT@OFFSET ...      /proc/self/maps, if it changed
 *
 * PLACE is a window's letter and the number of a page in it.
 */
#ifndef QUIRE_TESTS_CALLS_TRACES_H
#define QUIRE_TESTS_CALLS_TRACES_H

#include "../tasks.h"

enum { STEPS = 40, BASE = 300 };        /* descriptors from BASE on are the program's own */

/* ---- Places (look.c) ------------------------------------------------------------------------------------ */

/* The middle of a window has nothing beside it; a stack may grow in `grown`; the heap begins where the break was. */
enum window_number { MIDDLE, GROWN, HEAP, WINDOWS };
struct window { char letter; uint32_t start, pages; };
extern struct window windows[WINDOWS];

enum { MIDDLE_PAGES = 32, GROWN_PAGES = 640, GROWN_USED = 32, HEAP_PAGES = 16 };

/* Tells an address as a place, or that it is elsewhere. */
void tell_place(uint32_t address);
bool is_inside(uint32_t address);
/* A probe's answer. */
void tell_probe(long value);

/* ---- Looking (look.c) ----------------------------------------------------------------------------------- */

enum { LOOKS_ITSELF, LOOKS_IN_CHILD, LOOKS_SELDOM };

/* Forgets what was told: all is told at the next look. */
void begin_looking(void);
/* Begins a line of this step. */
void tell_step(const char *name);
/* Tells pages and maps, as far as they changed. */
void look(int how);
/* Flags that a region keeps: locked, grows, not copied, wiped, not dumped. */
void tell_flags(void);
/* Pages of the stack's region, and where it ends. */
uint32_t stack_pages(uint32_t *end);
/* The step was refused, and may have done something nevertheless. */
extern bool look_at_once;
/*
 * With mode `out`: asks the kernel to page out all that may go, and counts what is out then; at the task's end a line
 * tells it, summed up: `sent STEPS PRIVATE SHARED DEVICE`, the last of any kind. tests/calls/traces.py takes it away.
 */
void begin_sending(void);
void send_out(void);
void tell_sent(void);
/* The step that runs; how many forks made this process, and in which step of the first process the first was. */
extern unsigned step_number, depth, forked_in;
extern uint32_t heap_start;

/* ---- Memory --------------------------------------------------------------------------------------------- */

/* Handlers for accesses that fail; the next `repairs` of them make the page accessible. */
void     handle_faults(void);
extern volatile int repairs;

/* ---- Steps (steps.c) ------------------------------------------------------------------------------------ */

void make_objects(void);
/* A step of any kind and a look. */
void step(uint64_t seed, int how);
/* Lets all children that wait go on, and waits for their ends. */
void join_all(int how);

typedef void operation(void);
extern operation *const mappings[];     /* mappings.c */
extern const unsigned   mappings_count;

/* Files that mappings show: by chance. */
enum { OBJECTS = 6 };
long any_object(void);

struct place { uint32_t at, bytes; };
struct place any_place(void);

#endif
