/*
 * fault_repeat.h - noticing a fault that is handled and comes back unchanged.
 *
 * Handling a fault changes the entry, or finds that another thread has. If a thread faults again and again at one
 * address, for the same access, and each time its entry is as the last handling has left it, then the fault would come
 * back for ever: a bug of the kernel that must not stop the machine. The processor notes each use of a page in its
 * entry, so the entry of a page that has been reached in between has changed.
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
 * A program that maps, touches and unmaps, or forks and writes, faults at one address again and again, and rightly. So
 * this many faults are trusted; then this many unchanged entries are a bug.
 */
enum { FAULT_REPEATS_TRUSTED = 64, FAULT_REPEATS_UNCHANGED = 4 };

struct space;

struct fault_repeat {
    vaddr_t  where;                     /* the page's address, and the access, one of MAY_*    */
    uint32_t times;                     /* the same fault in a row, beyond the first           */
    /* kept once `times` is FAULT_REPEATS_TRUSTED: */
    uint32_t unchanged;                 /* times that the entry was as it had been left        */
    entry_t  entry;                     /* as the last handling left it                        */
};

static inline vaddr_t fault_repeat_address(const struct fault_repeat *repeat)
{
    return repeat->where & ~(vaddr_t)(PAGE_SIZE - 1);
}
static inline uint8_t fault_repeat_access(const struct fault_repeat *repeat)
{
    return repeat->where & (PAGE_SIZE - 1);
}

/* The rare part of fault_comes_back(), and of fault_handled(). */
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

/* After a fault has been handled. */
static inline void fault_handled(struct fault_repeat *repeat, struct space *space)
{
    if (repeat->times >= FAULT_REPEATS_TRUSTED)
        fault_note_entry(repeat, space);
}

/* After a fault has been refused: a SIGSEGV handler that changes nothing meets the same fault any number of times. */
static inline void fault_forget(struct fault_repeat *repeat) { repeat->where = 0; }

#endif
