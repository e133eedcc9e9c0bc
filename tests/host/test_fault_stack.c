/*
 * test_fault_stack.c - faults below a stack, at every border: its limit, all of a program's memory, the first page.
 */
#include "map_world.h"

static vaddr_t out;

static struct region *make_stack(page_t first, size_t pages)
{
    struct map_request wanted = request(page_address(first), pages, R | W, MAP_IS_FIXED | MAP_GROWS_DOWN);

    wanted.name = "[stack]";
    assert_int_equal(map_create(&program, &wanted, &out), 0);
    return region_find(&program.map, first);
}

static page_t page_n(size_t n) { return page_of(column(n)); }

static void assert_denied(page_t page, const char *reason)
{
    size_t pages = program.pages, charged = program.charged;

    assert_false(writes(&program, page_address(page), 1));
    assert_int_equal(verdict.signal, 11);
    assert_int_equal(verdict.code, 1);
    assert_int_equal(verdict.address, page_address(page));
    if (reason != NULL && strstr(verdict.reason, reason) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", reason, verdict.reason);
    assert_int_equal(program.pages, pages);             /* and nothing has changed */
    assert_int_equal(program.charged, charged);
}

/* Each growth is counted, and the page that it is for besides. */
static void assert_grows(page_t page)
{
    uint64_t grown = fault_counts[FAULT_GROW];

    assert_true(writes(&program, page_address(page), 1));
    assert_int_equal(fault_counts[FAULT_GROW], grown + 1);
}

static void a_stack_takes_all_that_a_program_may_have_and_no_more(void)
{
    program.limits.whole = 10 * PAGE_SIZE;
    assert_int_equal(map_fixed(0, 3, R | W), 0);
    make_stack(page_n(1000), 2);
    assert_denied(page_n(994), NULL);                   /* 3 + 8 pages */
    assert_grows(page_n(995));
    assert_int_equal(program.pages, 10);
    assert_denied(page_n(994), NULL);
    assert_int_equal(unmap(0, 1), 0);
    assert_grows(page_n(994));
    program.limits.whole = SIZE_MAX;
}

static void a_stack_reaches_down_to_the_first_page_and_not_below(void)
{
    page_t first = program.map.limits.first;

    assert_true(first > 0);
    program.limits.stack = GiB;
    make_stack(first + 3, 2);
    assert_denied(first - 1, "a stack limited to");
    assert_grows(first);
    assert_denied(first - 1, NULL);
    assert_int_equal(program.pages, 5);
    assert_int_equal(program.resident, 1);
}

static void what_a_stack_grows_by_is_counted_everywhere(void)
{
    struct region *stack = make_stack(page_n(1000), 2);

    stack->locked  = true;
    program.locked = 2;
    assert_grows(page_n(990));
    assert_int_equal(program.pages, 12);
    assert_int_equal(program.charged, 12);
    assert_int_equal(program.locked, 12);
    assert_int_equal(map_committed, 12);
    assert_ptr_equal(region_find(&program.map, page_n(990)), stack);
    assert_ptr_equal(region_find(&program.map, page_n(1001)), stack);
    assert_null(region_find(&program.map, page_n(989)));
    assert_null(region_find(&program.map, page_n(1002)));
}

/* Found by traces beside Linux: a locked stack grew beyond what may be locked. */
static void a_locked_stack_grows_by_what_may_be_locked(void)
{
    struct region *stack = make_stack(page_n(1000), 2);

    program.limits.locked = 10 * PAGE_SIZE;
    program.locked        = 2;
    stack->locked         = true;
    assert_denied(page_n(991), NULL);
    assert_grows(page_n(992));
    assert_int_equal(program.locked, 10);
    assert_denied(page_n(991), NULL);
    program.limits.locked = SIZE_MAX;
    assert_grows(page_n(980));
}

static void a_stack_that_grows_when_written_to_does_not_when_read(void)
{
    uint32_t value;

    program.limits.stack_by_write = true;
    make_stack(page_n(1000), 1);
    assert_false(reads(&program, column(999), &value));
    assert_int_equal(verdict.code, 1);
    assert_grows(page_n(999));
    assert_true(reads(&program, column(999), &value));
    program.limits.stack_by_write = false;
    assert_true(reads(&program, column(998), &value));
    assert_int_equal(value, 0);
}

static void the_gap_below_a_stack_is_as_wide_as_the_space_says(void)
{
    program.limits.stack_gap = 3 * PAGE_SIZE;
    assert_int_equal(map_fixed(100, 10, R), 0);
    make_stack(page_n(200), 1);
    assert_denied(page_n(112), NULL);
    assert_grows(page_n(113));
    program.limits.stack_gap = 0;
    assert_denied(page_n(112), NULL);                   /* 256 pages, as on Linux */
}

static void a_stack_may_touch_another(void)
{
    make_stack(page_n(100), 2);
    make_stack(page_n(110), 2);
    assert_grows(page_n(102));
    assert_int_equal(program.map.count, 2);
    assert_int_equal(program.pages, 12);
}

static void what_no_commit_is_left_for_does_not_grow(void)
{
    struct region *stack = make_stack(page_n(1000), 2);

    map_overcommit = 2;                                 /* half of RAM, and no more */
    map_committed += 16 * MiB / PAGE_SIZE;
    assert_denied(page_n(900), NULL);                   /* not -ENOMEM, for which others would be ended */
    assert_int_equal(span_pages(stack->span), 2);
    assert_int_equal(program.pages, 2);
    map_committed -= 16 * MiB / PAGE_SIZE;
    assert_grows(page_n(900));
    map_overcommit = 0;
}

static void pages_above_and_elsewhere_belong_to_no_stack(void)
{
    make_stack(page_n(1000), 2);
    assert_denied(page_n(1002), "next above: none");
    assert_int_equal(map_fixed(500, 1, R), 0);
    assert_denied(page_n(499), "next above: 201f4000-201f5000 ");
    assert_null(strstr(verdict.reason, "stack"));
}

/* Up to a gap's width below the most that a stack may become, a fault is called an overflow. */
static void an_overflow_is_called_one(void)
{
    program.limits.stack = 16 * PAGE_SIZE;
    make_stack(page_n(1000), 2);
    assert_denied(page_n(1002 - 17), "[stack], a stack limited to 64 KiB: stack overflow");
    assert_denied(page_n(1002 - 16 - 256), ": stack overflow");
    assert_denied(page_n(1002 - 16 - 257), "a stack limited to 64 KiB");
    assert_null(strstr(verdict.reason, "overflow"));
    assert_grows(page_n(1002 - 16));
    program.limits.stack_gap = 2 * PAGE_SIZE;
    assert_denied(page_n(1002 - 18), ": stack overflow");
    assert_denied(page_n(1002 - 19), "64 KiB");
    assert_null(strstr(verdict.reason, "overflow"));
}

/* A stack that may not be accessed grows, and the access is denied all the same: by its rights. */
static void a_stack_without_rights_is_denied_by_them(void)
{
    make_stack(page_n(1000), 2);
    assert_int_equal(protect(1000, 2, R), 0);
    assert_false(writes(&program, column(999), 1));
    assert_int_equal(verdict.code, 2);
    assert_non_null(strstr(verdict.reason, "region: 203e7000-203ea000 [stack]"));
}

static int asked_about;

static bool nobody_wants_words(int signal)
{
    asked_about = signal;
    return false;
}

/* A handler takes the signal: the words would be written for nobody. What the handler is told stays. */
static void words_are_written_only_where_they_are_wanted(void)
{
    make_stack(page_n(1000), 2);
    fault_words_if(nobody_wants_words);
    asked_about = 0;
    assert_denied(page_n(1002), "");
    assert_string_equal(verdict.reason, "");
    assert_int_equal(asked_about, 11);
    fault_words_if(NULL);
    assert_denied(page_n(1002), "next above: none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(a_stack_takes_all_that_a_program_may_have_and_no_more),
        on_machine(a_stack_reaches_down_to_the_first_page_and_not_below),
        on_machine(what_a_stack_grows_by_is_counted_everywhere),
        on_machine(a_locked_stack_grows_by_what_may_be_locked),
        on_machine(a_stack_that_grows_when_written_to_does_not_when_read),
        on_machine(the_gap_below_a_stack_is_as_wide_as_the_space_says),
        on_machine(a_stack_may_touch_another),
        on_machine(what_no_commit_is_left_for_does_not_grow),
        on_machine(pages_above_and_elsewhere_belong_to_no_stack),
        on_machine(an_overflow_is_called_one),
        on_machine(a_stack_without_rights_is_denied_by_them),
        on_machine(words_are_written_only_where_they_are_wanted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
