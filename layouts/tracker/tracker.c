/*
 * tracker.c - pages of trackers, and the pins of all pages with records of page-table objects.
 */
#include "layouts/tracker/tracker.h"

#include "base/check.h"
#include "base/error.h"
#include "memory/tables/cursor.h"
#include "memory/frames/frame.h"
#include "layouts/tracker/master.h"
#include "memory/spaces/space.h"
#include "layouts/tracker/list.h"

struct lock trackers_lock = LOCK("trackers of page tables", RANK_HOMES);

static uint32_t lowest;             /* [trackers_lock] no tracker below it is free */

static struct span trackers_span(void) { return layout.purpose[PURPOSE_TRACKERS]->span; }

uint32_t trackers_end(void) { return lists_places() + 1; }

static uint32_t tracker_pages(void) { return (trackers_end() + TRACKERS_A_PAGE - 1) / TRACKERS_A_PAGE; }

page_t trackers_page(uint32_t n)      { return trackers_span().first + n; }
page_t trackers_list_page(uint32_t n) { return trackers_span().first + tracker_pages() + n; }

/* ---- Pinned pages ---------------------------------------------------------------------------- */

/* Kernel space's entries lie in a row; those of this region are changed by this file only. */
static entry_t entry_of(page_t page) { return entry_read(&master_table()->entries[page]); }

bool pinned_page_is_there(page_t page) { return entry_present(entry_of(page)); }

int pinned_page_make(page_t page)
{
    struct cursor c;
    frame_t       frame;
    int           err;

    assert(lock_held(&trackers_lock) && span_has(trackers_span(), page) && !pinned_page_is_there(page));
    if (frame_get(OWNER_TRACKERS, FRAME_ZERO, &frame) != 0)
        return -ENOMEM;
    err = cursor_open(&c, &kernel_space, span_of(page, 1), CURSOR_BUILD);
    assert(err == 0);               /* the master table has all tables */
    cursor_map(&c, page, frame, layout.purpose[PURPOSE_TRACKERS]->rights, CACHE_BACK);
    cursor_close(&c);
    return 0;
}

uint32_t pinned_page_pins(page_t page) { return frame_link(entry_frame(entry_of(page))); }

static void add_pins(page_t page, uint32_t more)
{
    frame_t frame = entry_frame(entry_of(page));

    assert(lock_held(&trackers_lock) && pinned_page_is_there(page));
    frame_set_link(frame, frame_link(frame) + more);
}

void pinned_page_pin(page_t page, uint32_t pins) { add_pins(page, pins); }

void pinned_page_unpin(page_t page, uint32_t pins)
{
    assert(pinned_page_pins(page) >= pins);
    add_pins(page, -pins);
    (void)pinned_page_out(page);      /* refused while the page has other pins */
}

int pinned_page_out(page_t page)
{
    struct cursor c;
    int           err;

    assert(lock_held(&trackers_lock) && span_has(trackers_span(), page));
    if (!pinned_page_is_there(page))
        return -ENOENT;
    if (pinned_page_pins(page) > 0)
        return -EBUSY;
    err = cursor_open(&c, &kernel_space, span_of(page, 1), 0);
    assert(err == 0);
    cursor_discard(&c, page);
    cursor_close(&c);
    return 0;
}

/* ---- Trackers -------------------------------------------------------------------------------- */

static page_t page_of_tracker(uint32_t number) { return trackers_page(number / TRACKERS_A_PAGE); }

struct pg_tracker *tracker_at(uint32_t number)
{
    struct pg_alloc_page *page = pointer_to(page_address(page_of_tracker(number)));

    assert(number < trackers_end());
    return pinned_page_is_there(page_of_tracker(number)) ? &page->pagetables[number % TRACKERS_A_PAGE] : NULL;
}

int tracker_find(uint32_t *number)
{
    assert(lock_held(&trackers_lock));
    for (uint32_t n = lowest; n < trackers_end(); n++) {
        const struct pg_tracker *tracker = tracker_at(n);

        if (tracker != NULL && tracker->pt_ptr != 0)
            continue;
        lowest  = n;
        *number = n;
        return tracker != NULL ? 0 : pinned_page_make(page_of_tracker(n));
    }
    return -ENOMEM;
}

void tracker_set(uint32_t number, uint32_t pt_ptr, uint32_t pcount)
{
    struct pg_tracker *tracker = tracker_at(number);

    assert(lock_held(&trackers_lock) && tracker != NULL && pt_ptr != 0);
    if (tracker->pt_ptr == 0)
        pinned_page_pin(page_of_tracker(number), 1);
    *tracker = (struct pg_tracker){ pt_ptr, pcount };
}

void tracker_clear(uint32_t number)
{
    struct pg_tracker *tracker = tracker_at(number);

    assert(lock_held(&trackers_lock) && tracker != NULL && tracker->pt_ptr != 0);
    *tracker = (struct pg_tracker){ 0, 0 };
    if (number < lowest)
        lowest = number;
    pinned_page_unpin(page_of_tracker(number), 1);
}

/* The first page of trackers was made, and its first tracker set, before frames had records: it has no pin yet. */
void trackers_start(void)
{
    lowest = 0;
    pinned_page_pin(trackers_page(0), 1);
}
