/*
 * map_pages.c - checked first, then mapped whole or not at all.
 */
#include "memory/spaces/map_pages.h"

#include "base/check.h"
#include "base/error.h"
#include "base/range.h"
#include "memory/tables/cursor.h"
#include "memory/spaces/fault.h"
#include "memory/frames/frame.h"
#include "memory/spaces/map_region.h"

/* Where programs may be shown physical pages: a PC's screens and ROMs. In frames. */
enum { SCREENS = 0xA0, ROMS_END = 0x100 };

struct wanted {
    struct span pages;
    frame_t     first;                  /* NO_FRAME: whichever the pool gives */
};

/* The checks of numbers that programs and the kernel have in common. */
static int look_at(vaddr_t start, paddr_t physical, size_t bytes, struct wanted *out)
{
    uint64_t frames_after;
    size_t   pages;

    if (start % PAGE_SIZE != 0 || physical % PAGE_SIZE != 0 || bytes == 0)
        return -EINVAL;
    pages = pages_for(bytes);
    if (pages > MMU_SPACE_END - page_of(start) || page_of(start) >= MMU_SPACE_END ||
        !checked_add(physical >> PAGE_SHIFT, pages, &frames_after))
        return -EINVAL;
    out->pages = span_of(page_of(start), pages);
    out->first = NO_FRAME;
    if (physical == 0)
        return 0;
    if (frames_after > frames_end())
        return -EPERM;                  /* past all memory: such frames have no records */
    out->first = frame_of(physical);
    return 0;
}

static bool is_users(const struct space *space, struct span pages)
{
    return space != &kernel_space && span_covers(layout.user, pages);
}

static bool may_show(struct wanted w, bool for_program)
{
    deep_assert(frame_exists(w.first));
    for (size_t i = 0; i < span_pages(w.pages); i++) {
        frame_t    frame = { w.first.no + (uint32_t)i };
        enum owner owner = frame_owner(frame);

        if ((owner != OWNER_ABSENT && owner != OWNER_HELD) ||
            (for_program && (frame.no < SCREENS || frame.no >= ROMS_END)))
            return false;
    }
    return true;
}

static bool span_is_free(const struct space *space, struct span pages)
{
    const struct region *region = region_at_or_above(&space->map, pages.first);

    deep_assert(rwlock_held_to_write(&space->map_lock));
    return region == NULL || region->span.first >= pages.end;
}

/* ---- Physical pages -------------------------------------------------------------------------------- */

/*
 * A shared region without an object: nothing is copied for a child, nothing is charged. Cached like memory, since
 * mprotect() may put the pages out of reach, and such entries keep no cache type.
 */
static struct region pages_describe(struct span pages)
{
    return (struct region){
        .span = pages, .rights = map_rights(MAY_READ | MAY_WRITE), .may = MAY_READ | MAY_WRITE, .backing = BACKING_USER,
        .shared = true, .not_forked = true, .name = "[physical]",
    };
}

static int pages_show(struct space *space, struct wanted w)
{
    struct region *region = map_node();
    struct cursor  c;
    int            err;

    deep_assert(rwlock_held_to_write(&space->map_lock));
    deep_assert(frame_exists(w.first) && !span_empty(w.pages));
    if (region == NULL)
        return -ENOMEM;
    if (span_pages(w.pages) + space->pages > space->limits.whole / PAGE_SIZE)
        err = -ENOMEM;
    else
        err = cursor_open(&c, space, w.pages, CURSOR_BUILD);
    if (err != 0) {
        map_node_free(region);
        return err;
    }
    *region = pages_describe(w.pages);
    /* bound: frames of a PC's screens and ROMs, or what map_pages() is asked for */
    for (size_t i = 0; i < span_pages(w.pages); i++) {
        frame_t frame = { w.first.no + (uint32_t)i };

        frame_show(frame);
        cursor_map(&c, w.pages.first + i, frame, region->rights, CACHE_BACK);
    }
    cursor_close(&c);
    map_enter(space, region);
    return 0;
}

static int show_physical(struct space *space, struct wanted w)
{
    int err;

    rwlock_write(&space->map_lock);
    err = span_is_free(space, w.pages) ? pages_show(space, w) : -EEXIST;
    rwlock_write_drop(&space->map_lock);
    return err;
}

/* ---- Pages of the pool ------------------------------------------------------------------------------- */

static void give_back(struct space *space, struct span pages, struct region **spare)
{
    deep_assert(*spare != NULL && space != &kernel_space);
    rwlock_write(&space->map_lock);
    map_cut(space, map_first(space, pages), pages, spare);
    rwlock_write_drop(&space->map_lock);
}

/*
 * Map the pages as the program's own mmap() would, then bring in each of them, or none. The new region joins its
 * neighbours, and to take it out again splits what they have become: the node for that is there beforehand.
 */
static int take_pages(struct space *space, struct span pages)
{
    struct map_request request = {
        .address = page_address(pages.first),
        .bytes = span_pages(pages) * PAGE_SIZE,
        .rights = MAY_READ | MAY_WRITE,
        .may = MAY_READ | MAY_WRITE | MAY_EXECUTE,
        .flags = MAP_IS_FIXED | MAP_NO_REPLACE,
    };
    struct fault_verdict verdict;
    struct region       *spare = map_node();
    vaddr_t              place;
    int                  err = spare != NULL ? map_create(space, &request, &place) : -ENOMEM;

    deep_assert(!rwlock_held(&space->map_lock));
    for (page_t page = pages.first; page < pages.end && err == 0; page++) {
        err = space_fault(space, page_address(page), MAY_WRITE, &verdict);
        if (err != 0)
            give_back(space, pages, &spare);
        point_of_rest();
    }
    map_node_free(spare);
    return err;
}

/* ---- The calls ---------------------------------------------------------------------------------------- */

static vaddr_t pages_answer(vaddr_t start, int err, int *status)
{
    *status = err;
    return err == 0 ? start : 0;
}

static int pages_map(struct space *space, struct wanted w, bool for_program)
{
    if (!frame_exists(w.first))
        return take_pages(space, w.pages);
    return may_show(w, for_program) ? show_physical(space, w) : -EPERM;
}

vaddr_t map_pages(struct space *space, vaddr_t start, paddr_t physical, size_t bytes, int *status)
{
    struct wanted w;
    int           err = look_at(start, physical, bytes, &w);

    may_sleep();
    if (err == 0 && !is_users(space, w.pages))
        stop(__FILE__, __LINE__, space == &kernel_space ? "map_pages: into the identity space" :
             "map_pages: outside user space");
    return pages_answer(start, err != 0 ? err : pages_map(space, w, false), status);
}

vaddr_t try_map_pages(struct space *space, vaddr_t start, paddr_t physical, size_t bytes, int *status)
{
    struct wanted w;
    int           err = look_at(start, physical, bytes, &w);

    may_sleep();
    if (err == 0 && !is_users(space, w.pages))
        err = -EFAULT;
    return pages_answer(start, err != 0 ? err : pages_map(space, w, true), status);
}
