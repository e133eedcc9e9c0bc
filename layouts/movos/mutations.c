/*
 * mutations.c - making claims of layouts/movos/layout.md untrue, so that their probes are seen to notice.
 */
#include "layouts/movos/claims.h"
#include "claims/probe.h"

#include "cpu.h"
#include "layouts/movos/tables.h"
#include "memory/tables/table_home.h"
#include "memory/tables/cursor.h"
#include "memory/tables/table.h"

static struct space one;                /* a process of which something is wrong */

/* ---- M5: a frame of the kernel's has another owner ---------------------------------------------------- */

static const frame_t kept = { M_KERNEL_END / PAGE_SIZE - 1 };
static enum owner    kept_by;

bool m_corrupt_5(void)
{
    kept_by = frame_owner(kept);
    frame_change_owner(kept, kept_by, OWNER_TEST);
    return true;
}
void m_restore_5(void)  { frame_change_owner(kept, OWNER_TEST, kept_by); }

/* ---- M8, M9, M11, M14: a process that lies --------------------------------------------------------------- */

bool m_corrupt_8(void)
{
    if (space_create(&one) != 0)
        return false;
    one.home.structure->count++;
    return true;
}

void m_restore_8(void)
{
    one.home.structure->count--;
    space_destroy(&one);
}

bool m_corrupt_9(void)
{
    if (space_create(&one) != 0)
        return false;
    one.home.structure->registers.root = (uint32_t)frame_address(kernel_space.root);
    return true;
}

void m_restore_9(void)
{
    one.home.structure->registers.root = (uint32_t)frame_address(one.root);
    space_destroy(&one);
}

static entry_t exchange_root_entry(struct space *space, page_t page, entry_t to)
{
    lock_state state = lock_take(&space->tables_lock);
    entry_t   *at    = entry_at(space, page, MMU_LEVELS);
    entry_t    old   = entry_read(at);

    entry_write(at, to);
    mmu_flush_all();
    lock_drop(&space->tables_lock, state);
    return old;
}

static entry_t saved;

bool m_corrupt_11(void)
{
    if (space_create(&one) != 0)
        return false;
    saved = exchange_root_entry(&one, 0, m_root_entry(&kernel_space, page_of(M_WINDOW)));
    return true;
}

void m_restore_11(void)
{
    (void)exchange_root_entry(&one, 0, saved);
    space_destroy(&one);
}

/* A place is promised to a table that does not come. */
bool m_corrupt_14(void)
{
    if (space_create(&one) != 0)
        return false;
    if (table_home_reserve(&one, layout.user, 1) == 0)
        return true;
    space_destroy(&one);
    return false;
}

void m_restore_14(void)
{
    table_home_enter(&one, layout.user.first, MMU_LEVELS, one.root);
    table_home_leave(&one, layout.user.first, MMU_LEVELS, one.root);
    space_destroy(&one);
}

/* ---- M13: something else in the window --------------------------------------------------------------------- */

static const page_t last_place = M_WINDOW_END / PAGE_SIZE - 1;

static void edit_last_place(bool show)
{
    struct cursor c;

    if (cursor_open(&c, &kernel_space, span_of(last_place, 1), 0) != 0)
        return;
    if (show)
        cursor_map(&c, last_place, kernel_space.root, (struct rights){ MAY_READ, 0 }, CACHE_BACK);
    else
        (void)cursor_remove(&c, last_place);
    cursor_close(&c);
}

bool m_corrupt_13(void)
{
    edit_last_place(true);
    return true;
}
void m_restore_13(void)  { edit_last_place(false); }

/* ---- M16: one page that a process may read ------------------------------------------------------------------ */

static entry_t saved_leaf;

static entry_t exchange_leaf(page_t page, entry_t to)
{
    lock_state state = lock_take(&kernel_space.tables_lock);
    entry_t   *at    = entry_at(&kernel_space, page, 1);
    entry_t    old   = entry_read(at);

    entry_write(at, to);
    mmu_flush_all();
    lock_drop(&kernel_space.tables_lock, state);
    return old;
}

/* Both levels must let it through: the directory's entry, which new processes copy, and the table's. */
bool m_corrupt_16(void)
{
    page_t page = page_of(M_SECTOR);

    saved      = m_root_entry(&kernel_space, 0);
    saved_leaf = exchange_leaf(page, leaf_of(page));
    (void)exchange_leaf(page, entry_with_rights(saved_leaf, (struct rights){ MAY_READ | MAY_WRITE, MAY_READ }));
    (void)exchange_root_entry(&kernel_space, 0, entry_table(entry_frame(saved), true));
    return true;
}

void m_restore_16(void)
{
    (void)exchange_root_entry(&kernel_space, 0, saved);
    (void)exchange_leaf(page_of(M_SECTOR), saved_leaf);
}
