/*
 * flat.h - programs that are built into the kernel, and processes that run them.
 *
 * A flat program is bytes that are linked for the start address of the layout's document (M12): no file, no
 * headers. user/ has the sources; the build puts the images among the kernel's constants. A process is made of one
 * as the movos design document prescribes (M10): first the number of its pages is known, of image, demanded memory and
 * stack; then they are taken and mapped one by one from the start address upward, whole chunks as
 * memory/spaces/populate.h says; at last the instruction pointer is set to the start address. Otherwise it is a process
 * like all others, with Linux's system calls; its output to descriptors 1 and 2 appears on the console.
 *
 * The parent of these processes is process 1, which is the console itself: a process without threads and without
 * memory.
 *
 * Without a start address in the document the kernel has no flat programs.
 *
 * Locking  called by the console's thread, with no lock held; flat_wait() and flat_kill() sleep.
 *
 * Errors   -ENOMEM for want of memory at any step, -EAGAIN without a free number or kernel stack; everything taken is
 *          given back.
 */
#ifndef QUIRE_CONSOLE_FLAT_H
#define QUIRE_CONSOLE_FLAT_H

#include "memory/spaces/populate.h"
#include "process/process.h"

struct flat_program {
    const char *name, *note;
    const char *start, *end;            /* its image                             */
    size_t      pages;                  /* demanded beyond image and stack       */
};

extern const struct flat_program flat_programs[];
extern const uint32_t            flat_program_count;

const struct flat_program *flat_find(const char *name);

/* Pages that a process of this program has: image, demanded ones, stack. */
size_t flat_pages(const struct flat_program *program);

/* Start the scheduler and process 1, once; the caller becomes the thread that idles. Returns 0 or -ENOMEM. */
int flat_begin(void) MUST_CHECK;

/* Make a process. `watch` (may be NULL) sees the steps of its memory. Returns its number, or an error. */
int32_t flat_start(const struct flat_program *program, struct populate_watch *watch);

/*
 * Let other threads run until this process has ended, for at most so long; *out says how. False when it has not ended.
 */
bool flat_wait(int32_t id, uint64_t nanoseconds, struct process_end *out);

/* Send the process SIGKILL and wait for its end. Returns 0, -ESRCH, or -ETIMEDOUT after 20 seconds. */
int  flat_kill(int32_t id);

/* Whether there is such a process that has not ended. */
bool flat_lives(int32_t id);

/* Any process that has not ended, or 0. */
int32_t flat_one_that_lives(void);

/* Print a line for each process that has ended and has not been waited for, and free it. */
void flat_report_ends(void);

#endif
