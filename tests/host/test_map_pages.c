/*
 * test_map_pages.c - the pat layout's mmap (K18 to K22), under every layout: it asks only for user space.
 */
#include "map_world.h"

#include "memory/tables/cursor.h"
#include "memory/spaces/map_pages.h"

enum { VIDEO = 0xB8000 };

static int status;

static vaddr_t pages(vaddr_t at, paddr_t physical, size_t bytes)
{
    return try_map_pages(&program, at, physical, bytes, &status);
}

static frame_t frame_at(vaddr_t at)
{
    struct cursor c;
    entry_t       e;

    assert_int_equal(cursor_open(&c, &program, span_of(page_of(at), 1), 0), 0);
    e = cursor_read(&c, page_of(at));
    cursor_close(&c);
    return entry_present(e) ? entry_frame(e) : NO_FRAME;
}

static void every_page_is_there_at_once_and_zero(void)
{
    uint64_t faults = machine_counts.faults;

    assert_int_equal(pages(column(0), 0, 2 * PAGE_SIZE + 1), column(0));
    assert_int_equal(status, 0);
    assert_picture("www.....");
    assert_int_equal(program.resident, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(word_at(column(i)), 0);
    assert_int_equal(machine_counts.faults, faults);
    assert_true(writes(&program, column(1), 7));
}

static void what_is_there_already_stays(void)
{
    assert_int_equal(pages(column(2), 0, PAGE_SIZE), column(2));
    assert_true(writes(&program, column(2), 7));
    assert_int_equal(pages(column(1), 0, 3 * PAGE_SIZE), 0);
    assert_int_equal(status, -EEXIST);
    assert_int_equal(pages(column(2), VIDEO, PAGE_SIZE), 0);
    assert_int_equal(status, -EEXIST);
    assert_picture("..w.....");
    assert_int_equal(word_at(column(2)), 7);
}

/* Up to the next region, and from the last one on. */
static void neighbours_are_not_in_the_way(void)
{
    assert_int_equal(pages(column(2), 0, PAGE_SIZE), column(2));
    assert_int_equal(pages(column(0), 0, 2 * PAGE_SIZE), column(0));
    assert_int_equal(status, 0);
    assert_int_equal(pages(column(3), 0, PAGE_SIZE), column(3));
    assert_int_equal(status, 0);
    assert_int_equal(program.resident, 4);
}

static void a_physical_page_is_shown_and_not_marked(void)
{
    struct frame_sums before, after;
    size_t            bytes;

    assert_int_equal(pages(column(0), 0, PAGE_SIZE), column(0));        /* a table */
    frames_sums(&before);
    assert_int_equal(pages(column(1), VIDEO, 2 * PAGE_SIZE), column(1));
    assert_int_equal(frame_at(column(2)).no, frame_of(VIDEO).no + 1);
    frames_sums(&after);
    assert_memory_equal(before.owned, after.owned, sizeof before.owned);
    assert_int_equal(frames_bitmap(&bytes)[frame_of(VIDEO).no / 8], frames_bitmap(&bytes)[frame_of(VIDEO).no / 8 + 1]);
    assert_clean();
    assert_int_equal(map_remove(&program, column(1), 2 * PAGE_SIZE), 0);
    assert_int_equal(map_remove(&program, column(1), 2 * PAGE_SIZE), 0);
    frames_sums(&after);
    assert_int_equal(before.misuses, after.misuses);
}

/* Out of reach and back, cut in the middle, and a child: nothing counts such a page, nothing gives it back. */
static void what_can_be_done_to_a_physical_page_is_harmless(void)
{
    struct frame_sums before, after;
    struct space      child;

    frames_sums(&before);
    assert_int_equal(pages(column(0), VIDEO, 4 * PAGE_SIZE), column(0));
    assert_int_equal(map_protect(&program, column(0), 4 * PAGE_SIZE, 0), 0);
    assert_int_equal(map_protect(&program, column(0), 4 * PAGE_SIZE, R), 0);
    assert_int_equal(map_protect(&program, column(0), PAGE_SIZE, R | X), -EACCES);
    assert_int_equal(map_remove(&program, column(1), PAGE_SIZE), 0);
    assert_int_equal(space_create(&child), 0);
    set_limits(&child);
    assert_int_equal(map_copy(&child, &program), 0);
    assert_int_equal(child.map.count, 0);
    map_clear(&child);
    assert_int_equal(map_advise(&program, column(2), 2 * PAGE_SIZE, 11),
                     -EINVAL);     /* MADV_DOFORK, as for a device on Linux */
    assert_int_equal(map_copy(&child, &program), 0);
    assert_clean();
    map_clear(&child);
    space_destroy(&child);
    map_clear(&program);
    frames_sums(&after);
    assert_int_equal(before.misuses, after.misuses);
}

/* K21, K22, and physical ranges that may not be mapped. */
static void wrong_numbers_give_null_and_a_status(void)
{
    static const struct { vaddr_t at; paddr_t physical; size_t bytes; int status; } calls[] = {
        { BASE + 1, 0, 1, -EINVAL }, { BASE + 4095, 0, 1, -EINVAL }, { BASE, VIDEO + 1, 1, -EINVAL },
        { BASE, 1, 1, -EINVAL }, { BASE, 0, 0, -EINVAL }, { BASE, 0, SIZE_MAX, -EINVAL },
        { BASE, UINT64_MAX - 4095, 8192, -EPERM }, { 0, 0, 4096, -EFAULT }, { (vaddr_t)0xFFFFF000, 0, 4096, -EFAULT },
        { (vaddr_t)0xFFFFF000, 0, 8192, -EINVAL }, { BASE, 0x1000, 4096, -EPERM }, { BASE, 0x9F000, 4096, -EPERM },
        { BASE, 0xFF000, 8192, -EPERM }, { BASE, 0x100000, 4096, -EPERM }, { BASE, 0x400000, 4096, -EPERM },
        { BASE, 0xFFF000, 4096, -EPERM }, { BASE, 0x1000000, 4096, -EPERM }, { BASE, 0xFEC00000, 4096, -EPERM },
    };

    for (unsigned i = 0; i < COUNT_OF(calls); i++) {
        assert_int_equal(pages(calls[i].at, calls[i].physical, calls[i].bytes), 0);
        if (status != calls[i].status)
            fail_msg("call %u: status %d, not %d", i, status, calls[i].status);
    }
    assert_int_equal(program.map.count, 0);
    assert_int_equal(try_map_pages(&kernel_space, BASE, 0, PAGE_SIZE, &status), 0);
    assert_int_equal(status, -EFAULT);
}

/* Let the first, the second, ... frame be missing: nothing has changed then. */
static void without_memory_nothing_changes(void)
{
    assert_int_equal(pages(column(0), 0, PAGE_SIZE), column(0));       /* the heap has its tables from now on */
    assert_int_equal(map_remove(&program, column(0), PAGE_SIZE), 0);
    for (uint32_t k = 1; ; k++) {
        uint32_t user = frames_owned(OWNER_USER), tables = frames_owned(OWNER_TABLES);

        frame_fail_at(k);
        pages(column(0), 0, 4 * PAGE_SIZE);
        frame_fail_at(0);
        if (status == 0)
            break;
        assert_int_equal(status, -ENOMEM);
        assert_int_equal(program.map.count, 0);
        assert_int_equal(frames_owned(OWNER_USER), user);
        assert_int_equal(frames_owned(OWNER_TABLES), tables);
        assert_clean();
        assert_true(k < 20);
    }
    assert_int_equal(program.resident, 4);
}

/* The new pages have joined their neighbours: whatever is missing then, they go again, and nothing else. */
static void between_neighbours_nothing_changes_either(void)
{
    paint("w..w");
    for (uint32_t k = 1; k < 6; k++) {
        heap_drain();
        heap_fail_at(k);
        frame_fail_at(2);
        pages(column(1), 0, 2 * PAGE_SIZE);
        frame_fail_at(0);
        heap_fail_at(0);
        assert_int_equal(status, -ENOMEM);
        assert_picture("w..w");
        assert_int_equal(program.charged, 2);
        assert_clean();
    }
}

/* Below, between and above others; and what is in the way of one page is in the way of all. */
static void a_physical_range_needs_all_of_its_place(void)
{
    paint("..w..w");
    assert_int_equal(pages(column(1), VIDEO, PAGE_SIZE), column(1));
    assert_int_equal(pages(column(3), VIDEO, 2 * PAGE_SIZE), column(3));
    assert_int_equal(pages(column(6), VIDEO, PAGE_SIZE), column(6));
    assert_picture(".w|w|ww|w|w");
    assert_int_equal(pages(column(0), VIDEO, 2 * PAGE_SIZE), 0);
    assert_int_equal(status, -EEXIST);
    assert_int_equal(pages(column(5), VIDEO, PAGE_SIZE), 0);
    assert_int_equal(status, -EEXIST);
    assert_int_equal(pages(column(0), VIDEO, PAGE_SIZE), column(0));
    assert_int_equal(program.charged, 2);
    assert_int_equal(program.pages, 7);
}

static void without_a_region_no_physical_page_is_shown(void)
{
    heap_drain();
    heap_fail_at(1);
    assert_int_equal(pages(column(0), VIDEO, PAGE_SIZE), 0);
    heap_fail_at(0);
    assert_int_equal(status, -ENOMEM);
    assert_int_equal(program.map.count, 0);
    assert_int_equal(program.pages, 0);
}

static void addresses_behind_all_spaces_are_wrong(void)
{
    vaddr_t last = page_address(MMU_SPACE_END - 1);

    assert_int_equal(pages((vaddr_t)MMU_SPACE_END << PAGE_SHIFT, 0, PAGE_SIZE), 0);
    assert_int_equal(status, -EINVAL);
    assert_int_equal(pages(((vaddr_t)MMU_SPACE_END << PAGE_SHIFT) + PAGE_SIZE, 0, PAGE_SIZE), 0);
    assert_int_equal(status, -EINVAL);
    assert_int_equal(pages(last, 0, PAGE_SIZE), 0);
    assert_int_equal(status, -EFAULT);                  /* an address, though not a program's */
    assert_int_equal(pages(last, 0, PAGE_SIZE + 1), 0);
    assert_int_equal(status, -EINVAL);
    assert_int_equal(pages(column(0), 0x9FF000, PAGE_SIZE), 0);
    assert_int_equal(status, -EPERM);
    assert_int_equal(pages(column(0), 0xA0000, 0x60 * PAGE_SIZE), column(0));           /* screens and ROMs */
    assert_int_equal(unmap(0, 0x60), 0);
    assert_int_equal(pages(column(0), 0xA0000, 0x61 * PAGE_SIZE), 0);
    assert_int_equal(status, -EPERM);
    assert_int_equal(pages(column(0), 0x9F000, 2 * PAGE_SIZE), 0);
    assert_int_equal(status, -EPERM);
}

static void limits_hold(void)
{
    program.limits.whole = 3 * PAGE_SIZE;
    assert_int_equal(pages(column(0), 0, 4 * PAGE_SIZE), 0);
    assert_int_equal(status, -ENOMEM);
    assert_int_equal(pages(column(0), VIDEO, 4 * PAGE_SIZE), 0);
    assert_int_equal(status, -ENOMEM);
    assert_int_equal(pages(column(0), VIDEO, 3 * PAGE_SIZE), column(0));
}

/* K22: the kernel's own mistake. */
static void k22_the_kernel_stops(void)
{
    const char *why;

    why = MACHINE_STOPS(map_pages(&kernel_space, BASE, 0, PAGE_SIZE, &status));
    assert_non_null(why);
    assert_non_null(strstr(why, "identity space"));
    why = MACHINE_STOPS(map_pages(&program, 0x1000, 0, PAGE_SIZE, &status));
    assert_non_null(why);
    assert_non_null(strstr(why, "outside user space"));
    assert_null(MACHINE_STOPS(map_pages(&program, BASE + 1, 0, PAGE_SIZE, &status)));
    assert_int_equal(status, -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(every_page_is_there_at_once_and_zero),
        on_machine(what_is_there_already_stays),
        on_machine(neighbours_are_not_in_the_way),
        on_machine(a_physical_page_is_shown_and_not_marked),
        on_machine(what_can_be_done_to_a_physical_page_is_harmless),
        on_machine(wrong_numbers_give_null_and_a_status),
        on_machine(without_memory_nothing_changes),
        on_machine(between_neighbours_nothing_changes_either),
        on_machine(a_physical_range_needs_all_of_its_place),
        on_machine(without_a_region_no_physical_page_is_shown),
        on_machine(addresses_behind_all_spaces_are_wrong),
        on_machine(limits_hold),
        on_machine(k22_the_kernel_stops),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
