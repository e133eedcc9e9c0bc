/*
 * test_cursor_flush.c - every flush is needed, and comes before its frame can get another owner.
 *
 * A tour goes through every kind of edit. First each single flush of it is left out once: something
 * must notice, or the flush was in vain. Then cursor.c runs with a frame_put_all() that looks at the
 * translation cache first: no frame may be given back while a translation to it is still cached.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/string.h"
#include "cpu.h"
#include "machine.h"
#include "memory/frames/frame.h"
#include "memory/layout.h"
#include "memory/tables/slot.h"
#include "memory/spaces/space.h"
#include "user_page.h"

/* The tour's first error; the tour goes on, since a later step may crash on it. */
static bool found;

static unsigned puts_seen, puts_too_early;

/*
 * A permanent view of the frame, or a slot, may stay: it is the kernel's own. Where the kernel has a space of its own
 * such views lie where programs have their pages, and of programs' pages nothing is cached while the kernel runs.
 */
static bool is_cached(frame_t frame)
{
    const struct layout_region *tables = layout.purpose[PURPOSE_TABLES];
    const struct layout_region *window = layout.purpose[PURPOSE_BOOKKEEPING];

    return (!layout_kernel_has_own() && machine_tlb_names(frame, layout.user)) ||
           machine_tlb_names(frame, layout.purpose[PURPOSE_HEAP]->span) ||
           (tables != NULL && machine_tlb_names(frame, tables->span)) ||
           (window != NULL && machine_tlb_names(frame, window->span));
}

static void watched_frame_put_all(const frame_t *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        puts_seen++;
        if (frame_references(list[i]) == 1 && is_cached(list[i])) {
            puts_too_early++;
            found = true;
        }
    }
    frame_put_all(list, count);
}

#define frame_put_all watched_frame_put_all
#include "memory/tables/cursor.c"
#undef frame_put_all

#define READ  MAY_READ
#define WRITE MAY_WRITE

static const struct rights user_data   = { READ | WRITE, READ | WRITE };
static const struct rights user_read   = { READ, READ };
static const struct rights kernel_data = { READ | WRITE, 0 };
static const struct rights kernel_read = { READ, 0 };
static const struct rights nothing     = { 0, 0 };

static void require(bool good)
{
    found |= !good;
}

static void quiet_moment(void)
{
    require(machine_tlb_ok());
}

static frame_t new_frame(uint32_t word)
{
    frame_t frame = { 0 };

    require(frame_get(OWNER_TEST, 0, &frame) == 0);
    *(uint32_t *)&machine_ram[frame_address(frame)] = word;
    return frame;
}

static void open(struct cursor *c, struct space *space, page_t first, size_t pages)
{
    require(cursor_open(c, space, span_of(first, pages), CURSOR_BUILD) == 0);
}

/* Read and write a page as its owner does, so that the translation is cached with all it allows. */
static void use(page_t page)
{
    volatile uint32_t *word = pointer_to(page_address(page) + 64);

    *word = *word + 1;
}

static const struct space *program;

static uint32_t load(page_t page)
{
    struct machine_fault fault;
    uint32_t             value = 0;

    require(machine_load(program, page_address(page) + 64, true, &value, &fault));
    return value;
}

/* The program's page. Where the kernel has a space of its own it must be the program that uses it. */
static void use_users(page_t page)
{
    struct machine_fault fault;

    if (!layout_kernel_has_own())
        use(page);
    else
        require(machine_store(program, page_address(page) + 64, true, load(page) + 1, &fault));
}

static void read_users(page_t page)
{
    if (!layout_kernel_has_own())
        (void)*(volatile uint32_t *)pointer_to(page_address(page));
    else
        (void)load(page);
}

/* Reads the table of a page where it is always mapped, if it is: in the self-map, in the window of bookkeeping. */
static void use_table(const struct space *space, page_t page)
{
    page_t seen;

    if (table_seen_at(page, 1, &seen))
        (void)*(volatile uint32_t *)pointer_to(page_address(seen));
    if (layout.purpose[PURPOSE_BOOKKEEPING] != NULL)
        (void)*(volatile entry_t *)entry_at(space, page, 1);
}

static void map_and_use(struct space *space, page_t first, size_t pages, struct rights rights)
{
    struct cursor c;

    open(&c, space, first, pages);
    for (page_t page = first; page < first + pages; page++)
        cursor_map(&c, page, new_frame(7), rights, CACHE_BACK);
    cursor_close(&c);
    for (page_t page = first; page < first + pages; page++)
        use_users(page);
    use_table(space, first);
    quiet_moment();
}

/* ---- The tour ---------------------------------------------------------------------------------- */

static void protect_one(struct space *space)
{
    struct cursor c;

    map_and_use(space, USER_PAGE(0x500), 2, user_data);
    open(&c, space, USER_PAGE(0x500), 2);
    cursor_protect(&c, USER_PAGE(0x500), user_read);
    cursor_close(&c);
    quiet_moment();
    open(&c, space, USER_PAGE(0x500), 2);
    cursor_protect(&c, USER_PAGE(0x501), nothing);
    cursor_close(&c);
    quiet_moment();
}

static void replace_one(struct space *space)
{
    struct cursor c;
    frame_t       old;

    read_users(USER_PAGE(0x500));
    open(&c, space, USER_PAGE(0x500), 1);
    old = cursor_replace(&c, USER_PAGE(0x500), new_frame(8), user_data);
    cursor_close(&c);
    quiet_moment();
    frame_put(old);
}

static void remove_and_discard(struct space *space)
{
    struct cursor c;
    entry_t       was;

    map_and_use(space, USER_PAGE(0x510), 2, user_data);
    open(&c, space, USER_PAGE(0x510), 1);
    was = cursor_remove(&c, USER_PAGE(0x510));
    cursor_close(&c);
    quiet_moment();
    frame_put(entry_frame(was));
    open(&c, space, USER_PAGE(0x511), 1);
    cursor_discard(&c, USER_PAGE(0x511));
    cursor_close(&c);
    quiet_moment();
}

/* The table of page 0x500 goes, while the processor still caches its directory entry. */
static void give_table_back(struct space *space)
{
    struct cursor c;

    read_users(USER_PAGE(0x500));
    use_table(space, USER_PAGE(0x500));
    open(&c, space, USER_PAGE(0x400), 0x400);
    for (page_t page = cursor_next(&c, USER_PAGE(0x400)); page < USER_PAGE(0x800); page = cursor_next(&c, page + 1))
        cursor_discard(&c, page);
    cursor_close(&c);
    quiet_moment();
}

/* More pages than are flushed singly, and more frames than a cursor keeps. */
static void discard_many(struct space *space)
{
    page_t        end = USER_PAGE(0x900) + CURSOR_FREED + CURSOR_PAGES + 2;
    struct cursor c;

    map_and_use(space, USER_PAGE(0x900), end - USER_PAGE(0x900), user_data);
    open(&c, space, USER_PAGE(0x900), end - USER_PAGE(0x900));
    for (page_t page = USER_PAGE(0x900); page < end; page++) {
        cursor_discard(&c, page);
        if (page == USER_PAGE(0x900) + CURSOR_FREED)       /* one frame too many: the others are used once more */
            for (page_t rest = page + 1; rest < end; rest++)
                use_users(rest);
    }
    cursor_close(&c);
    quiet_moment();
}

/* Runs of pages, as in fork and exit. */
static void copy_out_and_discard_span(struct space *space)
{
    struct span   span = { USER_PAGE(0x1100), USER_PAGE(0x1103) };
    entry_t       copies[3];
    struct cursor c;
    page_t        first;

    map_and_use(space, span.first, 3, user_data);
    require(pages_copy_out(space, span, copies, 3, &first).filled == 3 && first == span.first);
    quiet_moment();
    for (unsigned i = 0; i < 3; i++) {
        frame_put(entry_frame(copies[i]));
        read_users(span.first + i);
    }
    open(&c, space, span.first, 3);
    cursor_discard_span(&c, span);
    cursor_close(&c);
    quiet_moment();
}

static void table_made_in_vain(struct space *space)
{
    struct cursor        c;
    struct machine_fault fault;
    uint32_t             value;

    open(&c, space, USER_PAGE(0xD00), 1);
    require(!machine_load(space, page_address(USER_PAGE(0xD00)), true, &value, &fault));   /* as speculation might */
    use_table(space, USER_PAGE(0xD00));
    cursor_close(&c);
    quiet_moment();
}

static void kernel_pages(size_t pages)
{
    struct region region;
    struct cursor c;

    require(kernel_map(&region, PURPOSE_HEAP, "tour", pages, 0, OWNER_TEST) == 0);
    for (page_t page = region.span.first; page < region.span.end; page++)
        use(page);
    open(&c, &kernel_space, region.span.first, pages);
    for (page_t page = region.span.first; page < region.span.end; page++)
        cursor_protect(&c, page, kernel_read);
    cursor_close(&c);
    quiet_moment();
    for (page_t page = region.span.first; page < region.span.end; page++)
        (void)*(volatile uint32_t *)pointer_to(page_address(page));
    kernel_unmap(&region);
    quiet_moment();
}

static void aliased_page(void)
{
    page_t page = layout.purpose[PURPOSE_DATA]->span.end - 4;
    struct cursor c;

    for (uint32_t i = 0; i < layout.region_count; i++)
        if (layout.regions[i].backing == BACKING_ALIAS)
            use(layout.regions[i].span.first + (page - layout.regions[i].alias));
    use(page);
    open(&c, &kernel_space, page, 1);
    cursor_protect(&c, page, kernel_read);
    cursor_close(&c);
    quiet_moment();
    open(&c, &kernel_space, page, 1);
    cursor_protect(&c, page, kernel_data);
    cursor_close(&c);
}

static void slots(void)
{
    frame_t first;

    require(frame_run_get(OWNER_TEST, 2, 1024, 0, 0, &first) == 0);
    for (uint32_t i = 0; i < 2; i++) {
        volatile uint32_t *word = frame_view((frame_t){ first.no + i }, SLOT_INSPECT);

        *word = i;
        quiet_moment();
        require(*(uint32_t *)&machine_ram[frame_address(first) + i * PAGE_SIZE] == i);
    }
    frame_run_put(first, 2);
}

/* Leaves out its n-th flush (0: none). Returns 0 if that happened, else how many were missing for it. */
static uint32_t tour(uint32_t n)
{
    struct space      space;
    struct frame_sums sums;

    found = machine_boot(16 * MiB) != NULL;
    require(space_create(&space) == 0);
    program = &space;
    space_activate(&space);
    machine_skip_flush(n);
    protect_one(&space);
    replace_one(&space);
    remove_and_discard(&space);
    give_table_back(&space);
    discard_many(&space);
    copy_out_and_discard_span(&space);
    table_made_in_vain(&space);
    kernel_pages(3);
    kernel_pages(CURSOR_PAGES + 3);
    aliased_page();
    slots();
    n = machine_skip_pending();
    machine_skip_flush(0);
    space_activate(&kernel_space);
    space_destroy(&space);
    frames_sums(&sums);
    require(frames_ok() && sums.misuses == 0);  /* a stale slot has poisoned or cleared the wrong frame */
    return n;
}

/* ---- Tests -------------------------------------------------------------------------------------- */

enum { NOTICED = 0, UNNOTICED = 1, BEYOND = 2, UNNOTICED_SLOT = 3 };

/* A tour in a process of its own: it may well crash. */
static int tour_without(uint32_t n)
{
    int   status;
    pid_t child = fork();

    if (child == 0) {
        uint32_t pending;

        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(UNNOTICED);
        pending = tour(n);
        if (pending > 0 || found)
            _exit(pending > 0 ? BEYOND : NOTICED);
        _exit(span_has(layout.purpose[PURPOSE_SLOTS]->span, machine_skipped_page()) ? UNNOTICED_SLOT
                                                                                    : UNNOTICED);
    }
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) <= UNNOTICED_SLOT)
        return WEXITSTATUS(status);
    return NOTICED;                             /* a sanitizer, an assertion or a page fault ended it */
}

/*
 * A slot that goes on showing the frame before is harmless when the pool only looks there whether a
 * free frame still holds the poison, and finds another free one that does. Few are of that kind.
 */
static void every_flush_is_missed_when_left_out(void **state)
{
    uint32_t n = 1, harmless = 0;
    int      said;

    (void)state;
    while ((said = tour_without(n)) != BEYOND) {
        if (said == UNNOTICED)
            fail_msg("nothing notices that flush %u of the tour is missing", n);
        harmless += said == UNNOTICED_SLOT;
        n++;
    }
    print_message("%u flushes, each left out once; %u of them harmless\n", n - 1, harmless);
    assert_true(n > (layout_kernel_has_own() ? 8u : 16u) && harmless < n / 3);
}

static void the_tour_with_all_its_flushes_finds_nothing(void **state)
{
    (void)state;
    tour(0);
    assert_false(found);
    machine_stop();
}

static void no_frame_is_given_back_while_a_translation_to_it_is_cached(void **state)
{
    (void)state;
    puts_seen = puts_too_early = 0;
    tour(0);
    assert_true(puts_seen > CURSOR_FREED + CURSOR_PAGES);
    assert_int_equal(puts_too_early, 0);
    machine_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tour_with_all_its_flushes_finds_nothing),
        cmocka_unit_test(every_flush_is_missed_when_left_out),
        cmocka_unit_test(no_frame_is_given_back_while_a_translation_to_it_is_cached),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
