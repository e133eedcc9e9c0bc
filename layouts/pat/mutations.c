/*
 * mutations.c - making claims of layouts/pat/layout.md untrue, to test that their probes notice.
 */
#include "layouts/pat/claims.h"

#include "claims/mutations.h"
#include "descriptor.h"
#include "memory/frames/frame.h"
#include "memory/frames/frame_magazine.h"

enum { K_HIGH_OF_LOW = 0x80, K_LAST_OF_FIRST = 0x3FF };

extern char image_physical_end[];       /* the linker script's */

/* ---- K2, K5: a bit of the table -------------------------------------------------------------------- */

/* The pool's summary is not changed: searches do not read words that it says are full. */
static void flip_bit(uint32_t frame) { ((uint8_t *)frames.pool.bitmap)[frame / 8] ^= (uint8_t)(1 << frame % 8); }

static uint32_t last_of_image(void) { return frame_of((paddr_t)(uintptr_t)image_physical_end).no - 1; }

static bool k_corrupt_2(void) { flip_bit(last_of_image()); return true; }
static void k_restore_2(void)  { flip_bit(last_of_image()); }
static bool k_corrupt_5(void) { flip_bit(K_HIGH_OF_LOW); return true; }
static void k_restore_5(void)  { flip_bit(K_HIGH_OF_LOW); }

/* ---- K7: another search ------------------------------------------------------------------------------ */

static enum search searched;

static bool k_corrupt_7(void)
{
    searched = frames.pool.search;
    frames.pool.search = SEARCH_FIRST;
    return true;
}

static void k_restore_7(void) { frames.pool.search = searched; }

/* ---- K13, K16, K17: spaces ----------------------------------------------------------------------------- */

static bool k_corrupt_13(void)
{
    frame_change_owner(kernel_space.root, OWNER_TABLES, OWNER_TEST);
    return true;
}

static void k_restore_13(void) { frame_change_owner(kernel_space.root, OWNER_TEST, OWNER_TABLES); }

static bool k_corrupt_16(void)
{
    return change_entry(K_LAST_OF_FIRST, entry_with_rights(get_entry(K_LAST_OF_FIRST),
                                                           (struct rights){ MAY_READ | MAY_WRITE, MAY_READ }));
}

static vaddr_t entered_at;

/* The stack is mapped in the kernel's space only, so the processor cannot push at entry. */
static bool k_corrupt_17(void)
{
    entered_at = kernel_task()->esp0;
    task_enter_at(page_address(layout.purpose[PURPOSE_STACKS]->span.end));
    return true;
}

static void k_restore_17(void) { task_enter_at(entered_at); }

const struct claim_mutation pat_mutations[] = {
    { "K2",  k_corrupt_2,     k_restore_2,       "the bit of the image's last page is not set" },
    { "K4",  hide_free_frame, show_hidden_frame, "a free page's bit is set" },
    { "K5",  k_corrupt_5,     k_restore_5,       "the bit of the page at 512 KiB is not set" },
    { "K7",  k_corrupt_7,     k_restore_7,       "the search starts at the lowest page each time" },
    { "K13", k_corrupt_13,    k_restore_13,      "the kernel's directory belongs to somebody else" },
    { "K16", k_corrupt_16,    restore_entry,     "programs may read the last page below 4 MiB" },
    { "K17", k_corrupt_17,    k_restore_17,      "a trap from a program starts on a stack it cannot see" },
    { 0 },
};
