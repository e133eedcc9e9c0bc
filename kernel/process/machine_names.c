/*
 * machine_names.c - the names of machine and domain. See machine_names.h.
 */
#include "process/machine_names.h"

#include "base/check.h"
#include "base/lock.h"
#include "base/string.h"

static struct lock lock = LOCK("machine names", RANK_OBJECT);
static char        names[][MACHINE_NAME] = { [NAME_OF_HOST] = "quire", [NAME_OF_DOMAIN] = "(none)" };     /* [lock] */

void machine_name_copy(enum machine_name which, char to[MACHINE_NAME])
{
    lock_state state = lock_take(&lock);

    memcpy(to, names[which], MACHINE_NAME);
    lock_drop(&lock, state);
}

void machine_name_set(enum machine_name which, const char *name, size_t bytes)
{
    lock_state state;

    assert(bytes < MACHINE_NAME);
    state = lock_take(&lock);
    memset(names[which], 0, MACHINE_NAME);      /* so that no copy shows what is left of a longer one */
    memcpy(names[which], name, bytes);
    lock_drop(&lock, state);
}
