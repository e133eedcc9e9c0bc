/*
 * show.c - addresses, sizes, rights and shares in words.
 */
#include "console/show.h"

#include "base/lock.h"
#include "base/print.h"
#include "memory/spaces/space.h"

enum { MANY = 10000 };          /* from here on the next unit, rounded down to a tenth */

const char *const cache_names[4] = { "cached", "write-through", "write-combining", "uncached" };

struct text show_address(vaddr_t address)
{
    struct text out;

    format_text(out.text, sizeof out.text, "0x%04lX_%04lX", (unsigned long)address >> 16,
                (unsigned long)address & 0xFFFF);
    return out;
}

struct text show_size(uint64_t bytes)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB" };
    struct text out;
    unsigned    unit = 0;

    while (unit < 3 && bytes != 0 && bytes % 1024 == 0) {
        bytes /= 1024;
        unit++;
    }
    if (bytes < MANY || unit == 3)
        format_text(out.text, sizeof out.text, "%llu %s", (unsigned long long)bytes, units[unit]);
    else
        format_text(out.text, sizeof out.text, "%u.%u %s", (unsigned)(bytes / 1024),
                    (unsigned)(bytes % 1024 * 10 / 1024), units[unit + 1]);
    return out;
}

static void put_rights(char *out, uint8_t rights)
{
    out[0] = rights & MAY_READ    ? 'r' : '-';
    out[1] = rights & MAY_WRITE   ? 'w' : '-';
    out[2] = rights & MAY_EXECUTE ? 'x' : '-';
}

struct text show_rights(struct rights rights)
{
    struct text out = { "--- / ---" };

    put_rights(out.text, rights.kernel);
    put_rights(out.text + 6, rights.user);
    if (rights.user == 0)
        out.text[3] = 0;
    return out;
}

struct text show_share(uint64_t part, uint64_t whole)
{
    struct text out;
    uint64_t    tenths = whole == 0 ? 0 : (part * 1000 + whole / 2) / whole;

    format_text(out.text, sizeof out.text, "%3u.%u", (unsigned)(tenths / 10), (unsigned)(tenths % 10));
    return out;
}

entry_t look_up(const struct space *space, page_t page, unsigned *level)
{
    struct lock *lock  = (struct lock *)&space->tables_lock;
    lock_state   state = lock_take(lock);
    entry_t      e     = table_lookup(space, page, level);

    lock_drop(lock, state);
    return e;
}
