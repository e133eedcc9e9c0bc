/*
 * mutations.c - making claims of layouts/quire/layout.md untrue, to test that their probes notice.
 */
#include "claims/mutations.h"

static bool shift_page_of_q5(void) { return shift_low_page(layout.user.end); }
static bool map_last(void)         { return map_extra_page(layout.space_end - 1); }

static bool open_constants(void)
{
    page_t page = layout.purpose[PURPOSE_RODATA]->span.first;

    return change_entry(page, entry_with_rights(get_entry(page), (struct rights){ MAY_READ | MAY_WRITE, 0 }));
}

const struct claim_mutation quire_mutations[] = {
    { "Q3",  map_null_page,         unmap_null_page,        "page 0 of kernel space is mapped" },
    { "Q4",  open_low_page,    restore_entry,     "programs may read the last page below 4 MiB" },
    { "Q5",  shift_page_of_q5, restore_entry,     "the last page below 4 MiB shows the frame below its own" },
    { "Q6",  open_constants,   restore_entry,     "the first page of the constants can be written" },
    { "Q9",  map_last,         unmap_extra_page,       "the last page of the address space is mapped" },
    { "Q10", hide_free_frame,  show_hidden_frame, "a free frame's bit says that it is used" },
    { 0 },
};
