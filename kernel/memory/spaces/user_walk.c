/*
 * user_walk.c - following a program's tables to the bytes of its pages.
 */
#include "memory/spaces/user_walk.h"

#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "cpu.h"
#include "memory/pageout/hand.h"
#include "memory/spaces/fault.h"
#include "memory/tables/slot.h"
#include "memory/spaces/space.h"
#include "memory/tables/table.h"

int user_resolve_plainly(struct space *space, vaddr_t address, uint8_t access)
{
    struct fault_verdict verdict;

    return fault_with_room(space, address, access, &verdict);
}

/* The frame of a page if its entry allows this access. Accessed and dirty bits are set as if a program had made it. */
static bool walk_use(struct space *space, page_t page, uint8_t access, frame_t *out)
{
    lock_state state = lock_take(&space->tables_lock);
    unsigned   level;
    frame_t    table;
    entry_t   *at = table_walk(space, page, &level, &table);
    entry_t    old, new;
    bool       may;

    deep_assert(access == MAY_READ || access == MAY_WRITE);
    /* bound: the processor sets a bit once */
    do {
        old = entry_read(at);
        new = entry_with_use(old, access == MAY_WRITE);
        may = level == 1 && entry_present(old) && (entry_rights(old).user & access);
    } while (may && new.raw != old.raw && !entry_change(at, old, new));
    lock_drop(&space->tables_lock, state);
    *out = entry_frame(old);
    return may;
}

/*
 * The bytes of the page at an address. When this returns 0, interrupts are off, and *state is what they were before:
 * the caller restores that when it is done with the bytes.
 */
static int walk_look(struct space *space, user_resolve resolve, user_t address, uint8_t access, char **bytes,
                     unsigned long *state)
{
    frame_t frame;

    deep_assert(space != &kernel_space);
    for (;;) {
        int err;

        *state = interrupts_off();
        if (walk_use(space, page_of(address), access, &frame)) {
            *bytes = (char *)frame_view(frame, SLOT_TO) + address % PAGE_SIZE;
            return 0;
        }
        interrupts_restore(*state);
        if (!interrupts_were_on(*state))
            return -EFAULT;                         /* as under a lock: no fault is resolved (user.h) */
        err = resolve(space, address, access);
        if (err != 0)
            return err;
    }
}

static size_t to_end_of_page(user_t at, size_t bytes)
{
    size_t left = PAGE_SIZE - at % PAGE_SIZE;

    deep_assert(bytes > 0);
    return left < bytes ? left : bytes;
}

int walk_read(struct space *space, user_resolve resolve, void *to, user_t from, size_t bytes, size_t *done)
{
    for (*done = 0; *done < bytes; ) {
        size_t        part = to_end_of_page(from + *done, bytes - *done);
        unsigned long state;
        char         *page;
        int           err = walk_look(space, resolve, from + *done, MAY_READ, &page, &state);

        if (err != 0)
            return err;
        memcpy((char *)to + *done, page, part);
        interrupts_restore(state);
        *done += part;
    }
    return 0;
}

int walk_write(struct space *space, user_resolve resolve, user_t to, const void *from, size_t bytes, size_t *done)
{
    for (*done = 0; *done < bytes; ) {
        size_t        part = to_end_of_page(to + *done, bytes - *done);
        unsigned long state;
        char         *page;
        int           err = walk_look(space, resolve, to + *done, MAY_WRITE, &page, &state);

        if (err != 0)
            return err;
        memcpy(page, (const char *)from + *done, part);
        interrupts_restore(state);
        *done += part;
    }
    return 0;
}

int walk_clear(struct space *space, user_resolve resolve, user_t to, size_t bytes, size_t *done)
{
    for (*done = 0; *done < bytes; ) {
        size_t        part = to_end_of_page(to + *done, bytes - *done);
        unsigned long state;
        char         *page;
        int           err = walk_look(space, resolve, to + *done, MAY_WRITE, &page, &state);

        if (err != 0)
            return err;
        memset(page, 0, part);
        interrupts_restore(state);
        *done += part;
    }
    return 0;
}

long walk_read_text(struct space *space, user_resolve resolve, char *to, user_t from, size_t bytes)
{
    for (size_t done = 0; done < bytes; ) {
        size_t        part = to_end_of_page(from + done, bytes - done), at;
        unsigned long state;
        char         *page;
        int           err = walk_look(space, resolve, from + done, MAY_READ, &page, &state);

        if (err != 0)
            return err;
        for (at = 0; at < part && (to[done + at] = page[at]) != '\0'; at++)
            ;
        interrupts_restore(state);
        done += at;
        if (at < part)
            return (long)done;
    }
    return (long)bytes;
}

int walk_load(struct space *space, user_resolve resolve, user_t at, uint32_t *old)
{
    uint32_t word;
    size_t   done;
    int      err = walk_read(space, resolve, &word, at, sizeof word, &done);

    if (err == 0)
        *old = word;
    return err;
}

int walk_exchange(struct space *space, user_resolve resolve, user_t at, uint32_t expect, uint32_t desired,
                  uint32_t *old)
{
    unsigned long state;
    char         *page;
    int           err;

    if (at % sizeof *old != 0)
        return -EFAULT;
    err = walk_look(space, resolve, at, MAY_WRITE, &page, &state);
    if (err != 0)
        return err;
    __atomic_compare_exchange_n((uint32_t *)page, &expect, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    interrupts_restore(state);
    *old = expect;
    return 0;
}
