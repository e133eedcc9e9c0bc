/*
 * run.c - neighbouring pages that the tables treat alike. See run.h.
 */
#include "base/check.h"
#include "memory/tables/run.h"

#include "memory/frames/frame.h"
#include "memory/spaces/space.h"
#include "memory/tables/table.h"

static entry_t look_up(struct space *space, page_t page, unsigned *level)
{
    lock_state state = lock_take(&space->tables_lock);
    entry_t    e     = table_lookup(space, page, level);

    deep_assert(page < layout.space_end && *level >= 1 && *level <= MMU_LEVELS);
    lock_drop(&space->tables_lock, state);
    return e;
}

static const struct region *region_of(struct space *space, page_t page)
{
    lock_state           state  = space_look(space);
    const struct region *region = region_find(&space->map, page);

    deep_assert(region == NULL || span_has(region->span, page));
    space_look_end(space, state);
    return region;
}

static bool names_frame(enum entry_kind kind) { return kind == ENTRY_PRESENT || kind == ENTRY_BLOCKED; }

/* The owner of `pages` frames in a row, OWNER_COUNT when they differ: a large page may show frames of several. */
static enum owner owner_of(frame_t first, size_t pages)
{
    enum owner owner = frame_owner(first);

    deep_assert(pages > 0 && frame_exists(first));
    for (uint32_t i = 1; i < pages; i++)
        if (frame_owner((frame_t){ first.no + i }) != owner)
            return OWNER_COUNT;
    return owner;
}

static bool is_nothing(entry_t e, unsigned level)
{
    return entry_kind(e, level) == ENTRY_EMPTY || entry_kind(e, level) == ENTRY_IDENTITY;
}

/* The first page of the empty pages that end with `page`, looked for in its table and from `first` on. */
static page_t nothing_from(struct space *space, page_t first, page_t page)
{
    lock_state     state = lock_take(&space->tables_lock);
    const entry_t *at    = entry_at(space, page, 1);
    page_t         start = page - page % MMU_ENTRIES;

    deep_assert(first <= page);
    if (at == NULL)
        start = page;                       /* the table is out: page by page */
    /* bound: MMU_ENTRIES */
    while (page > start && page > first && is_nothing(entry_read(at - 1), 1))
        page--, at--;
    lock_drop(&space->tables_lock, state);
    return page;
}

/* The run that one entry makes, and that ends at `end`; of kind ENTRY_EMPTY where pages are empty. */
static struct page_run run_of_entry(struct space *space, page_t first, page_t end)
{
    unsigned        level;
    entry_t         e     = look_up(space, end - 1, &level);
    page_t          reach = mmu_reach(level), start = (end - 1) - (end - 1) % reach;
    struct page_run run   = { .span = { start > first ? start : first, end }, .kind = entry_kind(e, level) };

    assert(first < end && end <= layout.space_end);
    if (is_nothing(e, level)) {
        run.kind = ENTRY_EMPTY;
        if (level == 1)
            run.span.first = nothing_from(space, first, end - 1);
        return run;
    }
    run.frame    = (frame_t){ entry_frame(e).no + (uint32_t)(run.span.first - start) };
    run.rights   = entry_rights(e);
    run.cache    = entry_present(e) ? entry_cache(e) : CACHE_BACK;
    run.region   = region_of(space, end - 1);
    run.in_a_row = true;
    run.owner    = names_frame(run.kind) ? owner_of(run.frame, span_pages(run.span)) : OWNER_ABSENT;
    run.shared   = level == 1 && names_frame(run.kind) && frame_references(run.frame) > 1;
    return run;
}

static bool runs_alike(const struct page_run *low, const struct page_run *high, unsigned flags)
{
    return low->kind == high->kind && low->cache == high->cache && low->region == high->region &&
           low->rights.kernel == high->rights.kernel && low->rights.user == high->rights.user &&
           (!(flags & RUNS_BY_OWNER) || low->owner == high->owner);
}

/* `low` ends where `run` begins. */
static void run_join(struct page_run *run, const struct page_run *low)
{
    deep_assert(low->span.end == run->span.first);
    run->in_a_row   = run->in_a_row && low->frame.no + span_pages(low->span) == run->frame.no;
    run->owner      = low->owner == run->owner ? low->owner : OWNER_COUNT;
    run->frame      = low->frame;
    run->shared    += low->shared;
    run->span.first = low->span.first;
}

bool page_run_below(struct space *space, page_t first, page_t *end, unsigned flags, struct page_run *out)
{
    assert(first <= *end);
    out->kind = ENTRY_EMPTY;
    while (*end > first) {
        struct page_run low = run_of_entry(space, first, *end);

        if (out->kind != ENTRY_EMPTY && (low.kind == ENTRY_EMPTY || !runs_alike(&low, out, flags)))
            return true;
        if (out->kind != ENTRY_EMPTY)
            run_join(out, &low);
        else if (low.kind != ENTRY_EMPTY)
            *out = low;
        *end = low.span.first;
    }
    return out->kind != ENTRY_EMPTY;
}
