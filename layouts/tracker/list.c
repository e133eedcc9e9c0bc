/*
 * list.c - the places of page-table objects, and the search for free places.
 */
#include "layouts/tracker/list.h"

#include "base/check.h"
#include "base/error.h"
#include "base/string.h"
#include "layouts/tracker/tracker.h"

/* [trackers_lock] Hints; either may be too far out. */
static page_t lowest;               /* no place below it is free                                         */
static page_t roomy;                /* no run of longest() free places ends above it                     */

static uint32_t *pointers;          /* of all places, in a row; those of pages that are not there fault  */
static bool      untidy;            /* a page was brought back to be searched                            */

uint16_t lists_owned[LISTS];

static struct span objects_span(void) { return layout.purpose[PURPOSE_OBJECTS]->span; }

uint32_t lists_places(void) { return (uint32_t)(span_pages(objects_span()) / PAGES_A_PLACE); }

static size_t places_for(size_t pages) { return (pages + PAGES_A_PLACE - 1) / PAGES_A_PLACE; }

struct span lists_places_of(struct span pages)
{
    return (struct span){ (pages.first - objects_span().first) / PAGES_A_PLACE,
                          places_for(pages.end - objects_span().first) };
}

/* How many places an object of a process can own. */
static size_t longest(void) { return places_for(1 + (span_pages(layout.user) + MMU_ENTRIES - 1) / MMU_ENTRIES); }

void lists_start(void)
{
    lowest   = 0;
    roomy    = lists_places();
    pointers = pointer_to(page_address(trackers_list_page(0)));
    memset(lists_owned, 0, sizeof lists_owned);
}

static page_t page_of_place(page_t place) { return page_of(address_of(&pointers[place])); }

uint32_t lists_at(uint32_t place)
{
    assert(place < lists_places());
    return pinned_page_is_there(page_of_place(place)) ? pointers[place] : 0;
}

/* ---- Pages that are out ---------------------------------------------------------------------- */

static uint32_t page_number(page_t place) { return (uint32_t)(place / POINTERS_A_PAGE); }

/* Write the pointers of a page as the trackers have them. */
static void write_from_trackers(uint32_t n)
{
    struct span page = span_of(n * POINTERS_A_PAGE, POINTERS_A_PAGE);

    /* bound: trackers, of as many as there are spaces */
    for (uint32_t number = MASTER_TRACKER + 1, left = lists_owned[n]; left > 0; number++) {
        const struct pg_tracker *tracker = tracker_at(number);
        struct span              places;

        if (tracker == NULL || tracker->pt_ptr == 0)
            continue;
        places = lists_places_of(span_of(page_of(tracker->pt_ptr), tracker->pcount));
        if (places.first < page.first)
            places.first = page.first;
        if (places.end > page.end)
            places.end = page.end;
        if (span_empty(places))
            continue;
        words_fill(&pointers[places.first], tracker->pt_ptr, span_pages(places));
        left -= (uint32_t)span_pages(places);
    }
}

/* Make the page of a place, which is not there. Returns 0 or -ENOMEM. */
static int make_page(page_t place)
{
    int err = pinned_page_make(page_of_place(place));

    if (err == 0)
        write_from_trackers(page_number(place));
    return err;
}

/* Whether the pointers of a place's page can be read, or none is owned. */
static bool can_search(page_t place)
{
    if (lists_owned[page_number(place)] == 0 || pinned_page_is_there(page_of_place(place)))
        return true;
    if (make_page(place) != 0)
        return false;
    return untidy = true;
}

void lists_tidy(void)
{
    if (!untidy)
        return;
    /* bound: pages of the list */
    for (page_t place = 0; place < lists_places(); place += POINTERS_A_PAGE)
        (void)pinned_page_out(page_of_place(place));        /* refused where it is pinned, or is not there */
    untidy = false;
}

/* ---- Searching ------------------------------------------------------------------------------- */

/* The end of the last of these places that is owned; their first place if none is. */
static page_t owned_end(struct span places)
{
    page_t end = places.end;

    /* bound: pages of the list, and the places */
    while (end > places.first) {
        page_t first = (end - 1) / POINTERS_A_PAGE * POINTERS_A_PAGE;

        if (first < places.first)
            first = places.first;
        if (!can_search(first))
            return end;
        if (lists_owned[page_number(first)] == 0)
            end = first;
        for (; end > first; end--)
            if (pointers[end - 1] != 0)
                return end;
    }
    return end;
}

/* Mostly it is the first place, right behind an object, that is another's. */
bool lists_free(struct span places)
{
    return span_empty(places) || (places.end <= lists_places() && lists_at((uint32_t)places.first) == 0 &&
                                  owned_end(places) == places.first);
}

bool lists_find_lowest(struct span *place)
{
    assert(lock_held(&trackers_lock));
    /* bound: pages of the list, and the places of one, or of several that are almost full */
    for (; lowest < lists_places(); lowest++) {
        if (lists_owned[page_number(lowest)] == POINTERS_A_PAGE)
            lowest |= POINTERS_A_PAGE - 1;
        else if (!can_search(lowest))
            return false;
        else if (lists_at((uint32_t)lowest) == 0)
            break;
    }
    *place = span_of(lowest, 1);
    return lowest < lists_places();
}

/* The highest run of free places that does not end above `end`: from an object that is in the way on, below it. */
static bool find_run(size_t wanted, page_t end, struct span *places)
{
    /* bound: objects and pages of the list, and twice the places wanted */
    while (end >= lowest + wanted) {
        page_t last = owned_end(*places = span_of(end - wanted, wanted));

        if (last == places->first)
            return true;
        if (lists_at((uint32_t)last - 1) == 0)
            return false;                       /* its page is out, and does not come back */
        end = lists_places_of(span_of(page_of(pointers[last - 1]), 1)).first;
    }
    return false;
}

bool lists_find_run(size_t pages, struct span *places)
{
    bool found;

    assert(lock_held(&trackers_lock) && pages > 0);
    found = find_run(longest(), roomy, places);
    roomy = found ? places->end : 0;
    if (!found)
        return find_run(places_for(pages), lists_places(), places);
    places->end = places->first + places_for(pages);
    return true;
}

/* ---- Owning ---------------------------------------------------------------------------------- */

int lists_prepare(struct span places)
{
    assert(lock_held(&trackers_lock) && !span_empty(places) && places.end <= lists_places());
    /* bound: pages of the list */
    for (page_t page = page_of_place(places.first), made = page; page <= page_of_place(places.end - 1); page++)
        if (!pinned_page_is_there(page) && make_page((page - page_of_place(0)) * POINTERS_A_PAGE) != 0) {
            while (made < page)
                (void)pinned_page_out(made++);          /* those that are there for others are pinned */
            return -ENOMEM;
        }
    return 0;
}

/* What is done to places, a page of the list at a time: their pointers are written, their pins come, or go. */
enum { POINTERS = 1, PIN = 2, UNPIN = 4 };

static void edit_places(struct span places, unsigned what, uint32_t object)
{
    /* bound: pages of the list, and the places */
    while (!span_empty(places)) {
        page_t   end   = (places.first / POINTERS_A_PAGE + 1) * POINTERS_A_PAGE;
        page_t   page  = page_of_place(places.first);
        uint32_t count = (uint32_t)((end < places.end ? end : places.end) - places.first);

        if (what & PIN)
            pinned_page_pin(page, count);
        if (what & POINTERS) {
            if (pinned_page_is_there(page))
                words_fill(&pointers[places.first], object, count);
            lists_owned[page_number(places.first)] += (uint16_t)(object != 0 ? count : -count);
        }
        if (what & UNPIN)
            pinned_page_unpin(page, count);
        places.first += count;
    }
}

void lists_pin(struct span places)   { edit_places(places, PIN, 0); }
void lists_unpin(struct span places) { edit_places(places, UNPIN, 0); }

void lists_enter(struct span places, uint32_t object)
{
    deep_assert(lists_free(places) && object != 0);
    edit_places(places, POINTERS | PIN, object);
    if (lowest == places.first)
        lowest = places.end;
}

void lists_leave(struct span places, bool pinned)
{
    page_t reach = places.end + longest() - 1;

    edit_places(places, pinned ? POINTERS | UNPIN : POINTERS, 0);
    if (places.first < lowest)
        lowest = places.first;
    if (roomy < reach)
        roomy = reach < lists_places() ? reach : lists_places();
}
