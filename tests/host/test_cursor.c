/*
 * test_cursor.c - the cursor's promises, one by one.
 */
#include "cursor_world.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/error.h"
#include "memory/tables/watch.h"
#include "base/string.h"
#include "cpu.h"
#include "memory/tables/table.h"

static const struct rights nothing   = { 0, 0 };
static const struct rights user_data = { READ | WRITE, READ | WRITE };
static const struct rights user_read = { READ, READ };

/* ---- Tables ------------------------------------------------------------------------------------- */

static void tables_come_with_the_first_page_and_go_with_the_last(void **state)
{
    uint32_t tables, kept;

    (void)state;
    start();
    tables = owned(OWNER_TABLES);
    kept   = space.table_frames;
    map(USER_PAGE(0x7FF), new_frame(1), user_data);
    map(USER_PAGE(0x800), new_frame(2), user_data);
    map(USER_PAGE(0x801), new_frame(3), user_data);
    assert_int_equal(owned(OWNER_TABLES), tables + 2);
    assert_int_equal(space.table_frames, kept + 2);
    assert_int_equal(space.resident, 3);
    discard(USER_PAGE(0x7FF));
    discard(USER_PAGE(0x800));
    assert_int_equal(owned(OWNER_TABLES), tables + 1);
    discard(USER_PAGE(0x801));
    assert_int_equal(owned(OWNER_TABLES), tables);
    assert_int_equal(space.resident, 0);
    end();
}

static void tables_made_in_vain_are_given_back(void **state)
{
    struct cursor c;
    uint32_t      tables;

    (void)state;
    start();
    tables = owned(OWNER_TABLES);
    open(&c, USER_PAGE(0x10), USER_PAGE(0x1410));
    assert_int_equal(owned(OWNER_TABLES), tables + 6);
    cursor_map(&c, USER_PAGE(0x900), new_frame(1), user_data, CACHE_BACK);
    cursor_close(&c);
    assert_int_equal(owned(OWNER_TABLES), tables + 1);
    discard(USER_PAGE(0x900));
    assert_int_equal(owned(OWNER_TABLES), tables);
    end();
}

static void an_emptied_table_can_be_filled_by_the_same_cursor(void **state)
{
    struct cursor c;

    (void)state;
    start();
    map(USER_PAGE(0x7FF), new_frame(1), user_data);
    open(&c, USER_PAGE(0x7FF), USER_PAGE(0x801));
    cursor_discard(&c, USER_PAGE(0x7FF));
    cursor_map(&c, USER_PAGE(0x800), new_frame(2), user_data, CACHE_BACK);
    cursor_map(&c, USER_PAGE(0x7FF), new_frame(3), user_data, CACHE_BACK);
    cursor_close(&c);
    assert_int_equal(space.table_frames, 3 + tables_from_the_start());
    discard(USER_PAGE(0x7FF));
    discard(USER_PAGE(0x800));
    end();
}

/* What is there stays, and a frame that is not used is still the caller's. */
static void a_run_fills_only_what_is_empty(void **state)
{
    struct cursor c;
    frame_t       frames[4];
    uint32_t      value;

    (void)state;
    start();
    map(USER_PAGE(0x501), new_frame(1), user_data);
    frames[0] = new_frame(2);
    frames[1] = new_frame(3);
    frames[2] = NO_FRAME;
    frames[3] = new_frame(4);
    open(&c, USER_PAGE(0x500), USER_PAGE(0x504));
    cursor_map_run(&c, USER_PAGE(0x500), frames, COUNT_OF(frames), user_read);
    cursor_close(&c);
    assert_false(frame_exists(frames[0]) || frame_exists(frames[2]) || frame_exists(frames[3]));
    assert_true(frame_is_sole(frames[1], OWNER_TEST));
    frame_put(frames[1]);
    assert_int_equal(space.resident, 3);
    assert_true(user_reads(USER_PAGE(0x500), &value) && value == 2);
    assert_false(user_writes(USER_PAGE(0x500), 5));
    assert_true(user_writes(USER_PAGE(0x501), 5));
    assert_int_equal(entry_kind(entry_of(USER_PAGE(0x502)), 1), ENTRY_EMPTY);
    assert_true(user_reads(USER_PAGE(0x503), &value) && value == 4);
    check_all();
    discard(USER_PAGE(0x500));
    discard(USER_PAGE(0x501));
    discard(USER_PAGE(0x503));
    end();
}

/* Let allocation k fail, for k = 1, 2, ... until the call gets through. */
static void without_memory_opening_changes_nothing(void **state)
{
    int err = -ENOMEM;

    (void)state;
    start();
    map(USER_PAGE(0xC01), new_frame(1), user_data);                /* one of the tables exists already */
    for (uint32_t k = 1; err == -ENOMEM; k++) {
        struct frame_sums before, after;
        struct cursor     c;

        frames_sums(&before);
        frame_fail_at(k);
        err = cursor_open(&c, &space, (struct span){ USER_PAGE(0x3FF), USER_PAGE(0x1401) }, CURSOR_BUILD);
        frame_fail_at(0);
        if (err == 0) {
            assert_int_equal(k, 6);                     /* five tables were missing */
            cursor_close(&c);
        }
        frames_sums(&after);
        assert_memory_equal(before.owned, after.owned, sizeof before.owned);
        assert_int_equal(space.table_frames, 2 + tables_from_the_start());
        assert_false(lock_held(&space.tables_lock));
        check_all();
    }
    assert_int_equal(err, 0);
    discard(USER_PAGE(0xC01));
    end();
}

static void a_new_kernel_table_is_in_every_space(void **state)
{
    struct region region;
    struct space  other;
    uint32_t      tables = 0;

    (void)state;
    start();
    assert_int_equal(space_create(&other), 0);
    tables = kernel_space.table_frames;
    assert_int_equal(kernel_map(&region, PURPOSE_HEAP, "wide", 1500, 1, OWNER_TEST), 0);
    if (layout.access == ACCESS_TRACKED)
        assert_int_equal(kernel_space.table_frames, tables);    /* kernel space had all its tables */
    else
        assert_true(kernel_space.table_frames > tables);
    *(volatile uint32_t *)pointer_to(page_address(region.span.end - 1)) = 77;
    space_activate(&other);
    assert_int_equal(*(volatile uint32_t *)pointer_to(page_address(region.span.end - 1)), 77);
    assert_true(space_ok(&other));
    check_all();
    kernel_unmap(&region);
    assert_int_equal(owned(OWNER_TEST), 0);
    assert_true(machine_tlb_ok());
    space_activate(&space);
    space_destroy(&other);
    end();
}

/* ---- Flushes ---------------------------------------------------------------------------------------- */

/* Flushes of slots are not counted: they come with each look at a table. */
static uint64_t flushes(void)
{
    return machine_counts.user_page_flushes + machine_counts.space_flushes + machine_counts.all_flushes;
}

static void only_what_the_processor_may_remember_is_flushed(void **state)
{
    struct cursor c;
    uint64_t      before;

    (void)state;
    start();
    before = flushes();
    map(USER_PAGE(0x500), new_frame(1), user_read);                /* nothing was there */
    map(USER_PAGE(0x501), new_frame(2), user_data);
    open(&c, USER_PAGE(0x500), USER_PAGE(0x502));
    cursor_protect(&c, USER_PAGE(0x500), user_data);               /* more rights */
    cursor_protect(&c, USER_PAGE(0x501), user_data);               /* the same */
    cursor_close(&c);
    assert_int_equal(flushes(), before);
    end();
}

static void many_pages_are_flushed_at_once(void **state)
{
    struct cursor c;
    uint64_t      pages, spaces;
    uint32_t      cached = !layout_kernel_has_own();         /* else nothing of programs is while the kernel runs */

    (void)state;
    start();
    open(&c, USER_PAGE(0x500), USER_PAGE(0x500) + CURSOR_PAGES + 1);
    for (page_t page = USER_PAGE(0x500); page <= USER_PAGE(0x500) + CURSOR_PAGES; page++)
        cursor_map(&c, page, new_frame(1), user_data, CACHE_BACK);
    cursor_close(&c);
    pages  = machine_counts.user_page_flushes;
    spaces = machine_counts.space_flushes;
    open(&c, USER_PAGE(0x500), USER_PAGE(0x500) + CURSOR_PAGES + 1);
    for (page_t page = USER_PAGE(0x500); page < USER_PAGE(0x500) + CURSOR_PAGES; page++)
        cursor_protect(&c, page, user_read);
    cursor_close(&c);
    assert_int_equal(machine_counts.user_page_flushes, pages + cached * CURSOR_PAGES);
    assert_int_equal(machine_counts.space_flushes, spaces);
    open(&c, USER_PAGE(0x500), USER_PAGE(0x500) + CURSOR_PAGES + 1);
    for (page_t page = USER_PAGE(0x500); page <= USER_PAGE(0x500) + CURSOR_PAGES; page++)
        cursor_protect(&c, page, (struct rights){ READ, 0 });
    cursor_close(&c);
    assert_int_equal(machine_counts.user_page_flushes, pages + cached * CURSOR_PAGES);
    assert_int_equal(machine_counts.space_flushes, spaces + cached);
    end();
}

static void a_space_that_runs_nowhere_needs_no_flush(void **state)
{
    uint64_t before;
    uint32_t value;

    (void)state;
    start();
    map(USER_PAGE(0x500), new_frame(1), user_data);
    assert_true(user_reads(USER_PAGE(0x500), &value));
    space_activate(&kernel_space);
    before = flushes();
    discard(USER_PAGE(0x500));
    assert_int_equal(flushes(), before);
    assert_false(user_reads(USER_PAGE(0x500), &value));
    end();
}

/* ---- Single pages -------------------------------------------------------------------------------------- */

static void protect_blocks_and_brings_back(void **state)
{
    struct cursor c;
    uint32_t      value;

    (void)state;
    start();
    map(USER_PAGE(0x500), new_frame(41), user_data);
    assert_true(user_writes(USER_PAGE(0x500), 42));
    cursor_protect(open(&c, USER_PAGE(0x500), USER_PAGE(0x501)), USER_PAGE(0x500), nothing);
    cursor_close(&c);
    assert_false(user_reads(USER_PAGE(0x500), &value));
    assert_int_equal(entry_kind(entry_of(USER_PAGE(0x500)), 1), ENTRY_BLOCKED);
    assert_int_equal(entry_kept_rights(entry_of(USER_PAGE(0x500))).user & WRITE, WRITE);
    assert_int_equal(space.resident, 0);
    check_all();
    cursor_protect(open(&c, USER_PAGE(0x500), USER_PAGE(0x501)), USER_PAGE(0x500), user_read);
    cursor_close(&c);
    assert_true(user_reads(USER_PAGE(0x500), &value));
    assert_int_equal(value, 42);
    assert_true(entry_dirty(entry_of(USER_PAGE(0x500))));          /* the page's bytes are still to be saved */
    assert_false(user_writes(USER_PAGE(0x500), 43));
    assert_int_equal(space.resident, 1);
    discard(USER_PAGE(0x500));
    end();
}

static void replace_returns_the_old_frame_and_shows_the_new(void **state)
{
    struct cursor c;
    frame_t       old = { 0 }, first, second;
    uint32_t      value;

    (void)state;
    start();
    first  = new_frame(1);
    second = new_frame(2);
    map(USER_PAGE(0x500), first, user_read);
    assert_true(user_reads(USER_PAGE(0x500), &value));
    old = cursor_replace(open(&c, USER_PAGE(0x500), USER_PAGE(0x501)), USER_PAGE(0x500), second, user_data);
    cursor_close(&c);
    assert_int_equal(old.no, first.no);
    assert_true(frame_put(old));
    assert_true(user_reads(USER_PAGE(0x500), &value) && value == 2);
    assert_true(user_writes(USER_PAGE(0x500), 3));
    discard(USER_PAGE(0x500));
    end();
}

/* The watcher of a checked kernel (watch.h): the entries of one page, in order. */
static struct { entry_t old, new; } seen[8];
static unsigned seen_count;

static void see(const struct space *of, page_t page, entry_t old, entry_t new)
{
    if (of != &space || page != USER_PAGE(0x500))
        return;
    assert_true(seen_count < COUNT_OF(seen));
    assert_true(seen_count == 0 || seen[seen_count - 1].new.raw == old.raw);
    seen[seen_count].old   = old;
    seen[seen_count++].new = new;
}

static void a_watcher_is_told_of_each_change(void **state)
{
    struct cursor c;
    frame_t       first, second;

    (void)state;
    start();
    first  = new_frame(1);
    second = new_frame(2);
    seen_count    = 0;
    entry_watcher = see;
    map(USER_PAGE(0x500), first, user_data);
    cursor_protect(open(&c, USER_PAGE(0x500), USER_PAGE(0x501)), USER_PAGE(0x500), user_read);
    frame_put(cursor_replace(&c, USER_PAGE(0x500), second, user_data));
    cursor_close(&c);
    discard(USER_PAGE(0x500));
    entry_watcher = NULL;
    assert_int_equal(seen_count, 4);
    assert_true(entry_kind(seen[0].old, 1) == ENTRY_EMPTY && frame_is(entry_frame(seen[0].new), first));
    assert_int_equal(entry_rights(seen[1].new).user & WRITE, 0);
    assert_true(frame_is(entry_frame(seen[2].new), second));
    assert_int_equal(entry_kind(seen[3].new, 1), ENTRY_EMPTY);
    end();
}

static void remove_hands_the_reference_back(void **state)
{
    struct cursor c;
    frame_t       frame;
    entry_t       was;

    (void)state;
    start();
    frame = new_frame(5);
    map(USER_PAGE(0x500), frame, user_data);
    assert_true(user_writes(USER_PAGE(0x500), 6));
    was = cursor_remove(open(&c, USER_PAGE(0x500), USER_PAGE(0x501)), USER_PAGE(0x500));
    cursor_close(&c);
    assert_int_equal(entry_frame(was).no, frame.no);
    assert_true(entry_dirty(was) && entry_accessed(was));
    assert_int_equal(frame_references(frame), 1);
    frame_put(frame);
    end();
}

static void ageing_takes_the_accessed_bit(void **state)
{
    struct cursor c;
    uint32_t      value;
    bool          used;

    (void)state;
    start();
    map(USER_PAGE(0x500), new_frame(1), user_data);
    used = cursor_age(open(&c, USER_PAGE(0x500), USER_PAGE(0x502)), USER_PAGE(0x500), 2);
    assert_false(used);
    assert_false(cursor_age(&c, USER_PAGE(0x501), 1));             /* nothing there: nothing done */
    cursor_close(&c);
    assert_int_equal(entry_age(entry_of(USER_PAGE(0x500))), 2);
    assert_true(user_reads(USER_PAGE(0x500), &value));
    used = cursor_age(open(&c, USER_PAGE(0x500), USER_PAGE(0x501)), USER_PAGE(0x500), 3);
    cursor_close(&c);
    assert_true(used);
    assert_int_equal(entry_age(entry_of(USER_PAGE(0x500))), 3);
    assert_false(entry_accessed(entry_of(USER_PAGE(0x500))));
    discard(USER_PAGE(0x500));
    end();
}

static void device_pages_keep_their_cache_type(void **state)
{
    struct region window;
    struct cursor c;

    (void)state;
    start();
    for (int cache = CACHE_BACK; cache <= CACHE_OFF; cache++) {
        assert_int_equal(kernel_map_device(&window, "device", 0xFEC00000, PAGE_SIZE, (enum cache)cache), 0);
        assert_int_equal(cursor_open(&c, &kernel_space, window.span, 0), 0);
        assert_int_equal(entry_cache(cursor_read(&c, window.span.first)), cache);
        /* Kept when the space changes, unless a program has something else at that address. */
        assert_int_equal(entry_global(cursor_read(&c, window.span.first)),
                         mmu_features.global && !page_is_users(window.span.first));
        cursor_close(&c);
        kernel_unmap(&window);
    }
    end();
}

static void an_alias_forgets_with_its_original(void **state)
{
    (void)state;
    start();
    for (uint32_t i = 0; i < layout.region_count; i++) {
        const struct layout_region *twin = &layout.regions[i], *data = layout.purpose[PURPOSE_DATA];
        page_t        page = data->span.end - 4;        /* pages of the image, not in use here */
        page_t        other = twin->span.first + (page - twin->alias);
        struct cursor c;

        if (twin->backing != BACKING_ALIAS || page - twin->alias >= span_pages(twin->span))
            continue;
        *(volatile uint32_t *)pointer_to(page_address(page)) = 11;
        assert_int_equal(*(volatile uint32_t *)pointer_to(page_address(other)), 11);
        *(volatile uint32_t *)pointer_to(page_address(other)) = 12;
        assert_int_equal(cursor_open(&c, &kernel_space, span_of(page, 1), 0), 0);
        cursor_protect(&c, page, (struct rights){ READ, 0 });
        cursor_close(&c);
        assert_true(machine_tlb_ok());
    }
    end();
}

/* ---- Misuse is the caller's bug: it stops the machine ------------------------------------------ */

static void map_twice(struct cursor *c)    { cursor_map(c, USER_PAGE(0x500), new_frame(2), user_data, CACHE_BACK); }
static void map_blocked(struct cursor *c)  { cursor_map(c, USER_PAGE(0x501), new_frame(2), user_data, CACHE_BACK); }
static void run_too_long(struct cursor *c) { cursor_map_run(c, USER_PAGE(0x502), (frame_t[3]){ { 9 } }, 3, user_data); }
static void run_hidden(struct cursor *c)   { cursor_map_run(c, USER_PAGE(0x502), (frame_t[1]){ { 9 } }, 1, nothing); }
static void put_on_frame(struct cursor *c) { cursor_put(c, USER_PAGE(0x500), entry_empty()); }
static void put_present(struct cursor *c)  { cursor_put(c, USER_PAGE(0x502), cursor_read(c, USER_PAGE(0x500))); }
static void replace_none(struct cursor *c) { (void)cursor_replace(c, USER_PAGE(0x502), new_frame(2), user_data); }
static void leave_span(struct cursor *c)   { (void)cursor_read(c, USER_PAGE(0x504)); }
static void before_span(struct cursor *c)  { (void)cursor_read(c, USER_PAGE(0x4FF)); }
static void discard_swap(struct cursor *c) { cursor_discard(c, USER_PAGE(0x503)); }

/* In a process and a machine of its own: what stop() leaves behind disturbs no other test. */
static bool stops(void (*misuse)(struct cursor *c))
{
    int   status;
    pid_t child = fork();

    if (child == 0) {
        struct cursor c;

        start();
        map(USER_PAGE(0x500), new_frame(1), user_data);
        map(USER_PAGE(0x501), new_frame(1), nothing);
        open(&c, USER_PAGE(0x500), USER_PAGE(0x504));
        cursor_put(&c, USER_PAGE(0x503), entry_absent(ENTRY_SWAP, 3, nothing));
        _exit(MACHINE_STOPS(misuse(&c)) != NULL ? 0 : 1);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void misuse_stops(void **state)
{
    (void)state;
    assert_true(stops(map_twice));
    assert_true(stops(map_blocked));
    assert_true(stops(run_too_long));
    assert_true(stops(run_hidden));
    assert_true(stops(put_on_frame));
    assert_true(stops(put_present));
    assert_true(stops(replace_none));
    assert_true(stops(leave_span));
    assert_true(stops(before_span));
    assert_true(stops(discard_swap));
}

/* ---- C1 to C3, each broken on purpose ---------------------------------------------------------- */

static bool names(const char *id)
{
    struct audit_report report = { 0 };

    space_audit(&space, &report);
    space_audit(&kernel_space, &report);
    for (uint32_t i = 0; i < report.failed && i < AUDIT_FAILURES; i++)
        if (strcmp(report.failures[i].id, id) == 0)
            return true;
    return false;
}

static void the_auditor_names_a_wrong_count(void **state)
{
    frame_t table;

    (void)state;
    start();
    map(USER_PAGE(0x500), new_frame(1), user_data);
    table = entry_frame(entry_read(entry_at(&space, USER_PAGE(0x500), 2)));
    frame_set_link(table, 2);
    assert_true(names("C1"));
    frame_set_link(table, 1);
    discard(USER_PAGE(0x500));
    end();
}

/* Where tables are seen through slots a pointer to an entry is good until the next one is asked for. */
static void toggle(struct space *of, page_t page, unsigned level, uint32_t bits)
{
    entry_at(of, page, level)->raw ^= bits;
    mmu_flush_page(page);
}

static void the_auditor_names_kernel_memory_given_away(void **state)
{
    page_t page = layout.purpose[PURPOSE_DATA]->span.first + 3;

    (void)state;
    start();
    toggle(&kernel_space, page, 1, I386_USER);
    assert_true(names("C2"));
    toggle(&kernel_space, page, 1, I386_USER);
    end();
}

static void the_auditor_names_a_root_that_differs(void **state)
{
    page_t page = layout.purpose[PURPOSE_DATA]->span.first;

    (void)state;
    start();
    space_activate(&kernel_space);              /* a space without the kernel cannot be the active one */
    toggle(&space, page, 2, 0x5000 | I386_PRESENT);
    assert_true(names("C3"));
    toggle(&space, page, 2, 0x5000 | I386_PRESENT);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_come_with_the_first_page_and_go_with_the_last),
        cmocka_unit_test(tables_made_in_vain_are_given_back),
        cmocka_unit_test(an_emptied_table_can_be_filled_by_the_same_cursor),
        cmocka_unit_test(a_run_fills_only_what_is_empty),
        cmocka_unit_test(without_memory_opening_changes_nothing),
        cmocka_unit_test(a_new_kernel_table_is_in_every_space),
        cmocka_unit_test(only_what_the_processor_may_remember_is_flushed),
        cmocka_unit_test(many_pages_are_flushed_at_once),
        cmocka_unit_test(a_space_that_runs_nowhere_needs_no_flush),
        cmocka_unit_test(protect_blocks_and_brings_back),
        cmocka_unit_test(replace_returns_the_old_frame_and_shows_the_new),
        cmocka_unit_test(a_watcher_is_told_of_each_change),
        cmocka_unit_test(remove_hands_the_reference_back),
        cmocka_unit_test(ageing_takes_the_accessed_bit),
        cmocka_unit_test(device_pages_keep_their_cache_type),
        cmocka_unit_test(an_alias_forgets_with_its_original),
        cmocka_unit_test(misuse_stops),
        cmocka_unit_test(the_auditor_names_a_wrong_count),
        cmocka_unit_test(the_auditor_names_kernel_memory_given_away),
        cmocka_unit_test(the_auditor_names_a_root_that_differs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
