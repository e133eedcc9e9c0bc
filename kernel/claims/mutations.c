/*
 * mutations.c - ways to make a claim untrue that several layouts' mutations have in common.
 */
#include "claims/mutations.h"

#include "memory/tables/cursor.h"
#include "memory/spaces/space.h"
#include "memory/frames/frame_magazine.h"
#include "memory/tables/table.h"

/* ---- An entry that says something else for a while ------------------------------------------ */

static page_t  changed_page;
static entry_t changed_from;

/* The present entry of a page that no large page covers. */
static entry_t *entry_of(page_t page) { return entry_at(&kernel_space, page, 1); }

static void put_entry(page_t page, entry_t e)
{
    lock_state state = lock_take(&kernel_space.tables_lock);

    entry_write(entry_of(page), e);
    mmu_flush_all();
    lock_drop(&kernel_space.tables_lock, state);
}

entry_t get_entry(page_t page)
{
    lock_state state = lock_take(&kernel_space.tables_lock);
    entry_t    e     = entry_read(entry_of(page));

    lock_drop(&kernel_space.tables_lock, state);
    return e;
}

bool change_entry(page_t page, entry_t to)
{
    changed_page = page;
    changed_from = get_entry(page);
    put_entry(page, to);
    return true;
}

void restore_entry(void) { put_entry(changed_page, changed_from); }

#define LOW 0x00400000u         /* what several documents map at a fixed distance */

/* The last page of the first 4 MiB shows the frame below its own. */
bool shift_low_page(page_t kernel)
{
    page_t  page = kernel + page_of(LOW) - 1;
    entry_t e    = get_entry(page);

    return change_entry(
        page, entry_leaf((frame_t){ entry_frame(e).no - 1 }, entry_rights(e), CACHE_BACK, false, 1));
}

/* A page of the kernel becomes a program's as well. */
bool open_low_page(void)
{
    page_t  page = layout.user.end + page_of(LOW) - 1;
    entry_t e    = get_entry(page);

    return change_entry(page, entry_with_rights(e, (struct rights){ MAY_READ | MAY_WRITE, MAY_READ }));
}

/* ---- A frame with an owner that must have none ------------------------------------------------ */

static frame_t    held;
static enum owner held_from;

bool hand_out_frame(frame_t frame)
{
    held      = frame;
    held_from = frame_owner(frame);
    frame_change_owner(frame, held_from, OWNER_TEST);
    return true;
}

void take_back_frame(void) { frame_change_owner(held, OWNER_TEST, held_from); }

/* A free frame is marked used in the bitmap, and has no owner. */
static uint32_t hidden;

bool hide_free_frame(void)
{
    frames_drain();
    hidden = pool_peek(&frames.pool, false);
    if (hidden == POOL_NONE)
        return false;
    pool_keep_run(&frames.pool, hidden, 1);
    return true;
}

void show_hidden_frame(void) { pool_give(&frames.pool, hidden); }

/* ---- A page where nothing should be ---------------------------------------------------------- */

static page_t extra_page;

bool map_extra_page(page_t page)
{
    struct cursor c;
    frame_t       frame;

    if (frame_get(OWNER_TEST, FRAME_ZERO, &frame) != 0)
        return false;
    if (cursor_open(&c, &kernel_space, span_of(page, 1), CURSOR_BUILD) != 0) {
        frame_put(frame);
        return false;
    }
    cursor_map(&c, page, frame, (struct rights){ MAY_READ | MAY_WRITE, 0 }, CACHE_BACK);
    cursor_close(&c);
    extra_page = page;
    return true;
}

void unmap_extra_page(void)
{
    struct cursor c;

    if (cursor_open(&c, &kernel_space, span_of(extra_page, 1), 0) != 0)
        return;
    cursor_discard(&c, extra_page);
    cursor_close(&c);
}

/* In the part of programs kernel space has no table of its own: the upper entry gets one that no space shares. */
static frame_t null_table, null_frame;

bool map_null_page(void)
{
    lock_state state;
    entry_t   *root;

    if (frame_get(OWNER_TABLES, FRAME_ZERO, &null_table) != 0)
        return false;
    if (frame_get(OWNER_TEST, FRAME_ZERO, &null_frame) != 0) {
        frame_put(null_table);
        return false;
    }
    state = lock_take(&kernel_space.tables_lock);
    root  = entry_at(&kernel_space, 0, MMU_LEVELS);
    entry_write(root, entry_table(null_table, false));
    mmu_flush_all();
    entry_write(entry_at(&kernel_space, 0, 1),
                entry_leaf(null_frame, (struct rights){ MAY_READ | MAY_WRITE, 0 }, CACHE_BACK, false, 1));
    lock_drop(&kernel_space.tables_lock, state);
    return true;
}

void unmap_null_page(void)
{
    lock_state state = lock_take(&kernel_space.tables_lock);

    entry_write(entry_at(&kernel_space, 0, MMU_LEVELS), entry_empty());
    mmu_flush_all();
    lock_drop(&kernel_space.tables_lock, state);
    frame_put(null_frame);
    frame_put(null_table);
}
