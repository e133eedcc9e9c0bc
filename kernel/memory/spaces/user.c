/*
 * user.c - copying to and from programs, with the range checked first.
 *
 * How the bytes are reached is the port's affair (arch/contract.h): at the program's own addresses, where the
 * page-fault handler resolves faults like the program's own and the copy stops where it cannot; or in a layout's own
 * way.
 */
#include "memory/spaces/user.h"

#include "arch/contract.h"
#include "base/check.h"
#include "base/error.h"
#include "base/lock.h"
#include "base/range.h"
#include "memory/spaces/space.h"

/* How many bytes of a range lie in user space: copies stop behind them as they would at a missing page. */
static size_t user_clip(user_t start, size_t bytes)
{
    uint64_t limit = (uint64_t)layout.user.end << PAGE_SHIFT;

    if (start >= limit || page_of(start) < layout.user.first)
        return 0;
    return bytes < limit - start ? bytes : (size_t)(limit - start);
}

/* Other threads may run at each instruction of these two, as at a fault: here a leg ends, and the next begins. */
static size_t copy_in(void *to, user_t from, size_t bytes)
{
    size_t left;

    LEG_ENDS();
    left = user_copy_in(to, from, bytes);
    LEG_BEGINS();
    return left;
}

static size_t copy_out(user_t to, const void *from, size_t bytes)
{
    size_t left;

    LEG_ENDS();
    left = user_copy_out(to, from, bytes);
    LEG_BEGINS();
    return left;
}

size_t user_read_some(void *to, user_t from, size_t bytes)
{
    size_t can = user_clip(from, bytes);

    may_fault();
    return can - copy_in(to, from, can);
}

size_t user_write_some(user_t to, const void *from, size_t bytes)
{
    size_t can = user_clip(to, bytes);

    may_fault();
    return can - copy_out(to, from, can);
}

size_t user_read_held(void *to, user_t from, size_t bytes)
{
    size_t can = user_clip(from, bytes);

    deep_assert(bytes <= PAGE_SIZE);
    return can - user_copy_in(to, from, can);
}

size_t user_write_held(user_t to, const void *from, size_t bytes)
{
    size_t can = user_clip(to, bytes);

    deep_assert(bytes <= PAGE_SIZE);
    return can - user_copy_out(to, from, can);
}

int user_read(void *to, user_t from, size_t bytes)
{
    may_fault();
    return user_range(from, bytes) && copy_in(to, from, bytes) == 0 ? 0 : -EFAULT;
}

int user_write(user_t to, const void *from, size_t bytes)
{
    may_fault();
    return user_range(to, bytes) && copy_out(to, from, bytes) == 0 ? 0 : -EFAULT;
}

long user_read_text(char *to, user_t from, size_t size)
{
    size_t can = user_clip(from, size);
    long   length;

    may_fault();
    length = user_copy_text(to, from, can);
    if (length < 0 || ((size_t)length == can && can < size))
        return -EFAULT;
    return (size_t)length == size ? -ENAMETOOLONG : length;
}

/* Not may_fault(): under a lock a fault ends it. */
int user_load_word(user_t at, uint32_t *old)
{
    return user_range(at, sizeof *old) && user_load(old, at) ? 0 : -EFAULT;
}

int user_exchange_word(user_t at, uint32_t expect, uint32_t desired, uint32_t *old)
{
    may_fault();
    return user_range(at, sizeof *old) && user_exchange(at, expect, desired, old) ? 0 : -EFAULT;
}
