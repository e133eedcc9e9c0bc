/*
 * list.c - the places of page-table objects, and the search for free places.
 */
#include "layouts/tracker/list.h"

#include "base/check.h"
#include "base/error.h"
#include "layouts/tracker/tracker.h"

static uint32_t lowest;             /* [trackers_lock] no place below it is free */

void lists_start(void) { lowest = 0; }

static struct span objects_span(void) { return layout.purpose[PURPOSE_OBJECTS]->span; }

uint32_t lists_places(void) { return (uint32_t)(span_pages(objects_span()) / PAGES_A_PLACE); }

struct span lists_places_of(struct span pages)
{
    return (struct span){ (pages.first - objects_span().first) / PAGES_A_PLACE,
                          (pages.end - objects_span().first + PAGES_A_PLACE - 1) / PAGES_A_PLACE };
}

static page_t page_of_place(page_t place) { return trackers_list_page((uint32_t)place / POINTERS_A_PAGE); }

/* The pointer of a place whose page of the list is present. */
static uint32_t *pointer_of(page_t place)
{
    struct page_table_list *list = pointer_to(page_address(page_of_place(place)));

    return &list->tables[place % POINTERS_A_PAGE];
}

uint32_t lists_at(uint32_t place)
{
    assert(place < lists_places());
    return pinned_page_is_there(page_of_place(place)) ? *pointer_of(place) : 0;
}

bool lists_free(struct span places)
{
    if (places.end > lists_places())
        return false;
    for (page_t place = places.first; place < places.end; place++)
        if (lists_at((uint32_t)place) != 0)
            return false;
    return true;
}

/* ---- Searching ------------------------------------------------------------------------------- */

/* The end of the run of places, free or owned, that begins at a place and is decided by one page of the list. */
static page_t stretch_end(page_t place, bool *is_free)
{
    page_t list_end = (place / POINTERS_A_PAGE + 1) * POINTERS_A_PAGE;
    page_t page = page_of_place(place);

    *is_free = true;
    if (!pinned_page_is_there(page))
        return list_end < lists_places() ? list_end : lists_places();
    *is_free = *pointer_of(place) == 0;
    return !*is_free && pinned_page_pins(page) == POINTERS_A_PAGE ? list_end : place + 1;
}

static bool find_up(size_t wanted, page_t *first)
{
    size_t run = 0;
    bool   seen = false, is_free;

    for (page_t place = lowest, end; place < lists_places(); place = end) {
        end = stretch_end(place, &is_free);
        if (!is_free) {
            run = 0;
            continue;
        }
        if (!seen)
            lowest = (uint32_t)place;
        seen = true;
        run += end - place;
        if (run >= wanted) {
            *first = end - run;
            return true;
        }
    }
    return false;
}

/* The object that owns a place has its first place, so the search goes on right below. */
static bool find_down(size_t wanted, page_t *first)
{
    size_t run = 0;

    for (page_t end = lists_places(); end > lowest; ) {
        uint32_t object = lists_at((uint32_t)end - 1);

        if (object != 0) {
            run = 0;
            end = lists_places_of(span_of(page_of(object), 1)).first;
            continue;
        }
        end--;
        if (++run == wanted) {
            *first = end;
            return true;
        }
    }
    return false;
}

bool lists_find(size_t pages, bool from_top, struct span *places)
{
    size_t wanted = (pages + PAGES_A_PLACE - 1) / PAGES_A_PLACE;
    page_t first;

    assert(lock_held(&trackers_lock) && wanted > 0);
    if (!(from_top ? find_down(wanted, &first) : find_up(wanted, &first)))
        return false;
    *places = span_of(first, wanted);
    return true;
}

/* ---- Owning ---------------------------------------------------------------------------------- */

/* Free pages of the list without pins: those just made in vain. */
static void drop_unpinned(struct span places, page_t end)
{
    for (page_t place = places.first; place < end; place++)
        (void)pinned_page_out(page_of_place(place));
}

int lists_prepare(struct span places)
{
    assert(lock_held(&trackers_lock) && places.end <= lists_places());
    for (page_t place = places.first; place < places.end; place++)
        if (!pinned_page_is_there(page_of_place(place)) && pinned_page_make(page_of_place(place)) != 0) {
            drop_unpinned(places, place);
            return -ENOMEM;
        }
    return 0;
}

void lists_enter(struct span places, uint32_t object)
{
    for (page_t place = places.first; place < places.end; place++) {
        assert(object != 0 && lists_at((uint32_t)place) == 0);
        pinned_page_pin(page_of_place(place));
        *pointer_of(place) = object;
    }
}

void lists_leave(struct span places)
{
    for (page_t place = places.first; place < places.end; place++) {
        assert(lists_at((uint32_t)place) != 0);
        *pointer_of(place) = 0;
        pinned_page_unpin(page_of_place(place));
        if (place < lowest)
            lowest = (uint32_t)place;
    }
}
