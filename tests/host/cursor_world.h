/*
 * cursor_world.h - a machine with one space in use, all of which a program may use, for tests of the cursor.
 */
#ifndef TESTS_CURSOR_WORLD_H
#define TESTS_CURSOR_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "machine.h"
#include "memory/audit.h"
#include "memory/tables/cursor.h"
#include "memory/frames/frame.h"
#include "memory/layout.h"
#include "memory/spaces/space.h"
#include "user_page.h"

#define READ  MAY_READ
#define WRITE MAY_WRITE
#define RUN   MAY_EXECUTE

static struct space  space;
static struct region all;

static inline void start(void)
{
    const char *problem = machine_boot(16 * MiB);

    if (problem != NULL)
        fail_msg("%s", problem);
    assert_int_equal(space_create(&space), 0);
    all = (struct region){ .span = layout.purpose[PURPOSE_USER]->span, .name = "all",
                           .rights = { READ | WRITE | RUN, READ | WRITE | RUN } };
    assert_int_equal(region_insert(&space.map, &all), 0);
    space_activate(&space);
}

static inline void check_all(void)
{
    struct audit_report report = { 0 };

    machine_tlb_audit(&report);
    space_audit(&space, &report);
    space_audit(&kernel_space, &report);
    frames_audit(&report);
    if (report.failed != 0)
        fail_msg("%s: %s", report.failures[0].id, report.failures[0].text);
}

static inline uint32_t owned(enum owner owner)
{
    struct frame_sums sums;

    frames_sums(&sums);
    return sums.owned[owner];
}

static inline void end(void)
{
    check_all();
    space_activate(&kernel_space);
    space_destroy(&space);
    assert_int_equal(owned(OWNER_TEST), 0);
    assert_true(space_ok(&kernel_space) && frames_ok() && machine_tlb_ok());
    machine_stop();
}

static inline frame_t new_frame(uint32_t word)
{
    frame_t frame;

    assert_int_equal(frame_get(OWNER_TEST, 0, &frame), 0);
    *(uint32_t *)&machine_ram[frame_address(frame)] = word;
    return frame;
}

/* A cursor that must open. */
static inline struct cursor *open(struct cursor *c, page_t first, page_t end_page)
{
    assert_int_equal(cursor_open(c, &space, (struct span){ first, end_page }, CURSOR_BUILD), 0);
    return c;
}

static inline void map(page_t page, frame_t frame, struct rights rights)
{
    struct cursor c;

    cursor_map(open(&c, page, page + 1), page, frame, rights, CACHE_BACK);
    cursor_close(&c);
}

static inline void discard(page_t page)
{
    struct cursor c;

    cursor_discard(open(&c, page, page + 1), page);
    cursor_close(&c);
}

static inline entry_t entry_of(page_t page)
{
    struct cursor c;
    entry_t       e;

    assert_int_equal(cursor_open(&c, &space, span_of(page, 1), 0), 0);
    e = cursor_read(&c, page);
    cursor_close(&c);
    return e;
}

static inline bool user_reads(page_t page, uint32_t *value)
{
    struct machine_fault fault;

    return machine_load(&space, page_address(page), true, value, &fault);
}

static inline bool user_writes(page_t page, uint32_t value)
{
    struct machine_fault fault;

    return machine_store(&space, page_address(page), true, value, &fault);
}

#endif
