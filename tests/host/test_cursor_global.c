/*
 * test_cursor_global.c - entries that are the same in every space are marked global, and no others.
 */
#include "cursor_world.h"

#include "memory/tables/table.h"

static const struct rights read_only = { READ, READ }, read_write = { READ | WRITE, READ | WRITE };

static bool is_global(struct space *of, page_t page)
{
    lock_state state = lock_take(&of->tables_lock);
    entry_t   *at    = entry_at(of, page, 1);
    bool       is    = at != NULL && entry_global(entry_read(at));

    lock_drop(&of->tables_lock, state);
    return is;
}

static void protect_in(struct space *of, page_t page, struct rights rights)
{
    struct cursor c;

    assert_int_equal(cursor_open(&c, of, span_of(page, 1), 0), 0);
    cursor_protect(&c, page, rights);
    cursor_close(&c);
}

static void a_programs_page_is_never_global(void **state)
{
    const page_t page = USER_PAGE(0x500);

    (void)state;
    start();
    map(page, new_frame(1), read_write);
    assert_false(is_global(&space, page));
    protect_in(&space, page, read_only);
    assert_false(is_global(&space, page));
    protect_in(&space, page, (struct rights){ 0, 0 });          /* blocked, and back */
    protect_in(&space, page, read_write);
    assert_false(is_global(&space, page));
    discard(page);
    end();
}

/* Whether the root's entry for a page is open to programs: what lies below decides only where it is. */
static bool lets_programs_through(struct space *of, page_t page)
{
    lock_state state = lock_take(&of->tables_lock);
    entry_t    e     = entry_read(entry_at(of, page, MMU_LEVELS));

    lock_drop(&of->tables_lock, state);
    assert_int_equal(entry_kind(e, MMU_LEVELS), ENTRY_TABLE);
    return (e.raw & (entry_table(entry_frame(e), true).raw ^ entry_table(entry_frame(e), false).raw)) != 0;
}

static void only_the_programs_tables_are_open_to_programs(void **state)
{
    const page_t  page = USER_PAGE(0x500);
    struct region region;

    (void)state;
    if (MMU_LEVELS == 1)
        return;
    start();
    map(page, new_frame(1), read_write);
    assert_int_equal(kernel_map(&region, PURPOSE_HEAP, "region", 1100, 0, OWNER_TEST), 0);      /* two tables */
    assert_true(lets_programs_through(&space, page));
    for (page_t at = region.span.first; at < region.span.end; at += 300)
        assert_false(lets_programs_through(&kernel_space, at));
    kernel_unmap(&region);
    discard(page);
    end();
}

/* Those of the boot tables are not: they become so when they get the document's rights. */
static void the_images_pages_are_global_where_every_space_has_them(void **state)
{
    struct span text = layout.purpose[PURPOSE_TEXT]->span;

    (void)state;
    start();
    for (page_t page = text.first > 0 ? text.first : 1; page < text.end; page++)        /* page 0 is out of reach */
        assert_int_equal(is_global(&kernel_space, page), page_may_be_global(page));
    end();
}

static void a_kernel_page_stays_global_when_its_rights_change(void **state)
{
    struct region region;
    page_t        page;

    (void)state;
    start();
    assert_int_equal(kernel_map(&region, PURPOSE_HEAP, "window", 2, 0, OWNER_TEST), 0);
    page = region.span.first;
    assert_int_equal(is_global(&kernel_space, page), page_may_be_global(page));
    protect_in(&kernel_space, page, (struct rights){ READ, 0 });
    assert_int_equal(is_global(&kernel_space, page), page_may_be_global(page));
    protect_in(&kernel_space, page, region.rights);
    assert_int_equal(is_global(&kernel_space, page), page_may_be_global(page));
    kernel_unmap(&region);
    end();
}

/* ---- What a space had at most --------------------------------------------------------------------------------- */

static void the_peak_is_what_was_there_when_pages_went(void **state)
{
    (void)state;
    start();
    assert_int_equal(space_peak(&space), 0);
    for (page_t n = 0; n < 5; n++)
        map(USER_PAGE(0x500) + n, new_frame(1), read_write);
    assert_int_equal(space.resident, 5);
    assert_int_equal(space_peak(&space), 5);
    discard(USER_PAGE(0x500));
    discard(USER_PAGE(0x501));
    assert_int_equal(space.resident, 3);
    assert_int_equal(space_peak(&space), 5);
    map(USER_PAGE(0x500), new_frame(1), read_write);
    discard(USER_PAGE(0x500));
    assert_int_equal(space_peak(&space), 5);                    /* not 4 */
    for (page_t n = 5; n < 9; n++)
        map(USER_PAGE(0x500) + n, new_frame(1), read_write);
    assert_int_equal(space_peak(&space), 7);
    for (page_t n = 2; n < 9; n++)
        discard(USER_PAGE(0x500) + n);
    assert_int_equal(space_peak(&space), 7);
    assert_int_equal(space.resident, 0);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_programs_page_is_never_global),
        cmocka_unit_test(only_the_programs_tables_are_open_to_programs),
        cmocka_unit_test(the_images_pages_are_global_where_every_space_has_them),
        cmocka_unit_test(a_kernel_page_stays_global_when_its_rights_change),
        cmocka_unit_test(the_peak_is_what_was_there_when_pages_went),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
