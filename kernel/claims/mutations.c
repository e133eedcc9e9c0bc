/*
 * mutations.c - making a claim untrue on purpose, so that its probe can be seen to notice.
 *
 * Only what the machine survives: the probes of the other claims run meanwhile and still hold.
 */
#include <layout.h>

#include "claims/probe.h"

#include "layouts/firmware/claims.h"
#include "layouts/higher-half/claims.h"
#include "layouts/movos/claims.h"
#include "claims/mutations.h"
#include "layouts/pat/claims.h"
#include "layouts/tracker/claims.h"
#include "memory/tables/cursor.h"
#include "memory/spaces/space.h"
#include "memory/heap/stack.h"
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

/* The last page of the first 4 MiB shows the frame below its own. */
static bool shift_low_page(page_t kernel)
{
    page_t  page = kernel + page_of(A_LOW) - 1;
    entry_t e    = get_entry(page);

    return change_entry(
        page, entry_leaf((frame_t){ entry_frame(e).no - 1 }, entry_rights(e), CACHE_BACK, false, 1));
}

static bool shift_page_of_a1(void) { return shift_low_page(page_of(A_KERNEL)); }
static bool shift_page_of_q5(void) { return shift_low_page(layout.user.end); }

/* A page of the kernel becomes a program's as well. */
static bool open_low_page(void)
{
    page_t  page = layout.user.end + page_of(A_LOW) - 1;
    entry_t e    = get_entry(page);

    return change_entry(page, entry_with_rights(e, (struct rights){ MAY_READ | MAY_WRITE, MAY_READ }));
}

static bool open_constants(void)
{
    page_t page = layout.purpose[PURPOSE_RODATA]->span.first;

    return change_entry(page, entry_with_rights(get_entry(page), (struct rights){ MAY_READ | MAY_WRITE, 0 }));
}

/* ---- A frame that somebody holds who should not ---------------------------------------------- */

static frame_t    held;
static enum owner held_from;

static bool hand_out(frame_t frame)
{
    held      = frame;
    held_from = frame_owner(frame);
    frame_change_owner(frame, held_from, OWNER_TEST);
    return true;
}

static void take_back(void) { frame_change_owner(held, OWNER_TEST, held_from); }

static bool hand_out_first(void)      { return hand_out((frame_t){ 1 }); }
static bool hand_out_hardware(void)   { return hand_out((frame_t){ A_STRUCTURES_END }); }
static bool hand_out_image_end(void)  { return hand_out((frame_t){ A_IMAGE_END - 1 }); }

/* A free frame is used in the bitmap, and nobody has it. */
static uint32_t hidden;

static bool hide_free_frame(void)
{
    frames_drain();
    hidden = pool_peek(&frames.pool, false);
    if (hidden == POOL_NONE)
        return false;
    pool_keep_run(&frames.pool, hidden, 1);
    return true;
}

static void show_hidden_frame(void) { pool_give(&frames.pool, hidden); }

/* ---- A page where nothing should be ---------------------------------------------------------- */

static page_t extra_page;

static bool map_extra(page_t page)
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

static void unmap_extra(void)
{
    struct cursor c;

    if (cursor_open(&c, &kernel_space, span_of(extra_page, 1), 0) != 0)
        return;
    cursor_discard(&c, extra_page);
    cursor_close(&c);
}

static bool map_last(void) { return map_extra(layout.space_end - 1); }

/* Where programs are kernel space has no table of its own: the upper entry gets one that nobody else shares. */
static frame_t null_table, null_frame;

static bool map_null(void)
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

static void unmap_null(void)
{
    lock_state state = lock_take(&kernel_space.tables_lock);

    entry_write(entry_at(&kernel_space, 0, MMU_LEVELS), entry_empty());
    mmu_flush_all();
    lock_drop(&kernel_space.tables_lock, state);
    frame_put(null_frame);
    frame_put(null_table);
}

/* ---- A space whose directory is not as it should be ------------------------------------------- */

static struct space odd;
static struct stack kernels_stack;
static page_t       odd_page;
static entry_t      odd_was;

static entry_t exchange_upper(struct space *space, page_t page, entry_t e)
{
    lock_state state = lock_take(&space->tables_lock);
    entry_t    was   = entry_exchange(entry_at(space, page, MMU_LEVELS), e);

    lock_drop(&space->tables_lock, state);
    return was;
}

static bool make_odd(vaddr_t at, entry_t e)
{
    if (space_create(&odd) != 0)
        return false;
    odd_page = page_of(at);
    odd_was  = exchange_upper(&odd, odd_page, e);
    return true;
}

static void end_odd(void)
{
    exchange_upper(&odd, odd_page, odd_was);
    space_destroy(&odd);
}

static bool drop_shared_table(void)  { return make_odd(A_KERNEL, entry_empty()); }
static bool refer_to_another(void)   { return make_odd(A_TABLES, entry_self(kernel_space.root)); }

/* A space shows kernel space's stacks in its own window. */
static bool share_stacks(void)
{
    lock_state state;
    entry_t    kernels;

    if (stack_get(&kernel_space, &kernels_stack) != 0)
        return false;
    state   = lock_take(&kernel_space.tables_lock);
    kernels = entry_read(entry_at(&kernel_space, page_of(A_STACKS), MMU_LEVELS));
    lock_drop(&kernel_space.tables_lock, state);
    if (make_odd(A_STACKS, kernels))
        return true;
    stack_put(&kernels_stack);
    return false;
}

static void part_stacks(void)
{
    end_odd();
    stack_put(&kernels_stack);
}

/* ---- All of them ------------------------------------------------------------------------------ */

const struct claim_mutation claim_mutations[] = {
#ifdef LAYOUT_CLAIMS_G
    { "G7",  firmware_show_null,       restore_entry,        "page 0 can be read" },
    { "G8",  firmware_open_constants,  restore_entry,        "a page of the constants can be written" },
    { "G9",  firmware_open_variables,  restore_entry,        "programs may read a page of the kernel's variables" },
    { "G17", firmware_corrupt,         firmware_restore,     "a variable of the original is one higher" },
    { "G20", firmware_second_page,     firmware_leave_alone, "a process begins with two pages of stack" },
    { "G21", firmware_grow_by_reading, firmware_leave_alone, "a stack grows when it is read below" },
    { "G24", firmware_longer_heap,     firmware_leave_alone, "the break may go a page too far" },
#endif
    { "A1",  shift_page_of_a1,   restore_entry,     "the last page below 4 MiB shows the frame below its own" },
    { "A2",  hand_out_first,     take_back,         "frame 1 belongs to somebody" },
    { "A3",  hand_out_hardware,  take_back,         "the frame at 512 KiB belongs to somebody" },
    { "A4",  hand_out_image_end, take_back,         "the last frame below 4 MiB belongs to somebody" },
    { "A9",  hide_free_frame,    show_hidden_frame, "a free frame's bit says that it is used" },
    { "A10", open_low_page,      restore_entry,     "programs may read the last page below 4 MiB" },
    { "A11", drop_shared_table,  end_odd,           "a space lacks the table of the kernel's first 4 MiB" },
    { "A15", share_stacks,       part_stacks,       "a space has the table of kernel space's stacks in its own window" },
    { "A16", refer_to_another,   end_odd,           "the last directory entry of a space names kernel space's directory" },
    { "A18", map_null,           unmap_null,        "page 0 of kernel space is mapped" },
#ifdef LAYOUT_CLAIMS_K
    { "K2",  k_corrupt_2,     k_restore_2,       "the bit of the image's last page is not set" },
    { "K4",  hide_free_frame, show_hidden_frame, "a free page's bit is set" },
    { "K5",  k_corrupt_5,     k_restore_5,       "the bit of the page at 512 KiB is not set" },
    { "K7",  k_corrupt_7,     k_restore_7,       "the search starts at the lowest page each time" },
    { "K13", k_corrupt_13,    k_restore_13,      "the kernel's directory belongs to somebody else" },
    { "K16", k_corrupt_16,    restore_entry,     "programs may read the last page below 4 MiB" },
    { "K17", k_corrupt_17,    k_restore_17,      "a trap from a program starts on a stack it cannot see" },
#endif
#ifdef LAYOUT_CLAIMS_M
    { "M5",  m_corrupt_5,     m_restore_5,       "the last frame below 8 MiB belongs to somebody" },
    { "M6",  hide_free_frame, show_hidden_frame, "a free frame's bit says that it is used" },
    { "M8",  m_corrupt_8,     m_restore_8,       "a process's structure counts a table that is not there" },
    { "M9",  m_corrupt_9,     m_restore_9,       "a process's register set leads to another directory" },
    { "M11", m_corrupt_11,    m_restore_11,      "a process's first directory entry leads to another table" },
    { "M13", m_corrupt_13,    m_restore_13,      "the window's last page shows what belongs to no process" },
    { "M14", m_corrupt_14,    m_restore_14,      "a page of the window is promised, and nobody takes it" },
    { "M16", m_corrupt_16,    m_restore_16,      "programs may read the page of the boot sector" },
#endif
#ifdef LAYOUT_CLAIMS_T
    { "T6",  t_corrupt_6,  t_restore_6,   "an absent entry of the master table names no frame" },
    { "T7",  t_corrupt_7,  restore_entry, "a page of the firmware's megabyte is not present" },
    { "T8",  t_corrupt_8,  restore_entry, "the last page of the kernel's structures is not present" },
    { "T9",  t_corrupt_9,  t_restore_9,   "the list says that a place belongs to the object behind it" },
    { "T10", t_corrupt_10, t_restore_10,  "a page of the list has a pin that no page table needs" },
    { "T15", t_corrupt_15, t_restore_15,  "a tracker counts a page too few" },
    { "T17", t_corrupt_17, t_restore_17,  "there is a second page of trackers that nobody needs" },
    { "T18", t_corrupt_18, t_restore_18,  "CR3 was loaded when the table was linked" },
#endif
    { "Q3",  map_null,         unmap_null,        "page 0 of kernel space is mapped" },
    { "Q4",  open_low_page,    restore_entry,     "programs may read the last page below 4 MiB" },
    { "Q5",  shift_page_of_q5, restore_entry,     "the last page below 4 MiB shows the frame below its own" },
    { "Q6",  open_constants,   restore_entry,     "the first page of the constants can be written" },
    { "Q9",  map_last,         unmap_extra,       "the last page of the address space is mapped" },
    { "Q10", hide_free_frame,  show_hidden_frame, "a free frame's bit says that it is used" },
};
const uint32_t claim_mutation_count = COUNT_OF(claim_mutations);
