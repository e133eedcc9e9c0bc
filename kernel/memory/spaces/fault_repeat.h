/*
 * fault_repeat.h - noticing a fault that is handled and comes back unchanged.
 *
 * Handling a fault changes the entry, or finds that another thread has. If a thread faults again and again at one
 * address, for the same access, and each time its entry is as the last handling has left it, then handling does
 * nothing, and would for ever: a bug of ours that must not stop the machine. The processor notes each use of a page in
 * its entry, so a page that has been reached in between does not look like that.
 *
 * Each thread has a struct fault_repeat, all zeros at first.
 *
 * Locking  the caller's thread is the only one that uses its record; tables_lock is taken inside.
 * Cost     one comparison and two stores a fault. Entries are looked up only after FAULT_REPEATS_TRUSTED faults at one
 *          address, and once one is seen to have changed as many are trusted again.
 */
#ifndef QUIRE_MEMORY_FAULT_REPEAT_H
#define QUIRE_MEMORY_FAULT_REPEAT_H

#include "memory/spaces/region.h"
#include "mmu.h"

/*
 * Programs that map, touch and unmap, or fork and write, fault at one address rightly: entries decide, but not after so
 * few.
 */
enum { FAULT_REPEATS_TRUSTED = 64, FAULT_REPEATS_UNCHANGED = 4 };

struct space;

struct fault_repeat {
    vaddr_t  where;                     /* the page's address, and the access, one of MAY_*    */
    uint32_t times;                     /* the same fault in a row, beyond the first           */
    /* times that the entry was as it had been left; kept from FAULT_REPEATS_TRUSTED on */
    uint32_t unchanged;
    entry_t  entry;                     /* as the last handling left it; the same              */
};

static inline vaddr_t fault_repeat_address(const struct fault_repeat *repeat)
{
    return repeat->where & ~(vaddr_t)(PAGE_SIZE - 1);
}
static inline uint8_t fault_repeat_access(const struct fault_repeat *repeat)
{
    return repeat->where & (PAGE_SIZE - 1);
}

/* What follows when times > FAULT_REPEATS_TRUSTED, or has just become it. */
bool fault_is_unchanged(struct fault_repeat *repeat, struct space *space);
void fault_note_entry(struct fault_repeat *repeat, struct space *space);

/* Before a fault is handled: true when it has come back unchanged too often, and is not to be handled again. */
static inline bool fault_comes_back(struct fault_repeat *repeat, struct space *space, vaddr_t address, uint8_t access)
{
    vaddr_t where = (address & ~(vaddr_t)(PAGE_SIZE - 1)) | access;

    if (repeat->where != where) {
        repeat->where = where;
        repeat->times = 0;
        return false;
    }
    return ++repeat->times > FAULT_REPEATS_TRUSTED && fault_is_unchanged(repeat, space);
}

/* After it has been handled. */
static inline void fault_handled(struct fault_repeat *repeat, struct space *space)
{
    if (repeat->times >= FAULT_REPEATS_TRUSTED)
        fault_note_entry(repeat, space);
}

/* Or it has been refused: a handler of SIGSEGV that mends nothing meets it again, as often as it likes. */
static inline void fault_forget(struct fault_repeat *repeat) { repeat->where = 0; }

#endif
