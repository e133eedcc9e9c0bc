/*
 * flat.h - programs that are built into the kernel, and processes that run them.
 *
 * A flat program is bytes that are linked for the start address of the layout's document (M12): no file, no
 * headers. user/ has their sources; the build puts their images among the kernel's constants. A process is made of one
 * as movos prescribes (M10): first it is known how many pages there will be, image, demanded memory and stack;
 * then they are taken and mapped one by one from the start address upward, whole chunks as memory/spaces/populate.h
 * says; at last the instruction pointer is set to the start address. Otherwise it is a process like all others, with
 * Linux's system calls; what it writes to descriptors 1 and 2 appears on the console.
 *
 * Their parent is process 1, which is the console itself: a process without threads and without memory.
 *
 * Without a start address in the document none of this is in the kernel.
 *
 * Errors   -ENOMEM at whatever step memory is missing, -EAGAIN without a free number; everything taken is given back.
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

/* Let others run until this process has ended, at most so long; what is left of it. False when it has not. */
bool flat_wait(int32_t id, uint64_t nanoseconds, struct process_end *out);

/* End it, as SIGKILL does, and wait for that. Returns 0, -ESRCH, or -ETIMEDOUT. */
int  flat_kill(int32_t id);

/* Whether this process is there and has not ended. */
bool flat_lives(int32_t id);

/* A line for each process that has ended and that nobody has waited for. */
void flat_tell(void);

#endif
