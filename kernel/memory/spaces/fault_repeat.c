/*
 * fault_repeat.c - see fault_repeat.h.
 */
#include "memory/spaces/fault_repeat.h"

#include "memory/spaces/space.h"
#include "memory/tables/table.h"

static entry_t entry_now(const struct fault_repeat *repeat, struct space *space)
{
    lock_state state = lock_take(&space->tables_lock);
    unsigned   level;
    entry_t    entry = table_lookup(space, page_of(fault_repeat_address(repeat)), &level);

    lock_drop(&space->tables_lock, state);
    return entry;
}

bool fault_is_unchanged(struct fault_repeat *repeat, struct space *space)
{
    deep_assert(repeat->times > FAULT_REPEATS_TRUSTED);
    if (entry_now(repeat, space).raw != repeat->entry.raw) {
        repeat->times = 0;
        return false;
    }
    return ++repeat->unchanged >= FAULT_REPEATS_UNCHANGED;
}

void fault_note_entry(struct fault_repeat *repeat, struct space *space)
{
    deep_assert(repeat->times >= FAULT_REPEATS_TRUSTED);
    if (repeat->times == FAULT_REPEATS_TRUSTED)
        repeat->unchanged = 0;
    repeat->entry = entry_now(repeat, space);
}
