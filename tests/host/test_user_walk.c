/*
 * test_user_walk.c - a program's memory by way of its tables: the same bytes, faults and rights as for itself.
 */
#include "map_world.h"

#include "memory/tables/cursor.h"
#include "memory/tables/slot.h"
#include "memory/tables/table.h"
#include "memory/spaces/user_walk.h"

static size_t done;

static int read_at(void *to, vaddr_t at, size_t bytes)
{
    return walk_read(&program, user_resolve_plainly, to, at, bytes, &done);
}

static int write_at(vaddr_t at, const void *from, size_t bytes)
{
    return walk_write(&program, user_resolve_plainly, at, from, bytes, &done);
}

static void bytes_cross_pages(void)
{
    char     in[3 * PAGE_SIZE], out[sizeof in];
    uint32_t word;

    paint("wwwwww..");
    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (char)(i * 7 + i / 251);
    assert_int_equal(write_at(column(1) + 1234, in, sizeof in), 0);
    assert_int_equal(done, sizeof in);
    assert_int_equal(read_at(out, column(1) + 1234, sizeof out), 0);
    assert_memory_equal(in, out, sizeof in);
    memcpy(&word, &in[PAGE_SIZE - 1234], sizeof word);
    assert_int_equal(word_at(column(2)), word);
    assert_int_equal(walk_clear(&program, user_resolve_plainly, column(2) - 2, PAGE_SIZE + 4, &done), 0);
    assert_int_equal(word_at(column(2)), 0);
    assert_int_equal(word_at(column(3)) & 0xFFFF, 0);
    assert_int_not_equal(word_at(column(3) + 4), 0);
}

/* Copies have exactly the program's own rights; the bytes before the first bad page are counted. */
static void rights_are_the_programs(void)
{
    char bytes[2 * PAGE_SIZE] = { 1 };

    paint("wr-w....");
    assert_int_equal(read_at(bytes, column(0), sizeof bytes), 0);
    assert_int_equal(write_at(column(0) + 8, bytes, PAGE_SIZE), -EFAULT);
    assert_int_equal(done, PAGE_SIZE - 8);
    assert_int_equal(read_at(bytes, column(1) + 8, PAGE_SIZE), -EFAULT);
    assert_int_equal(done, PAGE_SIZE - 8);
    assert_int_equal(read_at(bytes, column(4), 1), -EFAULT);
    assert_int_equal(done, 0);
    assert_int_equal(write_at(column(1), bytes, 1), -EFAULT);
}

/* A page shared with a child is copied first, and the shared frame of zeros is not written to. */
static void a_write_breaks_what_is_shared(void)
{
    struct space child;
    uint32_t     word = 5;

    paint("ww......");
    assert_true(writes(&program, column(0), 1));
    assert_int_equal(word_at(column(1)), 0);
    assert_int_equal(space_create(&child), 0);
    set_limits(&child);
    assert_int_equal(map_copy(&child, &program), 0);
    assert_int_equal(write_at(column(0), &word, sizeof word), 0);
    assert_int_equal(write_at(column(1), &word, sizeof word), 0);
    assert_true(reads(&child, column(0), &word));
    assert_int_equal(word, 1);
    assert_true(reads(&child, column(1), &word));
    assert_int_equal(word, 0);
    assert_int_equal(word_at(column(0)), 5);
    map_clear(&child);
    space_destroy(&child);
}

/* Page-out and /proc go by these bits: the kernel's use on the program's behalf is the program's. */
static void accessed_and_dirty_are_set(void)
{
    struct cursor c;
    uint32_t      word = 5;
    entry_t       e;

    paint("w.......");
    assert_int_equal(write_at(column(0), &word, sizeof word), 0);
    assert_int_equal(cursor_open(&c, &program, span_of(page_of(column(0)), 1), 0), 0);
    e = cursor_read(&c, page_of(column(0)));
    cursor_close(&c);
    assert_true(entry_accessed(e) && entry_dirty(e));
}

static void text_ends_where_it_ends(void)
{
    char out[64];

    paint("ww..w...");
    assert_int_equal(write_at(column(1) - 3, "seven77", 8), 0);
    assert_int_equal(walk_read_text(&program, user_resolve_plainly, out, column(1) - 3, sizeof out), 7);
    assert_string_equal(out, "seven77");
    assert_int_equal(walk_read_text(&program, user_resolve_plainly, out, column(1) - 3, 4), 4);
    assert_int_equal(write_at(column(2) - 2, "xx", 2), 0);
    assert_int_equal(walk_read_text(&program, user_resolve_plainly, out, column(2) - 2, 8), -EFAULT);
}

static void words_are_exchanged_whole(void)
{
    uint32_t old = 9, word = 3;

    paint("wwr.....");
    assert_int_equal(write_at(column(0) + 4, &word, sizeof word), 0);
    assert_int_equal(walk_exchange(&program, user_resolve_plainly, column(0) + 4, 2, 7, &old), 0);
    assert_int_equal(old, 3);
    assert_int_equal(walk_exchange(&program, user_resolve_plainly, column(0) + 4, 3, 7, &old), 0);
    assert_int_equal(word_at(column(0) + 4), 7);
    assert_int_equal(walk_exchange(&program, user_resolve_plainly, column(0) + 5, 7, 8, &old), -EFAULT);
    assert_int_equal(walk_exchange(&program, user_resolve_plainly, column(2), 0, 8, &old), -EFAULT);
    assert_int_equal(walk_load(&program, user_resolve_plainly, column(1) - 2, &old), 0);
    assert_int_equal(walk_load(&program, user_resolve_plainly, column(3) - 2, &old), -EFAULT);
}

static void without_memory_it_says_so(void)
{
    uint32_t word = 1;

    paint("ww......");
    frame_fail_at(1);
    assert_int_equal(write_at(column(0), &word, sizeof word), -ENOMEM);
    frame_fail_at(0);
    assert_int_equal(done, 0);
    assert_int_equal(write_at(column(0), &word, sizeof word), 0);
}

/* ---- K17, on the machine whose cache never forgets --------------------------------------------------- */

/* Where the kernel has a space of its own: while it runs nothing of a program's is cached, and its own is seen. */
static void nothing_of_a_programs_is_cached_while_the_kernel_runs(void)
{
    uint32_t word = 1;

    paint("w.......");
    assert_true(writes(&program, column(0), 1));
    if (!layout_kernel_has_own())
        skip_on_machine();
    assert_true(frame_is(mmu_active(), kernel_space.root));
    assert_true(space_of_program() == &program);
    assert_int_equal(mmu_returns_to().no, program.root.no);
    assert_int_equal(write_at(column(0), &word, sizeof word), 0);
    for (page_t page = page_of(column(0)); page < page_of(column(8)); page++)
        assert_int_equal(page_may_be_global(page), 0);
    assert_true(machine_tlb_ok());
}

/* Another space's memory, by the calls that look at the range first. */
static void what_lies_outside_of_user_space_is_nobodys(void)
{
    static const vaddr_t nowhere[] = { 0, UINTPTR_MAX - 1, 4 };
    vaddr_t end = page_address(layout.user.end), first = page_address(layout.user.first);
    struct map_request wanted = request(end - PAGE_SIZE, 1, R | W, MAP_IS_FIXED);
    char bytes[4] = "abc";

    assert_int_equal(map_create(&program, &wanted, &wanted.address), 0);
    assert_int_equal(user_write_in(&program, end - 4, bytes, 4), 0);
    assert_int_equal(user_write_in(&program, end - 3, bytes, 4), -EFAULT);
    assert_int_equal(user_write_in(&program, end, bytes, 1), -EFAULT);
    assert_int_equal(user_read_in(&program, bytes, end - 4, 4), 0);
    assert_string_equal(bytes, "abc");
    assert_int_equal(user_read_in(&program, bytes, end - 3, 4), -EFAULT);
    assert_int_equal(user_clear_in(&program, end - 3, 4), -EFAULT);
    assert_int_equal(user_clear_in(&program, end - 3, 3), 0);
    assert_int_equal(user_read_in(&program, bytes, end - 4, 4), 0);
    assert_memory_equal(bytes, "a\0\0\0", 4);
    assert_int_equal(user_read_in(&program, bytes, first - 1, 1), -EFAULT);
    for (size_t i = 0; i < COUNT_OF(nowhere); i++) {
        assert_int_equal(user_write_in(&program, nowhere[i], bytes, 4), -EFAULT);
        assert_int_equal(user_read_in(&program, bytes, nowhere[i], 4), -EFAULT);
        assert_int_equal(user_read_in(&program, bytes, nowhere[i], 0), nowhere[i] > end ? -EFAULT : 0);
    }
}

/* The same address is a frame's to the kernel and a page of its own to a program: neither ever sees the other's. */
static void one_address_two_meanings(void)
{
    frame_t            frame, below[2048];
    uint32_t           count = 0, value;
    struct map_request wanted;
    vaddr_t            at;

    if (!layout_kernel_has_own() || layout.kernel_offset != 0)        /* frames are shown elsewhere */
        skip_on_machine();
    do {
        assert_int_equal(frame_get(OWNER_TEST, FRAME_ZERO, &frame), 0);
        below[count++] = frame;
    } while (!page_is_users(frame.no) && count < COUNT_OF(below));
    at = (vaddr_t)frame_address(frame);
    assert_true(page_is_users(page_of(at)));
    assert_ptr_equal(frame_view(frame, SLOT_INSPECT), pointer_to(at));
    wanted = request(at, 1, R | W, MAP_IS_FIXED | MAP_NO_REPLACE);
    wanted.address = at;
    assert_int_equal(map_create(&program, &wanted, &at), 0);
    for (uint32_t round = 1; round < 4; round++) {
        *(volatile uint32_t *)frame_view(frame, SLOT_INSPECT) = 10 * round;
        assert_true(writes(&program, at, round));
        assert_int_equal(*(volatile uint32_t *)frame_view(frame, SLOT_INSPECT), 10 * round);
        assert_true(reads(&program, at, &value));
        assert_int_equal(value, round);
        assert_true(machine_tlb_ok());
    }
    while (count > 0)
        frame_put(below[--count]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(bytes_cross_pages),
        on_machine(rights_are_the_programs),
        on_machine(a_write_breaks_what_is_shared),
        on_machine(accessed_and_dirty_are_set),
        on_machine(text_ends_where_it_ends),
        on_machine(words_are_exchanged_whole),
        on_machine(without_memory_it_says_so),
        on_machine(nothing_of_a_programs_is_cached_while_the_kernel_runs),
        on_machine(what_lies_outside_of_user_space_is_nobodys),
        on_machine(one_address_two_meanings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
