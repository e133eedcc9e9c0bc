/*
 * shared.c - variables of which each process has a copy of its own. See shared.h.
 */
#include "layouts/firmware/shared.h"

#include "base/check.h"
#include "base/error.h"
#include "base/lock.h"
#include "base/string.h"
#include "cpu.h"
#include "memory/tables/cursor.h"
#include "memory/heap/heap.h"
#include "memory/layout.h"
#include "memory/spaces/space.h"
#include "memory/spaces/user.h"

static struct lock lock = LOCK("the original of shared variables", RANK_STACKS);    /* while it is open */

void (*shared_watch)(void);

static const struct layout_region *original(void) { return layout.purpose[PURPOSE_ORIGINAL]; }
static const struct layout_region *own(void)      { return layout.purpose[PURPOSE_SHARED]; }

size_t shared_bytes(void)
{
    return own() != NULL ? (size_t)(own()->last_byte + 1 - own()->first_byte) : 0;
}

vaddr_t shared_distance(vaddr_t copy) { return copy - original()->first_byte; }

void *shared_own(vaddr_t linked) { return pointer_to(linked + shared_distance(own()->first_byte)); }

static void set_rights(struct rights rights)
{
    struct span   span = original()->span;
    struct cursor c;
    int           err = cursor_open(&c, &kernel_space, span, 0);

    assert(err == 0);                           /* no table is built */
    for (page_t page = span.first; page < span.end; page++)
        cursor_protect(&c, page, rights);
    cursor_close(&c);
}

/* The original can be read only here. This cannot fail, and no other thread runs on this CPU. */
static void read_original(void *to)
{
    lock_state state = lock_take(&lock);

    set_rights((struct rights){ .kernel = MAY_READ });
    memcpy(to, pointer_to(original()->first_byte), shared_bytes());
    if (shared_watch != NULL)
        shared_watch();
    set_rights((struct rights){ 0, 0 });
    lock_drop(&lock, state);
}

void shared_start(void)
{
    if (shared_bytes() > 0)
        read_original(pointer_to(own()->first_byte));
}

int shared_copy(struct space *space, vaddr_t to)
{
    size_t bytes = shared_bytes();
    void  *between;
    int    err;

    if (bytes == 0)
        return 0;
    between = heap_alloc(bytes, 0);
    if (between == NULL)
        return -ENOMEM;
    read_original(between);
    err = user_write_in(space, to, between, bytes);
    heap_free(between);
    return err;
}
