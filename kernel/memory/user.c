/*
 * user.c - copying to and from programs, with the range checked first.
 *
 * The page-fault handler mends faults in these copies like the program's own; when it
 * cannot, the copy stops there (user_copy.h).
 */
#include "memory/user.h"

#include "base/check.h"
#include "base/error.h"
#include "base/range.h"
#include "base/string.h"
#include "cpu.h"
#include "memory/fault.h"
#include "memory/slot.h"
#include "memory/space.h"
#include "memory/table.h"
#include "user_copy.h"

bool user_range(user_t start, size_t bytes)
{
    uint64_t end;

    if (!checked_add(start, bytes, &end) || end > (uint64_t)layout.user.end << PAGE_SHIFT)
        return false;
    return bytes == 0 || page_of(start) >= layout.user.first;       /* no bytes are no access, wherever */
}

/* The part of a range that lies in user space: copies stop there as they would at a missing page. */
static size_t clip(user_t start, size_t bytes)
{
    uint64_t limit = (uint64_t)layout.user.end << PAGE_SHIFT;

    if (start >= limit || page_of(start) < layout.user.first)
        return 0;
    return bytes < limit - start ? bytes : (size_t)(limit - start);
}

size_t user_read_some(void *to, user_t from, size_t bytes)
{
    size_t can = clip(from, bytes);

    return can - user_copy(to, (const void *)from, can);
}

size_t user_write_some(user_t to, const void *from, size_t bytes)
{
    size_t can = clip(to, bytes);

    return can - user_copy((void *)to, from, can);
}

int user_read(void *to, user_t from, size_t bytes)
{
    return user_range(from, bytes) && user_copy(to, (const void *)from, bytes) == 0 ? 0 : -EFAULT;
}

int user_write(user_t to, const void *from, size_t bytes)
{
    return user_range(to, bytes) && user_copy((void *)to, from, bytes) == 0 ? 0 : -EFAULT;
}

int user_clear(user_t to, size_t bytes)
{
    return user_range(to, bytes) && user_fill_zero((void *)to, bytes) == 0 ? 0 : -EFAULT;
}

long user_read_text(char *to, user_t from, size_t size)
{
    size_t can    = clip(from, size);
    long   length = user_copy_text(to, (const char *)from, can);

    if (length < 0 || ((size_t)length == can && can < size))
        return -EFAULT;
    return (size_t)length == size ? -ENAMETOOLONG : length;
}

int user_load_word(user_t at, uint32_t *old)
{
    return user_range(at, sizeof *old) && user_load(old, (const uint32_t *)at) ? 0 : -EFAULT;
}

int user_exchange_word(user_t at, uint32_t expect, uint32_t desired, uint32_t *old)
{
    return user_range(at, sizeof *old) && user_exchange((uint32_t *)at, expect, desired, old) ? 0 : -EFAULT;
}

/* ---- Another space's memory, by way of its tables -------------------------------------------- */

/* The frame that a page of the space will be written to: faulted in as for a write by the program. */
static int writable_frame(struct space *space, vaddr_t address, frame_t *out)
{
    struct fault_verdict verdict;
    lock_state           state;
    unsigned             level;
    entry_t              entry;
    int                  err = space_fault(space, address, MAY_WRITE, &verdict);

    if (err != 0)
        return err;
    state = lock_take(&space->tables_lock);
    entry = table_lookup(space, page_of(address), &level);
    lock_drop(&space->tables_lock, state);
    if (!entry_present(entry))
        return -EFAULT;
    *out = entry_frame(entry);
    return 0;
}

static int write_in(struct space *space, vaddr_t to, const void *from, size_t bytes)
{
    const char *at = from;

    if (!user_range(to, bytes))
        return -EFAULT;
    while (bytes > 0) {
        size_t        skew = to % PAGE_SIZE, part = PAGE_SIZE - skew;
        unsigned long interrupts;
        char         *view;
        frame_t       frame;
        int           err = writable_frame(space, to, &frame);

        if (err != 0)
            return err;
        if (part > bytes)
            part = bytes;
        interrupts = interrupts_off();
        view = (char *)frame_view(frame, SLOT_TO) + skew;
        if (from != NULL)
            memcpy(view, at, part);
        else
            memset(view, 0, part);
        interrupts_restore(interrupts);
        to    += part;
        at    += from != NULL ? part : 0;
        bytes -= part;
    }
    return 0;
}

int user_write_in(struct space *space, user_t to, const void *from, size_t bytes) { return write_in(space, to, from, bytes); }
int user_clear_in(struct space *space, user_t to, size_t bytes)                   { return write_in(space, to, NULL, bytes); }
