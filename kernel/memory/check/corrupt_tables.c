/*
 * corrupt_tables.c - corrupting page tables and region trees.
 */
#include "memory/check/corrupt.h"

#include "base/check.h"
#include "cpu.h"
#include "memory/tables/cursor.h"
#include "memory/frames/frame.h"
#include "memory/spaces/space.h"
#include "memory/tables/table.h"

/* ---- An entry of kernel space that is changed for a while -------------------------------------- */

static page_t  changed_page;
static entry_t saved_entry;

static entry_t exchange_entry(const struct space *space, page_t page, unsigned level, entry_t e)
{
    lock_state state = lock_take((struct lock *)&space->tables_lock);
    entry_t   *at    = entry_at(space, page, level);
    entry_t    old;

    assert(at != NULL);
    old = entry_read(at);
    entry_write(at, e);
    lock_drop((struct lock *)&space->tables_lock, state);
    return old;
}

static entry_t entry_now(page_t page)
{
    lock_state state = lock_take(&kernel_space.tables_lock);
    unsigned   level;
    entry_t    e = table_lookup(&kernel_space, page, &level);

    lock_drop(&kernel_space.tables_lock, state);
    return level == 1 ? e : entry_empty();
}

/* Give a present page of kernel space other rights; false if it has no entry of its own. */
static bool change_rights(page_t page, struct rights rights)
{
    saved_entry = entry_now(page);
    changed_page = page;
    if (!entry_present(saved_entry))
        return false;
    exchange_entry(&kernel_space, page, 1, entry_with_rights(saved_entry, rights));
    mmu_flush_page(page);
    return true;
}

static void restore_entry(void)
{
    exchange_entry(&kernel_space, changed_page, 1, saved_entry);
    mmu_flush_page(changed_page);
}

static page_t first_page_of(enum purpose purpose) { return layout.purpose[purpose]->span.first; }

/* ---- C: tables ---------------------------------------------------------------------------------- */

static struct space other;
static page_t       other_page;

/* Another space with one page mapped near the middle of user space, in a region or in none. */
static struct region other_region;

static int map_other_page(bool in_region)
{
    const struct rights both = { MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE };
    struct cursor c;
    frame_t       frame;
    int           err = frame_get(OWNER_USER, FRAME_ZERO, &frame);

    if (err != 0)
        return err;
    other_page = layout.user.first + span_pages(layout.user) / 2;
    err = cursor_open(&c, &other, span_of(other_page, 1), CURSOR_BUILD);
    if (err != 0) {
        frame_put(frame);
        return err;
    }
    cursor_map(&c, other_page, frame, both, CACHE_BACK);
    cursor_close(&c);
    other_region = (struct region){ .span = span_of(other_page, 1), .rights = both, .backing = BACKING_USER,
                                    .name = "corruption", .home = layout_region_of(other_page) };
    return in_region ? region_insert(&other.map, &other_region) : 0;
}

static bool make_other(bool with_region)
{
    if (space_create(&other) != 0)
        return false;
    if (map_other_page(with_region) == 0)
        return true;
    space_destroy(&other);
    return false;
}

static void end_other(void)
{
    if (other.map.count != 0)
        region_remove(&other.map, &other_region);
    space_destroy(&other);
}

/* The frame of the table that holds the other space's page. */
static frame_t other_table(void)
{
    lock_state state = lock_take(&other.tables_lock);
    frame_t    table = MMU_LEVELS > 1 ? entry_frame(entry_read(entry_at(&other, other_page, 2))) : other.root;

    lock_drop(&other.tables_lock, state);
    return table;
}

bool corrupt_c1(void)
{
    if (!make_other(true))
        return false;
    frame_set_link(other_table(), frame_link(other_table()) + 1);
    return true;
}

void restore_c1(void)
{
    frame_set_link(other_table(), frame_link(other_table()) - 1);
    end_other();
}

bool corrupt_c2(void)
{
    return change_rights(first_page_of(PURPOSE_DATA), (struct rights){ MAY_READ | MAY_WRITE, MAY_READ });
}
void restore_c2(void)  { restore_entry(); }

/* An upper entry of the kernel part that leads to a table all spaces share; space_end: there is none. */
static page_t shared_table_page(void)
{
    for (page_t page = 0; page < layout.space_end; page += mmu_reach(MMU_LEVELS)) {
        const struct layout_region *home = layout_region_of(page);
        lock_state state = lock_take(&kernel_space.tables_lock);
        entry_t    e     = entry_read(entry_at(&kernel_space, page, MMU_LEVELS));

        lock_drop(&kernel_space.tables_lock, state);
        if (!root_entry_is_users(page) && entry_present(e) && home->scope == SCOPE_ALL &&
            home->backing != BACKING_TABLES)
            return page;
    }
    return layout.space_end;
}

bool corrupt_c3(void)
{
    changed_page = shared_table_page();
    if (changed_page == layout.space_end || space_create(&other) != 0)
        return false;
    saved_entry = exchange_entry(&other, changed_page, MMU_LEVELS, entry_empty());
    return true;
}

void restore_c3(void)
{
    exchange_entry(&other, changed_page, MMU_LEVELS, saved_entry);
    space_destroy(&other);
}

/* A page that has been written, so that the processor knows it, becomes read-only behind its back. */
static struct region region;

bool corrupt_c4(void)
{
    if (kernel_map(&region, PURPOSE_HEAP, "corruption", 1, 0, OWNER_TEST) != 0)
        return false;
    changed_page = region.span.first;
    *(volatile uint32_t *)pointer_to(page_address(changed_page)) = 1;
    saved_entry = entry_now(changed_page);
    exchange_entry(&kernel_space, changed_page, 1,
                   entry_with_rights(saved_entry, (struct rights){ MAY_READ, 0 }));
    return true;
}

void restore_c4(void)
{
    restore_entry();
    kernel_unmap(&region);
}

/* ---- R: the tree of kernel space's regions ------------------------------------------------------- */

static struct region_tree *kernel_tree(void) { return &kernel_space.map; }

static struct region *last_region(void)
{
    struct region *last = region_at_or_above(kernel_tree(), 0);

    while (region_next(last) != NULL)
        last = region_next(last);
    return last;
}

static page_t saved_end;

bool corrupt_r1(void)
{
    saved_end = kernel_tree()->limits.end;
    kernel_tree()->limits.end = last_region()->span.end - 1;
    return true;
}

void restore_r1(void)  { kernel_tree()->limits.end = saved_end; }

bool corrupt_r2(void)
{
    kernel_tree()->root->height++;
    return true;
}

void restore_r2(void)  { kernel_tree()->root->height--; }

bool corrupt_r3(void)
{
    kernel_tree()->root->gap++;
    return true;
}

void restore_r3(void)  { kernel_tree()->root->gap--; }

bool corrupt_r4(void)
{
    kernel_tree()->count++;
    return true;
}

void restore_r4(void)  { kernel_tree()->count--; }

/* ---- S: spaces ------------------------------------------------------------------------------------- */

bool corrupt_s1(void)
{
    return change_rights(first_page_of(PURPOSE_RODATA), (struct rights){ MAY_READ | MAY_WRITE, 0 });
}

void restore_s1(void)  { restore_entry(); }

bool corrupt_s2(void)
{
    if (mmu_allow((struct rights){ MAY_READ, 0 }).kernel & MAY_EXECUTE)
        return false;
    return change_rights(first_page_of(PURPOSE_TEXT),
                         (struct rights){ MAY_READ | MAY_WRITE | MAY_EXECUTE, 0 });
}

void restore_s2(void)  { restore_entry(); }

bool corrupt_s3(void) { return make_other(false); }
void restore_s3(void)  { end_other(); }

bool corrupt_s4(void)
{
    kernel_space.table_frames++;
    return true;
}

void restore_s4(void)  { kernel_space.table_frames--; }

static struct cursor cursor;

/* Map the guard, as if a page had been mapped one page too low. */
bool corrupt_s5(void)
{
    frame_t frame;

    if (kernel_map(&region, PURPOSE_HEAP, "corruption", 1, 1, OWNER_TEST) != 0)
        return false;
    if (frame_get(OWNER_TEST, 0, &frame) == 0) {
        if (cursor_open(&cursor, &kernel_space, span_of(region.span.first, 1), CURSOR_BUILD) == 0) {
            cursor_map(&cursor, region.span.first, frame, region.rights, CACHE_BACK);
            cursor_close(&cursor);
            return true;
        }
        frame_put(frame);
    }
    kernel_unmap(&region);
    return false;
}

void restore_s5(void)
{
    int err = cursor_open(&cursor, &kernel_space, span_of(region.span.first, 1), 0);

    assert(err == 0);
    cursor_discard(&cursor, region.span.first);
    cursor_close(&cursor);
    kernel_unmap(&region);
}
