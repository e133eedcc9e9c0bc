/*
 * mutations.c - making claims of layouts/higher-half/layout.md untrue, to test that their probes notice.
 */
#include "claims/mutations.h"

#include "layouts/higher-half/claims.h"
#include "memory/heap/stack.h"
#include "memory/tables/table.h"

static bool shift_page_of_a1(void)    { return shift_low_page(page_of(A_KERNEL)); }
static bool hand_out_first(void)      { return hand_out_frame((frame_t){ 1 }); }
static bool hand_out_hardware(void)   { return hand_out_frame((frame_t){ A_STRUCTURES_END }); }
static bool hand_out_image_end(void)  { return hand_out_frame((frame_t){ A_IMAGE_END - 1 }); }

/* ---- A space with a wrong directory ------------------------------------------- */

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

const struct claim_mutation higher_half_mutations[] = {
    { "A1",  shift_page_of_a1,   restore_entry,     "the last page below 4 MiB shows the frame below its own" },
    { "A2",  hand_out_first,     take_back_frame,         "frame 1 belongs to somebody" },
    { "A3",  hand_out_hardware,  take_back_frame,         "the frame at 512 KiB belongs to somebody" },
    { "A4",  hand_out_image_end, take_back_frame,         "the last frame below 4 MiB belongs to somebody" },
    { "A9",  hide_free_frame,    show_hidden_frame, "a free frame's bit says that it is used" },
    { "A10", open_low_page,      restore_entry,     "programs may read the last page below 4 MiB" },
    { "A11", drop_shared_table,  end_odd,           "a space lacks the table of the kernel's first 4 MiB" },
    { "A15", share_stacks,       part_stacks,
      "a space has the table of kernel space's stacks in its own window" },
    { "A16", refer_to_another,   end_odd,
      "the last directory entry of a space names kernel space's directory" },
    { "A18", map_null_page,           unmap_null_page,        "page 0 of kernel space is mapped" },
    { 0 },
};
