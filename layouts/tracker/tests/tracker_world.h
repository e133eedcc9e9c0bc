/*
 * tracker_world.h - for tests of page-table objects: a machine with spaces in which pages are mapped one by one.
 *
 * For layouts whose table access is `tracked`. The machine's translation cache changes by flushes only, so an object
 * that moved without a flush would still be seen at its old place. Included once by each test program.
 */
#ifndef QUIRE_TESTS_TRACKER_WORLD_H
#define QUIRE_TESTS_TRACKER_WORLD_H

#include <stdio.h>

#include <layout.h>

/* Instead of the tests, where the layout has no such tables. */
static inline int no_tests(void)
{
    puts("no tests: tables are no objects under this layout");
    return 0;
}

#ifdef LAYOUT_ACCESS_TRACKED

#include "tests/host/clean.h"
#include "tests/host/cursor_world.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cpu.h"
#include "layouts/tracker/master.h"
#include "memory/tables/slot.h"
#include "layouts/tracker/list.h"
#include "layouts/tracker/tracker.h"

static const struct rights user_data = { READ | WRITE, READ | WRITE };

/* The first page of the n-th table of user space, page B being the 0th. */
static inline page_t page_of_table(unsigned n) { return layout.user.first + n * MMU_ENTRIES; }

static inline int try_map(struct space *s, page_t page, frame_t frame)
{
    struct cursor c;
    int           err = cursor_open(&c, s, span_of(page, 1), CURSOR_BUILD);

    if (err != 0)
        return err;
    cursor_map(&c, page, frame, user_data, CACHE_BACK);
    cursor_close(&c);
    return 0;
}

static inline void map_in(struct space *s, page_t page, uint32_t word)
{
    assert_int_equal(try_map(s, page, new_frame(word)), 0);
}

static inline void discard_in(struct space *s, page_t page)
{
    struct cursor c;

    assert_int_equal(cursor_open(&c, s, span_of(page, 1), 0), 0);
    cursor_discard(&c, page);
    cursor_close(&c);
}

/* Make another space, with one region over all of it, so that the auditor accepts its pages. */
struct another {
    struct space  space;
    struct region all;
};

static inline int try_create(struct another *a)
{
    int err = space_create(&a->space);

    if (err != 0)
        return err;
    a->all = (struct region){ .span = layout.user, .name = "all", .rights = all.rights };
    assert_int_equal(region_insert(&a->space.map, &a->all), 0);
    return 0;
}

static inline void create(struct another *a) { assert_int_equal(try_create(a), 0); }

static inline vaddr_t  object_of(const struct space *s) { return address_of(s->home.info); }
static inline uint32_t pages_of(const struct space *s)  { return tracker_at(s->home.tracker)->pcount; }

static inline bool read_faults(vaddr_t address)
{
    struct machine_fault fault;

    return MACHINE_FAULTS(&fault, (void)*(volatile uint32_t *)pointer_to(address));
}

#endif

#endif
