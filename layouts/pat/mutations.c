/*
 * mutations.c - making claims of layouts/pat/layout.md untrue, so that their probes are seen to notice.
 */
#include "layouts/pat/claims.h"

#include "claims/mutations.h"
#include "descriptor.h"
#include "memory/frames/frame.h"
#include "memory/frames/frame_magazine.h"

enum { K_HIGH_OF_LOW = 0x80, K_LAST_OF_FIRST = 0x3FF };

extern char image_physical_end[];       /* the linker script's */

/* ---- K2, K5: a bit of the table -------------------------------------------------------------------- */

/* Without what the pool sums up from it: no search looks at words it knows to be full. */
static void flip_bit(uint32_t frame) { ((uint8_t *)frames.pool.bitmap)[frame / 8] ^= (uint8_t)(1 << frame % 8); }

static uint32_t last_of_image(void) { return frame_of((paddr_t)(uintptr_t)image_physical_end).no - 1; }

bool k_corrupt_2(void) { flip_bit(last_of_image()); return true; }
void k_restore_2(void)  { flip_bit(last_of_image()); }
bool k_corrupt_5(void) { flip_bit(K_HIGH_OF_LOW); return true; }
void k_restore_5(void)  { flip_bit(K_HIGH_OF_LOW); }

/* ---- K7: another search ------------------------------------------------------------------------------ */

static enum search searched;

bool k_corrupt_7(void)
{
    searched = frames.pool.search;
    frames.pool.search = SEARCH_FIRST;
    return true;
}

void k_restore_7(void) { frames.pool.search = searched; }

/* ---- K13, K16, K17: spaces ----------------------------------------------------------------------------- */

bool k_corrupt_13(void)
{
    frame_change_owner(kernel_space.root, OWNER_TABLES, OWNER_TEST);
    return true;
}

void k_restore_13(void) { frame_change_owner(kernel_space.root, OWNER_TEST, OWNER_TABLES); }

bool k_corrupt_16(void)
{
    return change_entry(K_LAST_OF_FIRST, entry_with_rights(get_entry(K_LAST_OF_FIRST), (struct rights){ MAY_READ | MAY_WRITE, MAY_READ }));
}

static vaddr_t entered_at;

/* The stack would be in the kernel's space alone, out of sight for the processor on its way in. */
bool k_corrupt_17(void)
{
    entered_at = kernel_task()->esp0;
    task_enter_at(page_address(layout.purpose[PURPOSE_STACKS]->span.end));
    return true;
}

void k_restore_17(void) { task_enter_at(entered_at); }
