/*
 * mutations.c - making claims of layouts/tracker/layout.md untrue, one at a time.
 */
#include "layouts/tracker/claims.h"

#include "claims/mutations.h"
#include "memory/frames/frame.h"
#include "layouts/tracker/master.h"
#include "layouts/tracker/tracker.h"

static struct space one, two;

static entry_t identity(page_t page) { return entry_absent(ENTRY_IDENTITY, (uint32_t)page, (struct rights){ 0, 0 }); }

/* The last entry but one, absent, loses its frame. */
static entry_t *late_entry(void) { return &master_table()->entries[layout.space_end - 2]; }

static bool t_corrupt_6(void) { entry_write(late_entry(), entry_empty()); return true; }
static void t_restore_6(void)  { entry_write(late_entry(), identity(layout.space_end - 2)); }

/* A page between video memory and the BIOS, which is not mapped; and the last page before the image. */
static bool t_corrupt_7(void) { return change_entry(page_of(0xD0000), identity(page_of(0xD0000))); }
static bool t_corrupt_8(void) { return change_entry(page_of(0x57F000), identity(page_of(0x57F000))); }

/* Two spaces each link to the other's object. No code reaches their tables meanwhile. */
static void exchange_links(void)
{
    struct page_table_info *between = one.home.info;

    one.home.info = two.home.info;
    two.home.info = between;
}

static bool t_corrupt_4(void)
{
    if (space_create(&one) != 0)
        return false;
    if (space_create(&two) != 0) {
        space_destroy(&one);
        return false;
    }
    exchange_links();
    return true;
}

static void t_restore_4(void)
{
    exchange_links();
    space_destroy(&two);
    space_destroy(&one);
}

static uint32_t *pointer_of_one(void)
{
    return pointer_to(T_LIST + 4 * ((address_of(one.home.info) - T_OBJECTS) / T_PLACE));
}

static bool t_corrupt_9(void)
{
    if (space_create(&one) != 0)
        return false;
    *pointer_of_one() += T_PLACE;
    return true;
}

static void t_restore_9(void)
{
    *pointer_of_one() -= T_PLACE;
    space_destroy(&one);
}

/* Add a pin to the page of the list that has this space's pointer. */
static void pin_list_of_one(bool more)
{
    lock_state state = lock_take(&trackers_lock);
    page_t     page  = page_of(address_of(pointer_of_one()));

    if (more)
        pinned_page_pin(page, 1);
    else
        pinned_page_unpin(page, 1);
    lock_drop(&trackers_lock, state);
}

static bool t_corrupt_10(void)
{
    if (space_create(&one) != 0)
        return false;
    pin_list_of_one(true);
    return true;
}

static void t_restore_10(void)
{
    pin_list_of_one(false);
    space_destroy(&one);
}

static bool t_corrupt_15(void)
{
    if (space_create(&one) != 0)
        return false;
    tracker_at(one.home.tracker)->pcount--;
    return true;
}

static void t_restore_15(void)
{
    tracker_at(one.home.tracker)->pcount++;
    space_destroy(&one);
}

/* Make a second page of trackers that is not needed. */
static bool t_corrupt_17(void)
{
    lock_state state = lock_take(&trackers_lock);
    int        err   = pinned_page_make(trackers_page(1));

    if (err == 0)
        pinned_page_pin(trackers_page(1), 1);
    lock_drop(&trackers_lock, state);
    return err == 0;
}

static void t_restore_17(void)
{
    lock_state state = lock_take(&trackers_lock);

    pinned_page_unpin(trackers_page(1), 1);
    lock_drop(&trackers_lock, state);
}

/* Exchange the notes of when the table was linked, and when it became current. */
static void exchange_sights(void)
{
    struct master_sight *linked = (struct master_sight *)master_history(MASTER_LINKED),
                        *active = (struct master_sight *)master_history(MASTER_ACTIVE), between = *linked;

    *linked = *active;
    *active = between;
}

static bool t_corrupt_18(void) { exchange_sights(); return true; }
static void t_restore_18(void)  { exchange_sights(); }

const struct claim_mutation tracker_mutations[] = {
    { "T4",  t_corrupt_4,  t_restore_4,   "two spaces link to each other's objects" },
    { "T6",  t_corrupt_6,  t_restore_6,   "an absent entry of the master table names no frame" },
    { "T7",  t_corrupt_7,  restore_entry, "a page of the firmware's megabyte is not present" },
    { "T8",  t_corrupt_8,  restore_entry, "the last page of the kernel's structures is not present" },
    { "T9",  t_corrupt_9,  t_restore_9,   "the list says that a place belongs to the object behind it" },
    { "T10", t_corrupt_10, t_restore_10,  "a page of the list has a pin that no page table needs" },
    { "T15", t_corrupt_15, t_restore_15,  "a tracker counts a page too few" },
    { "T17", t_corrupt_17, t_restore_17,  "there is a second page of trackers that nobody needs" },
    { "T18", t_corrupt_18, t_restore_18,  "CR3 was loaded when the table was linked" },
    { 0 },
};
