/*
 * fault_repeat.h - noticing a fault that is handled and comes back unchanged.
 *
 * Handling a fault changes the entry, or finds that another thread has. If a thread faults again and again at one address, for the
 * same access, and each time its entry is as the last handling has left it, then handling does nothing, and would for ever: a bug
 * of ours that must not stop the machine. The processor notes each use of a page in its entry, so a page that has been
 * reached in between does not look like that.
 *
 * Each thread has a struct fault_repeat, all zeros at first.
 *
 * Locking  the caller's thread is the only one that uses its record; tables_lock is taken inside.
 * Cost     two comparisons a fault. Entries are looked up only after FAULT_REPEATS_TRUSTED faults at the same address.
 */
#ifndef QUIRE_MEMORY_FAULT_REPEAT_H
#define QUIRE_MEMORY_FAULT_REPEAT_H

#include "memory/spaces/region.h"
#include "mmu.h"

/* A loop of writing and forking faults at one address rightly, so entries decide; but not after so few. */
enum { FAULT_REPEATS_TRUSTED = 4, FAULT_REPEATS_UNCHANGED = 4 };

struct space;

struct fault_repeat {
    vaddr_t  address;
    uint8_t  access;                    /* one of MAY_*                                        */
    uint8_t  unchanged;                 /* times that the entry was as it had been left        */
    uint32_t times;                     /* the same fault in a row, beyond the first           */
    entry_t  entry;                     /* as the last handling left it                        */
};

/* What follows when times > FAULT_REPEATS_TRUSTED. */
bool fault_is_unchanged(struct fault_repeat *repeat, struct space *space);
void fault_note_entry(struct fault_repeat *repeat, struct space *space);

/* Before a fault is handled: true when it has come back unchanged too often, and is not to be handled again. */
static inline bool fault_comes_back(struct fault_repeat *repeat, struct space *space, vaddr_t address, uint8_t access)
{
    if (repeat->address != address || repeat->access != access) {
        *repeat = (struct fault_repeat){ .address = address, .access = access };
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

#endif
