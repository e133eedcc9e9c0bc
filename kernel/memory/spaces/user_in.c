/*
 * user_in.c - the memory of a space that need not be current.
 *
 * Nothing here knows the processor, so the host's machine has it as well.
 */
#include "base/error.h"
#include "base/lock.h"
#include "base/range.h"
#include "memory/spaces/space.h"
#include "memory/spaces/user.h"
#include "memory/spaces/user_walk.h"

bool user_range(user_t start, size_t bytes)
{
    uint64_t end;

    if (!checked_add(start, bytes, &end) || end > (uint64_t)layout.user.end << PAGE_SHIFT)
        return false;
    return bytes == 0 || page_of(start) >= layout.user.first;       /* no bytes are no access, wherever */
}

int user_write_in(struct space *space, user_t to, const void *from, size_t bytes)
{
    size_t done;

    may_fault();
    return user_range(to, bytes) ? walk_write(space, user_resolve_plainly, to, from, bytes, &done) : -EFAULT;
}

int user_read_in(struct space *space, void *to, user_t from, size_t bytes)
{
    size_t done;

    may_fault();
    return user_range(from, bytes) ? walk_read(space, user_resolve_plainly, to, from, bytes, &done) : -EFAULT;
}

int user_clear_in(struct space *space, user_t to, size_t bytes)
{
    size_t done;

    may_fault();
    return user_range(to, bytes) ? walk_clear(space, user_resolve_plainly, to, bytes, &done) : -EFAULT;
}
