/*
 * mutations.c - making claims of layouts/movos/layout.md untrue, to test that their probes notice.
 */
#include "layouts/movos/claims.h"
#include "claims/mutations.h"
#include "claims/probe.h"

#include "cpu.h"
#include "layouts/movos/tables.h"
#include "memory/tables/table_home.h"
#include "memory/tables/cursor.h"
#include "memory/tables/table.h"

static struct space one;                /* a process with an error */

/* ---- M5: a frame of the kernel's has another owner ---------------------------------------------------- */

static const frame_t kept = { M_KERNEL_END / PAGE_SIZE - 1 };
static enum owner    kept_by;

static bool m_corrupt_5(void)
{
    kept_by = frame_owner(kept);
    frame_change_owner(kept, kept_by, OWNER_TEST);
    return true;
}
static void m_restore_5(void)  { frame_change_owner(kept, OWNER_TEST, kept_by); }

/* ---- M8, M9, M11, M14: a process with an error --------------------------------------------------------------- */

static bool m_corrupt_8(void)
{
    if (space_create(&one) != 0)
        return false;
    one.home.structure->count++;
    return true;
}

static void m_restore_8(void)
{
    one.home.structure->count--;
    space_destroy(&one);
}

static bool m_corrupt_9(void)
{
    if (space_create(&one) != 0)
        return false;
    one.home.structure->registers.root = (uint32_t)frame_address(kernel_space.root);
    return true;
}

static void m_restore_9(void)
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

static bool m_corrupt_11(void)
{
    if (space_create(&one) != 0)
        return false;
    saved = exchange_root_entry(&one, 0, m_root_entry(&kernel_space, page_of(M_WINDOW)));
    return true;
}

static void m_restore_11(void)
{
    (void)exchange_root_entry(&one, 0, saved);
    space_destroy(&one);
}

/* A place is promised to a table that is never made. */
static bool m_corrupt_14(void)
{
    if (space_create(&one) != 0)
        return false;
    if (table_home_reserve(&one, layout.user, 1) == 0)
        return true;
    space_destroy(&one);
    return false;
}

static void m_restore_14(void)
{
    table_home_enter(&one, layout.user.first, MMU_LEVELS, one.root);
    table_home_leave(&one, layout.user.first, MMU_LEVELS, one.root);
    space_destroy(&one);
}

/* ---- M13: another frame in the window --------------------------------------------------------------------- */

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

static bool m_corrupt_13(void)
{
    edit_last_place(true);
    return true;
}
static void m_restore_13(void)  { edit_last_place(false); }

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

/* Both levels must allow the access: the directory's entry, which new processes copy, and the table's. */
static bool m_corrupt_16(void)
{
    page_t page = page_of(M_SECTOR);

    saved      = m_root_entry(&kernel_space, 0);
    saved_leaf = exchange_leaf(page, leaf_of(page));
    (void)exchange_leaf(page, entry_with_rights(saved_leaf, (struct rights){ MAY_READ | MAY_WRITE, MAY_READ }));
    (void)exchange_root_entry(&kernel_space, 0, entry_table(entry_frame(saved), true));
    return true;
}

static void m_restore_16(void)
{
    (void)exchange_root_entry(&kernel_space, 0, saved);
    (void)exchange_leaf(page_of(M_SECTOR), saved_leaf);
}

const struct claim_mutation movos_mutations[] = {
    { "M5",  m_corrupt_5,     m_restore_5,       "the last frame below 8 MiB belongs to somebody" },
    { "M6",  hide_free_frame, show_hidden_frame, "a free frame's bit says that it is used" },
    { "M8",  m_corrupt_8,     m_restore_8,       "a process's structure counts a table that is not there" },
    { "M9",  m_corrupt_9,     m_restore_9,       "a process's register set leads to another directory" },
    { "M11", m_corrupt_11,    m_restore_11,      "a process's first directory entry leads to another table" },
    { "M13", m_corrupt_13,    m_restore_13,      "the window's last page shows what belongs to no process" },
    { "M14", m_corrupt_14,    m_restore_14,      "a page of the window is promised, and nobody takes it" },
    { "M16", m_corrupt_16,    m_restore_16,      "programs may read the page of the boot sector" },
    { 0 },
};
