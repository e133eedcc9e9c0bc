/*
 * space.c - address spaces: their creation, their end, and what they share.
 *
 * Lock order: map_lock, then the tables_lock that a cursor takes, then list_lock.
 */
#include "memory/spaces/space.h"

#include "base/check.h"
#include "base/error.h"
#include "base/range.h"
#include "base/string.h"
#include "cpu.h"
#include "memory/tables/cursor.h"
#include "memory/frames/frame.h"
#include "memory/tables/table.h"
#include "memory/tables/table_access.h"

static struct lock   list_lock = LOCK("list of spaces", RANK_SPACES);
static struct space *spaces;                            /* [list_lock] all but kernel_space */

bool space_is_current(const struct space *space)
{
    return space == &kernel_space || frame_is(mmu_active(), space->root);
}

struct space *space_after(const struct space *space)
{
    lock_state    state;
    struct space *after;

    if (space == NULL)
        return &kernel_space;
    state = lock_take(&list_lock);
    after = space == &kernel_space ? spaces : space->next;
    lock_drop(&list_lock, state);
    return after;
}

/* Takes no lock: for a CPU whose current space cannot end, and for panics. */
struct space *space_active(void)
{
    struct space *space = spaces;

    while (space != NULL && !frame_is(mmu_active(), space->root))
        space = space->next;
    return space != NULL ? space : &kernel_space;
}

/* ---- What kernel space got since ------------------------------------------------------- */

/*
 * The latest entries of kernel space's root that changed; kernel_space.seen counts them. A root that is in use gets a
 * change at once; the others when they are next used, as their number is chosen by programs. Who has missed more than
 * is kept here copies all.
 */
enum { LATEST_KEPT = 16 };
static page_t latest[LATEST_KEPT];                      /* [kernel_space.tables_lock] */

/* A slot may show only one of the two roots at a time. */
static void take_over_entry(const struct space *space, page_t page)
{
    entry_t e = entry_read(entry_at(&kernel_space, page, MMU_LEVELS));

    entry_write(entry_at(space, page, MMU_LEVELS), e);
}

/* All entries of [first, end) that roots share. */
static void take_over_part(const struct space *space, page_t first, page_t end)
{
    /* bound: entries of a root */
    for (page_t page = first; page < end; page += mmu_reach(MMU_LEVELS))
        if (layout_region_of(page)->backing != BACKING_TABLES && !page_is_own_stack(page))
            take_over_entry(space, page);
}

void space_catch_up(struct space *space)
{
    lock_state state  = interrupts_off();
    page_t     reach  = mmu_reach(MMU_LEVELS);
    uint32_t   missed = kernel_space.seen - space->seen;

    if (missed > LATEST_KEPT) {
        take_over_part(space, 0, round_down(layout.user.first, reach));
        take_over_part(space, round_down(layout.user.end + reach - 1, reach), layout.space_end);
    } else {
        /* bound: LATEST_KEPT */
        for (uint32_t at = space->seen; at != kernel_space.seen; at++)
            take_over_entry(space, latest[at % LATEST_KEPT]);
    }
    space->seen = kernel_space.seen;
    interrupts_restore(state);
}

/* One processor is in use, so one root of a program's is. */
void space_share_entry(page_t page)
{
    assert(lock_held(&kernel_space.tables_lock));
    if (root_entry_is_users(page))
        return;                         /* kernel space's alone: other roots have their program's entries there */
    latest[kernel_space.seen++ % LATEST_KEPT] = page;
    space_catch_up(program_space);
}

/* ---- Creation and end ------------------------------------------------------------------ */

/*
 * Copy kernel space's entries of the root for [first, end). The entries of one root lie side by side, however the
 * layout reaches them. A slot may show only one of the two roots at a time, so entries are copied by way of the stack.
 * No CPU uses the new root yet.
 */
static void copy_entries(const struct space *space, page_t first, page_t end)
{
    enum { AT_ONCE = 64 };
    entry_t between[AT_ONCE];
    page_t  reach = mmu_reach(MMU_LEVELS);

    assert(is_aligned(first, reach) && is_aligned(end, reach) && first <= end);
    deep_assert(lock_held(&list_lock));
    /* bound: entries of a root */
    for (size_t count = (end - first) / reach, now; count > 0; count -= now, first += now * reach) {
        now = count < AT_ONCE ? count : AT_ONCE;
        memcpy(between, entry_at(&kernel_space, first, MMU_LEVELS), now * sizeof *between);
        memcpy(entry_at(space, first, MMU_LEVELS), between, now * sizeof *between);
    }
}

/* The entries below the programs' part, and those above it. */
static void copy_kernel_part(const struct space *space)
{
    page_t reach = mmu_reach(MMU_LEVELS);

    copy_entries(space, 0, round_down(layout.user.first, reach));
    copy_entries(space, round_down(layout.user.end + reach - 1, reach), layout.space_end);
}

/* The self-reference names the root it lies in, and stacks of its own come when they are asked for (stack.c). */
static void start_own_part(const struct space *space)
{
    page_t reach = mmu_reach(MMU_LEVELS);

    deep_assert(lock_held(&list_lock) && frame_owner(space->root) == OWNER_TABLES);
    /* bound: regions of the document */
    for (uint32_t i = 0; i < layout.region_count; i++) {
        const struct layout_region *home = &layout.regions[i];
        bool                        self = home->backing == BACKING_TABLES;

        if (!self && !page_is_own_stack(home->span.first))
            continue;
        for (page_t page = home->span.first; page < home->span.end; page += reach)
            entry_write(entry_at(space, page, MMU_LEVELS), self ? entry_self(space->root) : entry_empty());
    }
}

int space_create(struct space *space)
{
    lock_state tables, list;
    frame_t    root;

    assert(space != &kernel_space);
    if (frame_get(OWNER_TABLES, FRAME_ZERO, &root) != 0)
        return -ENOMEM;

    *space = (struct space){ .root = root, .table_frames = 1 };
    space->map_lock    = (struct rwlock)RWLOCK("regions of a space", RWLOCK_MAP);
    space->break_lock  = (struct rwlock)RWLOCK("break of a space", RWLOCK_BREAK);
    space->tables_lock = (struct lock)LOCK("tables of a space", RANK_TABLES);
    region_tree_start(&space->map, layout.user);
    if (table_home_start(space) != 0) {
        frame_put(root);
        return -ENOMEM;
    }

    /* Both locks: no kernel table may appear between the copy and the listing. */
    tables = lock_take(&kernel_space.tables_lock);
    list   = lock_take(&list_lock);
    copy_kernel_part(space);
    start_own_part(space);
    space->seen = kernel_space.seen;
    space->next = spaces;
    if (spaces != NULL)
        spaces->previous = space;
    spaces = space;
    lock_drop(&list_lock, list);
    lock_drop(&kernel_space.tables_lock, tables);
    return 0;
}

lock_state space_look(const struct space *space)
{
    return space == &kernel_space ? lock_take(&kernel_map_lock) : interrupts_off();
}

void space_look_end(const struct space *space, lock_state state)
{
    deep_assert(space != &kernel_space || lock_held(&kernel_map_lock));
    if (space == &kernel_space)
        lock_drop(&kernel_map_lock, state);
    else
        interrupts_restore(state);
}

size_t space_most_pages(struct space *space)
{
    lock_state state = space_look(space);
    size_t     most  = space->pages > space->most_pages ? space->pages : space->most_pages;

    deep_assert(space->pages <= span_pages(layout.user));
    space_look_end(space, state);
    return most;
}

static void space_unlist(struct space *space)
{
    lock_state state = lock_take(&list_lock);

    deep_assert(space->previous != NULL ? space->previous->next == space : spaces == space);
    if (space->previous != NULL)
        space->previous->next = space->next;
    else
        spaces = space->next;
    if (space->next != NULL)
        space->next->previous = space->previous;
    lock_drop(&list_lock, state);
}

/* One cursor for all of user space, which skips missing tables; none where the process has nothing in its tables. */
static void discard_user_pages(struct space *space)
{
    struct span   all = layout.user;
    struct cursor c;
    int           err;

    deep_assert(space != &kernel_space && !lock_held(&space->tables_lock));
    if (TABLES_GO_OUT && space->home.out > 0)
        pages_discard(space, layout.user);          /* they need no memory for it */
    if (MMU_LEVELS > 1 && table_home_is_bare(space))
        return;
    err = cursor_open(&c, space, all, 0);
    assert(err == 0);                           /* without CURSOR_BUILD nothing can fail */
    cursor_discard_span(&c, all);
    cursor_close(&c);
}

void space_destroy(struct space *space)
{
    assert(space != &kernel_space && space != program_space && !space_is_current(space) && space->stacks == NULL);
    assert(space->spare == NULL);               /* map_clear() was called, or nothing was ever unmapped */

    discard_user_pages(space);
    space_unlist(space);
    table_home_end(space);
    assert(space->resident == 0 && space->table_frames == 1);
    frame_put(space->root);
    space->root = NO_FRAME;
}

struct space *program_space = &kernel_space;

frame_t space_enter(struct space *space)
{
    frame_t root = space == &kernel_space ? space->root : table_home_root(space);

    deep_assert(frame_exists(root));
    program_space = space;
    if (space->seen != kernel_space.seen)
        space_catch_up(space);
    if (layout_kernel_has_own()) {
        mmu_return_to(root);
        return NO_FRAME;
    }
    return frame_is(mmu_active(), root) ? NO_FRAME : root;
}

void space_activate(struct space *space)
{
    frame_t root = space_enter(space);

    if (frame_exists(root))
        mmu_activate(root);
}

