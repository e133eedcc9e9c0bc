/*
 * process_vm.c - process_vm_readv and process_vm_writev: bytes from one process's memory to another's.
 *
 * Bytes are copied through a page of the kernel, piece by piece: a piece ends where a page of the other process, or one
 * of the program's ranges, ends. The result is the number of bytes copied before a piece that failed.
 */
#include "base/check.h"
#include "base/error.h"
#include "linux/calls.h"
#include "linux/files.h"
#include "linux/structures.h"
#include "memory/heap/heap.h"
#include "process/family.h"
#include "process/process.h"

struct range { uint32_t start, bytes; };                /* struct iovec */

/* Ranges that bytes are read from or written to, in turn. */
struct ranges {
    struct range *range;
    size_t        count, at;
};

struct transfer {
    struct ranges here, there;
    struct space *space;                /* there      */
    char         *between;              /* PAGE_SIZE  */
    bool          writing;
};

/* Read the ranges. Returns 0, -EINVAL for too many ranges or a negative length, -EFAULT or -ENOMEM. */
static int read_program_ranges(struct ranges *ranges, user_t from, size_t count, bool ours)
{
    deep_assert(ranges != NULL);
    assert(ranges->range == NULL && ranges->count == 0);
    if (count > BUFFERS_A_CALL)
        return -EINVAL;
    if (count == 0)
        return 0;
    ranges->range = heap_alloc(count * sizeof *ranges->range, 0);
    if (ranges->range == NULL)
        return -ENOMEM;
    ranges->count = count;
    if (user_read(ranges->range, from, count * sizeof *ranges->range) != 0)
        return -EFAULT;
    for (size_t i = 0; i < count; i++) {
        if ((int32_t)ranges->range[i].bytes < 0)
            return -EINVAL;
        if (ours && !user_range(ranges->range[i].start, ranges->range[i].bytes))
            return -EFAULT;
    }
    return 0;
}

/* The next range, or NULL when all are done. */
static struct range *next_range(struct ranges *ranges)
{
    deep_assert(ranges != NULL);
    while (ranges->at < ranges->count && ranges->range[ranges->at].bytes == 0)
        ranges->at++;
    return ranges->at < ranges->count ? &ranges->range[ranges->at] : NULL;
}

static void advance_range(struct range *range, size_t bytes)
{
    deep_assert(range != NULL);
    assert(bytes <= range->bytes);
    range->start += (uint32_t)bytes;
    range->bytes -= (uint32_t)bytes;
}

static size_t smaller_size(size_t a, size_t b) { return a < b ? a : b; }

/* Returns how many bytes of the piece were copied: fewer than all end the call. */
static size_t transfer_piece(const struct transfer *t, vaddr_t here, vaddr_t there, size_t bytes)
{
    deep_assert(t != NULL);
    assert(bytes <= PAGE_SIZE);
    if (!t->writing)
        return user_read_in(t->space, t->between, there, bytes) == 0 ? user_write_some(here, t->between, bytes) : 0;
    bytes = user_read_some(t->between, here, bytes);
    return user_write_in(t->space, there, t->between, bytes) == 0 ? bytes : 0;
}

static long transfer_all(struct transfer *t)
{
    struct range *here, *there;
    long          moved = 0;

    deep_assert(t != NULL);
    while ((here = next_range(&t->here)) != NULL && (there = next_range(&t->there)) != NULL && moved < BYTES_A_CALL &&
           !signal_kills(current_thread())) {
        size_t bytes = smaller_size(smaller_size(here->bytes, there->bytes), PAGE_SIZE - there->start % PAGE_SIZE);
        size_t done  = transfer_piece(t, here->start, there->start, bytes);

        moved += (long)done;
        if (done < bytes)
            return moved > 0 ? moved : -EFAULT;
        advance_range(here, done);
        advance_range(there, done);
        point_of_rest();
    }
    return moved;
}

bool may_look_into(const struct process *process)
{
    const struct credentials *self = credentials_acting(), *c = process->credentials;

    if (process == current_process() || has_capability(CAP_SYS_PTRACE))
        return true;
    return self->user.real == c->user.effective && self->user.real == c->user.saved &&
           self->user.real == c->user.real && self->group.real == c->group.effective &&
           self->group.real == c->group.saved && self->group.real == c->group.real && process->memory->dumpable &&
           (c->capabilities.permitted & ~self->capabilities.permitted) == 0;
}

static int find_memory(int32_t id, struct shared_space **out)
{
    const struct thread  *thread  = thread_find(id);
    const struct process *process = thread != NULL ? thread->process : NULL;

    deep_assert(out != NULL);
    if (process == NULL || process->memory == NULL)
        return -ESRCH;
    if (!may_look_into(process))
        return -EPERM;
    *out = process->memory;
    memory_hold(*out);
    return 0;
}

static long transfer_with(struct transfer *t, int32_t id)
{
    struct shared_space *memory;
    long                 moved;
    int                  err = find_memory(id, &memory);

    deep_assert(t != NULL);
    if (err != 0)
        return err;
    t->space   = &memory->space;
    t->between = heap_alloc(PAGE_SIZE, 0);
    moved      = t->between != NULL ? transfer_all(t) : -ENOMEM;
    heap_free(t->between);
    memory_release(memory);
    return moved;
}

static long process_vm(bool writing, int32_t id, user_t here, size_t here_count, user_t there, size_t there_count)
{
    struct transfer t   = { .writing = writing };
    long            err = read_program_ranges(&t.here, here, here_count, true);

    if (err == 0 && next_range(&t.here) != NULL) {
        err = read_program_ranges(&t.there, there, there_count, false);
        if (err == 0 && next_range(&t.there) != NULL)
            err = transfer_with(&t, id);
    }
    heap_free(t.here.range);
    heap_free(t.there.range);
    return err;
}

SYSTEM_CALL(process_vm_readv, int32_t, id, user_t, own, size_t, own_count, user_t, other, size_t, other_count,
            size_t, flags)
{
    return flags != 0 ? -EINVAL : process_vm(false, id, own, own_count, other, other_count);
}

SYSTEM_CALL(process_vm_writev, int32_t, id, user_t, own, size_t, own_count, user_t, other, size_t, other_count,
            size_t, flags)
{
    return flags != 0 ? -EINVAL : process_vm(true, id, own, own_count, other, other_count);
}

