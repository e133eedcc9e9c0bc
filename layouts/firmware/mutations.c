/*
 * mutations.c - making claims of layouts/firmware/layout.md untrue, one at a time.
 *
 * Half of them change an entry of kernel space; the others change each process before it runs, as an error in
 * layouts/firmware/application.c would.
 */
#include "layouts/firmware/claims.h"

#include "layouts/firmware/apps/apps.h"
#include "claims/mutations.h"
#include "memory/tables/cursor.h"
#include "memory/spaces/map.h"
#include "memory/tables/slot.h"
#include "memory/spaces/user.h"
#include "layouts/firmware/builtin.h"
#include "process/process.h"

extern char image_original_start[];             /* the linker script's */

/* ---- Entries of kernel space ------------------------------------------------------------------ */

static bool change_rights(vaddr_t at, struct rights rights)
{
    page_t page = page_of(at);

    return change_entry(page, entry_leaf(entry_frame(get_entry(page)), rights, CACHE_BACK, false, 1));
}

static bool firmware_show_null(void)       { return change_rights(0, (struct rights){ MAY_READ, 0 }); }
static bool firmware_open_constants(void)
{
    return change_rights(firmware_constant(), (struct rights){ MAY_READ | MAY_WRITE, MAY_READ });
}

static bool firmware_open_variables(void)
{
    return change_rights(address_of(firmware_variable), (struct rights){ MAY_READ | MAY_WRITE, MAY_READ });
}

/* The original gets another value, through a slot, since no other mapping can be written. */
static void count_in_original(int difference)
{
    vaddr_t       linked = (vaddr_t)(uintptr_t)&app_counted;
    frame_t       frame  = entry_frame(get_entry(page_of(linked)));
    unsigned long state  = interrupts_off();
    int          *there  = (int *)((char *)frame_view(frame, SLOT_TO) + linked % PAGE_SIZE);

    *there += difference;
    interrupts_restore(state);
}

static bool firmware_corrupt(void) { count_in_original(+1); return true; }
static void firmware_restore(void)  { count_in_original(-1); }

/* ---- Every process, before it runs -------------------------------------------------------------- */

static struct space *space_of(const struct builtin *b) { return &b->process->memory->space; }

static void touch_another(struct builtin *b)
{
    static const uint8_t nothing;

    (void)!user_write_in(space_of(b), page_address(b->place.stack.end - 2), &nothing, sizeof nothing);
}

static void grow_by_reading(struct builtin *b) { space_of(b)->limits.stack_by_write = false; }
static void allow_a_page(struct builtin *b)    { space_of(b)->limits.break_most += PAGE_SIZE; }

static bool firmware_second_page(void)     { builtin_watch = touch_another;   return true; }
static bool firmware_grow_by_reading(void) { builtin_watch = grow_by_reading; return true; }
static bool firmware_longer_heap(void)     { builtin_watch = allow_a_page;    return true; }
static void firmware_leave_alone(void)     { builtin_watch = NULL; }

const struct claim_mutation firmware_mutations[] = {
    { "G7",  firmware_show_null,       restore_entry,        "page 0 can be read" },
    { "G8",  firmware_open_constants,  restore_entry,        "a page of the constants can be written" },
    { "G9",  firmware_open_variables,  restore_entry,        "programs may read a page of the kernel's variables" },
    { "G17", firmware_corrupt,         firmware_restore,     "a variable of the original is one higher" },
    { "G20", firmware_second_page,     firmware_leave_alone, "a process begins with two pages of stack" },
    { "G21", firmware_grow_by_reading, firmware_leave_alone, "a stack grows when it is read below" },
    { "G24", firmware_longer_heap,     firmware_leave_alone, "the break may go a page too far" },
    { 0 },
};
