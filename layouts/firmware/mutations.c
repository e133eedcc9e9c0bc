/*
 * mutations.c - making claims of layouts/firmware/layout.md untrue, one at a time.
 *
 * Half of them change an entry of kernel space; the others reach into each process before it runs, as a slip in
 * layouts/firmware/application.c would have made it.
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

bool firmware_show_null(void)       { return change_rights(0, (struct rights){ MAY_READ, 0 }); }
bool firmware_open_constants(void)  { return change_rights(firmware_constant(), (struct rights){ MAY_READ | MAY_WRITE, MAY_READ }); }

bool firmware_open_variables(void)
{
    return change_rights(address_of(firmware_variable), (struct rights){ MAY_READ | MAY_WRITE, MAY_READ });
}

/* The original counts from another number: through a slot, since nobody else can write there. */
static void count_in_original(int difference)
{
    vaddr_t       linked = (vaddr_t)(uintptr_t)&app_counted;
    frame_t       frame  = entry_frame(get_entry(page_of(linked)));
    unsigned long state  = interrupts_off();
    int          *there  = (int *)((char *)frame_view(frame, SLOT_TO) + linked % PAGE_SIZE);

    *there += difference;
    interrupts_restore(state);
}

bool firmware_corrupt(void) { count_in_original(+1); return true; }
void firmware_restore(void)  { count_in_original(-1); }

/* ---- Every process, before it runs -------------------------------------------------------------- */

static struct space *space_of(const struct builtin *b) { return &b->process->memory->space; }

static void touch_another(struct builtin *b)
{
    static const uint8_t nothing;

    (void)!user_write_in(space_of(b), page_address(b->place.stack.end - 2), &nothing, sizeof nothing);
}

static void grow_by_reading(struct builtin *b) { space_of(b)->limits.stack_by_write = false; }
static void allow_a_page(struct builtin *b)    { space_of(b)->limits.break_most += PAGE_SIZE; }

bool firmware_second_page(void)     { builtin_watch = touch_another;   return true; }
bool firmware_grow_by_reading(void) { builtin_watch = grow_by_reading; return true; }
bool firmware_longer_heap(void)     { builtin_watch = allow_a_page;    return true; }
void firmware_leave_alone(void)     { builtin_watch = NULL; }
