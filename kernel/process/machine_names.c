/*
 * machine_names.c - the names of machine and domain. See machine_names.h.
 */
#include "process/machine_names.h"

#include "base/check.h"
#include "base/lock.h"
#include "base/string.h"
#include "process/schedule.h"

static struct mutex lock = MUTEX("machine names");
static char         names[][MACHINE_NAME] = { [NAME_OF_HOST] = "quire", [NAME_OF_DOMAIN] = "(none)" };     /* [lock] */

void machine_name_copy(enum machine_name which, char to[MACHINE_NAME])
{
    may_sleep();
    mutex_take(&lock);
    text_copy(to, names[which], MACHINE_NAME);
    mutex_drop(&lock);
}

void machine_name_set(enum machine_name which, const char *name, size_t bytes)
{
    may_sleep();
    assert(bytes < MACHINE_NAME);
    mutex_take(&lock);
    memset(names[which], 0, MACHINE_NAME);
    memcpy(names[which], name, bytes);
    mutex_drop(&lock);
}
