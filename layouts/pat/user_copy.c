/*
 * user_copy.c - copies to and from programs' memory (arch/contract.h), where the kernel's space does not map it: the
 * program's tables are walked.
 *
 * Linked instead of arch/i386/user_copy.S, whose copies use the processor's translation.
 */
#include "arch/contract.h"

#include "base/rwlock.h"
#include "cpu.h"
#include "memory/spaces/space.h"
#include "memory/spaces/user_walk.h"

static user_resolve resolve = user_resolve_plainly;

void user_resolve_with(user_resolve how) { resolve = how; }

/* So many bytes, copied page by page with interrupts off for each, are some 30 000 instructions. */
enum { PART = 65536 };

/* Before the next part other threads may run, as elsewhere at each instruction; but not with interrupts off. */
static void rest_between_parts(void)
{
    unsigned long state = interrupts_off();

    interrupts_restore(state);
    if (interrupts_were_on(state))
        point_of_rest();
}

/* Not in line, so that copies of few bytes save no more registers than before. */
static size_t __attribute__((noinline)) copy_in_parts(char *to, user_t from, size_t bytes)
{
    while (bytes > 0) {
        size_t part = bytes < PART ? bytes : PART, done;

        (void)!walk_read(space_of_program(), resolve, to, from, part, &done);
        bytes -= done;
        if (done < part)
            return bytes;
        to   += part;
        from += part;
        rest_between_parts();
    }
    return 0;
}

static size_t __attribute__((noinline)) copy_out_parts(user_t to, const char *from, size_t bytes)
{
    while (bytes > 0) {
        size_t part = bytes < PART ? bytes : PART, done;

        (void)!walk_write(space_of_program(), resolve, to, from, part, &done);
        bytes -= done;
        if (done < part)
            return bytes;
        to   += part;
        from += part;
        rest_between_parts();
    }
    return 0;
}

size_t user_copy_in(void *to, user_t from, size_t bytes)
{
    size_t done;

    if (bytes > PART)
        return copy_in_parts(to, from, bytes);
    (void)!walk_read(space_of_program(), resolve, to, from, bytes, &done);
    return bytes - done;
}

size_t user_copy_out(user_t to, const void *from, size_t bytes)
{
    size_t done;

    if (bytes > PART)
        return copy_out_parts(to, from, bytes);
    (void)!walk_write(space_of_program(), resolve, to, from, bytes, &done);
    return bytes - done;
}

long user_copy_text(char *to, user_t from, size_t bytes)
{
    long length = walk_read_text(space_of_program(), resolve, to, from, bytes);

    return length < 0 ? -1 : length;
}

bool user_load(uint32_t *word, user_t at) { return walk_load(space_of_program(), resolve, at, word) == 0; }

bool user_exchange(user_t at, uint32_t expect, uint32_t desired, uint32_t *seen)
{
    return walk_exchange(space_of_program(), resolve, at, expect, desired, seen) == 0;
}
