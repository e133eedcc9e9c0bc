/*
 * user.c - copying to and from programs, with the range checked first.
 *
 * How the bytes are reached is the layout's doing: at the program's own addresses (user_copy.h), where the page-fault
 * handler mends faults like the program's own and the copy stops where it cannot; or, where the kernel has
 * a space of its own, through the program's tables (user_walk.h).
 */
#include "memory/spaces/user.h"

#include <layout.h>

#include "base/error.h"
#include "base/range.h"
#include "memory/spaces/space.h"
#include "layouts/pat/copy.h"
#include "user_copy.h"

/* The part of a range that lies in user space: copies stop there as they would at a missing page. */
static size_t clip(user_t start, size_t bytes)
{
    uint64_t limit = (uint64_t)layout.user.end << PAGE_SHIFT;

    if (start >= limit || page_of(start) < layout.user.first)
        return 0;
    return bytes < limit - start ? bytes : (size_t)(limit - start);
}

/* ---- How bytes are reached --------------------------------------------------------------------- */

#ifdef LAYOUT_KERNEL_HAS_OWN

/* Programs have no addresses in the kernel's space: their tables are followed. Each returns bytes not dealt with. */
static user_mend mend = user_mend_plainly;

void user_mend_with(user_mend how) { mend = how; }

static size_t get(void *to, user_t from, size_t bytes)
{
    size_t done;

    (void)!walk_read(space_of_program(), mend, to, from, bytes, &done);
    return bytes - done;
}

static size_t put(user_t to, const void *from, size_t bytes)
{
    size_t done;

    (void)!walk_write(space_of_program(), mend, to, from, bytes, &done);
    return bytes - done;
}

static size_t clear(user_t to, size_t bytes)
{
    size_t done;

    (void)!walk_clear(space_of_program(), mend, to, bytes, &done);
    return bytes - done;
}

static long get_text(char *to, user_t from, size_t bytes) { return walk_read_text(space_of_program(), mend, to, from, bytes); }

static bool load(user_t at, uint32_t *old) { return walk_load(space_of_program(), mend, at, old) == 0; }

static bool exchange(user_t at, uint32_t expect, uint32_t desired, uint32_t *old)
{
    return walk_exchange(space_of_program(), mend, at, expect, desired, old) == 0;
}

#else

/* The processor translates, and the page-fault handler mends faults: it needs nobody to tell it how. */
void user_mend_with(user_mend how) { (void)how; }

static size_t get(void *to, user_t from, size_t bytes)       { return user_copy(to, (const void *)from, bytes); }
static size_t put(user_t to, const void *from, size_t bytes) { return user_copy((void *)to, from, bytes); }
static size_t clear(user_t to, size_t bytes)                 { return user_fill_zero((void *)to, bytes); }
static long   get_text(char *to, user_t from, size_t bytes)  { return user_copy_text(to, (const char *)from, bytes); }
static bool   load(user_t at, uint32_t *old)                 { return user_load(old, (const uint32_t *)at); }

static bool exchange(user_t at, uint32_t expect, uint32_t desired, uint32_t *old)
{
    return user_exchange((uint32_t *)at, expect, desired, old);
}

#endif

/* ---- The current program's memory ---------------------------------------------------------------- */

size_t user_read_some(void *to, user_t from, size_t bytes)
{
    size_t can = clip(from, bytes);

    return can - get(to, from, can);
}

size_t user_write_some(user_t to, const void *from, size_t bytes)
{
    size_t can = clip(to, bytes);

    return can - put(to, from, can);
}

int user_read(void *to, user_t from, size_t bytes)
{
    return user_range(from, bytes) && get(to, from, bytes) == 0 ? 0 : -EFAULT;
}

int user_write(user_t to, const void *from, size_t bytes)
{
    return user_range(to, bytes) && put(to, from, bytes) == 0 ? 0 : -EFAULT;
}

int user_clear(user_t to, size_t bytes)
{
    return user_range(to, bytes) && clear(to, bytes) == 0 ? 0 : -EFAULT;
}

long user_read_text(char *to, user_t from, size_t size)
{
    size_t can    = clip(from, size);
    long   length = get_text(to, from, can);

    if (length < 0 || ((size_t)length == can && can < size))
        return -EFAULT;
    return (size_t)length == size ? -ENAMETOOLONG : length;
}

int user_load_word(user_t at, uint32_t *old)
{
    return user_range(at, sizeof *old) && load(at, old) ? 0 : -EFAULT;
}

int user_exchange_word(user_t at, uint32_t expect, uint32_t desired, uint32_t *old)
{
    return user_range(at, sizeof *old) && exchange(at, expect, desired, old) ? 0 : -EFAULT;
}
