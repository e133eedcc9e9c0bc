/*
 * test_space_audit.c - the auditor looks at all of a space: from its first page to its last, and at each of its counts.
 */
#include "map_world.h"

static struct audit_report report;

/* The one complaint about the space. */
static const char *complaint(void)
{
    report = (struct audit_report){ 0 };
    space_audit(&program, &report);
    return report.failed == 0 ? "" : report.failed == 1 ? report.failures[0].id : "several";
}

/* The table that the page's entry lies in is there already; nobody is told of the entry. */
static const char *complaint_about_entry(page_t page)
{
    entry_t    *at    = entry_at(&program, page, 1);
    frame_t     frame = { 0 };
    const char *said;

    assert_non_null(at);
    assert_int_equal(frame_get(OWNER_USER, 0, &frame), 0);
    entry_write(at, entry_leaf(frame, map_rights(R), CACHE_BACK, false, 1));
    said = complaint();
    entry_write(entry_at(&program, page, 1), entry_empty());
    frame_put(frame);
    return said;
}

/* What a program has in the first table, the auditor sees from page 0 on. */
static void an_entry_in_no_region_is_found_at_both_ends(void)
{
    struct map_request low  = request(page_address(layout.user.first), 1, R | W, MAP_IS_FIXED);
    struct map_request high = request(page_address(layout.user.end - 1), 1, R | W, MAP_IS_FIXED);
    vaddr_t            out;

    assert_int_equal(map_create(&program, &low, &out), 0);
    assert_int_equal(map_create(&program, &high, &out), 0);
    assert_true(writes(&program, low.address, 1));
    assert_true(writes(&program, high.address, 1));
    assert_string_equal(complaint(), "");
    if (layout.user.first < mmu_reach(2) && layout.user.first > 0)
        assert_string_not_equal(complaint_about_entry(0), "");
    assert_string_not_equal(complaint_about_entry(layout.user.end - 2), "");
    assert_string_equal(complaint(), "");
}

static void each_count_of_a_space_is_compared(void)
{
    paint("wwww");
    assert_true(writes(&program, column(0), 1));
    assert_int_equal(map_lock(&program, column(0), 2 * PAGE_SIZE, false), 0);
    assert_string_equal(complaint(), "");
    for (int step = -1; step <= 1; step += 2) {
        program.locked += (size_t)step;
        assert_string_equal(complaint(), "S4");
        assert_non_null(strstr(report.failures[0].text, "regions have 2"));
        program.locked -= (size_t)step;
        program.resident += (uint32_t)step;
        assert_string_equal(complaint(), "S4");
        assert_non_null(strstr(report.failures[0].text, "2 walked"));
        program.resident -= (uint32_t)step;
        program.swapped += (uint32_t)step;
        assert_string_equal(complaint(), "S4");
        assert_non_null(strstr(report.failures[0].text, "0 walked"));
        program.swapped -= (uint32_t)step;
        program.table_frames += (uint32_t)step;
        assert_string_equal(complaint(), "S4");
        program.table_frames -= (uint32_t)step;
    }
    assert_string_equal(complaint(), "");
    assert_true(space_ok(&program));
    assert_int_equal(map_unlock(&program, column(0), 2 * PAGE_SIZE), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(an_entry_in_no_region_is_found_at_both_ends),
        on_machine(each_count_of_a_space_is_compared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
