/*
 * commands.c - the console's commands of a document whose tables are tracked: trackers, objects, pins.
 *
 * Each row is read under the lock and printed without it, so that what is printed may be of several moments.
 */
#include "layouts/tracker/commands.h"

#include "base/error.h"
#include "base/print.h"
#include "console/show.h"
#include "console/words.h"
#include "layouts/tracker/list.h"
#include "layouts/tracker/tracker.h"
#include "memory/frames/frame.h"
#include "memory/spaces/space.h"

/* One tracker as it is now; pt_ptr is 0 where none is in use. */
static struct pg_tracker tracker_now(uint32_t number)
{
    lock_state               state   = lock_take(&trackers_lock);
    const struct pg_tracker *tracker = tracker_at(number);
    struct pg_tracker        now     = tracker != NULL ? *tracker : (struct pg_tracker){ 0, 0 };

    lock_drop(&trackers_lock, state);
    return now;
}

static uint32_t end_of_object(struct pg_tracker t) { return t.pt_ptr + t.pcount * PAGE_SIZE; }

static const char *object_name(uint32_t number) { return number == MASTER_TRACKER ? "the kernel's" : "a process's"; }

static int run_trackers(int count __attribute__((unused)), char **words __attribute__((unused)))
{
    struct tracked_counts counts = tracked_counts();

    print("tracker  object      pages\n");
    for (uint32_t n = 0; n < trackers_end(); n++) {
        struct pg_tracker t = tracker_now(n);

        if (t.pt_ptr != 0)
            print("%7u  0x%08x  %5u  %s\n", n, t.pt_ptr, t.pcount, object_name(n));
    }
    print("of %u; %u objects of processes in %u pages; grown %u times, moved %u, shrunk %u, refused %u; tables "
          "gone out %u\n",
          trackers_end(), counts.objects, counts.pages, counts.grown, counts.moved, counts.shrunk, counts.refused,
          counts.out);
    return 0;
}

/* ---- Objects ----------------------------------------------------------------------------------- */

/* Pages of an extent that show a frame: the directory, and tables. */
static uint32_t pages_shown(struct pg_tracker t)
{
    uint32_t shown = 0;

    for (uint32_t at = t.pt_ptr; at != end_of_object(t); at += PAGE_SIZE) {
        unsigned level;

        shown += entry_present(look_up(&kernel_space, page_of(at), &level));
    }
    return shown;
}

static void print_object(uint32_t number, struct pg_tracker t)
{
    print("0x%08x to 0x%08x  %4u pages, %4u of them there  tracker %u, %s\n", t.pt_ptr, end_of_object(t) - 1, t.pcount,
          pages_shown(t), number, object_name(number));
}

static int run_objects(int count, char **words)
{
    vaddr_t  at    = 0;
    uint32_t found = 0;

    if (count == 2 && !address_argument(words[1], &at))
        return -EINVAL;
    for (uint32_t n = 0; n < trackers_end(); n++) {
        struct pg_tracker t = tracker_now(n);

        if (t.pt_ptr == 0 || (count == 2 && (at < t.pt_ptr || at >= end_of_object(t))))
            continue;
        print_object(n, t);
        found++;
    }
    if (found > 0)
        return 0;
    print("objects: no page-table object has 0x%08lx; without an address all are listed\n", (unsigned long)at);
    return -ENOENT;
}

/* ---- Pins --------------------------------------------------------------------------------------- */

/* The pins of a page, if it is there. */
static bool pins_now(page_t page, uint32_t *pins)
{
    lock_state state = lock_take(&trackers_lock);
    bool       there = pinned_page_is_there(page);

    *pins = there ? pinned_page_pins(page) : 0;
    lock_drop(&trackers_lock, state);
    return there;
}

static int run_pins(int count __attribute__((unused)), char **words __attribute__((unused)))
{
    page_t   lists = trackers_list_page(0), end = trackers_list_page((lists_places() - 1) / POINTERS_A_PAGE) + 1;
    uint32_t pages = 0;

    print("page        pins  what for\n");
    for (page_t page = trackers_page(0); page < end; page++) {
        uint32_t pins;

        if (!pins_now(page, &pins))
            continue;
        print("0x%08lx  %4u  %s\n", (unsigned long)page_address(page), pins,
              page < lists ? "trackers, one pin for each in use"
                           : "the list, one pin for each place of an object with tables in memory");
        pages++;
    }
    print("%u page%s; one without a pin goes at once\n", pages, pages == 1 ? "" : "s");
    return 0;
}

const struct command tracker_commands[] = {
    { "trackers",  "",          0, 0, run_trackers, "page-table objects by tracker: where, and how many pages" },
    { "objects",   "[ADDRESS]", 0, 1, run_objects,  "page-table objects; with an address, the one that has it" },
    { "pins",      "",          0, 0, run_pins,     "pages of trackers and of the list, and what keeps them" },
    { 0 },
};
